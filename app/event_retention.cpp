#include "app/event_retention.hpp"
#include "app/log.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include <algorithm>

namespace jumun::app {
event_retention::event_retention(storage::journal& to, options how)
    : journal_(to), how_(std::move(how)), archive_(how_.archive_dir) {}

event_retention::~event_retention() {
  {
    const std::lock_guard lock{guard_};
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void event_retention::start() {
  thread_ = std::thread{[this] { work(); }};
}

void event_retention::work() {
  while (!stopping_) {
    if (const auto failed = pass()) {
      log::error("events.retention_stopped",
        {{"detail", *failed}, {"hint", "nothing more is trimmed until the next start"}});
      return;
    }
    std::unique_lock lock{guard_};
    wake_.wait_for(lock, limits::retention_pause, [this] { return stopping_.load(); });
  }
}

std::optional<std::string> event_retention::pass() {
  if (!opened_)
    if (auto failed = archive_.open()) return failed;
  opened_ = true;
  drop_left_behind();
  std::uint64_t count = 0, to = 0;
  while (!stopping_) {
    const auto of = begun_by_old(served());
    auto oldest = storage::read_oldest(journal_.disk(), of, storage::trim_batch_max);
    oldest.resize(whole_offsets(oldest, due(oldest)));
    if (oldest.empty()) break;
    if (auto failed = archive(oldest)) return failed;
    if (!trim(oldest, of, oldest.back().offset)) break;
    count += oldest.size(), to = oldest.back().offset;
  }
  if (count > 0) log::info("events.trimmed", {{"events", count}, {"to", to}});
  return {};
}

domain::shard_set event_retention::served() const {
  return how_.served ? how_.served() : domain::all_shards();
}

/// In a cluster a shard's offsets are older or younger than another's, by where it came from. Those
/// whose oldest event stays must not hold up the others.
domain::shard_set event_retention::begun_by_old(const domain::shard_set& of) const {
  if (!how_.served) return of;
  domain::shard_set begun;
  for (const auto& e : storage::read_oldest_of_each(journal_.disk(), of))
    if (too_old(e)) begun.set(static_cast<unsigned char>(e.feed_key.front()));
  return begun;
}

bool event_retention::too_old(const storage::old_event& e) const {
  return how_.keep.count() > 0 && e.fact.time_ms < how_.now_ms() - how_.keep.count();
}

/// How many of them have to go, from the first on. The size of all is estimated by that of these.
std::size_t event_retention::due(const events& oldest) const {
  std::size_t n = 0, bytes = 0;
  while (n < oldest.size() && too_old(oldest[n])) ++n;
  if (how_.keep_bytes == 0 || how_.served || oldest.empty()) return n;
  for (const auto& e : oldest) bytes += e.bytes;
  const auto each = std::max<std::uint64_t>(1, bytes / oldest.size());
  const auto& disk = journal_.disk();
  const auto all = storage::read_last_offset(disk) - storage::read_low_water(disk).greatest();
  const auto kept = how_.keep_bytes / each;
  const auto too_many = all > kept ? all - kept : 0;
  return std::max<std::size_t>(n, std::min<std::uint64_t>(too_many, oldest.size()));
}

/// So many of them that no offset is torn: a mark is an offset, and in a cluster events of several
/// shards may have the same one (each brings those that it had elsewhere). All of them go, or none:
/// what stays behind a mark is read by nobody, and taken for archived.
std::size_t event_retention::whole_offsets(const events& oldest, std::size_t n) {
  std::uint64_t stays = 0; // perhaps with others of the next batch
  if (n < oldest.size())
    stays = oldest[n].offset;
  else if (n == storage::trim_batch_max)
    stays = oldest.back().offset;
  while (n > 0 && oldest[n - 1].offset == stays) --n;
  return n;
}

/// Those that a pass which died hadn't archived already. In a cluster a smaller offset is no sign
/// of that: better twice than never.
std::optional<std::string> event_retention::archive(const events& these) {
  std::string lines;
  std::uint64_t first = 0;
  for (const auto& e : these) {
    if (!how_.served && e.offset <= archive_.last()) continue;
    if (first == 0) first = e.offset;
    lines += http::event_json(e.fact, e.offset) + "\n";
  }
  if (lines.empty()) return {};
  return archive_.append(lines, first, these.back().offset);
}

/// False: the journal has stopped. Waits for the disk, so that at most one batch is on its way.
bool event_retention::trim(const events& these, const domain::shard_set& of, std::uint64_t up_to) {
  bool landed = false; // told before flush() returns
  auto set = storage::trimming(journal_.disk(), these, of, up_to);
  if (journal_.append(std::move(set), [&landed] { landed = true; }) != storage::append_result::ok)
    return false;
  journal_.flush();
  return landed;
}

/// What was kept for an open order goes once that has come to rest. It is in the archive already.
void event_retention::drop_left_behind() {
  const auto of = served();
  std::optional<std::uint64_t> first_open;
  for (auto from = left_from_; !stopping_;) {
    const auto left = storage::read_left_behind(journal_.disk(), of, from, storage::trim_batch_max);
    if (left.empty()) break;
    from = left.back().offset; // again: the next batch may have others there
    const auto still_open = [](const auto& e) { return e.order_open; };
    const auto kept = std::find_if(left.begin(), left.end(), still_open);
    if (kept != left.end() && !first_open) first_open = kept->offset;
    if (!std::all_of(left.begin(), left.end(), still_open) && !trim(left, of, 0)) return;
    if (left.size() < storage::trim_batch_max) break;
  }
  if (stopping_ || how_.served) return; // what another shard brings may lie anywhere
  left_from_ = first_open.value_or(storage::read_low_water(journal_.disk()).greatest() + 1);
}
} // namespace jumun::app
