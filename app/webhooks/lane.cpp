#include "app/webhooks/lane.hpp"
#include "domain/limits.hpp"
#include "storage/rows.hpp"
#include <algorithm>
#include <atomic>

namespace jumun::app {
using domain::feed_position;
using domain::webhook_delivery;
using domain::webhook_state;

bool reaches(const feed_position& p, const feed_position& asked, const domain::shard_set& in) {
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    if (in.test(s) && asked.of[s] > p.of[s]) return false;
  return true;
}

namespace {
/// Each shard of `p` to where it is in `to`, unless it is further. `latest` is no place yet.
void raise(feed_position& p, const feed_position& to) {
  constexpr auto unknown = feed_position::latest;
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    if (to.of[s] != unknown && (p.of[s] == unknown || p.of[s] < to.of[s])) p.of[s] = to.of[s];
}
feed_position place_of(const webhook_delivery& d) {
  return domain::parse_feed_position(d.cursor).value_or(feed_position{});
}
/// A message's number is no name for a job: a lane that comes back may give it to another event,
/// and what was settled is sent once more by hand.
std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}
} // namespace

webhook_lane::webhook_lane(domain::webhook row, std::vector<webhook_delivery> kept)
    : row_(std::move(row)), read_(row_.cursor), written_cursor_(row_.cursor) {
  for (auto& d : kept) {
    numbered_ = std::max(numbered_, d.number);
    if (d.state == webhook_state::retrying) {
      raise(read_, place_of(d));
      head_ = std::move(d);
      continue;
    }
    (d.state == webhook_state::delivered ? delivered_ : failed_).push_back(d.number);
    if (d.redeliver) by_hand_.push_back(std::move(d));
  }
}

// -- from the feed --------------------------------------------------------------------------------

std::uint64_t webhook_lane::take_in(const feed_position& after, const http::feed_part& part) {
  if (!on() || window_.size() >= limits::webhook_window_max) return 0;
  if (!reaches(read_, after, part.served)) return 0;
  begin_where(part);
  const auto lost = count_lost(part);
  auto at = read_;
  for (std::size_t i = 0; i < part.rows.size(); ++i) {
    const auto& e = part.rows[i];
    if (e.offset <= read_.of[e.shard] || !domain::wants(row_, e.fact.type)) continue;
    // A shard that moved brought its offsets: the next event may have the same one.
    const bool more = i + 1 < part.rows.size() && part.rows[i + 1].offset == e.offset;
    at.advance(part.served, more ? e.offset - 1 : e.offset);
    at.of[e.shard] = e.offset;
    webhook_delivery d;
    d.endpoint = row_.id, d.number = e.offset, d.cursor = to_text(at);
    d.type = e.fact.type, d.key = e.fact.key, d.sequence = e.fact.sequence;
    window_.push_back(std::move(d));
  }
  at.advance(part.served, part.next);
  read_ = at;
  if (!head_ && window_.empty()) advance_to(read_);
  return lost;
}

/// Shards whose node was away when the endpoint was made: it gets what comes from now on.
void webhook_lane::begin_where(const http::feed_part& part) {
  for (const auto n : domain::numbers_of(part.from_now)) {
    const auto s = static_cast<std::size_t>(n);
    if (read_.of[s] == feed_position::latest) read_.of[s] = part.last;
    if (row_.cursor.of[s] != feed_position::latest) continue;
    row_.cursor.of[s] = part.last;
    row_dirty_ = true;
  }
}

/// Counted with the last of the part's pages that begin in what is gone.
std::uint64_t webhook_lane::count_lost(const http::feed_part& part) {
  std::uint64_t lost = 0; // shards of a node share its numbers
  for (const auto n : domain::numbers_of(part.served)) {
    const auto s = static_cast<std::size_t>(n);
    const auto begin = part.begin.of[s];
    if (read_.of[s] < begin && begin <= part.next) lost = std::max(lost, begin - read_.of[s]);
  }
  row_.lost += lost;
  row_dirty_ = row_dirty_ || lost > 0;
  return lost;
}

/// What was read ahead is dropped.
void webhook_lane::read_again() {
  window_.clear();
  read_ = row_.cursor;
  if (head_) raise(read_, place_of(*head_));
}

/// Skipping what nobody wants is not worth a write; a restart reads it again.
void webhook_lane::advance_to(const feed_position& place) {
  raise(row_.cursor, place);
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    if (row_.cursor.of[s] - written_cursor_.of[s] >= limits::webhook_skipped_max) row_dirty_ = true;
}

// -- to the receiver ------------------------------------------------------------------------------

std::optional<std::int64_t> webhook_lane::due_ms() const {
  if (!on() || under_way_ || held_ > 0) return {};
  const auto by_hand = by_hand_due_ms(), fed = fed_due_ms();
  return by_hand && fed ? std::min(*by_hand, *fed) : by_hand ? by_hand : fed;
}

std::optional<std::int64_t> webhook_lane::by_hand_due_ms() const {
  return by_hand_.empty() ? std::nullopt : std::optional{by_hand_not_before_ms_};
}

std::optional<std::int64_t> webhook_lane::fed_due_ms() const {
  if (head_) return std::max(not_before_ms_, head_->next_attempt_ms);
  if (!window_.empty()) return not_before_ms_;
  return {};
}

std::optional<webhook_lane::job> webhook_lane::begin(std::int64_t now_ms) {
  const auto due = due_ms();
  if (!due || *due > now_ms) return {};
  const auto by_hand_due = by_hand_due_ms();
  const bool by_hand = by_hand_due && *by_hand_due <= now_ms;
  if (!by_hand && !head_) {
    head_ = std::move(window_.front());
    window_.pop_front();
    head_->number = numbered_ = std::max(numbered_ + 1, head_->number);
  }
  const auto& next = by_hand ? by_hand_.front() : *head_;
  under_way_ = next_serial();
  return job{next, by_hand, *under_way_};
}

void webhook_lane::answered(const job& done, const domain::webhook_answer& got, std::int64_t now_ms,
  std::uint64_t random, std::int64_t hurry) {
  if (!awaits(done)) return;
  under_way_.reset();
  if (done.by_hand) {
    auto d = done.what;
    by_hand_.pop_front();
    domain::take_answer_by_hand(d, got, now_ms);
    std::erase(delivered_, d.number), std::erase(failed_, d.number);
    return keep(d);
  }
  domain::take_answer(row_, *head_, got, now_ms, random, hurry);
  row_dirty_ = true;
  if (head_->state == webhook_state::retrying)
    keep_head();
  else
    settle();
}

void webhook_lane::impossible(const job& which, std::string why, std::int64_t now_ms) {
  if (!awaits(which)) return;
  domain::webhook_answer none;
  none.error = std::move(why);
  if (which.by_hand) return answered(which, none, now_ms, 0, 1);
  under_way_.reset();
  head_->attempts.push_back({now_ms, 0, 0, std::move(none.error), false});
  head_->state = webhook_state::failed;
  settle();
}

void webhook_lane::put_back(const job& which, std::int64_t again_ms) {
  if (!awaits(which)) return;
  under_way_.reset();
  if (which.by_hand) { // the next one may be of another node; if not, the feed has its turn first
    std::rotate(by_hand_.begin(), by_hand_.begin() + 1, by_hand_.end());
    by_hand_not_before_ms_ = again_ms;
    return;
  }
  not_before_ms_ = again_ms;
  if (!head_->attempts.empty()) return;
  head_.reset();
  read_again();
}

/// The head is delivered or given up: its place in the feed is passed.
void webhook_lane::settle() {
  raise(row_.cursor, window_.empty() ? read_ : place_of(*head_));
  row_dirty_ = true;
  keep(*head_);
  head_.reset();
}

/// As long as it was not tried there is nothing to remember of it.
void webhook_lane::keep_head() {
  if (!head_->attempts.empty()) changed_[head_->number] = *head_;
}

void webhook_lane::keep(const webhook_delivery& settled) {
  changed_[settled.number] = settled;
  auto& kept = settled.state == webhook_state::delivered ? delivered_ : failed_;
  kept.push_back(settled.number);
  trim(kept);
}

/// What waits to be sent by hand is kept until it was: keep() counts it again then.
void webhook_lane::trim(std::deque<std::uint64_t>& kept) {
  for (; kept.size() > limits::webhook_rows_kept; kept.pop_front())
    if (!waits_by_hand(kept.front())) changed_[kept.front()] = std::nullopt;
}

bool webhook_lane::waits_by_hand(std::uint64_t number) const {
  return std::any_of(
    by_hand_.begin(), by_hand_.end(), [&](const auto& d) { return d.number == number; });
}

// -- over HTTP ------------------------------------------------------------------------------------

void webhook_lane::change(domain::webhook to) {
  const bool filter_changed = to.topics != row_.topics || to.types != row_.types;
  const bool switched_on = !on() && to.off == domain::webhook_off::none;
  row_ = std::move(to);
  row_dirty_ = true;
  if (filter_changed) read_again(); // what was read ahead was read by the old filter
  if (!switched_on) return;
  row_.failing_since_ms = 0, row_.given_up_in_row = 0;
  if (!head_) return;
  head_->tries = 0, head_->next_attempt_ms = 0;
  keep_head();
}

webhook_lane::asked webhook_lane::redeliver(webhook_delivery what) {
  if (!on()) return asked::off;
  if (head_ && head_->number == what.number) {
    head_->next_attempt_ms = 0;
    keep_head();
    return asked::is_next;
  }
  if (waits_by_hand(what.number)) return asked::queued; // asking twice is one redelivery
  if (by_hand_.size() >= limits::webhook_redeliveries_max) return asked::full;
  what.redeliver = true;
  changed_[what.number] = what;
  by_hand_.push_back(std::move(what));
  return asked::queued;
}

std::vector<webhook_delivery> webhook_lane::unwritten() const {
  std::vector<webhook_delivery> out;
  for (const auto& [number, d] : changed_)
    if (d) out.push_back(*d);
  if (head_) out.push_back(*head_);
  return out;
}

// -- to the disk ----------------------------------------------------------------------------------

std::vector<storage::entry> webhook_lane::take_changes() {
  using storage::table;
  std::vector<storage::entry> out;
  for (const auto& [number, d] : changed_)
    out.push_back({table::webhook_deliveries, storage::webhook_delivery_key(row_.id, number),
      d ? std::optional{storage::encode(*d)} : std::nullopt});
  out.push_back({table::webhooks, storage::webhook_key(row_.id), storage::encode(row_)});
  changed_.clear();
  row_dirty_ = false;
  written_cursor_ = row_.cursor;
  return out;
}

std::vector<storage::entry> webhook_lane::farewell() const {
  using storage::table;
  std::vector<storage::entry> out{{table::webhooks, storage::webhook_key(row_.id), {}}};
  const auto drop = [&](std::uint64_t number) {
    out.push_back({table::webhook_deliveries, storage::webhook_delivery_key(row_.id, number), {}});
  };
  for (const auto number : delivered_) drop(number);
  for (const auto number : failed_) drop(number);
  for (const auto& [number, d] : changed_) drop(number);
  for (const auto& d : by_hand_) drop(d.number);
  if (head_) drop(head_->number);
  return out;
}
} // namespace jumun::app
