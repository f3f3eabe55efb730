#include "app/providers/stripe.hpp"
#include "app/log.hpp"
#include "domain/limits.hpp"

namespace jumun::app::stripe {
using actors::provider_callback;
using actors::provider_charge;
using actors::provider_said;
using domain::payment_said;

namespace {
constexpr std::size_t answer_bytes_max = 256 * 1024;
constexpr auto complain_every_ms = 10'000;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}
/// What a charge and the void that comes before it have in common.
std::vector<std::pair<std::string, std::string>> terms_of(const provider_charge& c) {
  return {{"amount", std::to_string(c.amount)}, {"currency", lower(c.currency)},
    {"payment_method_types[]", "card"},
    {"metadata[order_id]", domain::to_text(domain::id_kind::order, c.order)},
    {"metadata[payment_id]", c.payment_id}};
}
} // namespace

provider::provider(outbound_client& by, options how)
    : by_(by), how_(std::move(how)), secret_(how_.secret_path) {}

// -- one request ----------------------------------------------------------------------------------

void provider::send(const job_ptr& j, const char* method, const std::string& path,
  const fields& form_fields, const std::string& key, hear then) {
  const auto secrets = secret_.secrets();
  outbound_request r;
  r.method = method;
  r.url = how_.url + path;
  r.headers = {{"Authorization", "Bearer " + (secrets->empty() ? std::string{} : secrets->front())},
    {"Stripe-Version", api_version}};
  if (!key.empty()) r.headers.emplace_back("Idempotency-Key", key);
  if (!j->about.traceparent.empty()) r.headers.emplace_back("traceparent", j->about.traceparent);
  if (r.method == "POST") {
    r.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    r.body = form(form_fields);
  } else if (!form_fields.empty()) {
    r.url += "?" + form(form_fields);
  }
  r.deadline = how_.timeout;
  r.response_bytes_max = answer_bytes_max;
  by_.send(std::move(r), std::move(then));
}

void provider::tell(const job_ptr& j, provider_said what) { j->said(std::move(what)); }

/// Not known (surely_not: nor asked), and said so; loudly where a person has to do something.
void provider::unknown(const job_ptr& j, heard what, std::string reason, bool surely_not) {
  const bool ours = what == heard::misconfigured || what == heard::key_taken;
  const auto now = how_.now_ms();
  auto due = next_complaint_ms_.load();
  if (ours && now >= due
      && next_complaint_ms_.compare_exchange_strong(due, now + complain_every_ms))
    log::error("payment.provider_refuses_us",
      {{"provider", "stripe"}, {"payment", j->about.payment_id}, {"detail", reason},
        {"hint", "look at --payment-secret-file and --payment-url; no order is rejected for it"}});
  provider_said no;
  no.said = surely_not ? payment_said::not_asked : payment_said::unknown;
  no.reason = std::move(reason);
  tell(j, std::move(no));
}

// -- the requests that there are ------------------------------------------------------------------

/// Stripe keeps a key for 24 hours at least. Nobody has used it before the order was accepted.
bool provider::key_may_be_forgotten(const job& j) const {
  using ms = std::chrono::milliseconds;
  const auto age = how_.now_ms() - domain::accepted_ms(j.about.order);
  return age > ms{limits::provider_key_trusted}.count();
}

void provider::create(const job_ptr& j, hear then) {
  auto f = terms_of(j->about);
  f.emplace_back("payment_method", j->about.token);
  f.emplace_back("confirm", "true");
  f.emplace_back("error_on_requires_action", "true");
  send(j, "POST", "/v1/payment_intents", f, j->about.payment_id, std::move(then));
}

/// Takes no money; but takes the key, so that a charge that is still on its way is refused.
void provider::create_unconfirmed(const job_ptr& j, hear then) {
  send(j, "POST", "/v1/payment_intents", terms_of(j->about), j->about.payment_id, std::move(then));
}

void provider::retrieve(const job_ptr& j, const std::string& id, hear_intent then) {
  send(j, "GET", "/v1/payment_intents/" + id, {{"expand[]", "latest_charge"}}, "",
    [this, j, then = std::move(then)](const outbound_response& r) {
      const auto heard_now = read_intent(r);
      if (heard_now.what == heard::intent) return then(heard_now.of);
      unknown(j, heard_now.what, heard_now.reason);
    });
}

/// By our id in the intent's metadata. Sees what is older than some minutes.
void provider::search(const job_ptr& j, hear_intent then, std::function<void()> none) {
  const auto query = "metadata[\"payment_id\"]:\"" + j->about.payment_id + "\"";
  send(j, "GET", "/v1/payment_intents/search", {{"query", query}}, "",
    [this, j, then = std::move(then), none = std::move(none)](const outbound_response& r) {
      const auto result = read_search(r);
      if (result.what != heard::intent) return unknown(j, result.what, result.reason);
      if (!result.of) return none();
      retrieve(j, result.of->id, then); // what a search says may be old
    });
}

// -- a charge, and asking for it ------------------------------------------------------------------

void provider::charge(provider_charge c, provider_callback said) {
  const auto j = std::make_shared<const job>(job{std::move(c), std::move(said)});
  if (!key_may_be_forgotten(*j)) return charge_by_key(j);
  search(
    j, [this, j](const intent& i) { judge(j, i); }, [this, j] { charge_by_key(j); });
}

/// The same charge by the same key gets the first outcome: it is also the question for it.
void provider::inquire(provider_charge c, provider_callback said) {
  const auto j = std::make_shared<const job>(job{std::move(c), std::move(said)});
  if (!key_may_be_forgotten(*j)) return charge_by_key(j);
  search(
    j, [this, j](const intent& i) { judge(j, i); },
    [this, j] {
      tell(j, {payment_said::absent, 0, {}, {}});
    });
}

void provider::charge_by_key(const job_ptr& j) {
  create(j, [this, j](const outbound_response& r) {
    const auto now = read_intent(r);
    switch (now.what) {
      case heard::intent:
        // A replayed answer is as old as the first one: only an end may be taken from it.
        if (!now.replayed || now.of.status == "succeeded") return judge(j, now.of);
        return retrieve(j, now.of.id, [this, j](const intent& i) { judge(j, i); });
      case heard::declined: return tell(j, {payment_said::declined, 0, now.reason, now.of.id});
      case heard::refused: return tell(j, {payment_said::declined, 0, now.reason, {}});
      case heard::key_taken:
      case heard::misconfigured: return unknown(j, now.what, now.reason);
      case heard::unclear: break;
    }
    // An error that was stored with the key comes again for a day: look for what it left behind.
    if (now.replayed)
      return search(
        j, [this, j](const intent& i) { judge(j, i); },
        [this, j, reason = now.reason] { unknown(j, heard::unclear, reason); });
    unknown(j, now.what, now.reason, now.surely_not);
  });
}

void provider::judge(const job_ptr& j, const intent& i) {
  if (!matches(i, j->about))
    log::error("payment.provider_contradicts",
      {{"provider", "stripe"}, {"payment", j->about.payment_id}, {"intent", i.id},
        {"detail", "its amount, currency or payment id is not what was asked"}});
  if (auto said = said_of(i, j->about)) return tell(j, std::move(*said));
  // It waits for the customer (or for a confirmation that never comes): nobody is there for it.
  give_up(j, i, [this, j, id = i.id] {
    tell(j, {payment_said::declined, 0, "authentication_required", id});
  });
}

void provider::give_up(const job_ptr& j, const intent& i, std::function<void()> canceled) {
  send(j, "POST", "/v1/payment_intents/" + i.id + "/cancel", {}, "",
    [this, j, canceled = std::move(canceled)](const outbound_response& r) {
      const auto now = read_intent(r);
      if (now.what == heard::intent && now.of.status == "canceled") return canceled();
      // It has moved on meanwhile, or it failed: the next time asks for its state first.
      unknown(j, now.what == heard::misconfigured ? now.what : heard::unclear,
        now.reason.empty() ? "it could not be canceled" : now.reason);
    });
}

// -- giving back, and making sure that nothing is taken -------------------------------------------

void provider::cancel(provider_charge c, provider_callback said) {
  const auto j = std::make_shared<const job>(job{std::move(c), std::move(said)});
  if (!j->about.reference.empty()) return undo(j, j->about.reference);
  if (!key_may_be_forgotten(*j)) return occupy_key(j);
  // What the search can't see yet is younger than the key's life: the key knows it.
  search(
    j, [this, j](const intent& i) { undo(j, i.id); }, [this, j] { occupy_key(j); });
}

/// Whoever comes first with a key decides: either this one, and the charge is refused from now on;
/// or the charge did, and what it came to is undone.
void provider::occupy_key(const job_ptr& j) {
  create_unconfirmed(j, [this, j](const outbound_response& r) {
    const auto now = read_intent(r);
    switch (now.what) {
      case heard::intent: return undo(j, now.of.id);
      case heard::key_taken: return undo_first_outcome(j);
      // Terms that are refused without a card are refused with one, too.
      case heard::refused: return tell(j, {payment_said::cancelled, 0, {}, {}});
      default: return unknown(j, now.what, now.reason, now.surely_not);
    }
  });
}

void provider::undo_first_outcome(const job_ptr& j) {
  create(j, [this, j](const outbound_response& r) {
    const auto now = read_intent(r);
    if (!now.of.id.empty()) return undo(j, now.of.id);
    if (now.what == heard::refused || now.what == heard::declined)
      return tell(j, {payment_said::cancelled, 0, {}, {}});
    if (now.what != heard::unclear || !now.replayed) return unknown(j, now.what, now.reason);
    search(
      j, [this, j](const intent& i) { undo(j, i.id); },
      [this, j, reason = now.reason] { unknown(j, heard::unclear, reason); });
  });
}

void provider::undo(const job_ptr& j, const std::string& id) {
  retrieve(j, id, [this, j](const intent& i) {
    const auto& s = i.status;
    if (s == "canceled") return tell(j, {payment_said::cancelled, 0, {}, i.id});
    if (s == "processing") return unknown(j, heard::unclear, "the provider is still at it");
    if (s == "succeeded") return give_back(j, i);
    give_up(j, i, [this, j, id = i.id] { tell(j, {payment_said::cancelled, 0, {}, id}); });
  });
}

void provider::give_back(const job_ptr& j, const intent& i) {
  if (i.refunded == i.amount) return tell(j, {payment_said::cancelled, i.amount, {}, i.id});
  // All that is left of it; Stripe itself refuses to give back more than was taken.
  const fields f{{"payment_intent", i.id},
    {"metadata[order_id]", domain::to_text(domain::id_kind::order, j->about.order)}};
  send(j, "POST", "/v1/refunds", f, "refund-" + j->about.payment_id,
    [this, j, i](const outbound_response& r) {
      const auto now = read_refund(r);
      const bool taken_on = now.status == "succeeded" || now.status == "pending";
      if (taken_on && now.amount + i.refunded == i.amount)
        return tell(j, {payment_said::cancelled, i.amount, {}, i.id});
      if (now.what == heard::intent)
        log::error("payment.refund_failed",
          {{"provider", "stripe"}, {"payment", j->about.payment_id}, {"intent", i.id},
            {"detail", "a person must look; it is asked again"}});
      unknown(j, now.what, now.reason.empty() ? "the refund failed" : now.reason);
    });
}
} // namespace jumun::app::stripe
