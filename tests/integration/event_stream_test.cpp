#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include "tests/support/sse_client.hpp"
#include <atomic>
#include <csignal>
#include <fstream>
#include <random>

// The real binary's event feed, as its readers see it.
namespace {
using namespace jumun::tests;

sse_client stream(const server& at, const std::string& target, const std::string& last_id = {}) {
  return {
    at.public_port(), target, last_id.empty() ? headers{} : headers{{"Last-Event-ID", last_id}}};
}
/// The whole feed behind `after` (empty: from its begin) as pages.
json pages(shop_client& c, const std::string& filter = "", std::string after = {}) {
  auto all = json::array();
  for (;;) {
    const auto from = after.empty() ? "" : "&after=" + after;
    const auto page = need(c.api.get("/v1/events?limit=200" + filter + from), 200).json();
    if (page.at("data").empty()) return all;
    for (const auto& e : page.at("data")) all.push_back(e);
    REQUIRE(page.at("next_cursor") != after); // or it would go round for ever
    after = page.at("next_cursor");
  }
}
json bodies(const std::vector<sse_frame>& frames) {
  auto all = json::array();
  for (const auto& f : frames) all.push_back(f.json());
  return all;
}
std::string tip(shop_client& c) {
  return need(c.api.get("/v1/events?after=latest"), 200).json().at("next_cursor");
}
} // namespace

TEST_CASE("a stream is the feed: what was, then what comes, filtered as asked", "[events]") {
  const temp_dir tmp;
  const server at{tmp.path() / "data"};
  shop_client c{at};
  c.sell("tea", 100, 50);
  const auto first = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  auto all = stream(at, "/v1/events");
  CHECK(all.status == 200);
  CHECK(all.fields.at("content-type") == "text/event-stream");
  CHECK(all.fields.at("cache-control") == "no-store");
  auto payments = stream(at, "/v1/events?topic=payments");
  auto own = stream(at, "/v1/orders/" + first + "/events");
  auto by_key = stream(at, "/v1/events?key=" + first);
  const auto second = c.placed("tok_approve", {{"tea", 2}}, {.wait_s = 20});
  const auto told = pages(c);
  const auto frames = all.take(told.size());
  CHECK(bodies(frames) == told);
  for (const auto& f : frames) {
    CHECK(f.json().at("cursor") == f.id);
    CHECK(f.json().at("type") == f.event);
  }
  CHECK(bodies(payments.take(2)) == pages(c, "&topic=payments"));
  CHECK(bodies(own.take(4)) == c.history(first));
  // Its own stream stays open after it has settled: the courier is still to come.
  c.report(first, "picked_up");
  CHECK(own.take(1).at(0).event == "DeliveryPickedUp");
  CHECK(bodies(by_key.take(5)) == c.history(first));

  CHECK(
    need(c.api.get("/v1/events?topic=nonsense"), 422).body.find("deliveries") != std::string::npos);
  CHECK(stream(at, "/v1/events?topic=nonsense").status == 422);
  CHECK(stream(at, "/v1/orders/ord_00000000000000000000000000/events").status == 404);

  const auto path = "/v1/orders/" + second + "/events";
  const auto page = need(c.api.get(path + "?limit=3"), 200).json();
  CHECK(page.at("data").size() == 3);
  const auto rest =
    need(c.api.get(path + "?after=" + page.at("next_cursor").get<std::string>()), 200).json();
  CHECK(c.each(rest.at("data"), "type") == texts{"DeliveryStarted"});
  CHECK(rest.at("next_cursor").is_null());
  const auto cursor = page.at("data")[1].at("cursor").get<std::string>(); // of one list, in both
  CHECK(stream(at, path, cursor).take(1).at(0).event == "PaymentApproved");
  CHECK(stream(at, "/v1/events?key=" + second + "&after=" + cursor).take(1).at(0).event
        == "PaymentApproved");
}

TEST_CASE("a reader resumes after kill -9, and after a drain that it was told of", "[events]") {
  const temp_dir tmp;
  server at{tmp.path() / "data"};
  std::vector<sse_frame> seen;
  const auto read_to_tip = [&](sse_client& from, shop_client& c) {
    const auto target = tip(c);
    while (seen.empty() || seen.back().id != target) seen.push_back(from.take(1).at(0));
  };
  {
    shop_client c{at};
    c.sell("tea", 100, 50);
    auto s = stream(at, "/v1/events");
    c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
    seen = s.take(4);
    at.kill9();
    s.rest();
    CHECK_FALSE(s.ended_well());
  }
  at.restart();
  {
    shop_client c{at};
    auto s = stream(at, "/v1/events", seen.back().id);
    c.placed("tok_decline", {{"tea", 1}}, {.wait_s = 20});
    read_to_tip(s, c);
    auto own = stream(at, "/v1/events?key=nobody");
    at.child().send(SIGTERM);
    for (auto* one : {&s, &own}) {
      const auto last = one->rest();
      REQUIRE_FALSE(last.empty());
      CHECK(last.back().event == "drain");
      CHECK(last.back().id.empty()); // so that the reader's own stays
      CHECK(one->ended_well());
    }
    CHECK(at.child().wait().exit_code == 0);
  }
  at.restart();
  shop_client c{at};
  auto s = stream(at, "/v1/events", seen.back().id);
  c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  read_to_tip(s, c);
  CHECK(bodies(seen) == pages(c));
  for (std::size_t i = 0; i < seen.size(); ++i) REQUIRE(seen[i].cursor() == i + 1);
}

TEST_CASE("readers who come and go under load miss nothing and hear nothing twice", "[events]") {
  const temp_dir tmp;
  const server at{tmp.path() / "data", {"--event-heartbeat-ms", "50"}};
  shop_client{at}.sell("tea", 100, 10'000);
  std::atomic<std::uint64_t> target{0}; // 0: still growing
  std::vector<std::vector<std::uint64_t>> heard(4);
  std::vector<std::thread> readers;
  for (std::size_t r = 0; r < heard.size(); ++r)
    readers.emplace_back([&, r] {
      std::mt19937 chance{static_cast<unsigned>(r)};
      auto& mine = heard[r];
      const auto done = [&] { return target != 0 && !mine.empty() && mine.back() >= target; };
      while (!done()) {
        auto s = stream(at, "/v1/events", mine.empty() ? "" : std::to_string(mine.back()));
        for (auto left = 1 + chance() % 80; left > 0 && !done(); --left) {
          const auto f = s.next();
          if (!f) break;
          if (!f->id.empty()) mine.push_back(f->cursor());
        }
      }
    });
  (void)all_at_once(at, 4, [](shop_client& each, std::size_t i) {
    response last;
    for (int n = 0; n < 25; ++n)
      last = each.place(i % 2 ? "tok_approve" : "tok_decline", {{"tea", 1}}, {.wait_s = 20});
    return last;
  });
  shop_client c{at};
  target = std::stoull(tip(c));
  for (auto& t : readers) t.join();
  CHECK(target > 300);
  for (const auto& mine : heard) {
    REQUIRE(mine.size() == target);
    for (std::size_t i = 0; i < mine.size(); ++i) REQUIRE(mine[i] == i + 1);
  }
}

TEST_CASE("a slow reader is cut off while orders go on, and resumes", "[events]") {
  const temp_dir tmp;
  const server at{tmp.path() / "data", {"--event-reader-bytes", "65536"}};
  shop_client c{at};
  order_lines lines; // one order makes a hundred events
  for (int i = 0; i < 100; ++i) {
    lines.emplace_back("sku-" + std::to_string(i), 1);
    c.sell(lines.back().first, 100, 1'000);
  }
  const auto from = tip(c);
  sse_client slow{at.public_port(), "/v1/events?after=" + from, {}, /*receive_buffer=*/4'096};
  for (int i = 0; i < 12; ++i)
    REQUIRE(c.order(c.placed("tok_approve", lines, {.wait_s = 30})).at("status") == "preparing");
  const auto all = pages(c, "", from);
  auto got = slow.rest(); // what was on its way when it was cut
  CHECK_FALSE(slow.ended_well());
  CHECK(got.size() < all.size());
  REQUIRE_FALSE(got.empty());
  auto again = stream(at, "/v1/events", got.back().id);
  for (auto& f : again.take(all.size() - got.size())) got.push_back(std::move(f));
  CHECK(bodies(got) == all);
}

TEST_CASE("trimmed events are in the archive, and their cursors are gone", "[events]") {
  const temp_dir tmp;
  const auto dir = tmp.path() / "data";
  std::string early, open;
  json all;
  {
    server at{dir};
    shop_client c{at};
    c.sell("tea", 100, 1'000);
    open = c.placed("tok_refund_fails_999", {{"tea", 1}}, {.wait_s = 20});
    need(c.cancel(open), 202);                       // its refund fails: open for a long time
    const std::string words(250, 'w'), sku(64, 's'); // so that few events are much
    c.sell(sku, 100, 1);
    (void)all_at_once(at, 4, [&](shop_client& each, std::size_t) {
      response last;
      for (int n = 0; n < 600; ++n)
        last = need(each.api.post("/v1/inventory/" + sku + "/adjustments",
                      {{"delta", 1}, {"reason", words}, {"reference", words}}),
          201);
      return last;
    });
    early = pages(c)[5].at("cursor").get<std::string>();
    all = pages(c);
    REQUIRE(at.stop() == 0);
  }
  server at{dir, {"--events-keep-mb", "1"}};
  shop_client c{at};
  const auto until = std::chrono::steady_clock::now() + patience;
  auto gone = c.api.get("/v1/events?after=" + early);
  while (gone.status != 410 && std::chrono::steady_clock::now() < until)
    gone = c.api.get("/v1/events?after=" + early);
  REQUIRE(gone.status == 410);
  CHECK(gone.json().at("code") == "cursor-expired");
  CHECK(stream(at, "/v1/events", early).status == 410);
  CHECK(c.history(open)[0].at("sequence") == 1); // open: nothing of it is trimmed
  REQUIRE(at.stop() == 0);                       // whichever batch it was in, it is whole
  CHECK(run_jumun({"check", dir.string()}).how.exit_code == 0);

  at.restart();
  shop_client after{at};
  const auto kept = pages(after);
  REQUIRE_FALSE(kept.empty());
  CHECK(kept.size() < all.size());
  const auto begins = after.api.get("/v1/events?after=" + early).field("link");
  CHECK(begins.find("rel=\"first\"") != std::string::npos);
  std::vector<json> archived;
  for (const auto& f : std::filesystem::directory_iterator{dir / "events-archive"}) {
    std::ifstream in{f.path()};
    for (std::string line; std::getline(in, line);) archived.push_back(json::parse(line));
  }
  const auto first_kept = std::stoull(kept[0].at("cursor").get<std::string>());
  REQUIRE(archived.size() >= first_kept - 1);
  for (std::size_t i = 0; i + 1 < first_kept; ++i) REQUIRE(archived[i] == all[i]);
}
