#include "app/cluster/edge_wire.hpp"
#include "cluster/limits.hpp"
#include "domain/limits.hpp"
#include "edge_wire.pb.h"
#include "storage/rows.hpp"

namespace jumun::app::edge_wire {
namespace wire = jumun::edge_wire;

namespace {
// Of an envelope; the rest is for what surrounds the rows.
constexpr std::size_t rows_bytes_max = limits::envelope_bytes_max - 16 * 1024;
constexpr std::size_t shards_bytes = domain::shard_count / 8;

std::string bytes_of(const domain::shard_set& s) {
  std::string out(shards_bytes, '\0');
  for (const auto n : domain::numbers_of(s))
    out[static_cast<std::size_t>(n) / 8] |= static_cast<char>(1 << (n % 8));
  return out;
}
std::optional<domain::shard_set> shards_in(const std::string& bytes) {
  domain::shard_set out;
  if (bytes.empty()) return out;
  if (bytes.size() != shards_bytes) return {};
  for (std::size_t n = 0; n < out.size(); ++n)
    out.set(n, ((static_cast<unsigned char>(bytes[n / 8]) >> (n % 8)) & 1) != 0);
  return out;
}

template <class Message> std::string text_of(const Message& m) { return m.SerializeAsString(); }
template <class Message> bool parse(Message& m, std::string_view bytes) {
  return bytes.size() <= limits::envelope_bytes_max
         && m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void put(wire::FeedAsk& to, const http::feed_ask& a) {
  to.set_topic(a.what.topic);
  to.set_key(a.what.key);
  to.set_after(to_text(a.after));
  to.set_from_begin(a.from_begin);
  to.set_limit(static_cast<std::uint32_t>(a.limit));
  to.set_wait_ms(static_cast<std::uint32_t>(a.wait.count()));
}
std::optional<http::feed_ask> feed_in(const wire::FeedAsk& m) {
  auto after = domain::parse_feed_position(m.after());
  if (!after || m.limit() < 1 || m.limit() > limits::feed_page_max) return {};
  return http::feed_ask{{m.topic(), m.key()}, *after, m.from_begin(), m.limit(),
    std::chrono::milliseconds{m.wait_ms()}};
}

/// What does not fit is left for the next question.
void put(wire::ListPart& to, http::list_part part) {
  std::size_t bytes = 0;
  for (auto& row : part.rows) {
    bytes += row.key.size() + row.json.size() + 16;
    if (bytes > rows_bytes_max && to.rows_size() > 0) {
      part.end = to.rows(to.rows_size() - 1).key();
      break;
    }
    auto* r = to.add_rows();
    r->set_key(std::move(row.key));
    r->set_json(std::move(row.json));
  }
  to.set_as(static_cast<std::uint32_t>(part.as));
  to.set_kind(static_cast<unsigned char>(part.kind));
  to.set_newest_first(part.newest_first);
  to.set_end(std::move(part.end));
  to.set_served(bytes_of(part.served));
}
std::optional<http::list_part> list_in(wire::ListPart& m) {
  using form = http::list_part::form;
  http::list_part part;
  if (m.as() < static_cast<unsigned>(form::page) || m.as() > static_cast<unsigned>(form::overview))
    return {};
  const auto served = shards_in(m.served());
  if (!served || m.kind() > 127) return {};
  part.as = static_cast<form>(m.as());
  part.kind = static_cast<char>(m.kind());
  part.newest_first = m.newest_first();
  part.end = std::move(*m.mutable_end());
  part.served = *served;
  for (auto& row : *m.mutable_rows()) {
    if (row.key().empty()) return {};
    part.rows.push_back({std::move(*row.mutable_key()), std::move(*row.mutable_json())});
  }
  return part;
}

/// Cut where the offset changes, so that nothing of one offset is left behind.
void put(wire::FeedPart& to, const http::feed_part& part) {
  to.set_next(part.next);
  to.set_at_end(part.at_end);
  std::size_t bytes = 0;
  std::uint64_t before = 0;
  for (const auto& row : part.rows) {
    auto event = storage::encode(row.fact);
    bytes += event.size() + 32;
    if (bytes > rows_bytes_max && to.rows_size() > 0 && row.offset != before) {
      to.set_next(before);
      to.set_at_end(false);
      break;
    }
    before = row.offset;
    auto* f = to.add_rows();
    f->set_event(std::move(event));
    f->set_offset(row.offset);
    f->set_shard(row.shard);
  }
  to.set_expired(part.expired);
  to.set_begins_after(part.begin.greatest()); // all that an older build reads
  if (!part.begin.one()) to.set_begin(to_text(part.begin));
  to.set_last(part.last);
  to.set_served(bytes_of(part.served));
  to.set_from_now(bytes_of(part.from_now));
}
std::optional<http::feed_part> feed_part_in(const wire::FeedPart& m) {
  const auto served = shards_in(m.served()), from_now = shards_in(m.from_now());
  if (!served || !from_now) return {};
  http::feed_part part;
  part.served = *served, part.from_now = *from_now;
  part.next = m.next(), part.at_end = m.at_end(), part.expired = m.expired();
  const auto begin = domain::parse_feed_position(m.begin());
  part.begin = begin ? *begin : domain::feed_position{m.begins_after()}, part.last = m.last();
  for (const auto& f : m.rows()) {
    auto event = storage::decode<domain::event>(f.event());
    if (!event || f.shard() >= domain::shard_count) return {};
    part.rows.push_back({std::move(*event), f.offset(), static_cast<domain::shard_id>(f.shard())});
  }
  return part;
}
} // namespace

std::string encode(const http::forwarded_request& r) {
  wire::Request m;
  m.set_listener(static_cast<std::uint32_t>(r.on));
  m.set_head(r.head);
  m.set_body(r.body);
  m.set_principal(r.who.principal);
  m.set_roles(r.who.roles);
  auto& from = *m.mutable_from();
  from.set_principal(r.from.principal);
  from.set_traceparent(r.from.traceparent);
  from.set_trace_id(r.from.trace_id);
  from.set_traced(r.from.traced);
  from.set_key(r.from.key);
  from.set_fingerprint(r.from.fingerprint);
  m.set_part(r.part);
  m.set_part_after(r.part_after);
  if (r.feed) put(*m.mutable_feed(), *r.feed);
  return text_of(m);
}

std::optional<http::forwarded_request> decode_request(std::string_view bytes) {
  wire::Request m;
  if (!parse(m, bytes) || m.roles() > http::anyone || m.body().size() > limits::body_bytes_max)
    return {};
  http::forwarded_request r;
  if (m.listener() == static_cast<unsigned>(http::listener::on_public))
    r.on = http::listener::on_public;
  else if (m.listener() == static_cast<unsigned>(http::listener::on_ops))
    r.on = http::listener::on_ops;
  else
    return {};
  r.head = std::move(*m.mutable_head());
  r.body = std::move(*m.mutable_body());
  r.who = {std::move(*m.mutable_principal()), m.roles()};
  auto& from = *m.mutable_from();
  r.from = {std::move(*from.mutable_principal()), std::move(*from.mutable_traceparent()),
    std::move(*from.mutable_trace_id()), from.traced(), std::move(*from.mutable_key()),
    std::move(*from.mutable_fingerprint())};
  r.part = m.part();
  r.part_after = std::move(*m.mutable_part_after());
  if (m.has_feed() && !(r.feed = feed_in(m.feed()))) return {};
  return r;
}

std::string encode(http::forwarded_answer a) {
  wire::Answer m;
  m.set_not_here(a.is != http::forwarded_answer::kind::answered);
  m.set_status(a.what.status);
  m.set_content_type(std::move(a.what.content_type));
  m.set_body(std::move(a.what.body));
  m.set_etag(std::move(a.what.etag));
  m.set_location(std::move(a.what.location));
  m.set_more(std::move(a.what.more));
  m.set_last(a.what.last);
  if (a.rows) put(*m.mutable_rows(), std::move(*a.rows));
  if (a.events) put(*m.mutable_events(), *a.events);
  return text_of(m);
}

std::optional<http::forwarded_answer> decode_answer(std::string_view bytes) {
  wire::Answer m;
  if (!parse(m, bytes) || m.status() > 599) return {};
  http::forwarded_answer a;
  if (m.not_here()) a.is = http::forwarded_answer::kind::not_here;
  a.what.status = m.status();
  a.what.content_type = std::move(*m.mutable_content_type());
  a.what.body = std::move(*m.mutable_body());
  a.what.etag = std::move(*m.mutable_etag());
  a.what.location = std::move(*m.mutable_location());
  a.what.more = std::move(*m.mutable_more());
  a.what.last = m.last();
  if (m.has_rows() && !(a.rows = list_in(*m.mutable_rows()))) return {};
  if (m.has_events() && !(a.events = feed_part_in(m.events()))) return {};
  return a;
}

std::string encode_skus(const std::vector<std::string>& skus) {
  wire::FindProducts m;
  for (const auto& s : skus) m.add_skus(s);
  return text_of(m);
}

std::optional<std::vector<std::string>> decode_skus(std::string_view bytes) {
  wire::FindProducts m;
  if (!parse(m, bytes) || m.skus_size() > static_cast<int>(limits::order_lines_max)) return {};
  return std::vector<std::string>{m.skus().begin(), m.skus().end()};
}

std::string encode_products(const http::elsewhere::products& found) {
  wire::ProductsFound m;
  m.set_not_here(!found);
  if (found)
    for (const auto& p : *found) m.add_products(storage::encode(p));
  return text_of(m);
}

http::elsewhere::products decode_products(std::string_view bytes) {
  wire::ProductsFound m;
  if (!parse(m, bytes) || m.not_here()) return {};
  std::vector<domain::product> out;
  for (const auto& row : m.products()) {
    auto p = storage::decode<domain::product>(row);
    if (!p) return {};
    out.push_back(std::move(*p));
  }
  return out;
}
} // namespace jumun::app::edge_wire
