#include "tests/power/shop_day.hpp"
#include "domain/limits.hpp"
#include "storage/backup.hpp"
#include "storage/customer_index.hpp"
#include "storage/feed_trim.hpp"
#include "storage/rocks_raw.hpp"
#include "storage/rocks_store.hpp"
#include <atomic>
#include <rocksdb/db.h>

namespace jumun::tests {
storage::rocks_options opened_on(const std::string& dir, power_env& env) {
  storage::rocks_options how;
  how.dir = dir;
  how.memory_bytes = 8 << 20;
  how.env = &env;
  return how;
}

namespace {
constexpr std::int64_t price = 100;
domain::request_context from(const std::string& key) {
  return {"tester", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "0af7651916cd43dd8448eb211c80319c", /*traced=*/false, key, "body of " + key};
}
std::string id_in(const std::string& body) {
  const auto at = body.find("ord_");
  return at == std::string::npos ? "" : body.substr(at, 30);
}
} // namespace

std::optional<storage::failure> shop_day::run(const day_plan& plan) {
  for (int life = 0; life <= plan.restarts; ++life) {
    if (auto why = one_life(plan, life)) return why;
    close();
  }
  return plan.backup ? restore() : std::nullopt;
}

bool shop_day::open() {
  auto opened = storage::open_rocks(opened_on(data_dir, *env_));
  if (auto* why = std::get_if<storage::failure>(&opened)) {
    why_ = *why;
    return false;
  }
  rocks_ = std::get<0>(std::move(opened));
  store_ = std::make_shared<witness_store>(rocks_, story_);
  why_ = storage::build_customer_index(*store_);
  return !why_;
}

void shop_day::close() {
  store_.reset();
  rocks_.reset();
}

void shop_day::kill() {
  disk_->on_sync({});
  close();
}

std::optional<storage::failure> shop_day::one_life(const day_plan& plan, int life) {
  if (!open()) return why_;
  shop_life now{store_, money_, static_cast<std::uint64_t>(life + 1)};
  const auto work = [this] { background_jobs += env_->run_background(); };
  for (int round = 0; round < (life == 0 ? plan.rounds : 1); ++round) {
    sell(now, round, plan);
    if (!now.run(work)) return now.failed();
    if (plan.trim && round == plan.rounds - 1 && !trim(now)) return now.failed();
    if (life == 0 && !flush_all()) return why_;
  }
  if (life != 0 || !plan.backup) return {};
  const std::atomic<bool> stop{false};
  const auto made = storage::make_backup(*rocks_, backup_dir, 2, stop);
  if (const auto* why = std::get_if<storage::failure>(&made)) return *why;
  ++backups;
  return {};
}

void shop_day::sell(shop_life& now, int round, const day_plan& plan) {
  if (round == 0)
    for (const auto* sku : {"a", "b"}) {
      domain::adjust_stock c{from(std::string{"stock-"} + sku), sku, {40, "opening", ""}};
      now.ask(now.route().inventory(domain::shard_of(std::string_view{sku})), c,
        [](const actors::command_result&) {});
    }
  for (int i = 0; i < plan.orders; ++i) order(now, ++orders_);
  if (!answered_.empty()) cancel(now, answered_.back());
}

void shop_day::order(shop_life& now, int number) {
  domain::place_order c;
  c.from = from("order-" + std::to_string(number));
  c.draft.customer = "c-" + std::to_string(number % 5);
  c.draft.currency = "KRW";
  c.draft.lines.push_back({"a", "A", 1 + number % 2, price, {}});
  if (number % 2 == 0) c.draft.lines.push_back({"b", "B", 2, price, {}});
  for (const auto& l : c.draft.lines) c.draft.total += l.quantity * l.unit_price;
  c.draft.method = "card";
  c.draft.token = number % 5 == 4 ? "tok_decline" : "tok_approve";
  const auto shard = domain::shard_of(c.from.key);
  now.ask(now.route().supervisor(shard), std::move(c), [this](const actors::command_result& r) {
    if (!r.lost && r.reply.status == 201) answered_.push_back(id_in(r.reply.body));
  });
}

void shop_day::cancel(shop_life& now, const std::string& order) {
  const auto id = *domain::parse_id(domain::id_kind::order, order);
  domain::cancel_order c{from("cancel-" + order), id, "changed my mind"};
  now.ask(now.route().supervisor(domain::shard_of(id)), std::move(c),
    [](const actors::command_result&) {});
}

bool shop_day::flush_all() {
  rocksdb::FlushOptions how;
  how.wait = false; // its jobs are ours to run
  for (auto* family : storage::raw_families(*rocks_)) {
    const auto s = storage::raw_database(*rocks_)->Flush(how, family);
    if (!s.ok()) {
      why_ = storage::failure{storage::errc::io_failed, "flush: " + s.ToString()};
      return false;
    }
  }
  background_jobs += env_->run_background();
  ++flushes;
  return true;
}

bool shop_day::trim(shop_life& now) {
  const auto of = domain::all_shards();
  const auto old = storage::read_oldest(*store_, of, 10);
  if (old.empty()) return true;
  if (now.journal().append(storage::trimming(*store_, old, of, old.back().offset))
      != storage::append_result::ok)
    return !now.failed();
  now.journal().flush();
  if (!now.failed()) trimmed += old.size();
  return !now.failed();
}

/// Into a folder of its own, and goes on there. What is acknowledged there must stay there.
std::optional<storage::failure> shop_day::restore() {
  if (auto why = storage::restore_newest_backup(backup_dir, restored_dir, env_.get())) return why;
  auto opened = storage::open_rocks(opened_on(restored_dir, *env_));
  if (auto* why = std::get_if<storage::failure>(&opened)) return *why;
  const auto& disk = std::get<0>(opened);
  if (auto why = disk->apply({{storage::table::meta, "restored", "1"}})) return why;
  restored_ = digest_of(*disk);
  return {};
}
} // namespace jumun::tests
