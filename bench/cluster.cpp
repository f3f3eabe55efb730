#include "bench/interrupt.hpp"
#include "bench/modes.hpp"
#include "bench/server/child_cluster.hpp"
#include "bench/server/spawn.hpp"
#include "domain/ids.hpp"
#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

/// What does an order cost when its steps are on several nodes, against one node?
namespace jumun::bench {
namespace fs = std::filesystem;

namespace {
constexpr std::int64_t stock = 1'000'000'000;
constexpr unsigned sku_numbers = 1'000; // as many as their names have digits for
constexpr auto rest_patience = std::chrono::seconds{120};
constexpr double cost_ratio_max = 1.6;

/// The nodes share some processors, and the load and etcd have the others: what nodes cost must not
/// depend on who stands beside them.
struct seats {
  std::vector<int> nodes, load;
  seats() {
    nodes = load = processors();
    if (nodes.size() < 2) return;
    load.assign(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(nodes.size() / 2));
    nodes.erase(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(load.size()));
  }
};

/// Where the orders go, and where their stock is.
enum class way : std::uint8_t {
  alone,     // a node without a cluster
  any,       // to all nodes alike, stock wherever it falls
  elsewhere, // to all nodes but n1, which has the stock and the payments: each step is remote
};
struct question {
  std::string name; // `remote`: each step is on another node
  unsigned nodes = 1;
  way goes = way::any;
};

std::vector<question> questions(unsigned most) {
  std::vector<question> all{{"alone", 1, way::alone}, {"1 node", 1, way::any}};
  for (unsigned n = 2; n <= most; n *= 2) {
    all.push_back({std::to_string(n) + " nodes", n, way::any});
    all.push_back({std::to_string(n) + " remote", n, way::elsewhere});
  }
  return all;
}

/// The servers of one question.
class servers {
public:
  servers(const fs::path& folder, const question& q, const options& o, const seats& at) {
    if (q.goes != way::alone) {
      many_ = std::make_unique<child_cluster>(
        folder, child_cluster::launch{q.nodes, o.server_args, at.nodes, at.load});
      for (std::size_t i = 0; i < many_->size(); ++i) all_.push_back(&many_->node(i));
      return;
    }
    fs::create_directories(folder);
    data_ = folder / "data";
    one_ = std::make_unique<child_server>(
      data_, folder, o.server_args, child_server::launch{false, true, at.nodes});
    all_.push_back(one_.get());
  }
  [[nodiscard]] const std::vector<child_server*>& all() const { return all_; }
  /// SKUs of the n1's, or any.
  [[nodiscard]] std::vector<unsigned> skus(unsigned count, way goes) const {
    std::vector<unsigned> out;
    for (unsigned n = 0; n < sku_numbers && out.size() < count; ++n)
      if (goes != way::elsewhere || many_->owners().at(domain::shard_of(sku_name(n))) == 0)
        out.push_back(n);
    return out;
  }
  std::vector<std::string> stop() {
    if (one_) return one_->stop(), std::vector<std::string>{data_};
    many_->stop();
    return many_->data_folders();
  }

private:
  fs::path data_;
  std::unique_ptr<child_server> one_;
  std::unique_ptr<child_cluster> many_;
  std::vector<child_server*> all_;
};

void put_stock(const control& shop, const std::vector<unsigned>& skus) {
  const auto want = [](const control::reply& r) {
    if (r.status / 100 != 2)
      throw std::runtime_error("a product: " + std::to_string(r.status) + " " + r.body);
  };
  for (const auto n : skus) {
    want(shop.call("PUT", "/v1/products/" + sku_name(n),
      R"({"name":"Cup","unit_price":{"amount":)" + std::to_string(unit_price)
        + R"(,"currency":")" + std::string{currency} + "\"}}"));
    want(shop.call("POST", "/v1/inventory/" + sku_name(n) + "/adjustments",
      R"({"delta":)" + std::to_string(stock) + R"(,"reason":"bench"})"));
  }
}

std::vector<double> cpu_us(const servers& of) {
  std::vector<double> all;
  for (const auto* s : of.all()) all.push_back(figures_of(s->pid()).cpu_us);
  return all;
}

/// Each node's sagas, then what any of them says for all.
books books_of(const servers& of) {
  books b;
  for (const auto* s : of.all())
    b = read_books(control{s->shop()}, control{s->ops()}, rest_patience);
  return b;
}

void check_folders(stage& on, const std::vector<std::string>& folders) {
  std::vector<std::string> args{"check", "--json"};
  args.insert(args.end(), folders.begin(), folders.end());
  const auto check = run_self(args, on.folder() / "check.log");
  if (check.exit_code != 0)
    on.result.wrong.push_back("jumun check: exit code " + std::to_string(check.exit_code) + " "
                              + check.out.substr(0, 1'000));
}

/// @returns µs of processor time of all nodes for one settled order.
double answer(stage& on, const question& q, const options& o, const seats& at) {
  on.step(q.name + ": starting");
  const auto folder = on.folder() / q.name;
  servers of{folder, q, o, at};
  order_form f;
  f.waits = true, f.keyed = o.keyed;
  f.these = of.skus(o.skus, q.goes);
  put_stock(control{of.all().front()->shop()}, f.these);
  const auto before = books_of(of);

  auto p = on.plan([f](unsigned thread) { return ordering(f, thread); });
  for (std::size_t i = q.goes == way::elsewhere ? 1 : 0; i < of.all().size(); ++i)
    p.spread.push_back(of.all()[i]->shop());
  std::vector<double> then, now;
  p.on_begin = [&] { then = cpu_us(of); };
  p.on_end = [&] { now = cpu_us(of); };
  on.step(q.name);
  const auto r = on.run(std::move(p));

  const auto good = static_cast<double>(std::max<std::uint64_t>(1, r.good));
  double all = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto each = (now[i] - then[i]) / good;
    all += each;
    if (now.size() > 1)
      on.result.more[q.name + ": of that n" + std::to_string(i + 1) + ", µs"] = each;
  }
  on.result.more[q.name + ": CPU each, µs"] = all;
  on.result.more[q.name + ": orders/s a node"] =
    r.per_second() / static_cast<double>(of.all().size());
  auto m = stage::figures_of(r);
  m.name = q.name;
  on.result.steps.push_back(m);

  on.step(q.name + ": the books");
  for (auto& w : disagreements(before, books_of(of), r.seen, {units_of(f), unit_price}))
    on.result.wrong.push_back(q.name + ": " + w);
  check_folders(on, of.stop());
  fs::remove_all(folder);
  return all;
}
} // namespace

void run_cluster(stage& on, const options& o) {
  const seats at;
  run_on(at.load);
  double alone = 0;
  for (const auto& q : questions(o.nodes)) {
    if (interrupted()) break;
    const auto cost = answer(on, q, o, at);
    if (q.goes == way::alone) alone = cost, on.result.result = on.result.steps.back();
    if (q.goes == way::elsewhere)
      on.result.targets.push_back(
        {q.name + ": CPU each, of one without", cost / alone, cost_ratio_max});
  }
}
} // namespace jumun::bench
