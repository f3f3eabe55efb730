#include "app/webhooks/dispatcher.hpp"
#include "app/log.hpp"
#include "app/node.hpp"
#include "domain/limits.hpp"
#include "http/merge_parts.hpp"
#include "http/render.hpp"
#include "storage/queries.hpp"
#include <algorithm>
#include <charconv>
#include <curl/curl.h>

namespace jumun::app {
using domain::feed_position;

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
    : journal_(to), disk_(to.disk()), how_(std::move(how)), feed_(disk_, nullptr),
      client_(std::make_unique<outbound_client>(how_.client)), thread_([this] { work(); }) {}

// -- which endpoints ------------------------------------------------------------------------------

void webhook_dispatcher::join(http::elsewhere& others) {
  const std::lock_guard held{guard_};
  others_ = &others;
}

void webhook_dispatcher::take(domain::shard_id shard) {
  const auto epoch = journal_.epoch_of(shard);
  {
    const std::lock_guard held{guard_};
    const auto known = taken_.find(shard);
    if (known != taken_.end() && known->second == epoch) return; // only its actors are new
  }
  std::vector<webhook_lane> found;
  for (auto& row : storage::all_webhooks(disk_, shard)) {
    auto kept = storage::all_webhook_deliveries(disk_, row.id);
    found.emplace_back(std::move(row), std::move(kept));
  }
  {
    const std::lock_guard held{guard_};
    taken_[shard] = epoch;
    for (auto& lane : found) {
      const auto id = lane.row().id;
      lanes_.emplace(id, std::move(lane));
    }
    endpoints_ = lanes_.size();
  }
  feed_moved();
}

void webhook_dispatcher::leave(domain::shard_id shard) {
  const std::lock_guard held{guard_};
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    auto& [id, lane] = *at;
    if (domain::shard_of(id) == shard) {
      if (lane.dirty()) append(id, lane.take_changes());
      at = lanes_.erase(at);
    } else {
      ++at;
    }
  }
  taken_.erase(shard);
  endpoints_ = lanes_.size();
}

domain::shard_set webhook_dispatcher::served() const {
  return others_ ? others_->served() : domain::all_shards();
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
      if (lane.dirty()) append(id, lane.take_changes());
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
      run_heard(held);
      look_into_feed(held);
      ask_others(held);
      send_what_is_due(held);
      write_checkpoints();
      wait(held);
    }
  } catch (const std::runtime_error& unreadable) { // a read that fails ends the process (store.hpp)
    end_after({storage::errc::io_failed, unreadable.what()});
  }
}

/// For callbacks of the other nodes' answers, which may come on any thread, and at once.
void webhook_dispatcher::run(std::function<void()> what) {
  {
    const std::lock_guard held{guard_};
    if (stopping_) return;
    heard_.push_back(std::move(what));
    poked_ = true;
  }
  wake_.notify_one();
}

void webhook_dispatcher::run_heard(locked& held) {
  const auto all = std::exchange(heard_, {});
  if (all.empty()) return;
  held.unlock();
  for (const auto& what : all) what();
  held.lock();
}

// -- the feed -------------------------------------------------------------------------------------

/// Endpoints that are up to date stand at the same place, and share one read. However many lag
/// behind, at most half of the time goes into reading.
void webhook_dispatcher::look_into_feed(locked& held) {
  const auto start = steady::now();
  if (start < next_look_ || !feed_moved_.exchange(false)) return;
  std::vector<domain::order_id> ids;
  for (const auto& [id, lane] : lanes_)
    if (lane.reads()) ids.push_back(id);
  std::optional<feed_page> page;
  for (const auto id : ids) {
    auto* lane = lane_of(id);
    if (!lane || !lane->reads()) continue;
    if (!page || page->after != lane->read()) {
      page = feed_page{lane->read(), {}};
      held.unlock();
      page->part = read_own(page->after);
      held.lock();
      lane = lane_of(id);
      if (!lane) continue;
    }
    offer(*lane, page->after, page->part);
    if (!page->part.at_end && lane->reads()) feed_moved_ = true; // nothing for it so far
  }
  const auto took = steady::now() - start;
  next_look_ = start + took + std::max<steady::duration>(took, limits::webhook_read_pause);
}

http::feed_part webhook_dispatcher::read_own(const feed_position& after) {
  const auto before = served();
  auto found = feed_.read({}, after, /*from_begin=*/false, limits::webhook_window_max, before);
  return http::part_of(std::move(found), after, before & served());
}

void webhook_dispatcher::offer(
  webhook_lane& lane, const feed_position& after, const http::feed_part& part) {
  const auto lost = lane.take_in(after, part);
  if (lost > 0) // retention was faster than its receiver
    log::warn("webhook.events_lost",
      {{"webhook", to_text(domain::id_kind::webhook, lane.row().id)}, {"lost", lost}});
}

// -- the other nodes ------------------------------------------------------------------------------

http::forwarded_request feed_question(
  const feed_position& after, std::size_t limit, std::chrono::milliseconds wait) {
  http::forwarded_request r;
  r.head = "GET /v1/events HTTP/1.1\r\nHost: jumun\r\n\r\n";
  r.feed = http::feed_ask{{}, after, /*from_begin=*/false, limit, wait};
  return r;
}

/// Each one is asked from every place at which an endpoint reads, once at a time: it answers when
/// it has something there.
void webhook_dispatcher::ask_others(locked& held) {
  if (!others_ || lanes_.empty()) return;
  std::vector<asking> all;
  const auto members = others_->members();
  std::erase_if(sources_, [&](const auto& one) {
    return std::none_of(
      members.begin(), members.end(), [&](const auto& m) { return m.node == one.first; });
  });
  for (const auto& m : members)
    if (m.up && !m.here && m.shards.any()) list_questions(m, all);
  if (all.empty()) return;
  held.unlock();
  for (auto& a : all) ask(std::move(a));
  held.lock();
}

void webhook_dispatcher::list_questions(const http::member& m, std::vector<asking>& out) {
  auto& s = sources_[m.node];
  if (steady::now() < s.not_before) return;
  const auto add = [&](const feed_position& after) {
    for (const auto& q : s.asked)
      if ((m.shards & ~q.shards).none() && reaches(after, q.after, m.shards)) return;
    if (s.asked.size() >= limits::webhooks_max) return;
    s.asked.push_back({after, m.shards});
    out.push_back({m.node, s.asked.back()});
  };
  for (const auto& [id, lane] : lanes_)
    if (lane.reads()) add(lane.read());
  if (s.asked.empty()) add(feed_position{feed_position::latest}); // how far it is, for `behind`
}

void webhook_dispatcher::ask(asking a) {
  others_->forward(a.node,
    feed_question(a.what.after, limits::webhook_window_max, limits::feed_wait),
    limits::feed_wait + limits::part_max,
    [this, a, since = steady::now()](http::forwarded_answer said) {
      run([this, a, since, said = std::move(said)] { hear(a, said, since); });
    });
}

void webhook_dispatcher::hear(
  const asking& a, const http::forwarded_answer& said, steady::time_point since) {
  const std::lock_guard held{guard_};
  auto& s = sources_[a.node];
  const auto it = std::find_if(s.asked.begin(), s.asked.end(),
    [&](const auto& q) { return q.after == a.what.after && q.shards == a.what.shards; });
  if (it != s.asked.end()) s.asked.erase(it);
  const auto now = steady::now();
  s.not_before = now + (said.events ? limits::webhook_read_pause : limits::feed_again);
  if (!said.events) return;
  const auto& part = *said.events;
  // It has lost its shards, or goes down and waits for nothing any more: not again at once.
  if (part.rows.empty()) s.not_before = std::max(s.not_before, since + limits::feed_again);
  s.last = part.last, s.served = part.served | part.from_now;
  for (auto& [id, lane] : lanes_) offer(lane, a.what.after, part);
}

// -- to the receivers -----------------------------------------------------------------------------

void webhook_dispatcher::send_what_is_due(locked& held) {
  std::vector<outgoing> all;
  const auto now = now_ms();
  for (auto& [id, lane] : lanes_)
    if (auto job = lane.begin(now)) all.push_back({id, std::move(*job), lane.row()});
  if (all.empty()) return;
  held.unlock();
  for (auto& o : all) find_and_send(std::move(o));
  held.lock();
}

/// What is here is right, whoever serves it: an event never changes.
void webhook_dispatcher::find_and_send(outgoing o) {
  const auto& what = o.job.what;
  const auto find = [&] { return storage::find_event(disk_, what.type, what.key, what.sequence); };
  if (auto e = find(); e || !others_) return send(o, e);
  domain::event like;
  like.type = what.type, like.key = what.key, like.sequence = what.sequence;
  const auto shard = static_cast<domain::shard_id>(storage::history_key(like).front());
  using kind = http::place::kind;
  const auto at = others_->owner_of(shard);
  if (at.is == kind::there) return ask_for_event(o, shard, at.node);
  if (at.is != kind::here) return put_back(o);
  const auto e = find(); // its shard may have come just now
  if (e || others_->owner_of(shard).is == kind::here) return send(o, e);
  put_back(o);
}

void webhook_dispatcher::ask_for_event(
  const outgoing& o, domain::shard_id shard, const std::string& node) {
  const auto place = domain::parse_feed_position(o.job.what.cursor).value_or(feed_position{});
  const auto offset = place.of[shard];
  feed_position before{feed_position::latest};
  before.of[shard] = offset - std::min<std::uint64_t>(offset, 1);
  others_->forward(
    node, feed_question(before, 1), limits::part_max, [=, this](http::forwarded_answer said) {
      run([=, this, said = std::move(said)] {
        if (!said.events || !said.events->served.test(shard)) return put_back(o);
        for (const auto& row : said.events->rows)
          if (row.shard == shard && row.offset == offset) return send(o, row.fact);
        send(o, {});
      });
    });
}

void webhook_dispatcher::put_back(const outgoing& o) {
  const std::lock_guard held{guard_};
  const auto pause = std::chrono::milliseconds{limits::feed_again};
  if (auto* lane = lane_of(o.to)) lane->put_back(o.job, now_ms() + pause.count());
  feed_moved_ = poked_ = true;
}

void webhook_dispatcher::send(const outgoing& o, const std::optional<domain::event>& e) {
  const auto& what = o.job.what;
  const auto id = http::event_id(what.key, what.sequence);
  auto body = e ? http::event_json(*e, what.cursor) : std::string{};
  if (!e || body.size() > limits::webhook_payload_bytes_max) {
    const std::lock_guard held{guard_};
    if (auto* lane = lane_of(o.to))
      lane->impossible(
        o.job, e ? "the event is too long to be sent" : "the event is not kept any more", now_ms());
    feed_moved_ = poked_ = true;
    return;
  }
  auto request = request_for(o.row, id, std::move(body));
  if (!e->traceparent.empty()) request.headers.emplace_back("traceparent", e->traceparent);
  client_->send(
    std::move(request), [this, to = o.to, job = o.job, asked = steady::now()](
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
  if (lane->reads()) feed_moved_ = true; // there is room again
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
      append(id, lane.take_changes());
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
  if (others_ && !lanes_.empty()) { // who comes and goes says nothing here
    const auto looked = steady::now();
    until = std::min<steady::time_point>(until, looked + limits::feed_again);
    for (const auto& [node, s] : sources_)
      if (s.not_before > looked) until = std::min(until, s.not_before);
  }
  const auto now = now_ms();
  for (const auto& [id, lane] : lanes_)
    if (const auto due = lane.due_ms())
      until = std::min(until,
        steady::now() + std::chrono::milliseconds{std::max<std::int64_t>(0, *due - now) + 1});
  wake_.wait_until(held, until, [this] { return stopping_ || poked_; });
}
} // namespace jumun::app
