#include "cluster/envelope_codec.hpp"
#include "cluster/limits.hpp"
#include "cluster/wire_codec.hpp"
#include "domain/limits.hpp"
#include "envelope.pb.h"
#include <algorithm>

namespace jumun::cluster {
namespace {
using namespace codec;

bool get(envelope& e, const wire::Envelope& from) {
  if (from.shard() >= domain::shard_count || !within(from.kind(), 1U, std::uint32_t{UINT16_MAX})
      || from.deadline_ms() < 0
      || !take(e.command_id, from.command_id(), limits::command_id_bytes_max)
      || !take(e.traceparent, from.traceparent(), limits::text_bytes_max)
      || !take(e.bytes, from.bytes(), limits::envelope_bytes_max))
    return false;
  e.protocol = from.protocol();
  e.shard = static_cast<domain::shard_id>(from.shard());
  e.epoch = from.epoch();
  e.map_version = from.map_version();
  e.deadline_ms = from.deadline_ms();
  e.kind = static_cast<std::uint16_t>(from.kind());
  return true;
}

bool get(hello& h, const wire::Hello& from) {
  h.incarnation = from.incarnation();
  h.protocol = from.protocol();
  h.oldest = from.oldest();
  return take(h.cluster, from.cluster(), limits::node_id_bytes_max)
         && take(h.node, from.node(), limits::node_id_bytes_max)
         && take(h.to, from.to(), limits::node_id_bytes_max)
         && take(h.release, from.release(), limits::text_bytes_max);
}
bool get(welcome& w, const wire::Welcome& from) {
  w.incarnation = from.incarnation();
  w.protocol = from.protocol();
  w.credit = from.credit();
  w.credit_bytes = from.credit_bytes();
  return take(w.node, from.node(), limits::node_id_bytes_max)
         && take(w.release, from.release(), limits::text_bytes_max);
}
} // namespace

bool sendable(const envelope& e) {
  return e.kind != 0 && e.deadline_ms >= 0 && e.bytes.size() <= limits::envelope_bytes_max
         && e.command_id.size() <= limits::command_id_bytes_max
         && e.traceparent.size() <= limits::text_bytes_max;
}

std::string encode(const item& i) {
  auto& m = scratch<wire::Item>();
  m.set_ask(i.ask);
  m.set_how(static_cast<std::uint32_t>(i.how));
  if (i.how == asked::answered) {
    auto& e = *m.mutable_envelope();
    e.set_protocol(i.what.protocol);
    e.set_shard(i.what.shard);
    e.set_epoch(i.what.epoch);
    e.set_map_version(i.what.map_version);
    e.set_command_id(i.what.command_id);
    e.set_deadline_ms(i.what.deadline_ms);
    e.set_traceparent(i.what.traceparent);
    e.set_kind(i.what.kind);
    e.set_bytes(i.what.bytes);
  }
  std::string out(m.ByteSizeLong(), '\0');
  m.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

readable decode(std::string_view bytes, item& into) {
  auto& m = scratch<wire::Item>();
  into.ask = 0;
  if (!parse(m, bytes, limits::item_bytes_max)) return readable::malformed;
  into.ask = m.ask();
  if (!codec::into(into.how, m.how(), asked::answered, asked::unknown)) return readable::malformed;
  if (into.how != asked::answered) return readable::yes;
  if (m.envelope().protocol() > protocol_now) return readable::unsupported;
  const bool whole = m.has_envelope() && m.envelope().protocol() >= protocol_oldest;
  return whole && get(into.what, m.envelope()) ? readable::yes : readable::malformed;
}

std::string encode(frame f) {
  wire::Frame m;
  m.set_session(f.session);
  if (f.greeting) {
    auto& h = *m.mutable_hello();
    h.set_cluster(f.greeting->cluster);
    h.set_node(f.greeting->node);
    h.set_to(f.greeting->to);
    h.set_incarnation(f.greeting->incarnation);
    h.set_release(f.greeting->release);
    h.set_protocol(f.greeting->protocol);
    h.set_oldest(f.greeting->oldest);
  }
  if (f.greeted) {
    auto& w = *m.mutable_welcome();
    w.set_node(f.greeted->node);
    w.set_incarnation(f.greeted->incarnation);
    w.set_release(f.greeted->release);
    w.set_protocol(f.greeted->protocol);
    w.set_credit(f.greeted->credit);
    w.set_credit_bytes(f.greeted->credit_bytes);
  }
  m.set_refused(f.refused);
  m.mutable_items()->Reserve(static_cast<int>(f.items.size()));
  for (auto& i : f.items) m.add_items(std::move(i));
  m.set_handled(f.handled);
  m.set_handled_bytes(f.handled_bytes);
  m.set_ping(f.ping);
  m.set_pong(f.pong);
  std::string out(m.ByteSizeLong(), '\0');
  m.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

std::optional<frame> decode_frame(std::string_view bytes) {
  wire::Frame m;
  std::optional<frame> out{std::in_place};
  auto& f = *out;
  if (!parse(m, bytes, limits::frame_bytes_max)
      || static_cast<std::size_t>(m.items_size()) > limits::frame_items_max
      || !take(f.refused, m.refused(), limits::text_bytes_max))
    return {};
  f.session = m.session();
  if (m.has_hello() && !get(f.greeting.emplace(), m.hello())) return {};
  if (m.has_welcome() && !get(f.greeted.emplace(), m.welcome())) return {};
  f.items.reserve(static_cast<std::size_t>(m.items_size()));
  for (auto& i : *m.mutable_items()) f.items.push_back(std::move(i));
  f.handled = m.handled();
  f.handled_bytes = m.handled_bytes();
  f.ping = m.ping();
  f.pong = m.pong();
  return out;
}

std::optional<std::uint32_t> common_protocol(const hello& h) {
  const auto newest = std::min(h.protocol, protocol_now);
  if (newest < std::max(h.oldest, protocol_oldest)) return {};
  return newest;
}
} // namespace jumun::cluster
