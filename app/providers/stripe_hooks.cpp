#include "app/providers/stripe_hooks.hpp"
#include "domain/limits.hpp"
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <optional>

namespace jumun::app::stripe {
namespace {
using nlohmann::json;
using mac = std::array<unsigned char, 32>;

std::optional<mac> from_hex(std::string_view text) {
  mac out{};
  if (text.size() != 2 * out.size()) return {};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto end = text.data() + 2 * i + 2;
    const auto read = std::from_chars(end - 2, end, out[i], 16);
    if (read.ec != std::errc{} || read.ptr != end) return {};
  }
  return out;
}

struct signature {
  std::string_view time; // as it stands there: it is signed
  std::vector<mac> v1;
};
signature parse(std::string_view header) {
  signature out;
  while (!header.empty()) {
    const auto part = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), part.size() + 1));
    if (part.starts_with("t=")) out.time = part.substr(2);
    if (!part.starts_with("v1=")) continue;
    if (const auto m = from_hex(part.substr(3))) out.v1.push_back(*m);
  }
  return out;
}

const json& child(const json& in, const char* name) {
  static const json none;
  const auto at = in.is_object() ? in.find(name) : in.end();
  return at != in.end() ? *at : none;
}
std::string text(const json& in, const char* name) {
  const auto& at = child(in, name);
  return at.is_string() ? at.get<std::string>() : std::string{};
}

std::optional<domain::hook_news> news_of(const std::string& type, const json& object) {
  using domain::hook_news;
  if (type == "payment_intent.succeeded" || type == "payment_intent.payment_failed"
      || type == "payment_intent.processing")
    return hook_news::outcome;
  if (type == "payment_intent.canceled") return hook_news::reversed;
  // A part that was given back undoes no order.
  if (type == "charge.refunded" && child(object, "refunded") == true) return hook_news::reversed;
  return {};
}
} // namespace

bool signed_by(std::string_view header, std::string_view body, std::span<const std::string> secrets,
  std::int64_t now_s) {
  const auto s = parse(header);
  std::int64_t time = 0;
  const auto end = s.time.data() + s.time.size();
  const auto read = std::from_chars(s.time.data(), end, time);
  if (s.time.empty() || read.ec != std::errc{} || read.ptr != end || time < 0) return false;
  const auto tolerance = std::chrono::seconds{limits::hook_tolerance}.count();
  if (time < now_s - tolerance || time > now_s + tolerance) return false;
  const auto payload = std::string{s.time}.append(".").append(body);
  bool found = false;
  for (const auto& secret : secrets) {
    mac ours{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
      reinterpret_cast<const unsigned char*>(payload.data()), payload.size(), ours.data(), &size);
    for (const auto& theirs : s.v1)
      found |= CRYPTO_memcmp(ours.data(), theirs.data(), ours.size()) == 0;
  }
  return found;
}

std::variant<domain::hook_record, not_for_us, not_an_event> read_event(std::string_view body) {
  const auto event = json::parse(body, nullptr, false);
  const auto id = text(event, "id"), type = text(event, "type");
  const auto& object = child(child(event, "data"), "object");
  if (id.empty() || type.empty() || !object.is_object()) return not_an_event{};
  const auto news = news_of(type, object);
  const auto order =
    domain::parse_id(domain::id_kind::order, text(child(object, "metadata"), "order_id"));
  if (!news || !order) return not_for_us{};
  domain::hook_record h;
  h.order = *order;
  h.news = *news;
  h.event = id;
  h.reference = type.starts_with("charge.") ? text(object, "payment_intent") : text(object, "id");
  return h;
}
} // namespace jumun::app::stripe
