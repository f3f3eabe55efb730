#include "rows.pb.h"
#include "storage/row_codec.hpp"
#include <algorithm>

namespace jumun::storage {
using namespace codec;

std::string encode(const domain::webhook& w) {
  auto& m = scratch<rows::Webhook>();
  m.set_id_hi(w.id.hi);
  m.set_id_lo(w.id.lo);
  m.set_url(w.url);
  m.set_description(w.description);
  for (const auto& topic : w.topics) m.add_topics(topic);
  for (const auto type : w.types) m.add_types(static_cast<std::uint32_t>(type));
  m.set_off(static_cast<std::uint32_t>(w.off));
  for (const auto& s : w.secrets) {
    auto& to = *m.add_secrets();
    to.set_key(s.bytes);
    to.set_signs_until_ms(s.signs_until_ms);
  }
  m.set_cursor(*std::min_element(w.cursor.of.begin(), w.cursor.of.end()));
  if (!w.cursor.one()) m.set_place(to_text(w.cursor));
  m.set_lost(w.lost);
  m.set_given_up_in_row(w.given_up_in_row);
  m.set_failing_since_ms(w.failing_since_ms);
  m.set_created_ms(w.created_ms);
  m.set_updated_ms(w.updated_ms);
  return seal(w.version, m);
}

namespace {
bool into_type(domain::event_type& to, std::uint32_t from) {
  return into(to, from, domain::event_type::order_placed,
    static_cast<domain::event_type>(domain::event_type_last));
}
} // namespace

template <> std::optional<domain::webhook> decode(std::string_view bytes) {
  auto& m = scratch<rows::Webhook>();
  const auto version = open(bytes, m);
  domain::webhook w;
  if (!version || !into(w.off, m.off(), domain::webhook_off::none, domain::webhook_off::failing))
    return {};
  w.id = {m.id_hi(), m.id_lo()};
  w.url = take(m.url());
  w.description = take(m.description());
  for (const auto& topic : m.topics()) w.topics.push_back(topic);
  for (const auto number : m.types())
    if (!into_type(w.types.emplace_back(), number)) return {};
  for (const auto& s : m.secrets()) w.secrets.push_back({s.key(), s.signs_until_ms()});
  const auto place =
    m.place().empty() ? domain::feed_position{m.cursor()} : domain::parse_feed_position(m.place());
  if (!place) return {};
  w.cursor = *place;
  w.lost = m.lost();
  w.given_up_in_row = m.given_up_in_row();
  w.failing_since_ms = m.failing_since_ms();
  w.created_ms = m.created_ms();
  w.updated_ms = m.updated_ms();
  w.version = *version;
  if (w.id == domain::order_id{} || w.url.empty() || w.secrets.empty()) return {};
  return w;
}

std::string encode(const domain::webhook_delivery& d) {
  auto& m = scratch<rows::WebhookDelivery>();
  m.set_endpoint_hi(d.endpoint.hi);
  m.set_endpoint_lo(d.endpoint.lo);
  m.set_number(d.number);
  m.set_type(static_cast<std::uint32_t>(d.type));
  m.set_key(d.key);
  m.set_sequence(d.sequence);
  m.set_state(static_cast<std::uint32_t>(d.state));
  for (const auto& a : d.attempts) {
    auto& to = *m.add_attempts();
    to.set_time_ms(a.time_ms);
    to.set_duration_ms(a.duration_ms);
    to.set_status(a.status);
    to.set_error(a.error);
    to.set_by_hand(a.by_hand);
  }
  m.set_tries(d.tries);
  m.set_next_attempt_ms(d.next_attempt_ms);
  m.set_redeliver(d.redeliver);
  if (d.cursor != std::to_string(d.number)) m.set_cursor(d.cursor);
  return seal(0, m);
}

template <> std::optional<domain::webhook_delivery> decode(std::string_view bytes) {
  auto& m = scratch<rows::WebhookDelivery>();
  domain::webhook_delivery d;
  using s = domain::webhook_state;
  if (!open(bytes, m) || !into_type(d.type, m.type())
      || !into(d.state, m.state(), s::retrying, s::failed))
    return {};
  d.endpoint = {m.endpoint_hi(), m.endpoint_lo()};
  d.number = m.number();
  d.cursor = m.cursor().empty() ? std::to_string(d.number) : take(m.cursor());
  d.key = take(m.key());
  d.sequence = m.sequence();
  for (const auto& a : m.attempts())
    d.attempts.push_back({a.time_ms(), a.duration_ms(), a.status(), a.error(), a.by_hand()});
  d.tries = m.tries();
  d.next_attempt_ms = m.next_attempt_ms();
  d.redeliver = m.redeliver();
  if (d.endpoint == domain::order_id{} || d.number == 0) return {};
  if (!domain::parse_feed_position(d.cursor)) return {};
  return d;
}
} // namespace jumun::storage
