#include "app/monitoring/node_figures.hpp"
#include "storage/rocks_store.hpp"
#include <algorithm>

namespace jumun::app {
namespace {
using domain::milestone;

/// Buckets by powers of two, where bucket i holds what is below 2^(i+1); `bound` makes that an
/// `le`.
template <std::size_t N, class Bound> std::vector<families::bucket> by_powers_of_two(
  const std::array<std::uint64_t, N>& in, Bound bound) {
  std::vector<families::bucket> own;
  for (std::size_t i = 0; i + 1 < N; ++i) own.push_back({bound(std::uint64_t{2} << i), in[i]});
  own.push_back({INFINITY, in[N - 1]});
  return own;
}
} // namespace

void add_order_figures(families& to, const census& orders) {
  to.counter("jumun_orders_total",
    "Orders that came to this, each at most once (blocked: each time), since the start.");
  for (std::size_t m = 0; m < domain::milestone_count; ++m)
    to.value(orders.orders(milestone(m)), {{"outcome", std::string{name_of(milestone(m))}}});
  to.gauge("jumun_sagas_open", "Sagas in flight or blocked, by where they stand.");
  for (std::size_t s = 0; s < census::states.size(); ++s)
    to.value(orders.open_in(s), {{"state", std::string{census::states[s]}}});
  to.histogram("jumun_saga_duration_seconds",
    "From acceptance (cancelled: from the cancellation) until the saga was at rest, durably.");
  for (const auto m : {milestone::preparing, milestone::rejected, milestone::cancelled})
    to.buckets(orders.took(m), {{"outcome", std::string{name_of(m)}}});
}

void add_actor_figures(families& to, const actors::actor_registry& all) {
  const auto kinds = all.by_kind();
  const auto each = [&](auto pick) {
    for (const auto& [kind, of] : kinds) to.value(pick(of), {{"kind", kind}});
  };
  to.gauge("jumun_actors", "Actors of this node by kind and state.");
  for (const auto& [kind, of] : kinds)
    for (const auto& [state, n] : of.by_state) to.value(n, {{"kind", kind}, {"state", state}});
  to.gauge("jumun_actor_mailbox_depth", "Messages that wait in the mailboxes of this kind.");
  each([](const actors::actor_figures& of) { return of.mailbox_depth; });
  to.gauge("jumun_actor_mailbox_depth_max", "The fullest mailbox of this kind.");
  each([](const actors::actor_figures& of) { return of.mailbox_depth_max; });
  to.counter("jumun_actor_messages_handled_total", "Messages handled, by actors gone too.");
  each([](const actors::actor_figures& of) { return of.handled; });
  to.counter("jumun_actor_restarts_total", "Actors that fell, and were set aside or restarted.");
  each([](const actors::actor_figures& of) { return of.restarts; });
}

void add_journal_figures(families& to, const storage::journal& of) {
  const auto now = of.stats();
  to.counter("jumun_journal_write_sets_total", "Write sets made durable.").value(now.write_sets);
  to.counter("jumun_journal_rows_total", "Rows written or deleted by them.").value(now.entries);
  to.counter("jumun_journal_written_bytes_total", "Keys and values of these rows.")
    .value(now.bytes);
  to.gauge("jumun_journal_waiting_write_sets", "Appended, and not durable yet.").value(now.waiting);
  const auto seconds = [](std::uint64_t us) { return static_cast<double>(us) / 1e6; };
  const auto lag = of.lag_us();
  to.gauge("jumun_journal_lag_seconds", "How long the commit under way has been waited for.")
    .value(seconds(*std::max_element(lag.begin(), lag.end())));
  to.histogram("jumun_commit_duration_seconds", "One batch: its write and its fsync.")
    .buckets(by_powers_of_two(now.commit_us_histogram, seconds), seconds(now.commit_us_sum));
  const auto below = [](std::uint64_t n) { return static_cast<double>(n - 1); };
  to.histogram("jumun_commit_batch_write_sets", "Write sets that shared one fsync.")
    .buckets(
      by_powers_of_two(now.batch_size_histogram, below), static_cast<double>(now.write_sets));
  to.counter("jumun_events_total", "Events appended to histories, by type.");
  for (std::uint8_t t = 1; t <= domain::event_type_last; ++t)
    to.value(now.events[t], {{"type", std::string{name_of(static_cast<domain::event_type>(t))}}});
}

void add_rocks_figures(families& to, const storage::store& disk) {
  const auto all = storage::rocks_figures(disk); // `name`, or `table.name`
  const auto whole = [&all](std::string_view wanted) -> std::uint64_t {
    for (const auto& [name, value] : all)
      if (name == wanted) return value;
    return 0;
  };
  const auto by_table = [&](std::string_view figure) {
    for (const auto& [name, value] : all)
      if (const auto dot = name.find('.'); dot != name.npos && name.substr(dot + 1) == figure)
        to.value(value, {{"table", name.substr(0, dot)}});
  };
  to.gauge("jumun_rocksdb_rows", "Rows of a table, estimated."), by_table("rows_estimated");
  to.gauge("jumun_rocksdb_sst_bytes", "Files of a table."), by_table("file_bytes");
  to.gauge("jumun_rocksdb_live_bytes", "Live data in them, estimated.");
  by_table("live_bytes_estimated");
  to.gauge("jumun_rocksdb_memtable_bytes", "Write buffers of a table."), by_table("memory_bytes");
  to.gauge("jumun_rocksdb_compaction_pending_bytes", "Still to be compacted, estimated.");
  by_table("compaction_pending_bytes");
  to.gauge("jumun_rocksdb_compactions_running", "Compactions at work.")
    .value(whole("compactions_running"));
  to.gauge("jumun_rocksdb_flushes_running", "Flushes at work.").value(whole("flushes_running"));
  to.gauge("jumun_rocksdb_writes_stopped", "1: writes are stalled until compaction catches up.")
    .value(whole("writes_stopped"));
  to.gauge("jumun_rocksdb_delayed_write_bytes_per_second", "Writes are slowed to this; 0: not.")
    .value(whole("write_rate_delayed"));
  to.counter("jumun_rocksdb_background_errors_total", "Errors of flushes and compactions.")
    .value(whole("background_errors"));
  to.gauge("jumun_rocksdb_cache_bytes", "Block cache and write buffers in use, one budget.")
    .value(whole("cache_bytes"));
  to.gauge("jumun_rocksdb_cache_limit_bytes", "That budget: --memory-mb.")
    .value(whole("cache_bytes_max"));
}
} // namespace jumun::app
