#include "domain/limits.hpp"
#include "domain/operator.hpp"
#include "tests/catch.hpp"
#include "tests/support/story.hpp"
#include <algorithm>

namespace {
using namespace jumun::domain;
using jumun::tests::draft;
using jumun::tests::story;
using actions = std::vector<operator_action>;
constexpr auto hold = operator_action::pause; // `pause` is a function of unistd.h
constexpr auto go_on = operator_action::resume;
constexpr auto retry_now = operator_action::retry_now;
constexpr auto cancel = operator_action::cancel;
constexpr auto resolve = operator_action::resolve;

/// What one action comes to, with the commands that it sends.
decision by_operator(story& s, operator_action a) {
  auto d = advance(s.now, operator_acted{a, "the bank called"}, s.ctx);
  for (const auto& e : d.events) s.said.emplace_back(name_of(e.type));
  s.now = d.next;
  return d;
}
verdict act(story& s, operator_action a) { return by_operator(s, a).outcome; }

void stuck_refund(story& s) {
  s.preparing().cancel().goods(phase::undelivering, answer::done);
  while (!s.now.blocked) s.money(phase::refunding, payment_said::unknown);
}
void stuck_void(story& s) {
  s.reserved().cancel();
  while (!s.now.blocked) s.money(phase::voiding, payment_said::unknown);
}
void not_brought(story& s) {
  s.preparing().feed(courier_reported{delivery_status::picked_up, ""});
  s.feed(courier_reported{delivery_status::failed, "no one home"});
}
void poisoned(story& s) { s.reserved().feed(found_poisoned{"boom"}); }

struct place {
  const char* name;
  void (*bring)(story&);
  actions may;
};
/// Every phase in flight, and what may be done there.
const std::vector<place> places{
  {"reserving", [](story&) {}, {hold, cancel}},
  {"reserving again", [](story& s) { s.stock(phase::reserving, answer::unknown); },
    {hold, retry_now, cancel}},
  {"charging", [](story& s) { s.reserved(); }, {hold, cancel}},
  {"inquiring", [](story& s) { s.reserved().money(phase::charging, payment_said::unknown); },
    {hold, cancel}},
  {"dispatching", [](story& s) { s.paid(); }, {hold, cancel}},
  {"committing", [](story& s) { s.started(); }, {hold, cancel}},
  {"preparing", [](story& s) { s.preparing(); }, {cancel}},
  {"shipped",
    [](story& s) {
      s.preparing().feed(courier_reported{delivery_status::picked_up, ""});
    },
    {}},
  {"not brought", not_brought, {cancel, resolve}},
  {"undelivering", [](story& s) { s.preparing().cancel(); }, {hold}},
  {"refunding", [](story& s) { s.paid().goods(phase::dispatching, answer::refused); }, {hold}},
  {"refund stuck", stuck_refund, {hold, retry_now, resolve}},
  {"voiding", [](story& s) { s.reserved().cancel(); }, {hold}},
  {"void stuck", stuck_void, {hold, retry_now, resolve}},
  {"releasing", [](story& s) { s.reserved().money(phase::charging, payment_said::declined); },
    {hold}},
  {"rejected", [](story& s) { s.stock(phase::reserving, answer::refused); }, {}},
  {"set aside", poisoned, {go_on, retry_now, cancel}},
};
} // namespace

TEST_CASE(
  "an operator may do what makes sense where the saga stands, and nothing else", "[operator]") {
  for (const auto& p : places) {
    CAPTURE(p.name);
    story at;
    p.bring(at);
    CHECK(allowed_actions(at.now) == p.may);
    for (const auto a : all_operator_actions) {
      CAPTURE(name_of(a));
      auto s = at;
      const bool may = std::find(p.may.begin(), p.may.end(), a) != p.may.end();
      const auto before = s.now;
      const auto d = by_operator(s, a);
      CHECK((d.outcome == verdict::applied) == may);
      if (!may) { // refused, or already so: nothing has changed
        CHECK((d.next == before));
        CHECK(d.events.empty());
        CHECK(d.commands.empty());
        continue;
      }
      REQUIRE_FALSE(d.events.empty());
      CHECK(d.events.front().type == event_type::operator_acted);
      CHECK(d.events.front().reason == "the bank called");
      CHECK(d.events.front().detail == name_of(a));
      // Again: already so (no second event), unless it can be done again or has become impossible.
      CHECK(std::count(s.said.begin(), s.said.end(), "OperatorActed") == 1);
      CHECK(act(s, a) != verdict::applied);
      CHECK(std::count(s.said.begin(), s.said.end(), "OperatorActed") == 1);
    }
  }
}

TEST_CASE(
  "while paused nothing is sent, whatever is heard; a resume sends what is owed", "[operator]") {
  const auto hear_everything = [](story& s) {
    const auto before = s.now;
    const auto id = s.now.id;
    const auto at = before.at;
    for (const auto about : {at}) {
      for (const auto said : {answer::done, answer::refused, answer::unknown}) {
        for (const input& what : {input{stock_answered{id, about, 0, said, true, "why"}},
               input{delivery_answered{id, about, said, true, "why"}}}) {
          const auto d = advance(before, what, s.ctx);
          CHECK(d.commands.empty());
          CHECK(d.outcome != verdict::noted); // it is written down
        }
      }
      for (int said = 1; said <= 6; ++said)
        for (const auto attempt : {before.attempts, before.charges_asked})
          CHECK(advance(before,
            payment_answered{id, about, attempt, static_cast<payment_said>(said), 9000, "why"},
            s.ctx)
                  .commands.empty());
    }
    CHECK(advance(before, timer_fired{}, {s.ctx.now_ms + 1'000'000'000, 7}).commands.empty());
    CHECK(advance(before, cancel_requested{"no"}, s.ctx).commands.empty());
    CHECK(wake_at(before, s.ctx.now_ms, s.ctx.now_ms) == 0);
    CHECK(owed(before).empty());
  };
  for (const auto& p : places) {
    if (std::find(p.may.begin(), p.may.end(), hold) == p.may.end()) continue;
    CAPTURE(p.name);
    story s{draft({{"a", "A", 1, 4'500, {}}, {"b", "B", 1, 4'500, {}}})};
    s.now = [&] {
      story one;
      p.bring(one);
      return one.now;
    }();
    CHECK(by_operator(s, hold).commands.empty());
    CHECK(saga_state_of(s.now) == "paused");
    CHECK(s.now.next_attempt_ms == 0);
    hear_everything(s);
    const auto d = by_operator(s, go_on);
    CHECK(d.outcome == verdict::applied);
    CHECK(d.commands.size() == owed(s.now).size());
    CHECK_FALSE(d.commands.empty());
  }
}

TEST_CASE(
  "a late answer moves a paused saga, and its next step waits for the resume", "[operator]") {
  story s;
  s.reserved();
  act(s, hold);
  s.money(phase::charging, payment_said::approved);
  CHECK(s.now.at == phase::dispatching);
  CHECK(s.now.captured == 9000);
  CHECK(s.said.back() == "PaymentApproved");
  CHECK(owed(s.now).empty());
  CHECK(saga_state_of(s.now) == "paused");
  const auto d = by_operator(s, go_on);
  REQUIRE(d.commands.size() == 1);
  CHECK(std::holds_alternative<start_delivery>(d.commands[0]));
  s.goods(phase::dispatching, answer::done).stock(phase::committing, answer::done);
  CHECK(status_of(s.now) == "preparing");
}

TEST_CASE("one answer of several is written down while paused", "[operator]") {
  story s{draft({{"a", "A", 1, 100, {}}, {"b", "B", 2, 100, {}}})};
  act(s, hold);
  CHECK(s.feed(stock_answered{s.now.id, phase::reserving, 1, answer::done, false, ""})
        == verdict::applied);
  CHECK(s.now.lines[1].state == line_state::held);
  const auto d = by_operator(s, go_on);
  REQUIRE(d.commands.size() == 1); // only what is still open
  CHECK(std::get<reserve_stock>(d.commands[0]).line == 0);
}

TEST_CASE("a cancellation while paused is recorded, and acted on after the resume", "[operator]") {
  story s;
  s.paid();
  act(s, hold);
  s.cancel();
  CHECK(status_of(s.now) == "cancelling");
  CHECK(saga_state_of(s.now) == "paused");
  CHECK(s.said.back() == "OrderCanceled");
  CHECK(owed(s.now).empty());
  const auto d = by_operator(s, go_on);
  REQUIRE(d.commands.size() == 1);
  CHECK(std::holds_alternative<cancel_delivery>(d.commands[0]));
}

TEST_CASE("a paused saga that a late answer brings to its end is done, not paused", "[operator]") {
  story s;
  s.started();
  act(s, hold);
  s.stock(phase::committing, answer::done);
  CHECK(s.now.at == phase::fulfilled);
  CHECK_FALSE(s.now.paused);
  CHECK(saga_state_of(s.now) == "done");
}

TEST_CASE("retry_now pre-empts the back-off and asks the same question", "[operator]") {
  story s;
  stuck_refund(s);
  REQUIRE(s.now.next_attempt_ms > 0);
  const auto attempts = s.now.attempts;
  const auto d = by_operator(s, retry_now);
  REQUIRE(d.commands.size() == 1);
  CHECK(std::get<cancel_payment>(d.commands[0]).attempt == attempts);
  CHECK(s.now.next_attempt_ms == 0);
  CHECK(s.now.blocked);                         // until it has worked
  CHECK(act(s, retry_now) == verdict::ignored); // it is being tried
}

TEST_CASE("what a courier failed to bring comes back when an operator cancels", "[operator]") {
  story s;
  not_brought(s);
  CHECK(s.feed(cancel_requested{"I don't want it"}) == verdict::refused); // customers can't
  CHECK(act(s, cancel) == verdict::applied);
  CHECK(s.now.at == phase::undelivering);
  s.goods(phase::undelivering, answer::done);
  s.money(phase::refunding, payment_said::cancelled, 9000);
  s.stock(phase::releasing, answer::done);
  CHECK(status_of(s.now) == "cancelled");
  CHECK(s.now.refunded == 9000);
  CHECK(s.said.back() == "StockIncreased");
}

TEST_CASE("what a person brought after all is delivered", "[operator]") {
  story s;
  not_brought(s);
  CHECK(act(s, resolve) == verdict::applied);
  CHECK(status_of(s.now) == "delivered");
  CHECK(saga_state_of(s.now) == "done");
  CHECK(s.now.failure_code.empty());
  CHECK(s.said.back() == "OrderCompleted");
  CHECK(act(s, resolve) == verdict::ignored); // already so
}

TEST_CASE("money that a person gave back is not called a refund of the provider", "[operator]") {
  story s;
  stuck_refund(s);
  const auto d = by_operator(s, resolve);
  CHECK(d.events.front().amount == 9000);
  CHECK(s.now.at == phase::releasing);
  CHECK(s.now.payment == payment_status::resolved);
  CHECK(s.now.refunded == 0);
  CHECK(s.now.settled_outside == 9000);
  CHECK(money_at_risk(s.now) == 0);
  CHECK(std::count(s.said.begin(), s.said.end(), "PaymentCanceled") == 0);
  SECTION("and the order ends") {
    s.stock(phase::releasing, answer::done);
    CHECK(status_of(s.now) == "cancelled");
  }
  SECTION("and a refund that comes all the same is told, too") {
    s.feed(payment_answered{s.now.id, phase::refunding, 1, payment_said::cancelled, 9000, ""});
    CHECK(s.said.back() == "PaymentCanceled");
    CHECK(s.now.refunded == 9000);
    s.stock(phase::releasing, answer::done);
    CHECK(status_of(s.now) == "cancelled");
  }
}

TEST_CASE("an order that was set aside is tried anew", "[operator]") {
  story s;
  poisoned(s);
  SECTION("by an operator's retry") { CHECK(by_operator(s, retry_now).commands.size() == 1); }
  SECTION("by an operator's resume") { CHECK(by_operator(s, go_on).commands.size() == 1); }
  SECTION("by the next life of the process") {
    CHECK(advance(s.now, revived{}, s.ctx).commands.size() == 1);
    s.feed(revived{});
  }
  CHECK_FALSE(s.now.poisoned);
  CHECK_FALSE(s.now.blocked);
  CHECK(saga_state_of(s.now) == "running");
  CHECK(s.feed(revived{}) == verdict::ignored);
}

TEST_CASE("every place a saga can stand has one honest sentence", "[operator]") {
  const auto check_sentence = [](const order& o) {
    const auto text = explain(o);
    CAPTURE(text);
    REQUIRE(text.size() > 20);
    CHECK((text.front() >= 'A' && text.front() <= 'Z'));
    CHECK(text.back() == '.');
    CHECK(text.find("  ") == std::string::npos);
    CHECK(text.find("..") == std::string::npos);
    CHECK(text.find(" ;") == std::string::npos);
    CHECK(text.find("()") == std::string::npos);
    CHECK(text.find(". ") == std::string::npos); // one sentence
    CHECK(text.find(o.customer) == std::string::npos);
    const auto state = saga_state_of(o);
    const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
    if (!at_rest(o)) CHECK(has("since 20"));     // since when
    if (state == "paused") CHECK(has("paused")); // what it waits for
    if (state == "waiting")                      // the next attempt's time
      CHECK(has(o.held_since_ms > 0 ? "again from 20" : "again at 20"));
    if (state == "running") CHECK(has("awaited"));
    if (money_at_risk(o) > 0 && state != "done")
      CHECK(has((std::to_string(money_at_risk(o)) + " KRW").c_str())); // what is at risk
    if (!at_rest(o) && o.why == ending::cancel && !o.poisoned) CHECK(has("was cancelled"));
  };
  for (const auto& p : places) {
    CAPTURE(p.name);
    story plain;
    p.bring(plain);
    check_sentence(plain.now);
    const auto then = [&](auto change) {
      auto s = plain;
      change(s);
      check_sentence(s.now);
    };
    then([](story& s) { act(s, hold); });
    then([](story& s) { s.cancel(); });
    then([](story& s) {
      s.cancel();
      act(s, hold);
    });
    then([](story& s) { s.feed(found_poisoned{"boom"}); });
    then([](story& s) { // a back-off, whatever the phase
      if (at_rest(s.now)) return;
      s.now.next_attempt_ms = s.ctx.now_ms + 5'000;
      s.now.last_error = "no answer in time";
      s.now.attempts = 3;
    });
    then([](story& s) { // the breaker is open
      if (at_rest(s.now)) return;
      s.now.held_since_ms = s.ctx.now_ms;
      s.now.next_attempt_ms = s.ctx.now_ms + 5'000;
      s.now.last_error = "it has not been answering";
    });
    then([](story& s) { // and past its budget
      if (at_rest(s.now)) return;
      s.now.next_attempt_ms = s.ctx.now_ms + 5'000;
      s.now.blocked = true;
    });
  }
}
