#include "app/webhooks/dispatcher.hpp"
#include "app/webhooks/lane.hpp"
#include "app/webhooks/signature.hpp"
#include "app/webhooks/url_rule.hpp"
#include "domain/limits.hpp"
#include "storage/check.hpp"
#include "storage/queries.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/sample_rows.hpp"
#include "tests/support/slowness.hpp"
#include <future>

namespace {
using namespace jumun;
using app::webhook_lane;
using domain::event_type;
using domain::webhook_answer;
using domain::webhook_off;
using domain::webhook_state;
constexpr std::uint64_t middle = 100; // random bits that mean no jitter

domain::webhook endpoint(std::uint64_t cursor = 0) {
  domain::webhook w;
  w.id = tests::sample_id;
  w.url = "https://shop.example/";
  w.topics = {"orders", "deliveries"};
  w.secrets = {{"key", 0}};
  w.cursor = domain::feed_position{cursor};
  return w;
}
http::feed_row fed(std::uint64_t offset, event_type type = event_type::order_placed) {
  http::feed_row e;
  e.offset = offset, e.shard = static_cast<domain::shard_id>(offset);
  e.fact.type = type, e.fact.key = "ord_" + std::to_string(offset), e.fact.sequence = 1;
  return e;
}
/// What a node that serves `of` has behind the place at which it was asked, up to `next`.
http::feed_part part(std::vector<http::feed_row> rows, std::uint64_t next,
  const domain::shard_set& of = domain::all_shards()) {
  http::feed_part p;
  p.rows = std::move(rows), p.next = p.last = next, p.served = of;
  return p;
}
/// The same of a node that is alone.
void take_in(
  webhook_lane& lane, std::uint64_t after, std::vector<http::feed_row> rows, std::uint64_t next) {
  CHECK(lane.take_in(domain::feed_position{after}, part(std::move(rows), next)) == 0);
}
webhook_answer status(std::uint32_t code) { return {code, "", 3, 0}; }

/// Sends what is due at `now`, has it answered by `code`. @returns its number; 0: nothing was due
std::uint64_t step(webhook_lane& lane, std::int64_t now, std::uint32_t code) {
  const auto job = lane.begin(now);
  if (!job) return 0;
  lane.answered(*job, status(code), now, middle, 1);
  return job->what.number;
}
/// What a restart finds after this lane's changes were written.
struct on_disk {
  std::map<std::string, std::string> rows, deliveries;
  void write(webhook_lane& lane) { write(lane.take_changes()); }
  void write(const std::vector<storage::entry>& all) {
    for (const auto& e : all) {
      auto& in = e.in == storage::table::webhooks ? rows : deliveries;
      e.value ? (void)in.insert_or_assign(e.key, *e.value) : (void)in.erase(e.key);
    }
  }
  [[nodiscard]] webhook_lane load() const {
    std::vector<domain::webhook_delivery> kept;
    for (const auto& [key, row] : deliveries)
      kept.push_back(*storage::decode<domain::webhook_delivery>(row));
    return {*storage::decode<domain::webhook>(rows.begin()->second), std::move(kept)};
  }
};
} // namespace

TEST_CASE("a message is signed as Standard Webhooks' published example is", "[webhooks]") {
  // whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, from the reference libraries' tests
  const std::string key{"\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c\xf6\x48"
                        "\xa3\x62\xda\x2d\xa4\xb0"};
  CHECK(app::webhook_secret_text(key) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const std::string body = R"({"test": 2432232314})",
                    first = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  CHECK(app::webhook_signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, body, {key})
        == "v1," + first);
  const auto two =
    app::webhook_signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, body, {"other", key});
  CHECK(two.ends_with(" v1," + first));
}

TEST_CASE("the schedule is Standard Webhooks', with a tenth of jitter", "[webhooks]") {
  const std::vector<std::int64_t> seconds{
    0, 5, 300, 1'800, 7'200, 18'000, 36'000, 50'400, 72'000, 86'400};
  REQUIRE(limits::webhook_schedule.size() == seconds.size());
  for (std::uint32_t n = 0; n < seconds.size(); ++n) {
    CHECK(domain::webhook_wait_ms(n, middle, 1) == seconds[n] * 1'000);
    CHECK(domain::webhook_wait_ms(n, 0, 1) == seconds[n] * 900);
    CHECK(domain::webhook_wait_ms(n, 200, 1) == seconds[n] * 1'100);
    CHECK(domain::webhook_wait_ms(n, middle, 1'000) == seconds[n]);
  }
}

TEST_CASE(
  "a message is tried by the schedule, then given up, and the next one goes", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  take_in(lane, 0, {fed(1), fed(2)}, 2);
  std::int64_t now = 1'000'000;
  for (std::uint32_t n = 0; n < limits::webhook_schedule.size(); ++n) {
    CAPTURE(n);
    now += domain::webhook_wait_ms(n, middle, 1);
    if (n > 0) CHECK(step(lane, now - 1, 500) == 0); // not yet
    CHECK(step(lane, now, 500) == 1);
    CHECK(lane.row().failing_since_ms == 1'000'000);
  }
  CHECK(lane.row().cursor.one() == 1);
  CHECK(lane.on());
  CHECK(step(lane, now, 200) == 2);
  CHECK(lane.row().cursor.one() == 2);
  CHECK(lane.row().failing_since_ms == 0);
  CHECK(lane.row().given_up_in_row == 0);
}

TEST_CASE("an endpoint that uses up two schedules in a row is switched off", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  take_in(lane, 0, {fed(1), fed(2), fed(3)}, 3);
  std::int64_t now = 1;
  for (int n = 0; n < 20; ++n) CHECK(step(lane, now += 100'000'000, 500) == (n < 10 ? 1 : 2));
  CHECK(lane.row().off == webhook_off::failing);
  CHECK(step(lane, now += 100'000'000, 200) == 0);
  auto again = lane.row();
  again.off = webhook_off::none;
  lane.change(again);
  CHECK(step(lane, now, 200) == 3);
}

TEST_CASE("410 switches an endpoint off; switched on, it goes on where it was", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  take_in(lane, 0, {fed(1)}, 1);
  CHECK(step(lane, 1, 410) == 1);
  CHECK(lane.row().off == webhook_off::gone);
  CHECK(step(lane, 1'000'000'000, 200) == 0);
  CHECK_FALSE(lane.reads());
  auto again = lane.row();
  again.off = webhook_off::none;
  lane.change(again);
  CHECK(step(lane, 2, 200) == 1);
}

TEST_CASE(
  "an endpoint gets one message at a time, in the feed's order, and no other's", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  take_in(lane, 0, {fed(1), fed(2, event_type::stock_decreased), fed(3)}, 4);
  CHECK_FALSE(lane.reads()); // enough for now
  const auto first = lane.begin(1);
  REQUIRE(first);
  CHECK(first->what.number == 1);
  CHECK_FALSE(lane.begin(1));
  CHECK_FALSE(lane.due_ms());
  lane.answered(*first, status(204), 1, middle, 1);
  CHECK(lane.row().cursor.one() == 1);
  CHECK(step(lane, 1, 200) == 3);
  CHECK(lane.row().cursor.one() == 4); // what nobody wants is passed, too
  CHECK(lane.reads());
  CHECK(lane.read().one() == 4);
}

TEST_CASE("a message that waits for its next try is found again by a restart", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  take_in(lane, 0, {fed(1), fed(2), fed(3)}, 3);
  CHECK(step(lane, 10, 200) == 1);
  CHECK(step(lane, 20, 500) == 2);
  disk.write(lane);
  auto restarted = disk.load();
  CHECK(restarted.reads());
  CHECK(restarted.read().one() == 2);
  take_in(restarted, 2, {fed(3)}, 3);
  CHECK(step(restarted, 5'019, 200) == 0);
  CHECK(step(restarted, 5'020, 200) == 2);
  CHECK(step(restarted, 5'020, 200) == 3);
}

TEST_CASE("a lost checkpoint sends again, and loses nothing", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  take_in(lane, 0, {fed(1), fed(2)}, 2);
  CHECK(step(lane, 1, 200) == 1);
  disk.write(lane);
  CHECK(step(lane, 1, 200) == 2); // delivered, not written
  auto restarted = disk.load();
  take_in(restarted, 1, {fed(2)}, 2);
  CHECK(step(restarted, 1, 200) == 2);
}

TEST_CASE(
  "what is redelivered by hand goes next, and survives a restart before that", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  take_in(lane, 0, {fed(1), fed(2), fed(3)}, 3);
  CHECK(step(lane, 1, 200) == 1);
  disk.write(lane);
  const auto row = *storage::decode<domain::webhook_delivery>(disk.deliveries.begin()->second);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  disk.write(lane);
  auto restarted = disk.load();
  take_in(restarted, 1, {fed(2), fed(3)}, 3);
  CHECK(step(restarted, 1, 500) == 1); // once, though asked for twice
  CHECK(step(restarted, 1, 200) == 2);
  CHECK(restarted.row().failing_since_ms == 0); // a try by hand is not the endpoint's fault
  disk.write(restarted);
  CHECK(disk.deliveries.size() == 2);
  const auto tried = *storage::decode<domain::webhook_delivery>(disk.deliveries.begin()->second);
  CHECK(tried.attempts.size() == 2);
  CHECK(tried.attempts.back().by_hand);
  CHECK(tried.state == webhook_state::delivered);
}

TEST_CASE("Retry-After makes a wait longer, up to a day, never shorter", "[webhooks]") {
  for (const auto& [asked, wait] : std::vector<std::pair<std::int64_t, std::int64_t>>{
         {1'000, 5'000}, {60'000, 60'000}, {9'000'000'000, 86'400'000}}) {
    auto to = endpoint();
    domain::webhook_delivery d;
    domain::take_answer(to, d, {503, "", 1, asked}, 1'000, middle, 1);
    CHECK(d.next_attempt_ms == 1'000 + wait);
  }
  app::outbound_response said;
  said.status = 429, said.headers = {{"retry-after", "7"}};
  using ms = std::chrono::milliseconds;
  CHECK(app::answer_of(said, ms{1}, 0).retry_after_ms == 7'000);
  said.headers = {{"retry-after", "Thu, 01 Jan 1970 00:01:00 GMT"}};
  CHECK(app::answer_of(said, ms{1}, 20'000).retry_after_ms == 40'000);
  said.status = 500;
  CHECK(app::answer_of(said, ms{1}, 0).retry_after_ms == 0);
}

TEST_CASE("delivered messages are kept in a bounded number, and failed ones apart", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  take_in(lane, 0, {fed(1)}, 1);
  for (int n = 0; n < 10; ++n) CHECK(step(lane, n * 100'000'000LL, 400) == 1);
  std::uint64_t at = 1;
  for (std::size_t n = 0; n < limits::webhook_rows_kept + 50; ++n, ++at) {
    take_in(lane, at, {fed(at + 1)}, at + 1);
    CHECK(step(lane, 1'000'000'000'000, 200) == at + 1);
    if (n % 64 == 0) disk.write(lane);
  }
  disk.write(lane);
  CHECK(disk.deliveries.size() == limits::webhook_rows_kept + 1);
  CHECK(disk.deliveries.contains(storage::webhook_delivery_key(tests::sample_id, 1)));
  disk.write(lane.farewell());
  CHECK(disk.rows.empty());
  CHECK(disk.deliveries.empty());
}

TEST_CASE("what the feed forgot before it was read is counted", "[webhooks]") {
  webhook_lane lane{endpoint(5), {}};
  auto gone = part({}, 20);
  gone.expired = true, gone.begin = domain::feed_position{12};
  CHECK(lane.take_in(domain::feed_position{5}, gone) == 7);
  CHECK(lane.row().lost == 7);
  CHECK(lane.row().cursor.one() == 20);
  CHECK(lane.dirty());
  CHECK(lane.take_in(domain::feed_position{5}, gone) == 0); // once
}

TEST_CASE("a rotated secret signs beside the new one for a day", "[webhooks]") {
  auto w = endpoint();
  domain::rotate_secret(w, "new", 1'000);
  const std::int64_t day = 86'400'000;
  CHECK(domain::signing_secrets(w, 1'000 + day - 1) == std::vector<std::string_view>{"new", "key"});
  CHECK(domain::signing_secrets(w, 1'000 + day) == std::vector<std::string_view>{"new"});
  domain::rotate_secret(w, "newer", 1'000 + day);
  CHECK(w.secrets.size() == 2); // the first one is forgotten
}

TEST_CASE("an endpoint's URL is https to the open Internet, unless private ones are allowed",
  "[webhooks]") {
  for (const char* good :
    {"https://shop.example/hooks?key=1", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/x"}) {
    CAPTURE(good);
    CHECK(app::wrong_webhook_url(good, false).empty());
  }
  for (const char* bad : {"", "shop.example", "/hooks", "ftp://shop.example/",
         "https://me:secret@shop.example/", "https://shop.example/#part", "https://",
         "https://shop.example/a b", "https://shop.example/\x01"}) {
    CAPTURE(bad);
    CHECK_FALSE(app::wrong_webhook_url(bad, false).empty());
    CHECK_FALSE(app::wrong_webhook_url(bad, true).empty());
  }
  for (const char* inside : {"http://shop.example/", "https://127.0.0.1/", "https://2130706433/",
         "https://0x7f.1/", "https://10.1.2.3/", "https://169.254.169.254/latest", "https://[::1]/",
         "https://[::ffff:10.0.0.1]/", "https://localhost:1/", "https://LOCALHOST./",
         "https://shop.localhost/"}) {
    CAPTURE(inside);
    CHECK_FALSE(app::wrong_webhook_url(inside, false).empty());
    CHECK(app::wrong_webhook_url(inside, true).empty());
  }
}

namespace {
using domain::feed_position;
constexpr auto latest = feed_position::latest;

domain::shard_set shards(std::size_t from, std::size_t to) {
  domain::shard_set out;
  for (; from < to; ++from) out.set(from);
  return out;
}
const auto left = shards(0, 100), right = shards(100, 256); // of two nodes
feed_position place(std::uint64_t at_left, std::uint64_t at_right) {
  feed_position p{at_left};
  for (std::size_t s = 100; s < domain::shard_count; ++s) p.of[s] = at_right;
  return p;
}
/// Of a shard: so that it is that node's.
http::feed_row of(domain::shard_id shard, std::uint64_t offset) {
  auto e = fed(offset);
  e.shard = shard;
  return e;
}
} // namespace

TEST_CASE("an endpoint reads each node's feed from its own place there", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  const auto begin = lane.read();
  (void)lane.take_in(begin, part({of(7, 500), of(8, 501)}, 501, left));
  (void)lane.take_in(begin, part({of(200, 3)}, 4, right));
  CHECK(lane.read() == place(501, 4));
  CHECK_FALSE(lane.reads());
  CHECK(step(lane, 1, 200) == 500);
  CHECK(lane.row().cursor == place(500, 0));
  CHECK(step(lane, 1, 200) == 501);
  CHECK(step(lane, 1, 200) == 502); // numbers rise, whatever a node counts
  CHECK(lane.row().cursor == place(501, 4));
  CHECK(lane.reads());
}

TEST_CASE("an answer that began behind an endpoint's place, or says what it knows, is no news",
  "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  (void)lane.take_in(place(10, 0), part({of(7, 12)}, 12, left)); // 1 to 10 would be missed
  CHECK(lane.read() == feed_position{});
  (void)lane.take_in(place(0, 0), part({of(7, 9), of(7, 12)}, 12, left));
  (void)lane.take_in(place(0, 0), part({of(7, 9), of(7, 12), of(7, 13)}, 13, left));
  CHECK(step(lane, 1, 200) == 9);
  CHECK(step(lane, 1, 200) == 12);
  CHECK(step(lane, 1, 200) == 13);
  CHECK(step(lane, 1, 200) == 0);
}

TEST_CASE("a shard that moves is read on where it was, and its old owner's late answer is dropped",
  "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  const auto begin = lane.read();
  auto more = right;
  more.set(7); // came with its events, and counts on above them
  (void)lane.take_in(begin, part({of(7, 40), of(200, 40), of(7, 52)}, 52, more));
  (void)lane.take_in(begin, part({of(7, 40), of(8, 41)}, 50, left));
  std::vector<std::uint64_t> numbers;
  while (const auto n = step(lane, 1, 200)) numbers.push_back(n);
  CHECK(numbers == std::vector<std::uint64_t>{40, 41, 52, 53});
  CHECK(lane.row().cursor.of[7] == 52);
  CHECK(lane.row().cursor.of[8] == 50);
}

TEST_CASE(
  "shards that could not be heard when an endpoint was made begin when they are", "[webhooks]") {
  auto row = endpoint();
  row.cursor = place(5, latest);
  webhook_lane lane{row, {}};
  http::feed_part first;
  first.next = first.last = 30, first.from_now = right;
  (void)lane.take_in(place(5, 5), part({of(200, 6)}, 6, right)); // it can't say what is missing
  CHECK(lane.read() == place(5, latest));
  (void)lane.take_in(feed_position{5}, part({of(7, 6)}, 6, left));
  const auto job = lane.begin(1); // its place is of before the other one is known
  (void)lane.take_in(place(6, latest), first);
  CHECK(lane.row().cursor == place(5, 30));
  REQUIRE(job);
  lane.answered(*job, status(200), 1, middle, 1);
  CHECK(lane.row().cursor == place(6, 30));
}

TEST_CASE(
  "an event that can't be had makes room for other nodes', and is read again", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  const auto begin = lane.read();
  (void)lane.take_in(begin, part({of(7, 1), of(8, 2)}, 2, left));
  const auto job = lane.begin(1);
  REQUIRE(job);
  lane.put_back(*job, 500);
  CHECK(lane.reads());
  CHECK(lane.read() == begin);
  (void)lane.take_in(begin, part({of(200, 1)}, 1, right));
  CHECK(step(lane, 499, 200) == 0);
  CHECK(step(lane, 500, 200) == 2);
  (void)lane.take_in(lane.read(), part({of(7, 1), of(8, 2)}, 2, left));
  CHECK(step(lane, 500, 500) == 3); // tried: from here on it keeps its place
  disk.write(lane);
  auto restarted = disk.load();
  const auto again = restarted.begin(1'000'000);
  REQUIRE(again);
  CHECK(again->what.number == 3);
  restarted.put_back(*again, 2'000'000);
  CHECK(step(restarted, 1'999'999, 200) == 0);
  CHECK(step(restarted, 2'000'000, 200) == 3);
  CHECK(restarted.row().cursor.of[7] == 1);
  CHECK(restarted.row().cursor.of[8] < 2);
}

TEST_CASE(
  "an answer that another life of the lane asked for is not taken for this one's", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  take_in(lane, 0, {fed(1), fed(2)}, 2);
  const auto first = *lane.begin(1);
  webhook_lane next{endpoint(), {}}; // the shard went away and came back
  next.answered(first, status(200), 1, middle, 1);
  next.impossible(first, "gone", 1);
  next.put_back(first, 5);
  CHECK_FALSE(next.dirty());
  take_in(next, 0, {fed(1), fed(2)}, 2);
  CHECK(step(next, 1, 200) == 1);
  const auto second = *next.begin(1);
  next.answered(first, status(200), 1, middle, 1);
  CHECK(next.row().cursor.one() == 1);
  next.answered(second, status(200), 1, middle, 1);
  CHECK(next.row().cursor.one() == 2);
}

TEST_CASE("an answer to a try of another life is not taken for one by hand", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  take_in(lane, 0, {fed(1), fed(2)}, 2);
  const auto late = *lane.begin(1);
  webhook_lane next{endpoint(), {}}; // the shard went away and came back
  on_disk disk;
  take_in(next, 0, {fed(1), fed(2)}, 2);
  CHECK(step(next, 1, 200) == 1);
  disk.write(next);
  CHECK(step(next, 2, 500) == 2);
  const auto row = *storage::decode<domain::webhook_delivery>(disk.deliveries.begin()->second);
  CHECK(next.redeliver(row) == webhook_lane::asked::queued);
  const auto by_hand = *next.begin(3);
  REQUIRE(by_hand.what.number == late.what.number);
  next.answered(late, status(200), 3, middle, 1);
  CHECK_FALSE(next.due_ms());          // what is under way still is
  CHECK(next.row().cursor.one() == 1); // and the message that waits has not been delivered
  CHECK(next.row().failing_since_ms > 0);
  next.answered(by_hand, status(200), 3, middle, 1);
  CHECK(step(next, 10'000, 200) == 2);
}

TEST_CASE("an answer of another life is not taken for another event's that has its number now",
  "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  (void)lane.take_in(lane.read(), part({of(7, 5)}, 5, left));
  const auto late = *lane.begin(1);
  webhook_lane next{endpoint(), {}};
  (void)next.take_in(next.read(), part({of(200, 5)}, 5, right)); // the other node is heard first
  const auto job = *next.begin(1);
  REQUIRE(job.what.number == late.what.number);
  next.answered(late, status(200), 1, middle, 1);
  CHECK(next.row().cursor == feed_position{});
  next.answered(job, status(200), 1, middle, 1);
  CHECK(next.row().cursor == place(0, 5));
}

TEST_CASE("a redelivery whose event can't be had holds up no other event", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  const auto begin = lane.read();
  (void)lane.take_in(begin, part({of(7, 1)}, 1, left));
  CHECK(step(lane, 1, 200) == 1);
  (void)lane.take_in(begin, part({of(200, 2), of(201, 3), of(202, 4)}, 4, right));
  CHECK(step(lane, 1, 200) == 2);
  disk.write(lane);
  for (const auto& [key, row] : disk.deliveries)
    CHECK(lane.redeliver(*storage::decode<domain::webhook_delivery>(row))
          == webhook_lane::asked::queued);
  const auto away = *lane.begin(10);
  REQUIRE((away.by_hand && away.what.number == 1));
  lane.put_back(away, 510);
  CHECK(lane.due_ms() == 0);
  CHECK(step(lane, 10, 500) == 3); // the feed goes on, by its schedule
  CHECK(lane.due_ms() == 510);
  CHECK(step(lane, 510, 200) == 2); // the other one by hand, though asked for later
  const auto again = *lane.begin(510);
  CHECK(again.what.number == 1);
  lane.put_back(again, 1'010);
  CHECK(step(lane, 1'009, 200) == 0);
  const auto back = *lane.begin(1'010);
  CHECK(back.what.number == 1);
  lane.put_back(back, 20'000);
  CHECK(step(lane, 5'010, 200) == 3);
  CHECK(step(lane, 5'010, 200) == 4);
  CHECK(lane.reads());
  CHECK(step(lane, 20'000, 200) == 1);
  CHECK_FALSE(lane.due_ms());
}

TEST_CASE("a redelivery that waits for its event's node outlasts what is delivered meanwhile",
  "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  take_in(lane, 0, {fed(1)}, 1);
  CHECK(step(lane, 1, 200) == 1);
  disk.write(lane);
  const auto row = *storage::decode<domain::webhook_delivery>(disk.deliveries.begin()->second);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  const auto away = *lane.begin(1);
  lane.put_back(away, 1'000);
  std::uint64_t at = 1;
  for (; at <= limits::webhook_rows_kept + 1; ++at) {
    take_in(lane, at, {fed(at + 1)}, at + 1);
    CHECK(step(lane, 1, 200) == at + 1);
  }
  disk.write(lane);
  CHECK(disk.deliveries.size() == limits::webhook_rows_kept + 1);
  auto restarted = disk.load();
  CHECK(step(restarted, 1'000, 200) == 1);
  disk.write(restarted);
  CHECK(disk.deliveries.size() == limits::webhook_rows_kept);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  disk.write(lane.farewell());
  CHECK(disk.deliveries.empty());
}

TEST_CASE("an event of the feed that can't be had holds up no redelivery", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  take_in(lane, 0, {fed(1), fed(2)}, 2);
  CHECK(step(lane, 1, 200) == 1);
  disk.write(lane);
  const auto away = *lane.begin(1);
  lane.put_back(away, 501);
  const auto row = *storage::decode<domain::webhook_delivery>(disk.deliveries.begin()->second);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  CHECK(step(lane, 2, 200) == 1);
}

namespace {
/// Another node, which owns half of the shards, and whose answers come when the test says so.
struct slow_neighbour final : http::elsewhere {
  std::vector<http::done<http::forwarded_answer>> waiting;

  http::place owner_of(domain::shard_id) override { return {}; }
  http::place any_owner() override { return {}; }
  http::place place_of(std::string_view) override { return {}; }
  std::vector<http::member> members() override {
    return {{"here", left, /*here=*/true}, {"there", right}};
  }
  domain::shard_set served() override { return left; }
  void forward(const std::string&, http::forwarded_request, ms,
    http::done<http::forwarded_answer> reply) override {
    waiting.push_back(std::move(reply));
  }
  void find_products(
    const std::string&, std::vector<std::string>, ms, http::done<products> reply) override {
    reply({});
  }
};

/// A dispatcher that serves all shards at `epoch`, and an endpoint of it.
struct served_webhooks {
  storage::journal to{std::make_shared<tests::memory_store>(), {}};
  app::webhook_dispatcher webhooks{to, {}};
  explicit served_webhooks(domain::epoch_id epoch) {
    for (std::size_t s = 0; s < domain::shard_count; ++s) {
      to.raise_epoch(static_cast<domain::shard_id>(s), epoch);
      webhooks.take(static_cast<domain::shard_id>(s));
    }
  }
  http::webhook_view create() {
    http::webhook_settings settings;
    settings.url = "https://shop.example/", settings.topics = {"orders"}, settings.types.emplace();
    std::promise<http::webhook_outcome> answered;
    webhooks.create(settings, [&](http::webhook_outcome o) { answered.set_value(std::move(o)); });
    auto answer = answered.get_future();
    REQUIRE(
      answer.wait_for(std::chrono::seconds{60} * tests::slowness) == std::future_status::ready);
    auto made = answer.get().done;
    REQUIRE(made);
    return std::move(*made);
  }
};
} // namespace

TEST_CASE(
  "a webhook's rows are its shard's, written at the epoch of whoever serves it", "[webhooks]") {
  served_webhooks at{3}; // the shards have changed hands
  const auto made = at.create();
  const auto shard = domain::shard_of(made.row.id);
  CHECK(storage::all_webhooks(at.to.disk(), shard).size() == 1);
  CHECK(made.row.secrets.empty()); // they are for the signature alone
  CHECK(made.secret.starts_with("whsec_"));
  at.webhooks.leave(shard);
  CHECK_FALSE(at.webhooks.find(made.row.id));
  at.to.raise_epoch(shard, 4);
  at.webhooks.take(shard); // it came back
  CHECK(at.webhooks.find(made.row.id));
}

TEST_CASE("an endpoint whose shard is leaving is not changed here any more", "[webhooks]") {
  served_webhooks at{1};
  const auto made = at.create();
  at.to.raise_epoch(domain::shard_of(made.row.id), 2); // given up, and it was not told
  http::webhook_settings off;
  off.enabled = false;
  std::promise<http::webhook_outcome> answered;
  at.webhooks.change(
    made.row.id, off, [&](http::webhook_outcome o) { answered.set_value(std::move(o)); });
  CHECK_FALSE(answered.get_future().get().done);
}

TEST_CASE("an endpoint is not made any more once the server stops", "[webhooks]") {
  slow_neighbour others;
  served_webhooks at{1};
  at.webhooks.join(others);
  http::webhook_settings settings;
  settings.url = "https://shop.example/", settings.topics = {"orders"}, settings.types.emplace();
  std::optional<http::webhook_outcome> answer;
  at.webhooks.create(settings, [&](http::webhook_outcome o) { answer = std::move(o); });
  REQUIRE(others.waiting.size() == 1);
  CHECK_FALSE(answer);
  at.webhooks.stop(); // here a node's journal ends, and then its links
  const auto before = at.to.stats().write_sets;
  others.waiting.front()({http::forwarded_answer::kind::unknown, {}, {}, {}});
  at.to.flush();
  REQUIRE(answer);
  CHECK_FALSE(answer->done);
  CHECK(answer->refused.kind == &http::problems::shard_unavailable);
  CHECK(at.to.stats().write_sets == before);
}

TEST_CASE(
  "a check finds a message on the wrong side of its endpoint's cursor", "[webhooks][check]") {
  tests::memory_store disk;
  auto row = endpoint();
  row.cursor = place(5, 9);
  domain::webhook_delivery d;
  d.endpoint = row.id, d.key = "ord_1", d.sequence = 1, d.number = 3;
  const auto found = [&](
                       webhook_state state, const feed_position& at, std::uint64_t feed_ends = 9) {
    using storage::table;
    d.state = state, d.cursor = to_text(at);
    if (disk.apply({storage::last_offset_row(feed_ends),
          {table::webhooks, storage::webhook_key(row.id), storage::encode(row)},
          {table::webhook_deliveries, storage::webhook_delivery_key(row.id, d.number),
            storage::encode(d)}}))
      FAIL();
    std::string codes;
    const auto report = storage::check_store(disk, {}, [](std::uint64_t) { return true; });
    for (const auto& f : report.findings)
      if (f.code.starts_with("webhook")) codes += f.code + " ";
    return codes;
  };
  CHECK(found(webhook_state::delivered, place(5, 3)).empty());
  CHECK(found(webhook_state::failed, place(5, latest)).empty()); // it was not heard by then
  CHECK(found(webhook_state::retrying, place(6, 9)).empty());
  CHECK(found(webhook_state::delivered, place(6, 9)) == "webhook-cursor ");
  CHECK(found(webhook_state::retrying, place(5, 8)) == "webhook-cursor ");
  CHECK(found(webhook_state::delivered, place(5, 3), 8) == "webhook-cursor ");
}
