#include "domain/saga.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include "domain/order_step.hpp"
#include "domain/planted.hpp"
#include <algorithm>
#include <utility>

namespace jumun::domain {
namespace {
constexpr std::int64_t ms(std::chrono::milliseconds d) { return d.count(); }

/// Reached, or set by a clock that has gone back since.
bool due(std::int64_t at_ms, std::int64_t now_ms) {
  return at_ms <= now_ms || at_ms - now_ms > ms(limits::wait_max);
}

bool inverse(phase p) {
  return p == phase::undelivering || p == phase::refunding || p == phase::voiding
         || p == phase::releasing;
}

/// Its commands go to the payment provider, which may take its time.
bool asks_provider(phase p) {
  return p == phase::charging || p == phase::inquiring || p == phase::refunding
         || p == phase::voiding;
}

/// Charging, and no charge has left us yet, by the row.
bool never_asked(const order& o) {
  return o.at == phase::charging && o.payment == payment_status::none;
}

void check(const order& o) {
  JUMUN_INVARIANT(o.id != order_id{}, "the zero id is reserved");
  JUMUN_INVARIANT(!o.lines.empty(), "an order has lines");
  JUMUN_INVARIANT(o.at >= phase::reserving && o.at <= phase::cancelled, "known phase");
  JUMUN_INVARIANT(o.refunded >= 0 && o.refunded <= o.captured, "only what was taken is given back");
  JUMUN_INVARIANT(o.captured == 0 || o.captured == o.total, "an order is charged once, in full");
  JUMUN_INVARIANT(
    o.at != phase::fulfilled || o.captured == o.total, "no delivery without a charge");
  const auto ended = o.at == phase::rejected || o.at == phase::cancelled;
  JUMUN_INVARIANT(
    !ended || o.captured <= o.refunded + o.settled_outside, "no charge is kept on what was undone");
  JUMUN_INVARIANT(!o.paused || !at_rest(o), "what owes nothing is not paused");
}

/// One turn of the table: the order as it becomes, and what is said about it on the way.
class turn {
public:
  turn(order now, context ctx) : o(std::move(now)), ctx_(ctx), before_(milestones_of(o)) {}

  order o;

  event& say(event_type type) {
    event e;
    e.type = type;
    e.key = to_text(id_kind::order, o.id);
    if (JUMUN_PLANTED(event_sequence_gap) && type == event_type::payment_approved) ++o.sequence;
    e.sequence = ++o.sequence;
    e.time_ms = ctx_.now_ms;
    e.traceparent = o.traceparent;
    return events_.emplace_back(std::move(e));
  }
  void say_money(event_type type, std::int64_t amount, std::string reason = {}) {
    auto& e = say(type);
    e.amount = amount;
    e.currency = o.currency;
    e.reason = std::move(reason);
  }
  void say_stock(event_type type, const order_line& line, std::string reason = {}) {
    auto& e = say(type);
    e.sku = line.sku;
    e.quantity = line.quantity;
    e.reason = std::move(reason);
  }

  /// Answers that were only noted get their events before the row is written.
  void announce() {
    for (auto& line : o.lines)
      if (line.state == line_state::noted) {
        line.state = line_state::held;
        if (JUMUN_PLANTED(event_forgotten) && &line != &o.lines.front()) continue;
        say_stock(event_type::stock_decreased, line);
      }
  }

  decision go(phase to) {
    o.at = to;
    o.attempts = 0;
    o.phase_since_ms = ctx_.now_ms;
    o.next_attempt_ms = 0;
    o.held_since_ms = 0;
    o.last_error.clear();
    o.blocked = false;
    if (at_rest(o)) o.paused = false;
    moved_ = true;
    return applied();
  }

  decision applied() {
    if (o.paused) o.next_attempt_ms = 0; // nothing is due until it is resumed
    ++o.version;
    o.updated_ms = ctx_.now_ms;
    check(o);
    decision d;
    if (moved_ && o.next_attempt_ms == 0) d.commands = asked_now();
    d.reached = milestones_of(o) & ~before_;
    d.next = std::move(o);
    d.events = std::move(events_);
    if (JUMUN_PLANTED(events_out_of_order)) std::reverse(d.events.begin(), d.events.end());
    d.outcome = verdict::applied;
    return d;
  }
  decision plain(verdict v) {
    decision d;
    d.next = std::move(o);
    d.outcome = v;
    return d;
  }
  decision refused(std::string code) {
    auto d = plain(verdict::refused);
    d.refusal = std::move(code);
    return d;
  }

  /// The breaker kept this call from leaving: the same command at the time it names. No attempt is
  /// spent, nothing becomes blocked, and time without a provider is not the provider's time.
  decision hold(const payment_answered& a) {
    const auto since = o.held_since_ms > 0 ? o.held_since_ms : ctx_.now_ms;
    const bool told = o.held_since_ms > 0 && o.last_error == a.reason;
    o.next_attempt_ms = std::max(a.again_at_ms, ctx_.now_ms) + 1
                        + static_cast<std::int64_t>(ctx_.random % ms(limits::held_jitter));
    if (o.at == phase::inquiring) o.phase_since_ms = ctx_.now_ms;
    const bool untouched = o.at == phase::charging && a.first;
    if (told && !untouched) return plain(verdict::noted); // the row says it already
    if (untouched) o.payment = payment_status::none;
    o.held_since_ms = since;
    o.last_error = a.reason;
    return applied();
  }

  /// Unknown is not refused: the same command again, later; an inverse past its budget says so.
  decision again(std::string why) {
    announce();
    // Held back, then let through: a probe, whose failure says nothing of this order.
    const auto probe = std::exchange(o.held_since_ms, 0) > 0;
    o.next_attempt_ms = ctx_.now_ms + backoff_ms(o.attempts, inverse(o.at), ctx_.random);
    if (!probe) ++o.attempts;
    o.last_error = std::move(why);
    const auto bounded = !probe && (inverse(o.at) || o.at == phase::committing);
    if (bounded && o.attempts >= limits::inverse_attempts_max && !o.blocked) {
      o.blocked = true;
      say_money(event_type::saga_blocked, money_at_risk(o), o.last_error);
    }
    return applied();
  }

  // -- backward ---------------------------------------------------------------------------------
  decision undo(ending why) {
    o.why = why;
    const auto may_deliver = o.at == phase::dispatching && o.delivery == delivery_status::none;
    const auto delivers =
      o.delivery == delivery_status::started || o.delivery == delivery_status::failed;
    return may_deliver || delivers ? go(phase::undelivering) : undo_payment();
  }
  decision undo_payment() {
    switch (o.payment) {
      case payment_status::approved:
        return JUMUN_PLANTED(refund_forgotten) ? undo_stock() : go(phase::refunding);
      case payment_status::pending:
      case payment_status::unknown:
        return JUMUN_PLANTED(void_skipped) ? unasked() : go(phase::voiding);
      default: return undo_stock();
    }
  }
  decision unasked() {
    o.payment = payment_status::none;
    return undo_stock();
  }
  decision undo_stock() {
    const auto nothing_held = std::all_of(o.lines.begin(), o.lines.end(), [](const order_line& l) {
      return l.state == line_state::refused || l.state == line_state::released;
    });
    if (JUMUN_PLANTED(release_forgotten) && o.why == ending::reject) return finish();
    return nothing_held ? finish() : go(phase::releasing);
  }
  decision finish() {
    const auto to = o.why == ending::cancel ? phase::cancelled : phase::rejected;
    if (to == phase::rejected) {
      auto& e = say(event_type::order_rejected);
      e.reason = o.failure_code;
      e.detail = o.failure_detail;
    }
    return go(to);
  }
  decision reject(std::string code, std::string detail) {
    o.failure_code = std::move(code);
    o.failure_detail = std::move(detail);
    return undo(ending::reject);
  }

  // -- the table of API.md, a function a step
  // ------------------------------------------------------
  decision on_reserve(order_line& line, const stock_answered& a) {
    if (line.state != line_state::open) return plain(verdict::ignored);
    if (a.said == answer::unknown) return again(a.reason);
    if (a.said == answer::refused) {
      announce();
      line.state = line_state::refused;
      say_stock(event_type::stock_rejected, line, a.reason);
      return reject(a.reason.empty() ? "insufficient-stock" : a.reason,
        "Not enough stock of " + line.sku + " for " + std::to_string(line.quantity) + ".");
    }
    line.state = line_state::noted;
    const auto all = std::all_of(o.lines.begin(), o.lines.end(), [](const order_line& l) {
      return l.state == line_state::noted || l.state == line_state::held;
    });
    if (!all) return partly();
    announce();
    return charge();
  }
  decision charge() {
    if (o.payment != payment_status::none) o.payment = payment_status::pending;
    ++o.charges_asked;
    auto pause =
      o.charges_asked < 2 ? 0 : backoff_ms(o.charges_asked - 2, /*inverse=*/false, ctx_.random);
    if (pause == 0) return go(phase::charging);
    o.at = phase::charging;
    o.held_since_ms = 0;
    o.phase_since_ms = ctx_.now_ms;
    o.attempts = o.charges_asked - 1;
    o.next_attempt_ms = ctx_.now_ms + pause;
    return applied();
  }
  decision on_commit(order_line& line, const stock_answered& a) {
    if (line.state != line_state::held) return plain(verdict::ignored);
    if (a.said != answer::done) return again(a.reason);
    line.state = line_state::committed;
    const auto all = std::all_of(o.lines.begin(), o.lines.end(),
      [](const order_line& l) { return l.state == line_state::committed; });
    return all ? go(phase::fulfilled) : partly();
  }
  /// An answer for one line of several: a note, which a crash may lose, as it is asked for again.
  /// While paused nothing is asked for, so it is written down.
  decision partly() {
    if (!o.paused) return plain(verdict::noted);
    announce();
    return applied();
  }
  decision on_release(order_line& line, const stock_answered& a) {
    if (line.state == line_state::released || line.state == line_state::refused)
      return plain(verdict::ignored);
    if (a.said != answer::done) return again(a.reason);
    // Held all along, but its answer never reached us: both facts are told.
    if (a.moved && line.state == line_state::open) say_stock(event_type::stock_decreased, line);
    if (a.moved) say_stock(event_type::stock_increased, line);
    line.state = line_state::released;
    const auto left = std::any_of(o.lines.begin(), o.lines.end(), [](const order_line& l) {
      return l.state != line_state::released && l.state != line_state::refused;
    });
    return left ? applied() : finish();
  }
  decision on_charge(const payment_answered& a) {
    switch (a.said) {
      case payment_said::approved:
        o.captured = o.total;
        o.payment = payment_status::approved;
        say_money(event_type::payment_approved, o.total);
        return go(phase::dispatching);
      case payment_said::declined:
      case payment_said::cancelled:
        o.payment = payment_status::declined;
        say_money(event_type::payment_declined, o.total, a.reason);
        return reject("payment-declined",
          "The payment was declined" + (a.reason.empty() ? "." : ": " + a.reason + "."));
      default: break;
    }
    if (JUMUN_PLANTED(timeout_taken_for_refusal))
      return o.payment = payment_status::declined, reject("payment-declined", "No answer.");
    if (o.at == phase::charging) {
      if (a.attempt != o.charges_asked) return plain(verdict::ignored);
      o.payment = payment_status::unknown;
      say_money(event_type::payment_outcome_unknown, o.total, a.reason);
      return go(phase::inquiring);
    }
    return on_inquiry(a);
  }
  decision on_inquiry(const payment_answered& a) {
    if (a.about != phase::inquiring || a.attempt != o.attempts) return plain(verdict::ignored);
    const auto patience = ctx_.now_ms - o.phase_since_ms < ms(limits::charge_pending_max);
    if (JUMUN_PLANTED(absent_taken_for_never) && a.said == payment_said::absent)
      return o.payment = payment_status::none, reject("payment-unknown", "Never heard of it.");
    if (a.said != payment_said::absent && patience)
      return again(a.said == payment_said::pending ? "the provider is still at it" : a.reason);
    if (a.said == payment_said::absent && o.charges_asked < limits::charge_attempts_max)
      return charge();
    o.payment = payment_status::unknown;
    return reject("payment-unknown", "The payment provider gave no sure answer in time.");
  }
  decision on_cancelled(const payment_answered& a) {
    if (JUMUN_PLANTED(undo_gives_up) && a.said != payment_said::cancelled) return undo_stock();
    if (a.said != payment_said::cancelled) return again(a.reason);
    if (a.amount != 0 && a.amount != o.total) return again("the provider gave back another amount");
    // Taken all along, but its answer never reached us: both facts are told.
    if (a.amount > 0 && o.captured == 0) {
      o.captured = a.amount;
      say_money(event_type::payment_approved, a.amount);
    }
    o.refunded = a.amount;
    const auto refund = a.amount > 0 || o.captured > 0;
    if (o.captured != o.refunded) return again("the provider gave nothing back");
    o.payment = refund ? payment_status::refunded : payment_status::voided;
    say_money(event_type::payment_canceled, a.amount, refund ? "refunded" : "voided");
    return undo_stock();
  }
  decision on_dispatch(const delivery_answered& a) {
    if (a.said == answer::unknown) return again(a.reason);
    if (a.said == answer::refused) {
      o.delivery = delivery_status::refused;
      return reject("delivery-refused", "No delivery could be started: " + a.reason + ".");
    }
    o.delivery = delivery_status::started;
    say(event_type::delivery_started);
    return go(phase::committing);
  }
  decision on_undeliver(const delivery_answered& a) {
    if (a.said != answer::done) return again(a.reason);
    if (a.moved && o.delivery == delivery_status::none) say(event_type::delivery_started);
    if (a.moved || o.delivery != delivery_status::none) {
      o.delivery = delivery_status::cancelled;
      say(event_type::delivery_canceled);
    }
    return undo_payment();
  }

  decision on_timer() {
    if (at_rest(o) || o.poisoned || o.paused) return plain(verdict::ignored);
    if (o.next_attempt_ms == 0) return no_answer();
    if (!due(o.next_attempt_ms, ctx_.now_ms)) return plain(verdict::ignored);
    return ask_now();
  }
  decision ask_now() {
    o.next_attempt_ms = 0;
    if (never_asked(o)) {
      moved_ = true;
      return applied();
    }
    auto commands = owed(o);
    auto d = plain(verdict::noted); // a restart would do the same: nothing to write
    d.commands = std::move(commands);
    return d;
  }
  /// The last question may have been lost, so it is asked in its answer's time, too.
  decision on_stock_reachable() {
    const bool waits =
      o.at == phase::reserving || o.at == phase::committing || o.at == phase::releasing;
    return waits && !o.paused && !o.poisoned ? ask_now() : plain(verdict::ignored);
  }
  decision no_answer() {
    if (o.at == phase::charging || o.at == phase::inquiring) {
      const auto attempt = o.at == phase::charging ? o.charges_asked : o.attempts;
      return on_charge({o.id, o.at, attempt, payment_said::unknown, 0, "no answer in time"});
    }
    return again("no answer in time");
  }
  decision on_cancel(const cancel_requested& c) {
    if (o.cancel_requested) return plain(verdict::ignored);
    if (!cancellable(o)) return refused("not-cancellable");
    announce();
    return cancel(c.reason, c.traceparent);
  }
  /// A paused one goes backward as well, and sends nothing until it is resumed. One that was set
  /// aside is tried anew.
  decision cancel(const std::string& reason, const std::string& traceparent = {}) {
    o.poisoned = false;
    o.cancel_requested = true;
    o.cancel_reason = reason;
    o.cancel_requested_ms = ctx_.now_ms;
    // Who follows the cancellation must find the refund: from here on its trace is the order's.
    if (!traceparent.empty()) o.traceparent = traceparent;
    say(event_type::order_canceled).reason = reason;
    if (JUMUN_PLANTED(cancellation_lost) && o.at == phase::committing) return applied();
    return undo(ending::cancel);
  }
  decision on_report(const provider_reported& r) {
    if (o.poisoned) return plain(verdict::ignored);
    const bool paid =
      o.at == phase::dispatching || o.at == phase::committing || o.at == phase::fulfilled;
    if (r.news == hook_news::reversed && paid) {
      if (!cancellable(o)) return plain(verdict::ignored);
      return on_cancel({"the payment provider gave the money back"});
    }
    if (!asks_provider(o.at) || o.next_attempt_ms == 0 || o.paused) return plain(verdict::ignored);
    o.next_attempt_ms = ctx_.now_ms; // asked at once; only the provider's own answer counts
    return on_timer();
  }
  decision on_courier(const courier_reported& c) {
    if (o.at != phase::fulfilled) return refused("invalid-transition");
    if (o.delivery == c.status) return plain(verdict::ignored); // said twice
    const auto over =
      o.delivery == delivery_status::delivered || o.delivery == delivery_status::failed;
    if ((over || c.status < o.delivery) && !JUMUN_PLANTED(courier_goes_backward))
      return refused("invalid-transition");
    o.delivery = c.status;
    const auto of_order = o.traceparent;
    if (!c.traceparent.empty()) o.traceparent = c.traceparent;
    if (c.status == delivery_status::picked_up) say(event_type::delivery_picked_up).detail = c.note;
    if (c.status == delivery_status::delivered) {
      say(event_type::delivery_completed).detail = c.note;
      say_money(event_type::order_completed, o.total);
    }
    if (c.status == delivery_status::failed) {
      say(event_type::delivery_failed).detail = c.note;
      o.failure_code = "delivery-failed";
      o.failure_detail = c.note;
      o.blocked = true; // the table: it waits for an operator
    } else {
      o.shipped = true;
    }
    o.traceparent = of_order;
    return applied();
  }
  decision on_poison(const found_poisoned& p) {
    const bool ended = o.at == phase::rejected || o.at == phase::cancelled; // nothing is owed
    if (o.poisoned || ended) return plain(verdict::ignored);
    announce();
    o.poisoned = o.blocked = true;
    o.last_error = p.error;
    auto& e = say(event_type::saga_blocked);
    e.amount = money_at_risk(o);
    e.currency = o.currency;
    e.reason = "poisoned";
    e.detail = p.error;
    return applied();
  }

  // -- people
  // ---------------------------------------------------------------------------------------
  /// Sends all that is owed, at once: the back-off is over, and so are the crashes.
  decision anew() {
    if (o.poisoned) {
      o.poisoned = false;
      o.blocked = o.at == phase::fulfilled && o.delivery == delivery_status::failed;
      o.last_error.clear();
    }
    o.next_attempt_ms = 0;
    moved_ = true;
    return applied();
  }
  decision on_operator(const operator_acted& a) {
    if (already_so(o, a.action)) return plain(verdict::ignored);
    const auto may = allowed_actions(o);
    if (std::find(may.begin(), may.end(), a.action) == may.end())
      return refused("action-not-allowed");
    announce();
    auto& e = say(event_type::operator_acted);
    e.reason = a.reason;
    e.detail = name_of(a.action);
    switch (a.action) {
      case operator_action::pause: o.paused = true; return applied();
      case operator_action::resume: o.paused = false; return anew();
      case operator_action::retry_now: return anew();
      case operator_action::cancel: return cancel(a.reason);
      case operator_action::resolve: break;
    }
    return o.at == phase::fulfilled ? brought_by_hand() : settled_by_hand(e);
  }
  decision brought_by_hand() {
    o.resolved = o.shipped = true;
    o.blocked = false;
    o.delivery = delivery_status::delivered;
    o.failure_code.clear();
    o.failure_detail.clear();
    say(event_type::delivery_completed).reason = "resolved";
    say_money(event_type::order_completed, o.total);
    return applied();
  }
  /// The provider may keep its part for all we know: what a person gave back is not its refund, so
  /// there is no PaymentCanceled and `refunded` stays as it is.
  decision settled_by_hand(event& told) {
    o.resolved = true;
    o.settled_outside = o.captured - o.refunded;
    o.payment = payment_status::resolved;
    told.amount = o.settled_outside;
    told.currency = o.currency;
    return undo_stock();
  }
  /// The provider gave it back after all, beside what a person did: that is told, too.
  decision on_late_refund(const payment_answered& a) {
    const bool ours = a.said == payment_said::cancelled && a.amount == o.total && o.refunded == 0;
    if (!ours) return plain(verdict::ignored);
    if (o.captured == 0) {
      o.captured = a.amount;
      say_money(event_type::payment_approved, a.amount);
    }
    o.refunded = a.amount;
    say_money(event_type::payment_canceled, a.amount, "refunded after it had been resolved");
    return applied();
  }

private:
  /// What is owed, to be sent now. The first charge needs a row that says it may have been asked.
  std::vector<command> asked_now() {
    if (o.paused || o.poisoned) return {};
    const bool first = never_asked(o);
    if (first) o.payment = payment_status::pending;
    auto commands = owed(o);
    if (first) std::get<charge_payment>(commands.at(0)).first = true;
    return commands;
  }

  context ctx_;
  milestones before_;
  std::vector<event> events_;
  bool moved_ = false;
};

decision on_stock(turn& t, const stock_answered& a) {
  // Late or repeated: it speaks of another phase. (A late `reserved` is undone by the tombstone.)
  if (a.about != t.o.at || a.line >= t.o.lines.size()) return t.plain(verdict::ignored);
  auto& line = t.o.lines[a.line];
  switch (t.o.at) {
    case phase::reserving: return t.on_reserve(line, a);
    case phase::committing: return t.on_commit(line, a);
    case phase::releasing: return t.on_release(line, a);
    default: return t.plain(verdict::ignored);
  }
}

decision on_not_asked(turn& t, const payment_answered& a) {
  const auto asked = a.about == phase::charging ? t.o.charges_asked : t.o.attempts;
  if (a.attempt != asked) return t.plain(verdict::ignored);
  if (a.about == t.o.at && t.o.next_attempt_ms == 0)
    return JUMUN_PLANTED(breaker_burns_attempts) ? t.again(a.reason) : t.hold(a);
  // Cancelled between the question and this answer: nothing was asked, so nothing is to be voided.
  if (a.first && t.o.at == phase::voiding) return t.unasked();
  return t.plain(verdict::ignored);
}

decision on_payment(turn& t, const payment_answered& a) {
  if (t.o.payment == payment_status::resolved) return t.on_late_refund(a);
  if (a.said == payment_said::not_asked && !JUMUN_PLANTED(not_asked_taken_for_unknown))
    return on_not_asked(t, a);
  switch (t.o.at) {
    case phase::charging:
    case phase::inquiring: // a charge's late answer is as good as an inquiry's
      if (a.about != phase::charging && a.about != phase::inquiring)
        return t.plain(verdict::ignored);
      return t.on_charge(a);
    case phase::refunding:
    case phase::voiding:
      if (JUMUN_PLANTED(late_approval_revives) && a.said == payment_said::approved)
        return t.on_charge(a);
      return a.about == t.o.at ? t.on_cancelled(a) : t.plain(verdict::ignored);
    default: return t.plain(verdict::ignored);
  }
}

decision on_delivery(turn& t, const delivery_answered& a) {
  if (a.about != t.o.at) return t.plain(verdict::ignored);
  return t.o.at == phase::dispatching ? t.on_dispatch(a) : t.on_undeliver(a);
}
} // namespace

std::int64_t backoff_ms(std::uint32_t attempt, bool is_inverse, std::uint64_t random) {
  const auto cap = is_inverse ? ms(limits::retry_cap_inverse) : ms(limits::retry_cap_forward);
  const auto doubled = attempt < 20 ? ms(limits::retry_base) << attempt : cap;
  return static_cast<std::int64_t>(random % static_cast<std::uint64_t>(std::min(doubled, cap) + 1));
}

std::vector<command> owed(const order& o) {
  std::vector<command> out;
  if (o.poisoned || (o.paused && !JUMUN_PLANTED(pause_ignored))) return out;
  const auto each_line = [&](auto wanted, auto make) {
    for (std::uint16_t i = 0; i < o.lines.size(); ++i)
      if (wanted(o.lines[i].state)) out.emplace_back(make(i, o.lines[i]));
  };
  switch (o.at) {
    case phase::reserving:
      each_line([](line_state s) { return s == line_state::open; },
        [&](std::uint16_t i, const order_line& l) {
          return reserve_stock{o.id, i, l.sku, l.quantity};
        });
      break;
    case phase::committing:
      each_line([](line_state s) { return s == line_state::held; },
        [&](std::uint16_t i, const order_line& l) {
          return commit_stock{o.id, i, l.sku};
        });
      break;
    case phase::releasing:
      each_line([](line_state s) { return s != line_state::refused && s != line_state::released; },
        [&](std::uint16_t i, const order_line& l) {
          return release_stock{o.id, i, l.sku};
        });
      break;
    case phase::charging:
      if (never_asked(o)) break; // not before its row says that it may have been asked
      out.emplace_back(charge_payment{o.id, o.charges_asked, o.total, o.currency, o.token,
        o.traceparent, /*first=*/false, o.version});
      break;
    case phase::inquiring:
      out.emplace_back(
        inquire_payment{o.id, o.attempts, o.total, o.currency, o.token, o.traceparent});
      break;
    case phase::refunding:
    case phase::voiding:
      out.emplace_back(
        cancel_payment{o.id, o.at, o.attempts, o.total, o.currency, o.token, o.traceparent});
      break;
    case phase::dispatching: out.emplace_back(start_delivery{o.id, o.ship_to.country}); break;
    case phase::undelivering: out.emplace_back(cancel_delivery{o.id}); break;
    case phase::fulfilled:
    case phase::rejected:
    case phase::cancelled: break;
  }
  return out;
}

std::int64_t wake_at(const order& o, std::int64_t asked_ms, std::int64_t now_ms) {
  if (at_rest(o) || o.poisoned || o.paused) return 0;
  const auto patience =
    asks_provider(o.at) ? limits::payment_answer_timeout : limits::answer_timeout;
  const auto at = o.next_attempt_ms > 0 ? o.next_attempt_ms : asked_ms + ms(patience);
  return due(at, now_ms) ? std::min(at, now_ms) : at;
}

bool asks_stock(phase p) {
  return p == phase::reserving || p == phase::committing || p == phase::releasing;
}

std::optional<std::int64_t> may_sleep_until(
  const order& o, std::int64_t asked_ms, std::int64_t now_ms, std::int64_t patience_ms) {
  if (at_rest(o) || o.poisoned) return {};
  const auto noted = [](const order_line& l) { return l.state == line_state::noted; };
  if (std::any_of(o.lines.begin(), o.lines.end(), noted)) return {}; // no row has that
  const auto wake = wake_at(o, asked_ms, now_ms);
  if (wake == 0) { // paused: an answer may still be on its way
    if (now_ms - asked_ms < patience_ms) return {};
    return wake;
  }
  if (wake - now_ms <= patience_ms) return {};
  if (o.next_attempt_ms > 0) return wake;
  const bool long_asked = now_ms - o.phase_since_ms >= patience_ms;
  if (asks_provider(o.at) && long_asked) return wake; // others answer to the saga itself, and soon
  return {};
}

std::int64_t look_at(
  const order& o, std::int64_t asked_ms, std::int64_t now_ms, std::int64_t patience_ms) {
  const auto wake = wake_at(o, asked_ms, now_ms);
  if (at_rest(o) || o.poisoned || o.next_attempt_ms > 0) return wake;
  if (!o.paused && !asks_provider(o.at)) return wake;
  const auto idle = (o.paused ? asked_ms : o.phase_since_ms) + patience_ms;
  if (idle <= now_ms) return wake;
  return wake == 0 ? idle : std::min(wake, idle);
}

decision begin(order fresh) {
  const context ctx{fresh.created_ms, 0};
  fresh.version = 0;
  fresh.sequence = 0;
  turn t{std::move(fresh), ctx};
  t.say_money(event_type::order_placed, t.o.total);
  return t.go(phase::reserving);
}

decision advance(order now, const input& what, context ctx) {
  check(now);
  turn t{std::move(now), ctx};
  struct chooser {
    turn& t;
    decision operator()(const stock_answered& a) const { return on_stock(t, a); }
    decision operator()(const payment_answered& a) const { return on_payment(t, a); }
    decision operator()(const delivery_answered& a) const { return on_delivery(t, a); }
    decision operator()(const timer_fired&) const { return t.on_timer(); }
    decision operator()(const cancel_requested& c) const { return t.on_cancel(c); }
    decision operator()(const courier_reported& c) const { return t.on_courier(c); }
    decision operator()(const found_poisoned& p) const { return t.on_poison(p); }
    decision operator()(const provider_reported& r) const { return t.on_report(r); }
    decision operator()(const revived&) const {
      return t.o.poisoned ? t.anew() : t.plain(verdict::ignored);
    }
    decision operator()(const operator_acted& a) const { return t.on_operator(a); }
    decision operator()(const stock_reachable&) const { return t.on_stock_reachable(); }
  };
  return std::visit(chooser{t}, what);
}
} // namespace jumun::domain
