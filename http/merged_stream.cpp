#include "http/merged_stream.hpp"
#include "http/forwarding.hpp"
#include "http/render.hpp"
#include <boost/asio/post.hpp>
#include <limits>

namespace jumun::http {
namespace asio = boost::asio;

merged_stream::merged_stream(exchange_ptr ex, feed_query q, domain::shard_set shards,
  merged_feed first, admission::permit seat)
    : strand_body{*ex->at}, ex_{std::move(ex)}, shards_{shards}, like_{forwarded(ex_)}, seat_{
                                                                                          std::move(
                                                                                            seat)} {
  like_.feed =
    feed_ask{std::move(q), {}, /*from_begin=*/true, limits::feed_page_max, limits::feed_wait};
  const auto retry = std::chrono::milliseconds{limits::event_retry}.count();
  add(": jumun events\nretry: " + std::to_string(retry) + "\n\n");
  add(first);
}

void merged_stream::begin(session& at) {
  to_ = &at;
  timer_ = std::make_unique<decltype(timer_)::element_type>(at.strand());
  heartbeat_at_ = clock::now() + edge_.options.event_heartbeat;
  drain_ = edge_.drain.add(on_strand([](merged_stream& self) {
    self.end("event: drain\ndata: {\"detail\":\"The server goes down; come again with "
             "Last-Event-ID.\"}\n\n");
  }));
  tick();
}

/// Looks for nodes that have come, and for those that did not answer; and keeps the line warm.
void merged_stream::tick() {
  if (ended_) return;
  if (const auto now = clock::now(); now >= heartbeat_at_) {
    heartbeat_at_ = now + edge_.options.event_heartbeat;
    if (waiting_.empty()) add(": heartbeat\n\n");
    to_->go_on();
  }
  ask();
  timer_->expires_after(
    std::min<clock::duration>(limits::feed_again, edge_.options.event_heartbeat));
  timer_->async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    const auto self = weak.lock();
    if (!ec && self && self->to_) self->guard([&] { self->tick(); });
  });
}

/// Whoever is not being asked; nobody while the client has enough to read.
void merged_stream::ask() {
  if (ended_ || bytes_ > limits::feed_ahead) return;
  for (const auto& m : members_of(edge_))
    if (m.up && (m.shards & shards_).any()) ask(m);
}

void merged_stream::ask(const member& m) {
  auto& s = sources_[m.node];
  if (s.asked || clock::now() < s.not_before) return;
  s.asked = true;
  s.since = clock::now();
  like_.feed->after = at_;
  auto heard = on_strand(
    [node = m.node](merged_stream& self, forwarded_answer a) { self.hear(node, std::move(a)); });
  if (m.here) return take_forwarded(ex_->at, like_, std::move(heard));
  const auto most = limits::feed_wait + limits::part_max;
  edge_.to.others->forward(m.node, like_, most, std::move(heard));
}

/// What is not events now (an order's node that has just lost its shard, say) is asked again later.
void merged_stream::hear(const std::string& node, forwarded_answer a) {
  auto& s = sources_[node];
  s.asked = false;
  if (!a.events) {
    s.not_before = clock::now() + limits::feed_again;
    return;
  }
  if (a.events->expired) return end(""); // whoever comes again is told why
  // It has lost its shards, or goes down and waits for nothing any more: not again at once.
  if (a.events->rows.empty()) s.not_before = s.since + limits::feed_again;
  std::vector<feed_part> one;
  one.push_back(std::move(*a.events));
  add(merge_feed(std::move(one), at_, std::numeric_limits<std::size_t>::max()));
  ask();
  to_->go_on();
}

void merged_stream::add(const merged_feed& what) {
  std::string frames;
  for (const auto& row : what.rows) frames += event_frame(row.event.fact, row.cursor);
  at_ = what.next;
  add(std::move(frames));
}

void merged_stream::add(std::string text) {
  if (text.empty()) return;
  bytes_ += text.size();
  waiting_.push_back(std::move(text));
}

bool merged_stream::next(std::vector<asio::const_buffer>& out) {
  writing_.clear();
  writing_.swap(waiting_);
  bytes_ = 0;
  for (const auto& text : writing_) out.push_back(asio::buffer(text));
  ask();
  return !ended_;
}

void merged_stream::end(std::string farewell) {
  if (std::exchange(ended_, true)) return;
  add(std::move(farewell));
  to_->go_on();
}

void merged_stream::closed() {
  to_ = nullptr;
  if (timer_) timer_->cancel();
  edge_.drain.remove(drain_);
  seat_ = {};
  waiting_.clear();
  ex_ = nullptr;
}
} // namespace jumun::http
