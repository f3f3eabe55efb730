#include "http/fields.hpp"
#include "tests/fuzz/targets.hpp"
#include <string>

namespace jumun::fuzz {
namespace {
bool inside(std::string_view part, std::string_view whole) {
  return part.empty()
         || (part.data() >= whole.data()
             && part.data() + part.size() <= whole.data() + whole.size());
}

/// Every grammar that a field's value may meet.
void read_values(const http::head& h) {
  (void)http::prefer_wait(h);
  (void)http::accepts_json(h);
  (void)http::prefers_event_stream(h);
  (void)http::percent_decoded(h.path);
  (void)http::percent_decoded(h.query, /*plus=*/true);
  for (std::size_t i = 0; i < h.field_count; ++i) {
    const auto value = h.fields[i].value;
    (void)http::idempotency_key(value);
    (void)http::is_json_type(value);
    const auto tags = http::parse_tags(value);
    (void)tags.versions();
    must(!tags.has_strongly("7") || tags.has_weakly("7"), "a strong match is a weak one");
    if (const auto t = http::parse_traceparent(value))
      must(http::parse_traceparent(t->child(1)).has_value(), "our traceparent is one");
  }
}

/// What passed says the same when it is written again, plainly.
void pass_again(const http::head& h) {
  std::string plain{h.method};
  plain.append(" ").append(h.target).append(h.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (std::size_t i = 0; i < h.field_count; ++i)
    plain.append(h.fields[i].name).append(":").append(h.fields[i].value).append("\r\n");
  plain += "\r\n";
  http::head again;
  must(!http::check_head(plain, again), "a head that passed passes when it is written again");
  must(again.content_length == h.content_length && again.field_count == h.field_count
         && again.keep_alive == h.keep_alive && again.expects_continue == h.expects_continue,
    "and it means the same");
}
} // namespace

void request_head(std::string_view bytes) {
  const auto end = http::find_head_end(bytes, 0);
  http::head_end by_parts;
  for (std::size_t n = 1; n <= bytes.size() && by_parts.state == http::head_end::incomplete; ++n)
    by_parts = http::find_head_end(bytes.substr(0, n), n - 1);
  must(by_parts.state == end.state && by_parts.bytes == end.bytes,
    "a head ends at the same place when it comes byte by byte");
  const auto large = http::why_too_large(bytes);
  must(large.kind->status == 414 || large.kind->status == 431, "too large is 414 or 431");

  http::head h;
  if (const auto why = http::check_head(bytes, h)) {
    must(why->kind->status >= 400 && why->kind->status < 600, "a refusal has a status of errors");
    return;
  }
  must(end.state == http::head_end::found, "a head that passed has an end");
  must(h.content_length <= limits::body_bytes_max, "a body within the limit");
  must(h.count("transfer-encoding") == 0, "no transfer coding passes");
  must(h.count("content-length") <= 1 && h.count("host") <= 1, "one length, one host");
  must(inside(h.target, bytes) && inside(h.path, h.target) && inside(h.query, h.target),
    "views are into the bytes");
  read_values(h);
  pass_again(h);
}
} // namespace jumun::fuzz
