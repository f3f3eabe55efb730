#include "app/webhooks/lane.hpp"
#include "domain/limits.hpp"
#include "storage/rows.hpp"
#include <algorithm>

namespace jumun::app {
using domain::webhook_delivery;
using domain::webhook_state;

webhook_lane::webhook_lane(domain::webhook row, std::vector<webhook_delivery> kept)
    : row_(std::move(row)), read_(row_.cursor), written_cursor_(row_.cursor) {
  for (auto& d : kept) {
    if (d.state == webhook_state::retrying) {
      read_ = std::max(read_, d.offset);
      head_ = std::move(d);
      continue;
    }
    (d.state == webhook_state::delivered ? delivered_ : failed_).push_back(d.offset);
    if (d.redeliver) by_hand_.push_back(std::move(d));
  }
}

// -- from the feed --------------------------------------------------------------------------------

std::optional<std::uint64_t> webhook_lane::reads_after() const {
  if (!on() || !window_.empty()) return {};
  return read_;
}

void webhook_lane::take_in(
  std::uint64_t after, const std::vector<storage::fed_event>& events, std::uint64_t next) {
  if (after != read_ || next < after) return;
  for (const auto& e : events) {
    if (!domain::wants(row_, e.fact.type)) continue;
    webhook_delivery d;
    d.endpoint = row_.id, d.offset = e.offset;
    d.type = e.fact.type, d.key = e.fact.key, d.sequence = e.fact.sequence;
    window_.push_back(std::move(d));
  }
  read_ = next;
  if (!head_ && window_.empty()) advance_to(read_);
}

std::uint64_t webhook_lane::skip_to(std::uint64_t first) {
  if (first <= read_) return 0;
  const auto lost = first - read_;
  row_.lost += lost;
  read_ = first;
  row_dirty_ = true;
  if (!head_ && window_.empty()) advance_to(read_);
  return lost;
}

/// Skipping what nobody wants is not worth a write; a restart reads it again.
void webhook_lane::advance_to(std::uint64_t offset) {
  row_.cursor = std::max(row_.cursor, offset);
  if (row_.cursor - written_cursor_ >= limits::webhook_skipped_max) row_dirty_ = true;
}

// -- to the receiver ------------------------------------------------------------------------------

std::optional<std::int64_t> webhook_lane::due_ms() const {
  if (!on() || under_way_ || held_ > 0) return {};
  if (!by_hand_.empty()) return 0;
  if (head_) return head_->next_attempt_ms;
  if (!window_.empty()) return 0;
  return {};
}

std::optional<webhook_lane::job> webhook_lane::begin(std::int64_t now_ms) {
  const auto due = due_ms();
  if (!due || *due > now_ms) return {};
  under_way_ = true;
  if (!by_hand_.empty()) return job{by_hand_.front(), true};
  if (!head_) {
    head_ = std::move(window_.front());
    window_.pop_front();
  }
  return job{*head_, false};
}

void webhook_lane::answered(const job& done, const domain::webhook_answer& got, std::int64_t now_ms,
  std::uint64_t random, std::int64_t hurry) {
  under_way_ = false;
  if (done.by_hand) {
    auto d = done.what;
    by_hand_.pop_front();
    domain::take_answer_by_hand(d, got, now_ms);
    std::erase(delivered_, d.offset), std::erase(failed_, d.offset);
    return keep(d);
  }
  domain::take_answer(row_, *head_, got, now_ms, random, hurry);
  row_dirty_ = true;
  if (head_->state == webhook_state::retrying)
    changed_[head_->offset] = *head_;
  else
    settle();
}

void webhook_lane::impossible(const job& which, std::string why, std::int64_t now_ms) {
  domain::webhook_answer none;
  none.error = std::move(why);
  if (which.by_hand) return answered(which, none, now_ms, 0, 1);
  under_way_ = false;
  head_->attempts.push_back({now_ms, 0, 0, std::move(none.error), false});
  head_->state = webhook_state::failed;
  settle();
}

/// The head is delivered or given up: its place in the feed is passed.
void webhook_lane::settle() {
  row_.cursor = std::max(row_.cursor, window_.empty() ? read_ : head_->offset);
  row_dirty_ = true;
  keep(*head_);
  head_.reset();
}

void webhook_lane::keep(const webhook_delivery& settled) {
  changed_[settled.offset] = settled;
  auto& kept = settled.state == webhook_state::delivered ? delivered_ : failed_;
  kept.push_back(settled.offset);
  trim(kept);
}

void webhook_lane::trim(std::deque<std::uint64_t>& kept) {
  for (; kept.size() > limits::webhook_rows_kept; kept.pop_front())
    changed_[kept.front()] = std::nullopt;
}

// -- over HTTP ------------------------------------------------------------------------------------

void webhook_lane::change(domain::webhook to) {
  const bool filter_changed = to.topics != row_.topics || to.types != row_.types;
  const bool switched_on = !on() && to.off == domain::webhook_off::none;
  row_ = std::move(to);
  row_dirty_ = true;
  if (filter_changed) { // what was read ahead was read by the old filter
    window_.clear();
    read_ = head_ ? head_->offset : row_.cursor;
  }
  if (!switched_on) return;
  row_.failing_since_ms = 0, row_.given_up_in_row = 0;
  if (!head_) return;
  head_->tries = 0, head_->next_attempt_ms = 0;
  changed_[head_->offset] = *head_;
}

webhook_lane::asked webhook_lane::redeliver(webhook_delivery what) {
  if (!on()) return asked::off;
  if (head_ && head_->offset == what.offset) {
    head_->next_attempt_ms = 0;
    changed_[head_->offset] = *head_;
    return asked::is_next;
  }
  for (const auto& d : by_hand_)
    if (d.offset == what.offset) return asked::queued; // asking twice is one redelivery
  if (by_hand_.size() >= limits::webhook_redeliveries_max) return asked::full;
  what.redeliver = true;
  changed_[what.offset] = what;
  by_hand_.push_back(std::move(what));
  return asked::queued;
}

std::vector<webhook_delivery> webhook_lane::unwritten() const {
  std::vector<webhook_delivery> out;
  for (const auto& [offset, d] : changed_)
    if (d) out.push_back(*d);
  if (head_) out.push_back(*head_);
  return out;
}

// -- to the disk ----------------------------------------------------------------------------------

std::vector<storage::entry> webhook_lane::take_changes() {
  using storage::table;
  std::vector<storage::entry> out;
  for (const auto& [offset, d] : changed_)
    out.push_back({table::webhook_deliveries, storage::webhook_delivery_key(row_.id, offset),
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
  const auto drop = [&](std::uint64_t offset) {
    out.push_back({table::webhook_deliveries, storage::webhook_delivery_key(row_.id, offset), {}});
  };
  for (const auto offset : delivered_) drop(offset);
  for (const auto offset : failed_) drop(offset);
  for (const auto& [offset, d] : changed_) drop(offset);
  if (head_) drop(head_->offset);
  return out;
}
} // namespace jumun::app
