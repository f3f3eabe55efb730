#include "app/providers/stripe_answers.hpp"
#include <algorithm>
#include <nlohmann/json.hpp>

namespace jumun::app::stripe {
namespace {
using domain::payment_said;
using nlohmann::json;

std::string text(const json& in, const char* name) {
  const auto at = in.is_object() ? in.find(name) : in.end();
  return at != in.end() && at->is_string() ? at->get<std::string>() : std::string{};
}
std::int64_t number(const json& in, const char* name) {
  const auto at = in.is_object() ? in.find(name) : in.end();
  const bool fits = at != in.end() && at->is_number_integer()
                    && (!at->is_number_unsigned() || at->get<std::uint64_t>() <= INT64_MAX);
  return fits ? at->get<std::int64_t>() : -1;
}
const json& child(const json& in, const char* name) {
  static const json none;
  const auto at = in.is_object() ? in.find(name) : in.end();
  return at != in.end() ? *at : none;
}

/// Ids go into URLs and codes into events: only what theirs are made of.
std::string word(std::string from) {
  const bool plain =
    from.size() <= 255 && std::all_of(from.begin(), from.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-';
    });
  return plain ? from : std::string{};
}
std::string first_of(std::initializer_list<std::string> codes, std::string otherwise) {
  for (const auto& c : codes)
    if (!c.empty()) return c;
  return otherwise;
}

std::optional<intent> intent_of(const json& in) {
  intent i;
  i.id = word(text(in, "id"));
  i.status = word(text(in, "status"));
  i.amount = number(in, "amount");
  i.currency = word(text(in, "currency"));
  if (i.id.empty() || i.status.empty() || i.amount < 0 || i.currency.empty()) return {};
  for (char& c : i.currency) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  i.received = number(in, "amount_received");
  i.payment_id = text(child(in, "metadata"), "payment_id");
  const auto& last = child(in, "last_payment_error");
  i.decline = first_of({word(text(last, "decline_code")), word(text(last, "code"))}, "");
  i.refunded = std::max<std::int64_t>(0, number(child(in, "latest_charge"), "amount_refunded"));
  return i;
}

/// What is the same for all answers; `what` stays unclear for a 200, whose body decides.
reading read_status(const outbound_response& r, const json& body) {
  reading out;
  const auto& error = child(body, "error");
  const auto type = text(error, "type");
  const auto code = word(text(error, "code"));
  out.replayed = r.field("idempotent-replayed") == "true";
  if (r.status == 0) {
    out.reason = r.error;
    out.surely_not = r.surely_not_sent;
  } else if (r.status == 401 || r.status == 403) {
    out.what = heard::misconfigured;
    out.reason = "the provider does not accept our key";
  } else if (r.status == 402 && error.is_object()) {
    out.what = heard::declined;
    out.reason = first_of({word(text(error, "decline_code")), code}, "card_declined");
  } else if (r.status == 400 && type == "idempotency_error") {
    out.what = heard::key_taken;
    out.reason = "the key was used with other terms";
  } else if ((r.status == 400 || r.status == 404) && error.is_object()) {
    out.what = heard::refused;
    out.reason = first_of({code, word(type)}, "invalid_request_error");
  } else if (r.status == 200) {
    out.reason = "the provider's answer is none of its own";
  } else {
    out.reason = "the provider answered " + std::to_string(r.status);
    out.surely_not = r.status == 429; // turned away before anything was done
  }
  return out;
}

json body_of(const outbound_response& r) { return json::parse(r.body, nullptr, false); }
} // namespace

std::string form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  const auto add = [&out](std::string_view part) {
    for (const unsigned char c : part) {
      if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
        out += static_cast<char>(c);
        continue;
      }
      out += '%';
      out += "0123456789ABCDEF"[c >> 4];
      out += "0123456789ABCDEF"[c & 15];
    }
  };
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += '&';
    add(name);
    out += '=';
    add(value);
  }
  return out;
}

reading read_intent(const outbound_response& r) {
  const auto body = body_of(r);
  auto out = read_status(r, body);
  const auto told =
    intent_of(out.what == heard::declined ? child(child(body, "error"), "payment_intent") : body);
  if (told) out.of = *told;
  if (r.status == 200 && told) {
    out.what = heard::intent;
    out.reason.clear();
  }
  // A decline that speaks of a payment which went through is no decline.
  const bool contradicts =
    out.what == heard::declined && told && (told->status == "succeeded" || told->received > 0);
  if (contradicts) {
    out.what = heard::unclear;
    out.reason = "the provider contradicts itself";
  }
  return out;
}

found read_search(const outbound_response& r) {
  const auto body = body_of(r);
  auto status = read_status(r, body);
  found out{status.what, {}, std::move(status.reason)};
  const auto& data = child(body, "data");
  if (r.status != 200 || !data.is_array()) return out;
  for (const auto& each : data) {
    auto i = intent_of(each);
    if (!i) return out;
    const bool better = !out.of || (out.of->status == "canceled" && i->status != "canceled");
    if (better) out.of = std::move(i);
  }
  out.what = heard::intent;
  return out;
}

refund read_refund(const outbound_response& r) {
  const auto body = body_of(r);
  auto status = read_status(r, body);
  refund out{"", 0, std::move(status.reason), status.what};
  const auto amount = number(body, "amount");
  if (r.status != 200 || amount < 0 || text(body, "object") != "refund") return out;
  out.status = word(text(body, "status"));
  out.amount = amount;
  out.what = heard::intent;
  return out;
}

bool matches(const intent& i, const actors::provider_charge& asked) {
  const bool whole = i.status != "succeeded" || i.received == i.amount;
  return i.amount == asked.amount && i.currency == asked.currency && whole
         && (i.payment_id.empty() || i.payment_id == asked.payment_id);
}

std::optional<actors::provider_said> said_of(
  const intent& i, const actors::provider_charge& asked) {
  if (!matches(i, asked))
    return actors::provider_said{
      payment_said::unknown, 0, "the provider speaks of another amount or payment", i.id};
  if (i.status == "succeeded") return actors::provider_said{payment_said::approved, 0, {}, i.id};
  if (i.status == "processing")
    return actors::provider_said{payment_said::pending, 0, "processing", i.id};
  if (i.status == "requires_payment_method")
    return actors::provider_said{
      payment_said::declined, 0, first_of({i.decline}, "card_declined"), i.id};
  if (i.status == "canceled")
    return actors::provider_said{payment_said::declined, 0, "canceled", i.id};
  return std::nullopt;
}
} // namespace jumun::app::stripe
