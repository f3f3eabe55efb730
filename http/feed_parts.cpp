#include "http/feed_parts.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/lists.hpp"
#include "http/merged_stream.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

namespace jumun::http {
namespace asio = boost::asio;
using domain::feed_position;
using domain::shard_set;

namespace {
/// nullopt: the 400 is sent.
std::optional<feed_part> read_part(const exchange_ptr& ex, const feed_query& q) {
  const auto& ask = *ex->wants_events;
  auto served = served_by(*ex->at);
  auto found = ex->at->to.events->read(q, ask.after, ask.from_begin, ask.limit, served);
  served &= served_by(*ex->at);
  for (const auto s : domain::numbers_of(served)) {
    const auto n = ask.after.of[static_cast<std::size_t>(s)];
    if (n <= found.last || n == feed_position::latest) continue;
    send(ex, problems::invalid_cursor, "it lies behind the last event");
    return {};
  }
  return part_of(std::move(found), ask.after, served);
}

void send_part(const exchange_ptr& ex, feed_part part) {
  ex->reply_across({forwarded_answer::kind::answered, {}, {}, std::move(part)});
}

/// Waits until the feed has something new, or the asker's patience or the server is at its end;
/// then reads again. Its timer keeps it.
class next_events : public std::enable_shared_from_this<next_events> {
public:
  next_events(exchange_ptr ex, feed_query q)
      : ex_{std::move(ex)}, query_{std::move(q)}, strand_{asio::make_strand(ex_->at->io)},
        timer_{strand_} {}

  /// `seen`: the last offset that was looked at.
  void start(std::uint64_t seen) {
    asio::post(strand_,
      [self = shared_from_this(), seen] { guarded(self->ex_, [&] { self->wait(seen); }); });
  }

private:
  void wait(std::uint64_t seen) {
    timer_.expires_after(
      std::min<std::chrono::milliseconds>(ex_->wants_events->wait, limits::feed_wait));
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) { self->end(); });
    drain_ = ex_->at->drain.add(waking());
    const auto wake = waking();
    following_ = ex_->at->to.events->follow(query_, [wake](const auto&) { wake(); });
    if (following_->since > seen) timer_.cancel();
  }
  /// For other threads, which must not keep this alive.
  std::function<void()> waking() {
    return [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        asio::post(self->strand_, [self] { self->timer_.cancel(); });
    };
  }
  void end() {
    following_.reset();
    ex_->at->drain.remove(drain_);
    on_readers(ex_, [ex = ex_, q = query_] {
      if (auto part = read_part(ex, q)) send_part(ex, std::move(*part));
    });
  }

  const exchange_ptr ex_;
  const feed_query query_;
  asio::strand<asio::io_context::executor_type> strand_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
    asio::wait_traits<std::chrono::steady_clock>, decltype(strand_)>
    timer_;
  std::unique_ptr<feed::following> following_;
  std::uint64_t drain_ = 0;
};

/// What is asked for, and what came of it.
struct wanted {
  feed_query query;
  feed_position after;
  bool from_begin = false;
  std::size_t limit = 1;
  bool of_one_order = false;
};

void send_expired(const exchange_ptr& ex, const wanted& w, const std::vector<feed_part>& parts) {
  auto begin = w.after;
  for (const auto& p : parts)
    for (const auto s : domain::numbers_of(p.served)) {
      auto& place = begin.of[static_cast<std::size_t>(s)];
      place = std::max(place, p.begin.of[static_cast<std::size_t>(s)]);
    }
  const auto text = to_text(begin);
  send(ex,
    problem{&problems::cursor_expired,
      "events behind this cursor are gone; the feed now begins behind cursor " + text, {}},
    "Link: <" + std::string{ex->head.path} + "?after=" + text + ">; rel=\"first\"\r\n");
}

void send_answers(const exchange_ptr& ex, const wanted& w, std::vector<forwarded_answer> answers) {
  if (auto* refused = refusal_in(answers)) return ex->reply(std::move(*refused));
  std::vector<feed_part> parts;
  for (auto& a : answers)
    if (a.events) parts.push_back(std::move(*a.events));
  if (std::any_of(parts.begin(), parts.end(), [](const auto& p) { return p.expired; }))
    return send_expired(ex, w, parts);
  auto merged = merge_feed(std::move(parts), w.after, w.limit);
  const auto shards = shards_of(w.query);
  const auto missing = shards & ~merged.served;
  if (prefers_event_stream(ex->head)) {
    if (w.of_one_order && missing.any())
      return send(ex, problems::shard_unavailable, "the order's node does not answer");
    return open_stream(ex, [&](admission::permit seat) {
      return std::make_shared<merged_stream>(
        ex, w.query, shards, std::move(merged), std::move(seat));
    });
  }
  std::vector<std::string> data;
  data.reserve(merged.rows.size());
  for (const auto& row : merged.rows) data.push_back(event_json(row.event.fact, row.cursor));
  // Nobody who was asked answers: what will be the end then is what `latest` stands for.
  const auto unknown = merged.next.one() == domain::feed_position::latest;
  send_page(ex, data, unknown ? "latest" : to_text(merged.next), "after", {~missing});
}
} // namespace

domain::shard_id shard_of_key(std::string_view partition_key) {
  const auto id = domain::parse_id(domain::id_kind::order, partition_key);
  return id ? domain::shard_of(*id) : domain::shard_of(partition_key);
}

shard_set shards_of(const feed_query& q) {
  if (q.key.empty()) return domain::all_shards();
  return shard_set{}.set(shard_of_key(q.key));
}

void send_feed_part(const exchange_ptr& ex, const feed_query& q) {
  auto part = read_part(ex, q);
  if (!part) return;
  const bool waits = part->rows.empty() && part->at_end && !part->expired;
  if (!waits || ex->wants_events->wait <= std::chrono::milliseconds{0})
    return send_part(ex, std::move(*part));
  std::make_shared<next_events>(ex, q)->start(part->last);
}

void answer_merged_events(const exchange_ptr& ex, feed_query q, std::optional<feed_position> after,
  std::size_t limit, bool of_one_order) {
  wanted w{
    std::move(q), after.value_or(feed_position{}), !after || !after->one(), limit, of_one_order};
  auto from = members_of(*ex->at);
  const auto shards = shards_of(w.query);
  std::erase_if(from, [&](const member& m) { return (m.shards & shards).none(); });
  auto like = forwarded(ex);
  like.feed = feed_ask{w.query, w.after, w.from_begin, w.limit, {}};
  ask_each(ex, like, from, limits::part_max,
    [ex, w = std::move(w)](
      std::vector<forwarded_answer> answers) { send_answers(ex, w, std::move(answers)); });
}

void open_stream(const exchange_ptr& ex,
  const std::function<std::shared_ptr<endless_body>(admission::permit)>& make) {
  response head;
  head.content_type = "text/event-stream";
  head.more = "X-Accel-Buffering: no\r\n"; // nginx would gather frames
  if (ex->head.method == "HEAD") return ex->stream(std::move(head), nullptr);
  admission::permit seat;
  using verdict = admission::verdict;
  const auto said = ex->at->readers_of_events.admit(ex->who.principal, false, seat);
  if (said == verdict::admitted) return ex->stream(std::move(head), make(std::move(seat)));
  ++ex->at->counts.event_readers_turned_away;
  send(ex, said == verdict::full ? problems::overloaded : problems::too_many_requests,
    "too many event streams are open");
}
} // namespace jumun::http
