#include "cluster/link/inlet.hpp"
#include "cluster/link/outlet.hpp"
#include "tests/catch.hpp"
#include <map>
#include <random>

namespace {
using namespace jumun;
using namespace jumun::cluster;
using namespace jumun::cluster::link;
using namespace std::chrono_literals;

envelope command(std::string bytes, std::int64_t deadline_ms = 0) {
  envelope e;
  e.kind = 1;
  e.deadline_ms = deadline_ms;
  e.bytes = std::move(bytes);
  return e;
}

/// Both ends of one link, joined by lists of frames that the test moves; time is the test's.
struct joined {
  explicit joined(terms t = {})
      : how{t}, here{std::make_shared<outlet>(identity{"shop", "a", 5, "0.1"}, "b", t, now(),
                  outlet::hooks{
                    [this] { ++woken; }, [this](link_state s) { states.push_back(s); }})} {}
  clocks now() {
    return {[this] { return us; }, [this] { return 1'000'000 + us / 1'000; }};
  }
  std::int64_t wall_ms() const { return 1'000'000 + us / 1'000; }
  /// A session, up to the peer's welcome.
  void greet(std::uint64_t session) {
    there = std::make_shared<inlet>("a", session, how, now(), [] {});
    here->greet(session);
    move_there();
    move_back();
  }
  void move_there() {
    while (auto bytes = here->next_frame()) {
      auto f = decode_frame(*bytes);
      REQUIRE(f);
      if (f->greeting) {
        CHECK(inlet::objection(*f->greeting, {"shop", "b", 9, "0.2"}).empty());
        there->greet(*f->greeting, {"shop", "b", 9, "0.2"});
      }
      kept_terms = there->heard(std::move(*f), to);
    }
  }
  void move_back() {
    while (auto bytes = there->next_frame()) {
      auto f = decode_frame(*bytes);
      REQUIRE(f);
      here->heard(std::move(*f));
    }
  }
  void move() {
    move_there();
    move_back();
  }
  asked ask(std::string bytes, std::int64_t deadline_ms = 0) {
    here->ask(command(std::move(bytes), deadline_ms), [this](ask_result r) { ends.push_back(r); });
    return ends.empty() ? asked::unknown : ends.back().how;
  }

  std::int64_t us = 1'000'000'000;
  int woken = 0;
  bool kept_terms = true;
  std::vector<link_state> states;
  std::vector<ask_result> ends;
  terms how;
  handlers to;
  std::shared_ptr<outlet> here;
  std::shared_ptr<inlet> there;
};

terms small(std::uint64_t envelopes, std::uint64_t bytes = 1 << 20) {
  terms t;
  t.envelopes = envelopes;
  t.bytes = bytes;
  return t;
}
} // namespace

TEST_CASE("a wheel's deadlines come due once, never early, and less than a tick late", "[link]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 chance{seed};
  std::int64_t now = 5'000'000;
  timer_wheel wheel{now};
  struct waiting {
    std::int64_t due;
    timer_wheel::handle at;
  };
  std::map<std::uint64_t, waiting> all;
  std::uint64_t next = 0;
  for (int step = 0; step < 5'000; ++step) {
    for (auto n = chance() % 3; n > 0; --n) {
      const auto due = now + static_cast<std::int64_t>(chance() % 40'000);
      ++next;
      all.emplace(next, waiting{due, wheel.add(due, next)});
    }
    if (chance() % 4 == 0 && !all.empty()) {
      const auto gone = all.begin();
      wheel.cancel(gone->second.at);
      all.erase(gone);
    }
    now += static_cast<std::int64_t>(chance() % (chance() % 50 == 0 ? 20'000 : 40));
    wheel.advance(now, [&](std::uint64_t what) {
      const auto found = all.find(what);
      REQUIRE(found != all.end());
      if (found->second.due > now) FAIL_CHECK("early");
      all.erase(found);
    });
    for (const auto& [what, w] : all)
      if (w.due + 2 * timer_wheel::tick_ms <= now) FAIL_CHECK("late by " << now - w.due);
    CHECK(wheel.size() == all.size());
  }
}

TEST_CASE("credit ends at its envelopes or its bytes, and comes back as it is handled", "[link]") {
  credit c{3, 100};
  CHECK(c.take(40));
  CHECK(c.take(40));
  CHECK_FALSE(c.take(40)); // bytes
  CHECK(c.take(20));
  CHECK_FALSE(c.take(0)); // envelopes
  CHECK(c.handled(2, 80));
  CHECK(c.out() == 1);
  CHECK(c.out_bytes() == 20);
  CHECK(c.handled(1, 40)); // an older one, late
  CHECK(c.out() == 1);
  CHECK_FALSE(c.handled(4, 100)); // more than there was
  CHECK(c.handled(3, 100));
  CHECK(c.take(1'000)); // alone it may
  CHECK_FALSE(c.take(1));
}

TEST_CASE(
  "tells come in their order, asks are answered, and both give their credit back", "[link]") {
  joined j{small(8)};
  std::vector<std::string> told;
  j.to.tell = [&](const std::string& from, envelope e, receipt) { told.push_back(from + e.bytes); };
  j.to.ask = [](const std::string&, envelope e, reply_once reply) {
    e.bytes += "!";
    reply(std::move(e));
  };
  CHECK_FALSE(j.here->tell(command("before it is up")));
  CHECK(j.ask("before it is up") == asked::not_sent);
  j.ends.clear();
  j.greet(17);
  REQUIRE(j.here->state() == link_state::up);
  CHECK(j.states == std::vector{link_state::up});
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(j.here->tell(command(std::to_string(i))));
    sent.push_back("a" + std::to_string(i));
    j.ask("q" + std::to_string(i));
    if (i % 3 == 0) j.move();
  }
  j.move();
  CHECK(told == sent);
  REQUIRE(j.ends.size() == 100);
  for (int i = 0; i < 100; ++i)
    CHECK(j.ends[static_cast<std::size_t>(i)].reply.bytes == "q" + std::to_string(i) + "!");
  const auto f = j.here->figures();
  CHECK(f.sent == 200);
  CHECK(f.received == 100);
  CHECK(f.in_flight == 0);
  CHECK(f.unhandled < 8 / 4 + 1); // the rest of a quarter is said with the next heartbeat
  CHECK(f.incarnation == 9);
  CHECK(f.release == "0.2");
  CHECK(j.kept_terms);
}

TEST_CASE("a caller wakes the link once for all that waits", "[link]") {
  joined j;
  j.greet(17);
  j.move(); // its first heartbeat
  j.woken = 0;
  for (int i = 0; i < 10; ++i) CHECK(j.here->tell(command("x")));
  CHECK(j.woken == 1);
  const auto bytes = j.here->next_frame();
  REQUIRE(bytes);
  CHECK(decode_frame(*bytes)->items.size() == 10); // in one frame
  CHECK(j.here->tell(command("x")));
  CHECK(j.woken == 2);
}

TEST_CASE("a peer that handles nothing gets no more than its credit", "[link]") {
  joined j{small(4)};
  std::vector<receipt> held;
  std::vector<reply_once> replies;
  j.to.tell = [&](const std::string&, envelope, receipt r) { held.push_back(std::move(r)); };
  j.to.ask = [&](const std::string&, envelope, reply_once r) { replies.push_back(std::move(r)); };
  j.greet(17);
  for (int i = 0; i < 3; ++i) CHECK(j.here->tell(command("x")));
  j.ask("q");
  j.move();
  CHECK_FALSE(j.here->tell(command("x")));
  CHECK(j.ask("q") == asked::not_sent);
  CHECK(j.here->figures().refused_for_credit == 2);
  CHECK(j.here->figures().unhandled == 4);
  held.pop_back();
  j.move();
  CHECK(j.here->tell(command("x")));
  replies.clear(); // dropped: the asker hears unknown at once, and has its credit back
  j.move();
  REQUIRE(j.ends.size() == 2);
  CHECK(j.ends.back().how == asked::unknown);
  CHECK(j.here->tell(command("x")));
}

TEST_CASE("an ask ends unknown at its deadline, and its late reply is dropped", "[link]") {
  joined j;
  std::vector<reply_once> replies;
  j.to.ask = [&](const std::string&, envelope, reply_once r) { replies.push_back(std::move(r)); };
  j.greet(17);
  j.ask("slow", j.wall_ms() + 700);
  j.ask("slower", j.wall_ms() + 900);
  CHECK(j.ask("too late", j.wall_ms() - 1) == asked::not_sent);
  j.ends.clear();
  j.move();
  CHECK(replies.size() == 2);
  j.us += 699'000;
  j.here->tick();
  CHECK(j.ends.empty());
  j.us += 20'000;
  j.here->tick();
  REQUIRE(j.ends.size() == 1);
  CHECK(j.ends[0].how == asked::unknown);
  replies[0](command("late"));
  replies[1](command("in time"));
  j.move();
  REQUIRE(j.ends.size() == 2);
  CHECK(j.ends[1].reply.bytes == "in time");
  j.us += 900'000;
  j.here->tick();
  CHECK(j.ends.size() == 2);
  CHECK(j.here->figures().unknown == 1);
}

TEST_CASE("a silent peer is gone, and asks in flight end unknown, once", "[link]") {
  joined j;
  j.greet(17);
  j.ask("never heard", j.wall_ms() + 60'000);
  j.here->tick();
  for (int s = 1; s <= 3; ++s) { // its heartbeats go out
    j.us += 1'000'000;
    j.here->tick();
    const auto bytes = j.here->next_frame();
    REQUIRE(bytes);
    CHECK(decode_frame(*bytes)->ping == static_cast<std::uint64_t>(j.us));
  }
  CHECK(j.ends.empty());
  j.us += 1'000'000;
  j.here->tick();
  CHECK(j.states == std::vector{link_state::up, link_state::away});
  REQUIRE(j.ends.size() == 1);
  CHECK(j.ends[0].how == asked::unknown);
  CHECK_FALSE(j.here->tell(command("x")));
  j.here->lost("again");
  CHECK(j.ends.size() == 1);
  CHECK(j.states.size() == 2);
}

TEST_CASE("a heartbeat comes back, and tells the round trip", "[link]") {
  joined j;
  j.greet(17);
  j.us += 1'000'000;
  j.here->tick();
  j.move_there();
  j.us += 250;
  j.move_back();
  CHECK(j.here->figures().rtt_us == 250);
}

TEST_CASE("asks are counted, and how long their answers took", "[link]") {
  joined j;
  j.to.ask = [](const std::string&, envelope what, reply_once reply) { reply(std::move(what)); };
  j.to.tell = [](const std::string&, const envelope&, const receipt&) {};
  j.greet(17);
  CHECK(j.here->tell(command("told")));
  for (const int us : {300, 700}) {
    j.ask("asked");
    j.move_there();
    j.us += us;
    j.move_back();
  }
  const auto f = j.here->figures();
  CHECK(f.sent == 3);
  CHECK(f.asks == 2);
  CHECK(f.answered == 2);
  CHECK(f.answer_us == 1'000);
}

TEST_CASE("what comes late from an earlier session changes nothing in the next", "[link]") {
  joined j{small(4)};
  std::vector<reply_once> replies;
  j.to.ask = [&](const std::string&, envelope, reply_once r) { replies.push_back(std::move(r)); };
  j.greet(17);
  j.ask("one");
  j.move();
  j.here->lost("cut");
  REQUIRE(j.ends.size() == 1);
  const auto old = j.there;
  replies[0](command("late"));
  const auto late = old->next_frame();
  REQUIRE(late);
  j.greet(18); // the peer may have restarted; asks are numbered on, so none is taken for another
  j.ask("two");
  j.here->heard(*decode_frame(*late));
  CHECK(j.ends.size() == 1);
  CHECK(j.here->state() == link_state::up);
  j.move();
  replies[1](command("2"));
  j.move();
  REQUIRE(j.ends.size() == 2);
  CHECK(j.ends[1].reply.bytes == "2");
  j.here->lost("cut again"); // replies were heard in that session: they don't count in the next
  j.greet(19);
  CHECK(j.kept_terms);
  CHECK(j.here->state() == link_state::up);
}

TEST_CASE("replies to a slow asker are bounded; the others hear unknown", "[link]") {
  joined j{small(100, 10'000)};
  std::vector<reply_once> replies;
  j.to.ask = [&](const std::string&, envelope, reply_once r) { replies.push_back(std::move(r)); };
  j.greet(17);
  for (int i = 0; i < 20; ++i) j.ask("q");
  j.move_there();
  REQUIRE(replies.size() == 20);
  for (auto& r : replies) r(command(std::string(1'000, 'x')));
  j.move_back();
  REQUIRE(j.ends.size() == 20);
  const auto answered = std::count_if(
    j.ends.begin(), j.ends.end(), [](const auto& r) { return r.how == asked::answered; });
  CHECK(answered == 9);
  CHECK(j.ends.back().how == asked::unknown);
  peer_figures f;
  j.there->count_into(f);
  CHECK(f.replies_dropped == 11);
  j.move(); // and with what was heard, there is room again
  j.us += 1'000'000;
  j.here->tick();
  j.move();
  replies.clear();
  j.ask("q");
  j.move_there();
  replies.at(0)(command(std::string(1'000, 'x')));
  j.move_back();
  CHECK(j.ends.back().how == asked::answered);
}

TEST_CASE("a peer that sends more than its credit is cut off", "[link]") {
  joined j{small(4)};
  std::vector<receipt> held;
  j.to.tell = [&](const std::string&, envelope, receipt r) { held.push_back(std::move(r)); };
  j.greet(17);
  frame f;
  f.session = 17;
  for (int i = 0; i < 4; ++i) f.items.push_back(encode(item{0, asked::answered, command("x")}));
  CHECK(j.there->heard(f, j.to));
  CHECK(held.size() == 4);
  f.items.resize(1);
  CHECK_FALSE(j.there->heard(f, j.to));
  CHECK(held.size() == 4);
  j.there->close();
  held.clear(); // receipts and replies may outlive their session
  frame boast;
  boast.session = 17;
  boast.handled = 1; // of nothing
  joined other;
  other.greet(17);
  CHECK_FALSE(other.there->heard(boast, other.to));
  other.here->heard(boast);
  CHECK(other.here->state() == link_state::away);
}

TEST_CASE("what this release can't read is answered unsupported, and counted", "[link]") {
  joined j;
  std::vector<std::string> told;
  j.to.tell = [&](const std::string&, envelope e, receipt) { told.push_back(e.bytes); };
  j.greet(17);
  j.ask("no handler for asks");
  j.move();
  REQUIRE(j.ends.size() == 1);
  CHECK(j.ends[0].how == asked::unsupported);
  auto newer = command("of the next release");
  newer.protocol = protocol_now + 1;
  frame f;
  f.session = 17;
  f.items = {encode(item{0, asked::answered, newer}), "\xff\xff garbage",
    encode(item{0, asked::answered, command("fine")})};
  CHECK(j.there->heard(f, j.to));
  CHECK(told == std::vector<std::string>{"fine"});
  peer_figures counted;
  j.there->count_into(counted);
  CHECK(counted.unsupported == 2);
  CHECK(counted.received == 4);
}

TEST_CASE("a hello is turned down by name", "[link]") {
  const identity self{"shop", "b", 9, "0.2"};
  hello h{"shop", "a", "b", 5, "0.1", protocol_now, protocol_oldest};
  CHECK(inlet::objection(h, self).empty());
  const auto why = [&](auto change) {
    auto bad = h;
    change(bad);
    return inlet::objection(bad, self);
  };
  CHECK(why([](hello& x) { x.cluster = "other"; }) == "another cluster");
  CHECK(why([](hello& x) { x.to = "c"; }) == "this is \"b\"");
  CHECK_FALSE(why([](hello& x) { x.node = "b"; }).empty());
  CHECK_FALSE(why([](hello& x) { x.node = ""; }).empty());
  CHECK_FALSE(why([](hello& x) { x.oldest = x.protocol = protocol_now + 1; }).empty());
  CHECK(why([](hello& x) { x.protocol = protocol_now + 1; }).empty());

  joined j; // and the dialler knows why
  j.here->greet(17);
  frame f;
  f.session = 17;
  f.refused = "another cluster";
  j.here->heard(f);
  CHECK(j.here->state() == link_state::refused);
  CHECK(j.here->figures().last_error == "another cluster");
  CHECK_FALSE(j.here->in_session());
}
