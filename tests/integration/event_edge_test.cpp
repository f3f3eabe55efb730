#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/support/slowness.hpp"
#include "tests/support/sse_client.hpp"
#include <nlohmann/json.hpp>

// Event streams at the edge alone: the disk and the live feed do what a test wants.
namespace {
using namespace jumun;
using namespace jumun::tests;

domain::event happened(std::uint64_t n) {
  domain::event e;
  e.key = "tea", e.type = domain::event_type::stock_adjusted, e.sequence = n;
  return e;
}

class fake_feed final : public http::feed {
public:
  http::feed_page read(
    const http::feed_query&, std::optional<std::uint64_t> after, std::size_t limit) override {
    std::unique_lock lock{guard_};
    http::feed_page page;
    page.last = durable_;
    page.begin = domain::feed_position{begins_after};
    page.expired = after && *after < begins_after;
    page.next = after.value_or(begins_after);
    while (page.next < durable_ && page.rows.size() < limit) {
      ++page.next;
      page.rows.push_back({happened(page.next), page.next});
    }
    page.at_end = page.next == durable_;
    const auto act = page.at_end ? std::exchange(after_last_page, nullptr) : nullptr;
    lock.unlock();
    if (act) act();
    return page;
  }
  http::feed_page read(const http::feed_query& q, const domain::feed_position& after,
    bool from_begin, std::size_t limit, const domain::shard_set&) override {
    const auto all = after.of[0];
    return read(q, from_begin && all == 0 ? std::nullopt : std::optional{all}, limit);
  }
  std::uint64_t last() override {
    const std::lock_guard lock{guard_};
    return durable_;
  }
  std::unique_ptr<following> follow(const http::feed_query&, http::live_sink sink) override {
    struct handle final : following {
      explicit handle(fake_feed& of) : feed{of} {}
      ~handle() override {
        const std::lock_guard lock{feed.guard_};
        feed.sinks_.erase(this);
      }
      fake_feed& feed;
    };
    auto h = std::make_unique<handle>(*this);
    std::unique_lock lock{guard_};
    h->since = durable_;
    sinks_[h.get()] = std::move(sink);
    followed_.notify_all();
    const auto act = std::exchange(after_follow, nullptr);
    lock.unlock();
    if (act) act();
    return h;
  }

  /// n events become durable, and are told to all who follow, as one piece.
  void commit(std::uint64_t n, std::size_t padding = 0) {
    const std::lock_guard lock{guard_};
    auto frames = std::make_shared<http::live_frames>();
    for (; n > 0; --n) {
      auto e = happened(++durable_);
      e.detail = std::string(padding, 'x');
      frames->text += http::event_frame(e, durable_);
      frames->marks.push_back({durable_, frames->text.size()});
    }
    for (const auto& [handle, sink] : sinks_) sink(frames);
  }
  void leave_out(std::uint64_t n) { // durable, but nobody could be told
    const std::lock_guard lock{guard_};
    durable_ += n;
    for (const auto& [handle, sink] : sinks_) sink(nullptr);
  }
  void await_followers(std::size_t n) {
    std::unique_lock lock{guard_};
    REQUIRE(followed_.wait_for(
      lock, std::chrono::seconds{60} * slowness, [&] { return sinks_.size() >= n; }));
  }
  std::uint64_t begins_after = 0;
  std::function<void()> after_last_page, after_follow; // once each

private:
  std::mutex guard_;
  std::condition_variable followed_;
  std::uint64_t durable_ = 0;
  std::map<void*, http::live_sink> sinks_;
};

std::vector<std::uint64_t> cursors(const std::vector<sse_frame>& all) {
  std::vector<std::uint64_t> out;
  for (const auto& f : all) out.push_back(f.cursor());
  return out;
}
std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> all;
  for (; from <= to; ++from) all.push_back(from);
  return all;
}
sse_client open_stream(const running_server& s, const headers& with = {}) {
  return {s.port(), "/v1/events", with};
}
/// Asks again until a stream opens: who has just left is noticed a little later.
int status_in_the_end(const running_server& s, int wanted) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60} * slowness;
  for (;;) {
    const auto got = open_stream(s).status;
    if (got == wanted || std::chrono::steady_clock::now() > until) return got;
  }
}
} // namespace

TEST_CASE("what is committed between the disk and the live feed is sent once", "[http][events]") {
  fake_feed feed;
  running_server s{{}, [&feed](http::ports& to) { to.events = &feed; }};
  feed.commit(2'500);
  feed.after_last_page = [&] { feed.commit(6); }; // nobody follows yet: only the disk has them
  feed.after_follow = [&] { feed.commit(4); };    // told live, and on the disk
  auto stream = open_stream(s);
  REQUIRE(stream.status == 200);
  CHECK(cursors(stream.take(2'510)) == numbers(1, 2'510));
  feed.await_followers(1);
  feed.commit(3);
  CHECK(cursors(stream.take(3)) == numbers(2'511, 2'513));
  feed.leave_out(7);
  CHECK(cursors(stream.take(7)) == numbers(2'514, 2'520));
  feed.await_followers(1);
  feed.commit(1);
  CHECK(cursors(stream.take(1)) == numbers(2'521, 2'521));
}

TEST_CASE("a reader who is slow is cut off, and others go on", "[http][events]") {
  fake_feed feed;
  http::server_options o;
  o.event_reader_bytes_max = 128 * 1024;
  running_server s{o, [&feed](http::ports& to) { to.events = &feed; }};
  sse_client slow{s.port(), "/v1/events", {}, /*receive_buffer=*/4'096};
  auto quick = open_stream(s);
  feed.await_followers(2);
  const auto before = s.server.counts().event_readers_cut.load();
  std::uint64_t sent = 0;
  while (s.server.counts().event_readers_cut == before && sent < 20'000) {
    feed.commit(10, 6'000);
    sent += 10;
    REQUIRE(quick.take(10).size() == 10);
  }
  CHECK(s.server.counts().event_readers_cut == before + 1);
  const auto got = slow.rest();
  CHECK_FALSE(slow.ended_well());
  REQUIRE_FALSE(got.empty());
  CHECK(got.size() < sent);
  CHECK(cursors(got) == numbers(1, got.size())); // whole frames, without a gap, up to the cut
  auto again = open_stream(s, {{"Last-Event-ID", got.back().id}});
  CHECK(again.take(1).at(0).cursor() == got.size() + 1);
}

TEST_CASE(
  "streams are counted, in all and per principal, and hold no request's permit", "[http][events]") {
  fake_feed feed;
  http::server_options o;
  o.requests_waiting_max = o.requests_per_principal = 1;
  SECTION("per principal") {
    o.event_readers_per_principal = 2;
    running_server s{o, [&feed](http::ports& to) { to.events = &feed; }};
    auto a = open_stream(s);
    {
      auto b = open_stream(s);
      CHECK(b.status == 200);
      const auto c = open_stream(s, {{"Accept", "text/event-stream"}});
      CHECK(c.status == 429);
      CHECK(c.fields.count("retry-after") == 1);
      CHECK(s.server.counts().event_readers == 2);
      CHECK(s.server.counts().event_readers_turned_away == 1);
      client plain{s.port()};
      CHECK(plain.get("/v1/products").status == 200);
    }
    CHECK(status_in_the_end(s, 200) == 200);
  }
  SECTION("in all") {
    o.event_readers_max = 1;
    running_server s{o, [&feed](http::ports& to) { to.events = &feed; }};
    auto a = open_stream(s);
    CHECK(open_stream(s).status == 503);
  }
}

TEST_CASE("a comment beats when nothing happens", "[http][events]") {
  fake_feed feed;
  http::server_options o;
  o.event_heartbeat = std::chrono::milliseconds{20};
  running_server s{o, [&feed](http::ports& to) { to.events = &feed; }};
  auto stream = open_stream(s);
  const auto first = stream.next();
  REQUIRE(first);
  CHECK_FALSE(first->comments.empty());
  CHECK(std::stoi(first->retry) > 0);
  for (int i = 0; i < 3; ++i) {
    const auto beat = stream.next();
    REQUIRE(beat);
    CHECK(beat->comments == std::vector<std::string>{"heartbeat"});
    CHECK(beat->data.empty());
  }
  feed.commit(1);
  CHECK(cursors(stream.take(1)) == numbers(1, 1));
}

TEST_CASE("a cursor that is gone is 410, one that is none 400", "[http][events]") {
  fake_feed feed;
  feed.commit(50);
  feed.begins_after = 20;
  running_server s{{}, [&feed](http::ports& to) { to.events = &feed; }};
  client c{s.port()};
  const auto gone = c.get("/v1/events?after=19");
  CHECK(gone.status == 410);
  CHECK(gone.json().at("code") == "cursor-expired");
  CHECK(gone.json().at("detail").get<std::string>().find("cursor 20") != std::string::npos);
  CHECK(gone.field("link") == "</v1/events?after=20>; rel=\"first\"");
  CHECK(open_stream(s, {{"Last-Event-ID", "19"}}).status == 410);
  CHECK(c.get("/v1/events?after=20&limit=1").json().at("data")[0].at("cursor") == "21");
  CHECK(c.get("/v1/events?limit=1").json().at("data")[0].at("cursor") == "21");
  for (const auto* bad : {"x", "-1", "51", "99999999999999999999", "1%20"})
    CHECK(c.get("/v1/events?after=" + std::string{bad}).json().at("code") == "invalid-cursor");
  CHECK(c.get("/v1/events", {{"Last-Event-ID", "x"}}).status == 400);
  // The later of both counts: an EventSource comes again with the address that it began with.
  CHECK(c.get("/v1/events?after=30&limit=1", {{"Last-Event-ID", "25"}})
          .json()
          .at("data")[0]
          .at("cursor")
        == "31");
  CHECK(open_stream(s, {{"Last-Event-ID", "45"}}).take(1).at(0).cursor() == 46);
  const auto now = c.get("/v1/events?after=latest").json();
  CHECK(now.at("data").empty());
  CHECK(now.at("next_cursor") == "50");
  // One that began with `latest` goes on where it was: what came while it was away is not lost.
  CHECK(c.get("/v1/events?after=latest&limit=1", {{"Last-Event-ID", "45"}})
          .json()
          .at("data")[0]
          .at("cursor")
        == "46");
}

TEST_CASE("Accept chooses between a page and a stream", "[http][events]") {
  fake_feed feed;
  feed.commit(1);
  running_server s{{}, [&feed](http::ports& to) { to.events = &feed; }};
  const auto type_for = [&](const std::string& accept) {
    const auto r = open_stream(s, {{"Accept", accept}});
    return r.status == 200 ? r.fields.at("content-type") : std::to_string(r.status);
  };
  CHECK(type_for("text/event-stream") == "text/event-stream");
  CHECK(type_for("text/event-stream, */*;q=0.1") == "text/event-stream");
  CHECK(type_for("application/json;q=0.5, text/event-stream;q=0.8") == "text/event-stream");
  CHECK(type_for("application/json;q=0, text/*") == "text/event-stream");
  CHECK(type_for("text/event-stream;q=0.3, application/json") == "application/json");
  CHECK(type_for("text/event-stream, application/json") == "application/json"); // a tie
  CHECK(type_for("*/*") == "application/json");
  CHECK(type_for("text/event-stream;q=0") == "406");
  CHECK(type_for("text/html") == "406");
  client c{s.port()};
  CHECK(c.get("/v1/products", {{"Accept", "text/event-stream"}}).status == 406);
}

TEST_CASE(
  "a stream is chunked in HTTP/1.1, plain in HTTP/1.0, and a HEAD has no body", "[http][events]") {
  fake_feed feed;
  feed.commit(1);
  running_server s{{}, [&feed](http::ports& to) { to.events = &feed; }};
  auto newer = open_stream(s);
  CHECK(newer.fields.at("transfer-encoding") == "chunked");
  CHECK(newer.fields.count("content-length") == 0);
  CHECK(newer.fields.at("connection") == "close");
  sse_client older{s.port(), "/v1/events", {}, 0, "GET", "HTTP/1.0"};
  CHECK(older.fields.count("transfer-encoding") == 0);
  CHECK(older.take(1).at(0).cursor() == 1);
  sse_client head{
    s.port(), "/v1/events", {{"Connection", "close"}, {"Accept", "text/event-stream"}}, 0, "HEAD"};
  CHECK(head.status == 200);
  CHECK(head.fields.at("content-type") == "text/event-stream");
  CHECK(head.raw() == "");
  CHECK(s.server.counts().event_readers == 2);
}
