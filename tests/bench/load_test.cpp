#include "bench/client/load.hpp"
#include "bench/workloads.hpp"
#include "tests/catch.hpp"
#include "tests/support/raw_server.hpp"
#include <semaphore>

// A load on a server in this process, which answers as the test wants.
namespace {
using namespace jumun::bench;
using jumun::tests::raw_peer;
using jumun::tests::raw_server;
using std::chrono::milliseconds;
using seconds = std::chrono::duration<double>;

load_plan plan_for(const raw_server& at) {
  load_plan p;
  p.at = {boost::asio::ip::address_v4::loopback(), at.port()};
  p.connections = 1;
  p.warmup = {};
  p.length = seconds{1};
  p.make = [](unsigned) { return getting("/"); };
  return p;
}
void answer_all(raw_peer& peer, const std::string& body = "ok") {
  while (!peer.read_request().empty()) peer.answer(200, body);
}
/// The first request half a second late, the others at once.
void answer_late(raw_peer& peer) {
  (void)peer.read_request();
  std::counting_semaphore<1> never{0};
  (void)never.try_acquire_for(milliseconds{500});
  peer.answer(200, "ok");
  answer_all(peer);
}
} // namespace

TEST_CASE("a stall is the latency of all that was due meanwhile, not of one request", "[bench]") {
  // The first request is answered late: 0.5 s of a schedule of 200 requests a second are late then,
  // half of them by more than 0.25 s.
  raw_server stalls{answer_late};
  auto p = plan_for(stalls);
  p.rate = 200;
  const auto open = run_load(p);
  CHECK(open.latency.count() == 200);
  CHECK(open.good == 200);
  CHECK(open.latency.percentile(0.99) >= milliseconds{400});
  CHECK(open.latency.percentile(0.80) >= milliseconds{200});
  CHECK(open.slices[0].worst >= milliseconds{400});
}

TEST_CASE("what is never answered counts as late as it has become", "[bench]") {
  raw_server silent{[](raw_peer& peer) { peer.wait_closed(); }};
  auto p = plan_for(silent);
  p.rate = 50, p.length = seconds{0.4}, p.patience = seconds{0.2};
  const auto r = run_load(p);
  CHECK(r.good == 0);
  CHECK(r.unanswered == 20);
  CHECK(r.latency.count() == 20);
  CHECK(r.latency.percentile(0.01) >= milliseconds{200});
  CHECK(r.per_second() == 0);
}

TEST_CASE(
  "a closed loop keeps one request on each connection, and stops after so many", "[bench]") {
  raw_server quick{[](raw_peer& peer) { answer_all(peer); }};
  auto p = plan_for(quick);
  p.connections = 5, p.threads = 2, p.requests = 1'001, p.length = seconds{3'600};
  const auto r = run_load(p);
  CHECK(r.good == 1'001);
  CHECK(r.sent == 1'001);
  CHECK(r.unanswered == 0);
  CHECK(quick.connections() == 5);
}

TEST_CASE("a load goes on behind connections that are closed", "[bench]") {
  raw_server curt{[](raw_peer& peer) { // two answers, then it hangs up; the second one's end is cut
    (void)peer.read_request();
    peer.answer(200, "ok");
    (void)peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  }};
  auto p = plan_for(curt);
  p.requests = 20, p.length = seconds{3'600};
  const auto r = run_load(p);
  CHECK(r.good == 10);
  CHECK(r.unanswered == 10);
  CHECK(curt.connections() >= 10);
}

TEST_CASE("statuses and phases are told apart", "[bench]") {
  raw_server full{[](raw_peer& peer) {
    for (int n = 0; !peer.read_request().empty(); ++n)
      n % 4 == 0   ? peer.answer(503, "later")
      : n % 4 == 1 ? peer.answer(500, "sorry")
                   : peer.answer(200, "ok");
  }};
  auto p = plan_for(full);
  p.phases = {{seconds{0.4}, 100}, {seconds{0.2}, 300}};
  const auto r = run_load(p);
  CHECK(r.good == 50);
  CHECK(r.turned_away.count() == 25);
  CHECK(r.failed == 25);
  CHECK(r.seen.odd == "500 sorry");
  REQUIRE(r.phases.size() == 2);
  CHECK(r.phases[0].latency.count() + r.phases[0].turned_away.count() == 30);
  CHECK(r.phases[1].latency.count() + r.phases[1].turned_away.count() == 45);
  CHECK(r.seconds == Approx(0.6));
}

TEST_CASE("what a phase could not send is not sent in the next one", "[bench]") {
  raw_server stalls{answer_late}; // behind both phases: one is sent in them
  auto p = plan_for(stalls);
  p.phases = {{seconds{0.2}, 1'000}, {seconds{0.2}, 50}};
  const auto r = run_load(p);
  CHECK(r.phases[0].unanswered >= 199); // where even the first came too late: 200
  CHECK(r.phases[1].unanswered == 0);
  CHECK(r.good + r.phases[0].unanswered == 210);
}

TEST_CASE("a server that takes nobody in is an error, not a figure", "[bench]") {
  std::uint16_t port = 0;
  {
    raw_server gone{[](raw_peer&) {}};
    port = gone.port();
  }
  load_plan p;
  p.at = {boost::asio::ip::address_v4::loopback(), port};
  p.connections = 2, p.warmup = {}, p.length = seconds{3'600};
  p.make = [](unsigned) { return getting("/"); };
  CHECK_THROWS(run_load(p));
}
