#include "app/event_retention.hpp"
#include "app/log.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include <algorithm>

namespace jumun::app {
event_retention::event_retention(storage::journal& to, options how)
    : journal_(to), how_(std::move(how)), archive_(how_.archive_dir),
      low_water_(storage::read_low_water(to.disk())) {}

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
  const auto before = low_water_;
  while (!stopping_) {
    auto oldest = storage::read_oldest(journal_.disk(), low_water_, limits::retention_batch);
    oldest.resize(due(oldest));
    if (oldest.empty()) break;
    if (auto failed = archive(oldest)) return failed;
    if (!trim(oldest, oldest.back().offset)) break;
    low_water_ = storage::read_low_water(journal_.disk());
  }
  if (low_water_ != before) log::info("events.trimmed", {{"from", before + 1}, {"to", low_water_}});
  return {};
}

/// How many of them have to go, from the first on. The size of all is estimated by that of these.
std::size_t event_retention::due(const events& oldest) const {
  std::size_t n = 0, bytes = 0;
  const auto too_old = how_.now_ms() - how_.keep.count();
  if (how_.keep.count() > 0)
    while (n < oldest.size() && oldest[n].fact.time_ms < too_old) ++n;
  if (how_.keep_bytes == 0 || oldest.empty()) return n;
  for (const auto& e : oldest) bytes += e.bytes;
  const auto each = std::max<std::uint64_t>(1, bytes / oldest.size());
  const auto all = storage::read_last_offset(journal_.disk()) - low_water_;
  const auto kept = how_.keep_bytes / each;
  const auto too_many = all > kept ? all - kept : 0;
  return std::max<std::size_t>(n, std::min<std::uint64_t>(too_many, oldest.size()));
}

/// Those that a pass which died hadn't archived already.
std::optional<std::string> event_retention::archive(const events& these) {
  std::string lines;
  std::uint64_t first = 0;
  for (const auto& e : these) {
    if (e.offset <= archive_.last()) continue;
    if (first == 0) first = e.offset;
    lines += http::event_json(e.fact, e.offset) + "\n";
  }
  if (lines.empty()) return {};
  return archive_.append(lines, first, these.back().offset);
}

/// False: the journal has stopped. Waits for the disk, so that at most one batch is on its way.
bool event_retention::trim(const events& these, std::uint64_t low_water) {
  // A shard that came from another node may have brought a higher one; it never falls.
  low_water = std::max(low_water, storage::read_low_water(journal_.disk()));
  auto set = storage::trimming(journal_.disk(), these, low_water);
  if (journal_.append(std::move(set)) != storage::append_result::ok) return false;
  journal_.flush();
  return storage::read_low_water(journal_.disk()) >= low_water;
}

/// What was kept for an open order goes once that has come to rest. It is in the archive already.
void event_retention::drop_left_behind() {
  std::optional<std::uint64_t> first_open;
  for (auto from = left_from_; !stopping_;) {
    const auto left =
      storage::read_left_behind(journal_.disk(), from, low_water_, limits::retention_batch);
    if (left.empty()) break;
    from = left.back().offset + 1;
    const auto still_open = [](const auto& e) { return e.order_open; };
    const auto kept = std::find_if(left.begin(), left.end(), still_open);
    if (kept != left.end() && !first_open) first_open = kept->offset;
    if (std::all_of(left.begin(), left.end(), still_open)) continue;
    if (!trim(left, low_water_)) return;
  }
  if (!stopping_) left_from_ = first_open.value_or(low_water_ + 1);
}
} // namespace jumun::app
