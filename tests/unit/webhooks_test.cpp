#include "app/webhooks/dispatcher.hpp"
#include "app/webhooks/lane.hpp"
#include "app/webhooks/signature.hpp"
#include "app/webhooks/url_rule.hpp"
#include "domain/limits.hpp"
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
  w.cursor = cursor;
  return w;
}
storage::fed_event fed(std::uint64_t offset, event_type type = event_type::order_placed) {
  storage::fed_event e;
  e.offset = offset;
  e.fact.type = type, e.fact.key = "ord_" + std::to_string(offset), e.fact.sequence = 1;
  return e;
}
webhook_answer status(std::uint32_t code) { return {code, "", 3, 0}; }

/// Sends what is due at `now`, has it answered by `code`. @returns its offset; 0: nothing was due
std::uint64_t step(webhook_lane& lane, std::int64_t now, std::uint32_t code) {
  const auto job = lane.begin(now);
  if (!job) return 0;
  lane.answered(*job, status(code), now, middle, 1);
  return job->what.offset;
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
  lane.take_in(0, {fed(1), fed(2)}, 2);
  std::int64_t now = 1'000'000;
  for (std::uint32_t n = 0; n < limits::webhook_schedule.size(); ++n) {
    CAPTURE(n);
    now += domain::webhook_wait_ms(n, middle, 1);
    if (n > 0) CHECK(step(lane, now - 1, 500) == 0); // not yet
    CHECK(step(lane, now, 500) == 1);
    CHECK(lane.row().failing_since_ms == 1'000'000);
  }
  CHECK(lane.row().cursor == 1);
  CHECK(lane.on());
  CHECK(step(lane, now, 200) == 2);
  CHECK(lane.row().cursor == 2);
  CHECK(lane.row().failing_since_ms == 0);
  CHECK(lane.row().given_up_in_row == 0);
}

TEST_CASE("an endpoint that uses up two schedules in a row is switched off", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  lane.take_in(0, {fed(1), fed(2), fed(3)}, 3);
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
  lane.take_in(0, {fed(1)}, 1);
  CHECK(step(lane, 1, 410) == 1);
  CHECK(lane.row().off == webhook_off::gone);
  CHECK(step(lane, 1'000'000'000, 200) == 0);
  CHECK_FALSE(lane.reads_after());
  auto again = lane.row();
  again.off = webhook_off::none;
  lane.change(again);
  CHECK(step(lane, 2, 200) == 1);
}

TEST_CASE(
  "an endpoint gets one message at a time, in the feed's order, and no other's", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  lane.take_in(0, {fed(1), fed(2, event_type::stock_decreased), fed(3)}, 4);
  CHECK_FALSE(lane.reads_after()); // enough for now
  const auto first = lane.begin(1);
  REQUIRE(first);
  CHECK(first->what.offset == 1);
  CHECK_FALSE(lane.begin(1));
  CHECK_FALSE(lane.due_ms());
  lane.answered(*first, status(204), 1, middle, 1);
  CHECK(lane.row().cursor == 1);
  CHECK(step(lane, 1, 200) == 3);
  CHECK(lane.row().cursor == 4); // what nobody wants is passed, too
  CHECK(lane.reads_after() == std::optional<std::uint64_t>{4});
}

TEST_CASE("a message that waits for its next try is found again by a restart", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  lane.take_in(0, {fed(1), fed(2), fed(3)}, 3);
  CHECK(step(lane, 10, 200) == 1);
  CHECK(step(lane, 20, 500) == 2);
  disk.write(lane);
  auto restarted = disk.load();
  CHECK(restarted.reads_after() == std::optional<std::uint64_t>{2});
  restarted.take_in(2, {fed(3)}, 3);
  CHECK(step(restarted, 5'019, 200) == 0);
  CHECK(step(restarted, 5'020, 200) == 2);
  CHECK(step(restarted, 5'020, 200) == 3);
}

TEST_CASE("a lost checkpoint sends again, and loses nothing", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  lane.take_in(0, {fed(1), fed(2)}, 2);
  CHECK(step(lane, 1, 200) == 1);
  disk.write(lane);
  CHECK(step(lane, 1, 200) == 2); // delivered, not written
  auto restarted = disk.load();
  restarted.take_in(1, {fed(2)}, 2);
  CHECK(step(restarted, 1, 200) == 2);
}

TEST_CASE(
  "what is redelivered by hand goes next, and survives a restart before that", "[webhooks]") {
  webhook_lane lane{endpoint(), {}};
  on_disk disk;
  lane.take_in(0, {fed(1), fed(2), fed(3)}, 3);
  CHECK(step(lane, 1, 200) == 1);
  disk.write(lane);
  const auto row = *storage::decode<domain::webhook_delivery>(disk.deliveries.begin()->second);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  CHECK(lane.redeliver(row) == webhook_lane::asked::queued);
  disk.write(lane);
  auto restarted = disk.load();
  restarted.take_in(1, {fed(2), fed(3)}, 3);
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
  lane.take_in(0, {fed(1)}, 1);
  for (int n = 0; n < 10; ++n) CHECK(step(lane, n * 100'000'000LL, 400) == 1);
  std::uint64_t at = 1;
  for (std::size_t n = 0; n < limits::webhook_rows_kept + 50; ++n, ++at) {
    lane.take_in(at, {fed(at + 1)}, at + 1);
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
  CHECK(lane.skip_to(5) == 0);
  CHECK(lane.skip_to(12) == 7);
  CHECK(lane.row().lost == 7);
  CHECK(lane.row().cursor == 12);
  CHECK(lane.dirty());
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

TEST_CASE(
  "what is asked of webhooks is written under the present epoch of its shard", "[webhooks]") {
  storage::journal to{std::make_shared<tests::memory_store>(), {}};
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    to.raise_epoch(static_cast<domain::shard_id>(s), 3); // the shards have changed hands
  app::webhook_dispatcher webhooks{to, {}};
  http::webhook_settings settings;
  settings.url = "https://shop.example/", settings.topics = {"orders"}, settings.types.emplace();
  std::promise<http::webhook_outcome> answered;
  webhooks.create(settings, [&](http::webhook_outcome o) { answered.set_value(std::move(o)); });
  auto answer = answered.get_future();
  REQUIRE(answer.wait_for(std::chrono::seconds{60} * tests::slowness) == std::future_status::ready);
  const auto made = answer.get().done;
  REQUIRE(made);
  CHECK(storage::all_webhooks(to.disk()).size() == 1);
  CHECK(made->row.secrets.empty()); // they are for the signature alone
  CHECK(made->secret.starts_with("whsec_"));
}

TEST_CASE("a webhook's rows are fenced by no shard, and fence none", "[webhooks]") {
  storage::journal to{std::make_shared<tests::memory_store>(), {}};
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    to.raise_epoch(static_cast<domain::shard_id>(s), 2); // given up at 1
  app::webhook_dispatcher webhooks{to, {}};
  http::webhook_settings settings;
  settings.url = "https://shop.example/", settings.topics = {"orders"}, settings.types.emplace();
  std::promise<http::webhook_outcome> answered;
  webhooks.create(settings, [&](http::webhook_outcome o) { answered.set_value(std::move(o)); });
  const auto made = answered.get_future().get().done;
  REQUIRE(made);
  storage::write_set set;
  set.shard = domain::shard_of(made->row.id), set.epoch = 1;
  set.entries.push_back({storage::table::stock, storage::sku_key("tea"), std::nullopt});
  to.reopen(set.shard, 1); // the move came to nothing
  bool told = false;
  REQUIRE(to.append(std::move(set), [&told] { told = true; }) == storage::append_result::ok);
  to.flush();
  CHECK(told);
}
