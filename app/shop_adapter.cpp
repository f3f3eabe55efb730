#include "app/shop_adapter.hpp"
#include "actors/counted.hpp"
#include "actors/describe.hpp"
#include "app/answer_to.hpp"
#include "app/cluster/cluster_side.hpp"
#include "app/console/actor_lookup.hpp"
#include "app/pages.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include "storage/queries.hpp"
#include "storage/rocks_store.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace jumun::app {
namespace {
using domain::shard_id;

constexpr std::uint64_t orders_in_a_row = 32;

std::optional<domain::order> order_in(const std::optional<std::string>& row) {
  return row ? storage::decode<domain::order>(*row) : std::nullopt;
}

template <std::size_t N>
std::string percentile_bucket(const std::array<std::uint64_t, N>& histogram, double quantile) {
  std::uint64_t total = 0, seen = 0;
  for (const auto n : histogram) total += n;
  for (std::size_t i = 0; i < N; ++i) {
    seen += histogram[i];
    if (total > 0 && static_cast<double>(seen) >= quantile * static_cast<double>(total))
      return std::to_string(std::uint64_t{2} << i);
  }
  return "0";
}
} // namespace

// -- commands -------------------------------------------------------------------------------------

/// Where an order goes that no key binds to a shard: some in a row to the same one, then to the
/// next. What they write lies side by side, and their actors and rows are still in the processor's
/// caches: a fifth less CPU for each order than by chance (ADR 0011).
shard_id shop_adapter::shard_being_filled() {
  auto shard =
    static_cast<shard_id>(unkeyed_.fetch_add(1, std::memory_order_relaxed) / orders_in_a_row);
  for (std::size_t i = 0; i < domain::shard_count && !node_.serves(shard); ++i) ++shard;
  return shard;
}

void shop_adapter::place(domain::place_order c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto shard = c.from.key.empty() ? shard_being_filled() : domain::shard_of(c.from.key);
  if (!placing_.take(shard)) // a mailbox has no bound: one hot shard must not grow without end
    return reply({env.present.refused(domain::refusal::overloaded,
                    "Too many orders wait to be accepted in this order's shard.", "", c.from),
      {}});
  send_command(env, env.route.supervisor(shard), std::move(c),
    [this, shard, reply = std::move(reply)](http::outcome o) {
      placing_.give_back(shard);
      reply(std::move(o));
    });
}
void shop_adapter::cancel(domain::cancel_order c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.supervisor(domain::shard_of(c.order));
  send_command(env, to, std::move(c), std::move(reply));
}
void shop_adapter::report(domain::report_delivery c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.supervisor(domain::shard_of(c.order));
  send_command(env, to, std::move(c), std::move(reply));
}
void shop_adapter::adjust(domain::adjust_stock c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.inventory(domain::shard_of(c.sku));
  send_command(env, to, std::move(c), std::move(reply));
}
void shop_adapter::count(domain::count_stock c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.inventory(domain::shard_of(c.sku));
  send_command(env, to, std::move(c), std::move(reply));
}
void shop_adapter::put(domain::put_product c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.inventory(domain::shard_of(c.row.sku));
  send_command(env, to, std::move(c), std::move(reply));
}
void shop_adapter::remember(domain::remember_reply c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.supervisor(c.shard);
  send_command(env, to, std::move(c), std::move(reply));
}

shop_adapter::watch_id shop_adapter::watch(
  domain::order_id id, bool settled_only, std::uint64_t version, std::function<void()> changed) {
  auto& hub = node_.watches();
  const auto which = hub.add(id, settled_only, version, std::move(changed));
  // What became durable before add() is not told again: look once.
  if (const auto now = find_order(id)) hub.check(id, which, now->version, domain::settled(*now));
  return which;
}
void shop_adapter::stop_watching(domain::order_id id, watch_id w) { node_.watches().remove(id, w); }

// -- reads
// ------------------------------------------------------------------------------------------

std::optional<domain::order> shop_adapter::find_order(domain::order_id id) {
  return order_in(node_.journal().durable(storage::table::orders, storage::order_key(id)));
}
std::optional<domain::order> shop_adapter::recent_order(domain::order_id id) {
  return order_in(node_.journal().recent(storage::table::orders, storage::order_key(id)));
}
std::optional<domain::stock> shop_adapter::find_stock(const std::string& sku) {
  return storage::find_stock(node_.disk(), sku);
}
std::optional<domain::product> shop_adapter::find_product(const std::string& sku) {
  return storage::find_product(node_.disk(), sku);
}
shop_adapter::maybe<domain::order> shop_adapter::list_orders(
  const http::order_query& q, std::size_t limit, const std::string& cursor) {
  const storage::order_filter filter{
    q.customer, q.status, q.saga, q.sku, q.created_after_ms, q.created_before_ms};
  return listed_by(node_, [&](const domain::shard_set& ours) {
    return storage::list_orders(node_.disk(), filter, limit, cursor, ours);
  });
}
shop_adapter::maybe<domain::stock> shop_adapter::list_stock(
  std::size_t limit, const std::string& cursor) {
  return listed_by(node_, [&](const domain::shard_set& ours) {
    return storage::list_stock(node_.disk(), limit, cursor, ours);
  });
}
shop_adapter::maybe<domain::product> shop_adapter::list_products(
  std::size_t limit, const std::string& cursor) {
  return listed_by(node_, [&](const domain::shard_set& ours) {
    return storage::list_products(node_.disk(), limit, cursor, ours);
  });
}
shop_adapter::maybe<domain::movement> shop_adapter::list_movements(
  const std::string& sku, std::size_t limit, const std::string& cursor) {
  return listed(storage::list_movements(node_.disk(), sku, limit, cursor));
}

// -- operations
// --------------------------------------------------------------------------------------

void shop_adapter::find_actor(
  const std::string& id, http::done<std::optional<http::actor_info>> reply) {
  const auto record = find_record(node_, id);
  if (!record) return reply({});
  // Its live state is asked for, but an actor that is stuck or gone must not keep the asker
  // waiting.
  struct pending {
    explicit pending(boost::asio::io_context& io) : patience(io) {}
    std::atomic<bool> answered{false};
    boost::asio::steady_timer patience;
  };
  auto shared = std::make_shared<pending>(io_);
  auto finish = [shared, info = info_of(node_, *record), reply = std::move(reply)](
                  std::string state) {
    if (shared->answered.exchange(true)) return;
    auto full = info;
    full.live_state = std::move(state);
    reply(std::move(full));
  };
  shared->patience.expires_after(std::chrono::seconds{1});
  shared->patience.async_wait([finish](const boost::system::error_code&) { finish(""); });
  actors::describe question{[this, shared, finish](std::string state) {
    finish(std::move(state));
    boost::asio::post(io_, [shared] { shared->patience.cancel(); });
  }};
  if (record->kind == "saga") { // it may sleep, or be about to: its supervisor knows
    if (auto to = node_.env().route.supervisor(domain::shard_of(record->order)))
      caf::anon_send(to, actors::describe_saga{record->order, std::move(question)});
  } else if (auto alive = caf::actor_cast<caf::actor>(record->address)) {
    caf::anon_send(alive, std::move(question));
  }
}

std::optional<std::string> shop_adapter::restart_actor(const std::string& id) {
  const auto record = find_record(node_, id);
  if (!record || record->kind == "node") return {};
  if (record->state == "quarantined" || record->state == "dormant") { // a saga without an actor
    if (auto to = node_.env().route.supervisor(domain::shard_of(record->order)))
      caf::anon_send(to, actors::respawn{actors::role::saga, record->order});
    return record->name;
  }
  actors::stop_actor(record->address, record->address,
    caf::make_error(actors::errc::restart_asked, std::string{"an operator asked for it"}));
  return record->name;
}

std::optional<std::vector<http::ledger_entry>> shop_adapter::ledger() {
  if (!node_.simulator()) return std::nullopt;
  return node_.simulator()->ledger();
}

std::vector<http::readiness_check> shop_adapter::readiness() {
  const auto gave_up = node_.escalation();
  auto shards = std::to_string(node_.served().count()) + " owned";
  const auto* side = node_.side();
  const bool joined = !side || side->owners().joined();
  if (!joined) shards = "not in the cluster yet: " + node_.coordinator().link().error;
  const auto missing = side ? side->owners().missing() : domain::shard_set{};
  if (missing.any()) shards += ", " + std::to_string(missing.count()) + " without their data";
  return {{"journal", true, "open"}, {"supervision", gave_up.empty(), gave_up},
    {"shards", joined && missing.none(), shards}};
}

/// The quickest mean of a tenth of a second seen lately. Commits get longer with the crowd that
/// shares them, which must not be a reason to let a larger one in; so a longer one counts only as
/// what was quicker is forgotten (in half a minute to a twentieth).
std::chrono::microseconds shop_adapter::commit_time() {
  constexpr double forgotten_each_time = 1.01;
  const auto now = node_.journal().stats();
  const std::lock_guard lock{seen_.mutex};
  const auto commits = now.commits - seen_.commits;
  if (commits > 0) {
    const auto mean =
      static_cast<double>(now.commit_us_sum - seen_.us_sum) / static_cast<double>(commits);
    seen_.quickest_us =
      seen_.quickest_us > 0 ? std::min(mean, seen_.quickest_us * forgotten_each_time) : mean;
  }
  seen_.commits = now.commits, seen_.us_sum = now.commit_us_sum;
  return std::chrono::microseconds{static_cast<std::int64_t>(seen_.quickest_us)};
}

std::string shop_adapter::storage_figures() {
  const auto j = node_.journal().stats();
  const auto ledger = node_.simulator() ? node_.simulator()->stats() : payment_simulator::figures{};
  actors::json_object figures;
  figures.add("write_sets", j.write_sets)
    .add("commits", j.commits)
    .add("write_sets_per_commit_x100", j.commits ? j.write_sets * 100 / j.commits : 0)
    .add("largest_batch", j.largest_batch)
    .add("entries", j.entries)
    .add("bytes", j.bytes)
    .add("commit_us_mean", j.commits ? j.commit_us_sum / j.commits : 0)
    .add("commit_us_below_p50", percentile_bucket(j.commit_us_histogram, 0.5))
    .add("commit_us_below_p99", percentile_bucket(j.commit_us_histogram, 0.99))
    .add("batch_below_p50", percentile_bucket(j.batch_size_histogram, 0.5))
    .add("batch_below_p99", percentile_bucket(j.batch_size_histogram, 0.99))
    .add("ledger_lines", ledger.lines)
    .add("ledger_syncs", ledger.syncs)
    .add("disk_nearly_full", node_.space().nearly_full() ? 1 : 0);
  for (const auto& [name, value] : storage::rocks_figures(node_.disk()))
    figures.add("rocksdb." + name, value);
  return figures.text();
}
} // namespace jumun::app
