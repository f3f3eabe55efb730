#include "app/webhooks/dispatcher.hpp"
#include "app/log.hpp"
#include "app/node.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include <algorithm>
#include <charconv>
#include <curl/curl.h>

namespace jumun::app {
namespace {
std::int64_t now_ms() { return wall_clock_us() / 1'000; }

/// RFC 9110 §10.2.3: seconds, or a date. 0: neither, or in the past.
std::int64_t retry_after_ms(std::string_view text, std::int64_t now) {
  std::int64_t seconds = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (ec == std::errc{} && end == text.data() + text.size())
    return std::clamp<std::int64_t>(seconds, 0, 1'000'000'000) * 1'000;
  const auto date = text.empty() ? -1 : curl_getdate(std::string{text}.c_str(), nullptr);
  return date < 0 ? 0 : std::max<std::int64_t>(0, std::int64_t{date} * 1'000 - now);
}
} // namespace

domain::webhook_answer answer_of(
  const outbound_response& said, std::chrono::milliseconds took, std::int64_t now) {
  domain::webhook_answer out;
  out.status = static_cast<std::uint32_t>(said.status);
  out.error = said.error;
  out.duration_ms = took.count();
  if (said.status >= 300 && said.status < 400) out.error = "redirects are not followed";
  if (said.status == 429 || said.status == 503)
    out.retry_after_ms = retry_after_ms(said.field("retry-after"), now);
  return out;
}

webhook_dispatcher::webhook_dispatcher(storage::journal& to, options how)
    : journal_(to), disk_(to.disk()), how_(std::move(how)),
      client_(std::make_unique<outbound_client>(how_.client)) {
  for (auto& row : storage::all_webhooks(disk_)) {
    const auto id = row.id;
    lanes_.emplace(id, webhook_lane{std::move(row), storage::all_webhook_deliveries(disk_, id)});
  }
  endpoints_ = lanes_.size();
  thread_ = std::thread{[this] { work(); }};
}

void webhook_dispatcher::stop() {
  {
    const std::lock_guard held{guard_};
    if (std::exchange(stopping_, true)) return;
  }
  wake_.notify_all();
  thread_.join();
  client_.reset(); // who is under way hears an error, which counts for nothing
  {
    const std::lock_guard held{guard_}; // the committer may still release one: see store()
    for (auto& [id, lane] : lanes_)
      if (lane.dirty()) append(lane.take_changes());
  }
  journal_.flush(); // what it calls back, it calls now
}

void webhook_dispatcher::feed_moved() {
  if (endpoints_ == 0 || feed_moved_.exchange(true)) return; // once per look is enough
  {
    const std::lock_guard held{guard_};
    poked_ = true;
  }
  wake_.notify_one();
}

void webhook_dispatcher::work() {
  try {
    locked held{guard_};
    while (!stopping_) {
      poked_ = false;
      look_into_feed(held);
      send_what_is_due(held);
      write_checkpoints();
      wait(held);
    }
  } catch (const std::runtime_error& unreadable) { // a read that fails ends the process (store.hpp)
    end_after({storage::errc::io_failed, unreadable.what()});
  }
}

// -- the feed -------------------------------------------------------------------------------------

/// Endpoints that are up to date stand at the same place, and share one read. However many lag
/// behind, at most half of the time goes into reading.
void webhook_dispatcher::look_into_feed(locked& held) {
  const auto start = steady::now();
  if (start < next_look_ || !feed_moved_.exchange(false)) return;
  std::vector<domain::order_id> ids;
  for (const auto& [id, lane] : lanes_)
    if (lane.reads_after()) ids.push_back(id);
  feed_page page;
  for (const auto id : ids) {
    auto* lane = lane_of(id);
    const auto after = lane ? lane->reads_after() : std::nullopt;
    if (!after) continue;
    if (page.after != after) {
      held.unlock();
      page = read_page(*after);
      held.lock();
      lane = lane_of(id);
      if (!lane) continue;
    }
    if (page.begins_after > *after) { // retention was faster than its receiver
      log::warn("webhook.events_lost", {{"webhook", domain::to_text(domain::id_kind::webhook, id)},
                                         {"lost", lane->skip_to(page.begins_after)}});
      feed_moved_ = true;
      continue;
    }
    lane->take_in(*after, page.events, page.next);
    if (page.next < page.last && lane->reads_after()) feed_moved_ = true; // nothing for it so far
  }
  const auto took = steady::now() - start;
  next_look_ = start + took + std::max<steady::duration>(took, limits::webhook_read_pause);
}

webhook_dispatcher::feed_page webhook_dispatcher::read_page(std::uint64_t after) const {
  feed_page p;
  p.after = after;
  auto found = storage::read_feed(disk_, "", "", after, limits::webhook_window_max);
  p.events = std::move(found.rows);
  p.next = found.next;
  p.last = found.bounds.last;
  p.begins_after = found.bounds.begins_after();
  return p;
}

// -- to the receivers -----------------------------------------------------------------------------

void webhook_dispatcher::send_what_is_due(locked& held) {
  std::vector<outgoing> all;
  const auto now = now_ms();
  for (auto& [id, lane] : lanes_)
    if (auto job = lane.begin(now)) all.push_back({id, std::move(*job), lane.row()});
  if (all.empty()) return;
  held.unlock();
  for (auto& o : all) send(std::move(o));
  held.lock();
}

void webhook_dispatcher::send(outgoing o) {
  const auto& what = o.job.what;
  const auto e = storage::find_event(disk_, what.type, what.key, what.sequence);
  const auto id = http::event_id(what.key, what.sequence);
  auto body = e ? http::event_json(*e, what.offset) : std::string{};
  if (!e || body.size() > limits::webhook_payload_bytes_max) {
    const std::lock_guard held{guard_};
    if (auto* lane = lane_of(o.to))
      lane->impossible(
        o.job, e ? "the event is too long to be sent" : "the event is not kept any more", now_ms());
    poked_ = true;
    return;
  }
  auto request = request_for(o.row, id, std::move(body));
  if (!e->traceparent.empty()) request.headers.emplace_back("traceparent", e->traceparent);
  client_->send(
    std::move(request), [this, to = o.to, job = std::move(o.job), asked = steady::now()](
                          const outbound_response& said) { heard(to, job, said, asked); });
}

/// On the client's thread.
void webhook_dispatcher::heard(domain::order_id from, const webhook_lane::job& job,
  const outbound_response& said, steady::time_point asked) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - asked);
  const auto now = now_ms();
  const std::lock_guard held{guard_};
  auto* lane = lane_of(from);
  if (stopping_ || !lane) return;
  const bool was_on = lane->on();
  lane->answered(job, answer_of(said, took, now), now, random_bits(), how_.hurry);
  if (was_on && !lane->on())
    log::error("webhook.disabled", {{"webhook", to_text(domain::id_kind::webhook, from)},
                                     {"because", domain::name_of(lane->row().off)}});
  if (lane->reads_after()) feed_moved_ = true; // there is room again
  poked_ = true;
  wake_.notify_one();
}

// -- the disk, and time ---------------------------------------------------------------------------

void webhook_dispatcher::write_checkpoints() {
  const auto now = steady::now();
  const bool due = checkpoint_at_ && *checkpoint_at_ <= now;
  bool waits = false;
  for (auto& [id, lane] : lanes_) {
    if (!lane.dirty()) continue;
    if (due || lane.rows_changed() >= limits::webhook_checkpoint_max)
      append(lane.take_changes());
    else
      waits = true;
  }
  if (due) checkpoint_at_.reset();
  if (waits && !checkpoint_at_) checkpoint_at_ = now + limits::webhook_checkpoint_pause;
}

void webhook_dispatcher::wait(locked& held) {
  auto until = steady::now() + std::chrono::hours{1};
  if (checkpoint_at_) until = std::min(until, *checkpoint_at_);
  if (feed_moved_) until = std::min(until, next_look_);
  const auto now = now_ms();
  for (const auto& [id, lane] : lanes_)
    if (const auto due = lane.due_ms())
      until = std::min(until,
        steady::now() + std::chrono::milliseconds{std::max<std::int64_t>(0, *due - now) + 1});
  wake_.wait_until(held, until, [this] { return stopping_ || poked_; });
}
} // namespace jumun::app
