#include "actors/messages.hpp"
#include "app/cluster/cluster_side.hpp"
#include "app/node.hpp"
#include "storage/rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/etcd_server.hpp"
#include "tests/support/shop_client.hpp"
#include <future>

// Nodes of one cluster, whole but for HTTP, in this process: etcd, the wire and the disks are real.
using namespace jumun;
using tests::ask_until;

namespace {
class nodes {
public:
  explicit nodes(const std::vector<std::string>& names) : count_(names.size()) {
    for (const auto& name : names) start(name);
    serve_all();
  }
  ~nodes() {
    for (auto& [name, n] : all_) n.reset();
  }
  app::node& at(const std::string& name) { return *all_.at(name); }
  void start(const std::string& name) {
    app::node_options how;
    how.data_dir = (dir_.path() / name).string();
    how.node_id = name;
    how.cluster.emplace();
    how.cluster->cluster = "shop";
    how.cluster->node = name;
    how.cluster->role = "all";
    how.cluster->etcd.endpoints = {etcd_.url()};
    how.cluster->owners_min = count_;
    auto opened = app::node::open(how);
    if (auto* why = std::get_if<storage::failure>(&opened)) throw std::runtime_error(why->detail);
    auto& n = all_[name];
    n = std::get<0>(std::move(opened));
    if (auto why = n->open_wire()) throw std::runtime_error(*why);
    n->join("127.0.0.1:1", "127.0.0.1:2");
  }
  void stop(const std::string& name) { all_.at(name).reset(); }
  void serve_all() {
    ask_until([this] {
      std::size_t served = 0;
      for (const auto& [name, n] : all_) {
        n->env().journal.flush();
        served += n->served().count();
      }
      return served == domain::shard_count;
    });
  }
  /// A SKU of that node's, by what it is called.
  std::string sku_of(const std::string& name, const std::string& stem) {
    for (int i = 0;; ++i) {
      auto sku = stem + std::to_string(i);
      if (at(name).serves(domain::shard_of(sku))) return sku;
    }
  }
  app::node& owner_of(const std::string& sku) {
    for (auto& [name, n] : all_)
      if (n && n->serves(domain::shard_of(sku))) return *n;
    throw std::runtime_error("nobody serves " + sku);
  }
  void stock_up(const std::string& sku, std::int64_t pieces) {
    auto& env = owner_of(sku).env();
    const auto r = asked(env.route.inventory(domain::shard_of(sku)),
      domain::adjust_stock{from("stock-" + sku), sku, {pieces, "goods in", ""}});
    REQUIRE(r.reply.status == 201);
  }
  domain::stock stock(const std::string& sku) {
    auto& n = owner_of(sku);
    const auto row = n.journal().durable(storage::table::stock, storage::sku_key(sku));
    return *storage::decode<domain::stock>(*row);
  }
  std::string figures(const std::string& sku) {
    const auto s = stock(sku);
    return std::to_string(s.on_hand) + "/" + std::to_string(s.reserved);
  }
  /// On a shard of `home`, one piece of each.
  domain::order_id place(const std::string& home, const std::vector<std::string>& skus,
    std::int64_t pieces = 1, const std::string& token = "tok_approve") {
    domain::place_order c;
    c.from = from("order-" + std::to_string(++orders_));
    c.draft.customer = "c";
    c.draft.currency = "KRW";
    for (const auto& sku : skus) c.draft.lines.push_back({sku, sku, pieces, 100, {}});
    c.draft.total = 100 * pieces * static_cast<std::int64_t>(skus.size());
    c.draft.method = "card";
    c.draft.token = token;
    c.draft.ship_to.country = "KR";
    c.wants_settled = true;
    const auto shard = domain::numbers_of(at(home).served()).front();
    return asked(at(home).env().route.supervisor(static_cast<domain::shard_id>(shard)), c)
      .to_settle;
  }
  void cancel(const std::string& home, domain::order_id id) {
    const auto r = asked(at(home).env().route.supervisor(domain::shard_of(id)),
      domain::cancel_order{from("cancel"), id, "changed my mind"});
    REQUIRE(r.reply.status == 202);
  }
  domain::order order(const std::string& home, domain::order_id id) {
    const auto row = at(home).journal().durable(storage::table::orders, storage::order_key(id));
    return *storage::decode<domain::order>(*row);
  }
  std::string settled(const std::string& home, domain::order_id id) {
    ask_until([&] {
      at(home).env().journal.flush();
      return domain::at_rest(order(home, id));
    });
    return std::string{domain::status_of(order(home, id))};
  }

private:
  template <class Handle, class Command>
  static actors::command_result asked(const Handle& to, Command c) {
    auto said = std::make_shared<std::promise<actors::command_result>>();
    auto answer = said->get_future();
    caf::anon_send(to,
      actors::asked_by_edge<Command>{std::move(c),
        actors::completion{[said](actors::command_result r) { said->set_value(std::move(r)); }}});
    return answer.get();
  }
  static domain::request_context from(const std::string& key) {
    return {"tester", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "0af7651916cd43dd8448eb211c80319c", false, key, "body of " + key};
  }
  tests::temp_dir dir_;
  tests::etcd_servers etcd_;
  std::map<std::string, std::unique_ptr<app::node>> all_;
  std::size_t count_;
  int orders_ = 0;
};
} // namespace

TEST_CASE("an order takes its stock from two other nodes", "[cluster][nodes]") {
  nodes shop{{"a", "b", "c"}};
  const auto tea = shop.sku_of("b", "tea"), cake = shop.sku_of("c", "cake");
  shop.stock_up(tea, 10);
  shop.stock_up(cake, 10);

  const auto kept = shop.place("a", {tea, cake});
  CHECK(shop.settled("a", kept) == "preparing");
  CHECK(shop.figures(tea) == "9/0");
  CHECK(shop.figures(cake) == "9/0");

  shop.cancel("a", kept);
  CHECK(shop.settled("a", kept) == "cancelled");
  CHECK(shop.figures(tea) == "10/0");
  CHECK(shop.figures(cake) == "10/0");

  CHECK(shop.settled("a", shop.place("a", {tea, cake}, 11)) == "rejected");
  CHECK(shop.settled("a", shop.place("a", {tea, cake}, 1, "tok_decline")) == "rejected");
  CHECK(shop.figures(tea) == "10/0");
  CHECK(shop.figures(cake) == "10/0");

  const auto sent = shop.at("a").side()->stock();
  CHECK(sent.commands_sent >= 8);
  CHECK(sent.answers_taken >= 8);
  CHECK(sent.malformed == 0);
}

TEST_CASE("a saga waits for the node that has its stock", "[cluster][nodes]") {
  nodes shop{{"a", "b"}};
  const auto tea = shop.sku_of("b", "tea");
  shop.stock_up(tea, 10);
  shop.stop("b");
  const auto id = shop.place("a", {tea});
  ask_until([&] { return shop.at("a").side()->stock().not_sent > 0; });
  CHECK_FALSE(domain::at_rest(shop.order("a", id)));
  shop.start("b");
  CHECK(shop.settled("a", id) == "preparing");
  CHECK(shop.figures(tea) == "9/0");
}
