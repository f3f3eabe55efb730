#include "app/event_hub.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include "tests/catch.hpp"
#include "tests/support/slowness.hpp"
#include <future>

namespace {
using namespace jumun;
using frames_ptr = std::shared_ptr<const http::live_frames>;

domain::event happened(domain::event_type type, const std::string& key) {
  domain::event e;
  e.type = type, e.key = key, e.sequence = 1;
  return e;
}
std::vector<storage::durable_events> one_commit(
  std::uint64_t first, std::vector<domain::event> events) {
  std::vector<storage::durable_events> all;
  all.push_back({first, std::move(events)});
  return all;
}

/// What a follower was given; waits for it.
class follower {
public:
  follower(app::event_hub& hub, const http::feed_query& q) : hub_(hub) {
    added = hub.add(q, [this](frames_ptr f) {
      const std::lock_guard lock{guard_};
      got_.push_back(std::move(f));
      came_.notify_all();
    });
  }
  ~follower() { hub_.remove(added.which); }
  std::vector<frames_ptr> await(std::size_t n) {
    std::unique_lock lock{guard_};
    REQUIRE(came_.wait_for(
      lock, std::chrono::seconds{60} * tests::slowness, [&] { return got_.size() >= n; }));
    return got_;
  }
  app::event_hub::added added;

private:
  app::event_hub& hub_;
  std::mutex guard_;
  std::condition_variable came_;
  std::vector<frames_ptr> got_;
};

std::vector<std::uint64_t> offsets(const std::vector<frames_ptr>& all) {
  std::vector<std::uint64_t> out;
  for (const auto& f : all)
    for (const auto& m : f->marks) out.push_back(m.offset);
  return out;
}
using type = domain::event_type;
} // namespace

TEST_CASE("each event is rendered once, and shared by all who want it", "[events]") {
  app::event_hub hub{40};
  follower a{hub, {}}, b{hub, {}};
  CHECK(a.added.since == 40);
  const auto placed = happened(type::order_placed, "ord_1");
  hub.became_durable(one_commit(41, {placed, happened(type::stock_adjusted, "tea")}));
  const auto first = a.await(1), second = b.await(1);
  CHECK(first[0].get() == second[0].get());
  CHECK(offsets(first) == std::vector<std::uint64_t>{41, 42});
  CHECK(first[0]->text.substr(0, first[0]->marks[0].end) == http::event_frame(placed, 41));
  CHECK(first[0]->marks[1].end == first[0]->text.size());
}

TEST_CASE("a follower gets what it asked for: a topic, a key, or both", "[events]") {
  app::event_hub hub{0};
  follower all{hub, {}}, topic{hub, {"payments", ""}}, key{hub, {"", "tea"}},
    both{hub, {"payments", "ord_2"}};
  hub.became_durable(
    one_commit(1, {happened(type::payment_approved, "ord_1"), happened(type::stock_adjusted, "tea"),
                    happened(type::payment_approved, "ord_2"), happened(type::order_placed, "o")}));
  CHECK(offsets(all.await(1)) == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(offsets(topic.await(1)) == std::vector<std::uint64_t>{1, 3});
  CHECK(offsets(key.await(1)) == std::vector<std::uint64_t>{2});
  CHECK(offsets(both.await(1)) == std::vector<std::uint64_t>{3});
}

TEST_CASE("what nobody follows is not kept, and where a follower begins is exact", "[events]") {
  app::event_hub hub{0};
  hub.became_durable(one_commit(1, {happened(type::order_placed, "a")}));
  follower late{hub, {}};
  CHECK(late.added.since == 1);
  hub.became_durable(one_commit(2, {happened(type::order_placed, "b")}));
  CHECK(offsets(late.await(1)) == std::vector<std::uint64_t>{2});
}

TEST_CASE("followers who can't be served in time are sent back to the disk", "[events]") {
  app::event_hub hub{0};
  std::promise<void> busy, go;
  std::atomic<bool> first{true};
  const auto stuck = hub.add({}, [&](frames_ptr) {
    if (!first.exchange(false)) return;
    busy.set_value();
    go.get_future().wait(); // the hub's thread stands still
  });
  follower f{hub, {}};
  hub.became_durable(one_commit(1, {happened(type::order_placed, "a")}));
  busy.get_future().wait();
  const std::vector<domain::event> many(
    limits::event_backlog_max + 1, happened(type::order_placed, "b"));
  hub.became_durable(one_commit(2, many));
  hub.became_durable(one_commit(2 + many.size(), {happened(type::order_placed, "c")}));
  go.set_value();
  const auto got = f.await(2);
  CHECK(got[0] != nullptr);
  CHECK(got[1] == nullptr);
  hub.remove(stuck.which);
}
