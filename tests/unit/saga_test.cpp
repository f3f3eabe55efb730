#include "domain/limits.hpp"
#include "domain/saga.hpp"
#include "domain/stock.hpp"
#include "tests/catch.hpp"
#include "tests/support/story.hpp"

using namespace jumun::domain;
using jumun::tests::draft;
using jumun::tests::later;
using jumun::tests::story;
namespace limits = jumun::limits;

namespace {
using names = std::vector<std::string>;
} // namespace

TEST_CASE("an order goes forward step by step, and says so by the seed's names", "[saga]") {
  story s;
  CHECK(status_of(s.now) == "pending");
  s.reserved();
  CHECK(status_of(s.now) == "paying");
  s.money(phase::charging, payment_said::approved);
  CHECK(status_of(s.now) == "paid");
  s.goods(phase::dispatching, answer::done);
  CHECK(status_of(s.now) == "paid");
  s.stock(phase::committing, answer::done);
  CHECK(status_of(s.now) == "preparing");
  CHECK(settled(s.now));
  s.feed(courier_reported{delivery_status::picked_up, ""});
  CHECK(status_of(s.now) == "shipped");
  s.feed(courier_reported{delivery_status::delivered, ""});
  CHECK(status_of(s.now) == "delivered");
  CHECK(s.said
        == names{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
          "DeliveryPickedUp", "DeliveryCompleted", "OrderCompleted"});
  CHECK(s.now.sequence == 7);
}

TEST_CASE("each step's answer leads where the table of API.md says", "[saga]") {
  struct row {
    const char* name;
    void (*bring)(story&);
    phase then;
    const char* saga;
  };
  const auto table = std::vector<row>{
    {"reserve done", [](story& s) { s.reserved(); }, phase::charging, "running"},
    {"reserve refused", [](story& s) { s.stock(phase::reserving, answer::refused); },
      phase::rejected, "done"},
    {"reserve unknown: asked again", [](story& s) { s.stock(phase::reserving, answer::unknown); },
      phase::reserving, "waiting"},
    {"charge done", [](story& s) { s.paid(); }, phase::dispatching, "running"},
    {"charge refused",
      [](story& s) { s.reserved().money(phase::charging, payment_said::declined); },
      phase::releasing, "running"},
    {"charge unknown: inquire",
      [](story& s) { s.reserved().money(phase::charging, payment_said::unknown); },
      phase::inquiring, "running"},
    {"inquiry finds the charge",
      [](story& s) {
        s.reserved().money(phase::charging, payment_said::unknown);
        s.money(phase::inquiring, payment_said::approved);
      },
      phase::dispatching, "running"},
    {"inquiry finds nothing: charge again",
      [](story& s) {
        s.reserved().money(phase::charging, payment_said::unknown);
        s.money(phase::inquiring, payment_said::absent);
      },
      phase::charging, "waiting"},
    {"inquiry unknown: inquire again",
      [](story& s) {
        s.reserved().money(phase::charging, payment_said::unknown);
        s.money(phase::inquiring, payment_said::unknown);
      },
      phase::inquiring, "waiting"},
    {"delivery done", [](story& s) { s.started(); }, phase::committing, "running"},
    {"delivery refused", [](story& s) { s.paid().goods(phase::dispatching, answer::refused); },
      phase::refunding, "running"},
    {"delivery unknown: asked again",
      [](story& s) { s.paid().goods(phase::dispatching, answer::unknown); }, phase::dispatching,
      "waiting"},
    {"commit done", [](story& s) { s.preparing(); }, phase::fulfilled, "done"},
    {"commit unknown: asked again",
      [](story& s) { s.started().stock(phase::committing, answer::unknown); }, phase::committing,
      "waiting"},
    {"refund unknown: asked again",
      [](story& s) {
        s.paid().goods(phase::dispatching, answer::refused);
        s.money(phase::refunding, payment_said::unknown);
      },
      phase::refunding, "waiting"},
    {"refund done",
      [](story& s) {
        s.paid().goods(phase::dispatching, answer::refused);
        s.money(phase::refunding, payment_said::cancelled, 9000);
      },
      phase::releasing, "running"},
    {"courier failed: waits for an operator",
      [](story& s) {
        s.preparing().feed(courier_reported{delivery_status::failed, "no one home"});
      },
      phase::fulfilled, "blocked"},
  };
  for (const auto& r : table) {
    CAPTURE(r.name);
    story s;
    r.bring(s);
    CHECK(s.now.at == r.then);
    CHECK(saga_state_of(s.now) == r.saga);
  }
}

TEST_CASE("a cancellation undoes exactly what was done, delivery first", "[saga]") {
  story s;
  s.preparing().cancel();
  CHECK(status_of(s.now) == "cancelling");
  CHECK(s.now.at == phase::undelivering);
  s.goods(phase::undelivering, answer::done);
  CHECK(s.now.at == phase::refunding);
  s.money(phase::refunding, payment_said::cancelled, 9000);
  CHECK(s.now.at == phase::releasing);
  s.stock(phase::releasing, answer::done);
  CHECK(status_of(s.now) == "cancelled");
  CHECK(s.now.captured == 9000);
  CHECK(s.now.refunded == 9000);
  CHECK(s.said
        == names{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
          "OrderCanceled", "DeliveryCanceled", "PaymentCanceled", "StockIncreased"});
}

TEST_CASE("a cancellation is possible at each moment before shipped", "[saga]") {
  struct row {
    const char* name;
    void (*bring)(story&);
    phase first_undo;
  };
  const auto table = std::vector<row>{
    {"while reserving", [](story&) {}, phase::releasing},
    {"while a reservation is in back-off",
      [](story& s) { s.stock(phase::reserving, answer::unknown); }, phase::releasing},
    {"while the charge is in flight", [](story& s) { s.reserved(); }, phase::voiding},
    {"while the charge is unknown",
      [](story& s) { s.reserved().money(phase::charging, payment_said::unknown); }, phase::voiding},
    {"while the next charge is in back-off",
      [](story& s) {
        s.reserved().money(phase::charging, payment_said::unknown);
        s.money(phase::inquiring, payment_said::absent);
      },
      phase::voiding},
    {"while the delivery is being started", [](story& s) { s.paid(); }, phase::undelivering},
    {"while stock is being committed", [](story& s) { s.started(); }, phase::undelivering},
    {"when it is preparing", [](story& s) { s.preparing(); }, phase::undelivering},
    {"when the courier failed before he had it",
      [](story& s) {
        s.preparing().feed(courier_reported{delivery_status::failed, ""});
      },
      phase::undelivering},
  };
  for (const auto& r : table) {
    CAPTURE(r.name);
    story s;
    r.bring(s);
    REQUIRE(cancellable(s.now));
    CHECK(s.feed(cancel_requested{"x"}) == verdict::applied);
    CHECK(s.now.at == r.first_undo);
    CHECK(s.now.next_attempt_ms == 0); // it pre-empts timers and back-off
    CHECK(s.feed(cancel_requested{"again"}) == verdict::ignored); // one cancellation
  }
}

TEST_CASE("what was shipped, delivered or undone can't be cancelled", "[saga]") {
  story shipped;
  shipped.preparing().feed(courier_reported{delivery_status::picked_up, ""});
  CHECK(shipped.feed(cancel_requested{}) == verdict::refused);
  shipped.feed(courier_reported{delivery_status::failed, ""});
  CHECK(shipped.feed(cancel_requested{}) == verdict::refused);
  story rejected;
  rejected.stock(phase::reserving, answer::refused);
  CHECK(rejected.feed(cancel_requested{}) == verdict::refused);
}

TEST_CASE("money that was taken behind our back is found and given back", "[saga]") {
  story s;
  s.reserved().cancel(); // the charge is in flight
  REQUIRE(s.now.at == phase::voiding);
  s.money(phase::charging, payment_said::approved); // its late answer changes nothing
  REQUIRE(s.now.at == phase::voiding);
  s.money(phase::voiding, payment_said::cancelled, 9000);
  CHECK(s.now.captured == 9000);
  CHECK(s.now.refunded == 9000);
  CHECK(s.now.payment == payment_status::refunded);
}

TEST_CASE("a void that finds nothing taken gives nothing back", "[saga]") {
  story s;
  s.reserved().cancel();
  s.money(phase::voiding, payment_said::cancelled, 0);
  CHECK(s.now.captured == 0);
  CHECK(s.now.payment == payment_status::voided);
  CHECK(s.now.at == phase::releasing);
}

TEST_CASE(
  "a charge without a sure answer is void past its budget, under one payment id", "[saga]") {
  story s;
  s.reserved();
  for (std::uint32_t i = 1; i <= limits::charge_attempts_max; ++i) {
    REQUIRE(s.now.at == phase::charging);
    REQUIRE(s.now.charges_asked == i);
    s.money(phase::charging, payment_said::unknown);
    REQUIRE(s.now.at == phase::inquiring);
    s.money(phase::inquiring, payment_said::absent);
  }
  CHECK(s.now.at == phase::voiding);
  CHECK(s.now.failure_code == "payment-unknown");
  s.money(phase::voiding, payment_said::cancelled, 0);
  s.stock(phase::releasing, answer::done);
  CHECK(status_of(s.now) == "rejected");
}

TEST_CASE("an inverse past its budget is blocked with the money at risk, and goes on", "[saga]") {
  story s;
  s.preparing().cancel().goods(phase::undelivering, answer::done);
  for (std::uint32_t i = 0; i < limits::inverse_attempts_max; ++i) {
    CHECK_FALSE(s.now.blocked);
    s.money(phase::refunding, payment_said::unknown);
  }
  CHECK(saga_state_of(s.now) == "blocked");
  CHECK(money_at_risk(s.now) == 9000);
  CHECK(s.said.back() == "SagaBlocked");
  CHECK(wake_at(s.now, 0, s.ctx.now_ms) > 0); // it still goes on trying
  s.money(phase::refunding, payment_said::cancelled, 9000);
  s.stock(phase::releasing, answer::done);
  CHECK(status_of(s.now) == "cancelled");
  CHECK(saga_state_of(s.now) == "done");
}

TEST_CASE("several lines are reserved all or not at all", "[saga]") {
  story s{draft({{"a", "A", 1, 100, {}}, {"b", "B", 2, 100, {}}, {"c", "C", 3, 100, {}}})};
  CHECK(s.feed(stock_answered{s.now.id, phase::reserving, 2, answer::done, false, ""})
        == verdict::noted);
  CHECK(s.said == names{"OrderPlaced"}); // nothing is written for a part
  s.stock(phase::reserving, answer::refused, 1);
  CHECK(s.now.at == phase::releasing);
  CHECK(s.said == names{"OrderPlaced", "StockDecreased", "StockRejected"});
  // line 0 was asked and never answered: it is released too, by a tombstone if need be
  const auto commands = owed(s.now);
  REQUIRE(commands.size() == 2);
  CHECK(std::get<release_stock>(commands[0]).line == 0);
  CHECK(std::get<release_stock>(commands[1]).line == 2);
  s.stock(phase::releasing, answer::done, 0, /*moved=*/false);
  s.stock(phase::releasing, answer::done, 2, /*moved=*/true);
  CHECK(
    s.said
    == names{"OrderPlaced", "StockDecreased", "StockRejected", "StockIncreased", "OrderRejected"});
}

TEST_CASE("late and repeated answers are ignored in every phase", "[saga]") {
  for (int at = 1; at <= 12; ++at) {
    story s;
    s.now.at = static_cast<phase>(at);
    if (s.now.at == phase::fulfilled) s.now.captured = s.now.total;
    for (int about = 1; about <= 12; ++about) {
      if (at == about) continue;
      CAPTURE(at, about);
      const auto p = static_cast<phase>(about);
      CHECK(s.feed(stock_answered{s.now.id, p, 0, answer::done, true, ""}) == verdict::ignored);
      CHECK(s.feed(delivery_answered{s.now.id, p, answer::done, true, ""}) == verdict::ignored);
    }
  }
}

TEST_CASE("an event carries the trace of the request that caused it", "[saga][trace]") {
  auto o = draft();
  o.traceparent = "of the order";
  story s{o};
  s.preparing();
  const auto traces_of = [&s](const input& what) {
    const auto d = advance(s.now, what, later);
    s.now = d.next;
    names all;
    for (const auto& e : d.events) all.push_back(e.traceparent);
    return all;
  };
  CHECK(traces_of(courier_reported{delivery_status::picked_up, "", "of the courier"})
        == names{"of the courier"});
  CHECK(traces_of(courier_reported{delivery_status::delivered, ""})
        == names{"of the order", "of the order"}); // a courier that brings none

  story c{o};
  c.preparing();
  c.now = advance(c.now, cancel_requested{"why", "of the cancellation"}, later).next;
  s.now = c.now; // who follows the cancellation finds the delivery's end, the refund, the stock
  CHECK(traces_of(delivery_answered{s.now.id, phase::undelivering, answer::done, true, ""})
        == names{"of the cancellation"});
  const auto refund = owed(s.now);
  REQUIRE(refund.size() == 1);
  CHECK(std::get<cancel_payment>(refund[0]).traceparent == "of the cancellation");
  CHECK(traces_of(
          payment_answered{s.now.id, phase::refunding, 0, payment_said::cancelled, s.now.total, ""})
        == names{"of the cancellation"});

  story plain{o};
  plain.preparing().cancel();
  CHECK(plain.now.traceparent == "of the order");
}

TEST_CASE("a provider's hook about an outcome only ends the wait before the next question",
  "[saga][hooks]") {
  story s;
  s.reserved();
  CHECK(
    s.feed(provider_reported{hook_news::outcome}) == verdict::ignored); // the answer is under way
  s.money(phase::charging, payment_said::unknown).money(phase::inquiring, payment_said::unknown);
  REQUIRE(s.now.next_attempt_ms > s.ctx.now_ms);
  for (const auto news : {hook_news::outcome, hook_news::reversed}) {
    auto d = advance(s.now, provider_reported{news}, s.ctx);
    CHECK(d.outcome == verdict::noted);
    REQUIRE(d.commands.size() == 1);
    CHECK(std::holds_alternative<inquire_payment>(d.commands[0]));
    CHECK(d.events.empty());
    CHECK(d.next.payment == payment_status::unknown); // nobody's word but the provider's answer
  }
  s.now.paused = true;
  CHECK(s.feed(provider_reported{hook_news::outcome}) == verdict::ignored);
}

TEST_CASE("an order asks for its stock at once when its owner is back", "[saga][cluster]") {
  story s;
  CHECK(s.feed(stock_reachable{}) == verdict::noted); // its question may have been lost
  s.stock(phase::reserving, answer::unknown);
  REQUIRE(s.now.next_attempt_ms > 0);
  auto d = advance(s.now, stock_reachable{}, s.ctx);
  CHECK(d.next.next_attempt_ms == 0);
  REQUIRE(d.commands.size() == 1);
  CHECK(std::holds_alternative<reserve_stock>(d.commands[0]));
  s.feed(operator_acted{operator_action::pause, "stop"});
  CHECK(s.feed(stock_reachable{}) == verdict::ignored);
  story paid;
  paid.reserved();
  CHECK(paid.feed(stock_reachable{}) == verdict::ignored); // it waits for no stock
}

TEST_CASE("what the provider reversed of a paid order is undone like a customer's cancellation",
  "[saga][hooks]") {
  story s;
  s.preparing();
  CHECK(s.feed(provider_reported{hook_news::outcome}) == verdict::ignored);
  CHECK(s.feed(provider_reported{hook_news::reversed}) == verdict::applied);
  CHECK(s.now.at == phase::undelivering);
  CHECK(s.now.why == ending::cancel);
  CHECK(s.said.back() == "OrderCanceled");
  CHECK(s.feed(provider_reported{hook_news::reversed}) == verdict::ignored);

  story shipped;
  shipped.preparing().feed(courier_reported{delivery_status::picked_up, ""});
  CHECK(shipped.feed(provider_reported{hook_news::reversed}) == verdict::ignored);
  story ended;
  ended.reserved().money(phase::charging, payment_said::declined);
  CHECK(ended.feed(provider_reported{hook_news::reversed}) == verdict::ignored);
  CHECK(ended.now.why == ending::reject); // our own refund's echo makes no cancellation of it
}

TEST_CASE("a courier can't go backwards, and may repeat", "[saga]") {
  story s;
  s.preparing();
  CHECK(s.feed(courier_reported{delivery_status::picked_up, ""}) == verdict::applied);
  CHECK(s.feed(courier_reported{delivery_status::picked_up, ""}) == verdict::ignored);
  CHECK(s.feed(courier_reported{delivery_status::delivered, ""}) == verdict::applied);
  CHECK(s.feed(courier_reported{delivery_status::picked_up, ""}) == verdict::refused);
  CHECK(s.feed(courier_reported{delivery_status::failed, ""}) == verdict::refused);
  story early;
  early.paid();
  CHECK(early.feed(courier_reported{delivery_status::picked_up, ""}) == verdict::refused);
}

TEST_CASE("back-off doubles, is capped by its direction, and has full jitter", "[saga]") {
  const auto reaches = [](std::uint32_t n, bool inverse, std::uint64_t top) {
    return backoff_ms(n, inverse, top) == static_cast<std::int64_t>(top)
           && backoff_ms(n, inverse, top + 1) == 0; // uniform over [0, top]
  };
  CHECK(reaches(0, false, 100));
  CHECK(reaches(1, false, 200));
  CHECK(reaches(40, false, 10'000));
  CHECK(reaches(40, true, 300'000));
  CHECK(backoff_ms(5, false, 0) == 0);
}

TEST_CASE("a poisoned order is blocked and owes nothing", "[saga]") {
  story s;
  s.reserved();
  CHECK(s.feed(found_poisoned{"boom"}) == verdict::applied);
  CHECK(saga_state_of(s.now) == "blocked");
  CHECK(owed(s.now).empty());
  CHECK(open(s.now));
  CHECK(explain(s.now).find("boom") != std::string::npos);
}

// -- receivers ------------------------------------------------------------------------------------

TEST_CASE("a stock command may come twice, late, or before its time", "[stock]") {
  const auto id = make_order_id(1, 2, 3, 4);
  stock shelf;
  shelf.sku = "a";
  shelf.on_hand = 5;
  const reserve_stock ask{id, 0, "a", 3};
  auto first = reserve(shelf, {}, ask, 1);
  CHECK(first.reply.said == answer::done);
  CHECK(first.next.available() == 2);
  CHECK(first.next.on_hand == 5); // on_hand falls when the delivery starts
  auto again = reserve(first.next, first.row, ask, 2);
  CHECK(again.reply.said == answer::done);
  CHECK_FALSE(again.row);
  CHECK(again.next == first.next);
  auto gone = commit(first.next, first.row, {id, 0, "a"}, 3);
  CHECK(gone.next.on_hand == 2);
  CHECK(gone.next.reserved == 0);
  REQUIRE(gone.moved);
  CHECK(gone.moved->delta == -3);
  auto back = release(gone.next, gone.row, {id, 0, "a"}, 4);
  CHECK(back.next.on_hand == 5);
  CHECK(back.reply.moved);
  REQUIRE(back.moved);
  CHECK(back.moved->reason == "restock");
  auto twice = release(back.next, back.row, {id, 0, "a"}, 5);
  CHECK(twice.next == back.next);
  CHECK(twice.reply.moved); // told as the first time
}

TEST_CASE(
  "a release that comes first leaves a tombstone, and the late reserve is refused", "[stock]") {
  const auto id = make_order_id(1, 2, 3, 4);
  stock shelf;
  shelf.sku = "a";
  shelf.on_hand = 5;
  auto tomb = release(shelf, {}, {id, 0, "a"}, 1);
  REQUIRE(tomb.row);
  CHECK_FALSE(tomb.reply.moved);
  auto late = reserve(tomb.next, tomb.row, {id, 0, "a", 1}, 2);
  CHECK(late.reply.said == answer::refused);
  CHECK(late.next.reserved == 0);
}

TEST_CASE("stock can't be sold twice, nor fall below what is reserved", "[stock]") {
  stock shelf;
  shelf.sku = "a";
  shelf.on_hand = 5;
  auto first = reserve(shelf, {}, {make_order_id(1, 2, 3, 4), 0, "a", 4}, 1);
  auto second = reserve(first.next, {}, {make_order_id(1, 2, 3, 5), 0, "a", 2}, 1);
  CHECK(second.reply.said == answer::refused);
  REQUIRE(second.row); // remembered: stock that comes in later can't turn the answer
  auto more = adjust(second.next, {100, "restock", ""}, 2);
  REQUIRE(more);
  auto asked_again = reserve(more->next, second.row, {make_order_id(1, 2, 3, 5), 0, "a", 2}, 3);
  CHECK(asked_again.reply.said == answer::refused);
  CHECK_FALSE(adjust(first.next, {-2, "broken", ""}, 2));
  CHECK(adjust(first.next, {-1, "broken", ""}, 2));
}

TEST_CASE("a delivery that was stopped before it started is never started", "[delivery]") {
  const auto id = make_order_id(1, 2, 3, 4);
  auto tomb = cancel({}, id, 1);
  CHECK_FALSE(tomb.reply.moved);
  CHECK(start(tomb.row, id, true, 2).reply.said == answer::refused);
  auto begun = start({}, id, true, 1);
  CHECK(begun.reply.said == answer::done);
  auto stopped = cancel(begun.row, id, 2);
  CHECK(stopped.reply.moved);
  CHECK(cancel(stopped.row, id, 3).reply.moved);
  CHECK(start({}, id, /*served=*/false, 1).reply.said == answer::refused);
}

// -- ids ------------------------------------------------------------------------------------------

TEST_CASE("ids survive their text, carry their shard, and sort by time", "[ids]") {
  const auto id = make_order_id(200, 1'763'800'000'123, 0xffffff, ~0ULL);
  const auto text = to_text(id_kind::order, id);
  CHECK(text.size() == 30);
  CHECK(parse_id(id_kind::order, text) == id);
  CHECK_FALSE(parse_id(id_kind::payment, text));
  CHECK_FALSE(parse_id(id_kind::order, text + "0"));
  CHECK_FALSE(parse_id(id_kind::order, "ord_ZZZZZZZZZZZZZZZZZZZZZZZZZZ")); // more than 128 bits
  CHECK_FALSE(parse_id(id_kind::order, "ord_00000000000000000000000000"));
  CHECK_FALSE(parse_id(id_kind::order, "ord_U0000000000000000000000000"));
  CHECK(shard_of(id) == 200);
  CHECK(accepted_ms(id) == 1'763'800'000'123);
  CHECK(make_order_id(200, 1, 0, 0) < make_order_id(200, 2, 0, 0));
}

TEST_CASE("the shard of a SKU never changes: it is on disk", "[ids]") {
  CHECK(stable_hash("") == 0xf52a15e9a9b5e89bULL);
  CHECK(shard_of("americano") == static_cast<shard_id>(stable_hash("americano") >> 56));
  std::vector<int> per_shard(shard_count);
  for (int i = 0; i < 25'600; ++i) ++per_shard[shard_of("sku-" + std::to_string(i))];
  for (const auto n : per_shard) CHECK((n > 50 && n < 160)); // about 100 each
}

namespace {
/// What a breaker that is open says of the last command.
payment_answered not_asked(const order& o, bool first) {
  const auto attempt = o.at == phase::charging ? o.charges_asked : o.attempts;
  payment_answered a{o.id, o.at, attempt, payment_said::not_asked, 0, "it has been silent"};
  a.again_at_ms = later.now_ms + 2'000;
  a.first = first;
  return a;
}
bool charges_first(const std::vector<command>& sent) {
  return sent.size() == 1 && std::holds_alternative<charge_payment>(sent[0])
         && std::get<charge_payment>(sent[0]).first;
}
} // namespace

TEST_CASE("a charge that was never asked waits, and burns nothing", "[saga][breaker]") {
  story s;
  s.reserved();
  REQUIRE(s.now.payment == payment_status::pending); // its row is written before the call leaves
  CHECK(s.feed(not_asked(s.now, true)) == verdict::applied);
  CHECK(s.now.at == phase::charging);
  CHECK(s.now.payment == payment_status::none);
  CHECK(s.now.attempts == 0);
  CHECK(s.now.charges_asked == 1);
  CHECK(s.now.next_attempt_ms > later.now_ms + 2'000);
  CHECK(s.now.next_attempt_ms <= later.now_ms + 2'000 + limits::held_jitter.count());
  CHECK(status_of(s.now) == "paying");
  CHECK(saga_state_of(s.now) == "waiting");
  CHECK(explain(s.now).find("it has been silent") != std::string::npos);
  CHECK(owed(s.now).empty()); // nothing may leave by a row that says it never did

  SECTION("at its time it is the first charge again, by a row that says so") {
    s.ctx.now_ms = s.now.next_attempt_ms;
    const auto version = s.now.version;
    auto d = advance(s.now, timer_fired{}, s.ctx);
    CHECK(d.outcome == verdict::applied);
    CHECK(d.next.version == version + 1);
    CHECK(d.next.payment == payment_status::pending);
    CHECK(charges_first(d.commands));
    CHECK(saga_state_of(d.next) == "waiting");
    s.now = d.next;
    s.money(phase::charging, payment_said::approved);
    CHECK(s.now.at == phase::dispatching);
    CHECK(s.now.held_since_ms == 0);
  }
  SECTION("cancelled, it has nothing to be voided") {
    s.cancel();
    CHECK(s.now.at == phase::releasing);
    s.stock(phase::releasing, answer::done);
    CHECK(status_of(s.now) == "cancelled");
    CHECK(s.said == names{"OrderPlaced", "StockDecreased", "OrderCanceled", "StockIncreased"});
  }
}

TEST_CASE(
  "a charge that may have left stays unknown while the breaker is open", "[saga][breaker]") {
  SECTION("asked again by a life that does not know what the last one sent") {
    story s;
    s.reserved();
    CHECK(s.feed(not_asked(s.now, false)) == verdict::applied);
    CHECK(s.now.payment == payment_status::pending);
    s.cancel();
    CHECK(s.now.at == phase::voiding); // it must be made sure
  }
  SECTION("asked again after the provider had not heard of it") {
    story s;
    s.reserved().money(phase::charging, payment_said::unknown);
    s.money(phase::inquiring, payment_said::absent);
    REQUIRE(s.now.charges_asked == 2);
    s.ctx.now_ms = std::max(s.ctx.now_ms, s.now.next_attempt_ms);
    if (s.now.next_attempt_ms > 0) s.feed(timer_fired{});
    s.feed(not_asked(s.now, false));
    CHECK(s.now.held_since_ms > 0);
    s.cancel();
    CHECK(s.now.at == phase::voiding);
  }
  SECTION("cancelled before its answer came: a first charge that was not asked needs no void") {
    story s;
    s.reserved();
    const auto late = not_asked(s.now, true);
    s.cancel();
    REQUIRE(s.now.at == phase::voiding);
    s.feed(late);
    CHECK(s.now.at == phase::releasing);
  }
}

TEST_CASE("a paused order reaches its charge, and its row does not say that it was asked",
  "[saga][breaker]") {
  story s;
  s.now.paused = true;
  const auto d =
    advance(s.now, stock_answered{s.now.id, phase::reserving, 0, answer::done, true, ""}, s.ctx);
  CHECK(d.next.at == phase::charging);
  CHECK(d.next.payment == payment_status::none);
  CHECK(d.commands.empty());
}

TEST_CASE("an inquiry waits out an outage of any length", "[saga][breaker]") {
  story s;
  s.reserved().money(phase::charging, payment_said::unknown);
  REQUIRE(s.now.at == phase::inquiring);
  const auto asked = s.now.attempts;
  const auto version = s.now.version;
  for (int i = 0; i < 1'000; ++i) {
    auto a = not_asked(s.now, false);
    a.again_at_ms = s.ctx.now_ms + 10'000;
    s.feed(a);
    s.ctx.now_ms = s.now.next_attempt_ms;
    CHECK(s.feed(timer_fired{}) == verdict::noted);
  }
  CHECK(s.now.attempts == asked);
  CHECK(s.now.version == version + 1);              // told once: the rest is in memory
  s.money(phase::inquiring, payment_said::pending); // its patience begins now
  CHECK(s.now.at == phase::inquiring);
}

TEST_CASE("a refund waits for the provider and is not blocked by that", "[saga][breaker]") {
  story s;
  s.preparing().cancel().goods(phase::undelivering, answer::done);
  REQUIRE(s.now.at == phase::refunding);
  for (int i = 0; i < 100; ++i) {
    s.feed(not_asked(s.now, false));
    s.ctx.now_ms = s.now.next_attempt_ms;
    s.feed(timer_fired{});
  }
  CHECK(s.now.attempts == 0);
  CHECK_FALSE(s.now.blocked);
  CHECK(saga_state_of(s.now) == "waiting");
  // As the breaker's probe it is asked for real, and fails: no more its fault than the waiting was.
  for (int i = 0; i < 100; ++i) {
    s.money(phase::refunding, payment_said::unknown);
    s.ctx.now_ms = s.now.next_attempt_ms;
    s.feed(timer_fired{});
    s.feed(not_asked(s.now, false));
    s.ctx.now_ms = s.now.next_attempt_ms;
    s.feed(timer_fired{});
  }
  CHECK_FALSE(s.now.blocked);
  // But without a breaker in between each failure counts.
  for (int i = 0; i < 10; ++i) {
    s.money(phase::refunding, payment_said::unknown);
    s.ctx.now_ms = s.now.next_attempt_ms;
    s.feed(timer_fired{});
  }
  CHECK(s.now.blocked);
}

TEST_CASE("an answer that was not asked for another question changes nothing", "[saga][breaker]") {
  story s;
  s.reserved();
  auto old = not_asked(s.now, true);
  ++old.attempt;
  CHECK(s.feed(old) == verdict::ignored);
  const auto charge = not_asked(s.now, true);
  s.money(phase::charging, payment_said::unknown);
  CHECK(s.feed(charge) == verdict::ignored); // it is inquired by now
}

TEST_CASE(
  "a saga may leave memory once nothing is expected but by its supervisor", "[saga][dormant]") {
  constexpr std::int64_t patience = 5'000;
  story s;
  const auto asked = s.ctx.now_ms;
  const auto sleeps = [&] { return may_sleep_until(s.now, asked, s.ctx.now_ms, patience); };
  CHECK_FALSE(sleeps()); // reserving: stock answers to the saga itself
  s.ctx.now_ms += 4'000;
  CHECK_FALSE(sleeps());
  s.reserved();
  const auto charged = s.ctx.now_ms;
  CHECK(s.now.phase_since_ms == charged);
  CHECK_FALSE(sleeps()); // the provider answers at once, as a rule
  CHECK(look_at(s.now, charged, charged, patience) == charged + patience);
  s.ctx.now_ms += patience;
  const auto give_up = wake_at(s.now, charged, s.ctx.now_ms);
  CHECK(may_sleep_until(s.now, charged, s.ctx.now_ms, patience) == give_up);
  CHECK(look_at(s.now, charged, s.ctx.now_ms, patience) == give_up);
  s.ctx.now_ms = give_up - patience;
  CHECK_FALSE(may_sleep_until(s.now, charged, s.ctx.now_ms, patience)); // soon
  s.now.paused = true;
  CHECK(may_sleep_until(s.now, charged, s.ctx.now_ms, patience) == 0); // until somebody comes
  s.now.paused = false;
  s.now.next_attempt_ms = s.ctx.now_ms + 1;
  CHECK_FALSE(may_sleep_until(s.now, charged, s.ctx.now_ms, patience));
  s.now.next_attempt_ms = s.ctx.now_ms + patience + 1;
  CHECK(may_sleep_until(s.now, charged, s.ctx.now_ms, patience) == s.now.next_attempt_ms);
  s.now.lines[0].state = line_state::noted; // no row has that
  CHECK_FALSE(may_sleep_until(s.now, charged, s.ctx.now_ms, patience));
  s.now.lines[0].state = line_state::held;
  s.now.poisoned = true;
  CHECK_FALSE(may_sleep_until(s.now, charged, s.ctx.now_ms, patience));
}
