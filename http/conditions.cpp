#include "http/conditions.hpp"
#include "http/fields.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
bool has(const std::vector<std::uint64_t>& versions, std::optional<std::uint64_t> one) {
  return one && std::find(versions.begin(), versions.end(), *one) != versions.end();
}
std::nullopt_t failed(const exchange_ptr& ex, std::string detail) {
  send(ex, problems::precondition_failed, std::move(detail));
  return std::nullopt;
}

/// All fields of that name as one list (RFC 9110 §5.3); nullopt: there is none.
std::optional<std::string> joined(const head& h, std::string_view name) {
  std::optional<std::string> all;
  for (std::size_t i = 0; i < h.field_count; ++i)
    if (same_text(h.fields[i].name, name))
      all = all ? *all + ", " + std::string{h.fields[i].value} : std::string{h.fields[i].value};
  return all;
}
} // namespace

std::optional<write_condition> read_conditions(
  const exchange_ptr& ex, const std::function<std::optional<std::uint64_t>()>& present) {
  const auto if_match = joined(ex->head, "if-match");
  const auto if_none = joined(ex->head, "if-none-match");
  write_condition c;
  if (!if_match && !if_none) return c;
  const auto wanted = if_match ? parse_tags(*if_match) : tag_list{};
  if (!if_none && wanted.tags.size() == 1 && wanted.versions().size() == 1) {
    c.if_version = wanted.versions()[0];
    return c;
  }
  const auto now = present();
  if (if_match && !(wanted.any ? now.has_value() : has(wanted.versions(), now)))
    return failed(ex, "If-Match names no present version; the ETag of GET is the present one");
  const auto unwanted = if_none ? parse_tags(*if_none) : tag_list{};
  if (if_none && !unwanted.valid) {
    send(ex, problems::bad_request, "If-None-Match must be * or a list of entity tags in quotes");
    return {};
  }
  if (now && (unwanted.any || unwanted.has_version(*now)))
    return failed(ex, unwanted.any ? "If-None-Match: * was asked for, and there is one"
                                   : "If-None-Match names the present version");
  c.if_version = now;
  c.if_absent = !now;
  return c;
}

bool known_already(const exchange_ptr& ex, std::string_view opaque) {
  const auto known = joined(ex->head, "if-none-match");
  return known && parse_tags(*known).has_weakly(opaque);
}

void send_tagged(const exchange_ptr& ex, response r, std::string_view opaque) {
  const auto wanted = joined(ex->head, "if-match");
  if (wanted && !parse_tags(*wanted).has_strongly(opaque))
    return send(ex, problems::precondition_failed, "If-Match does not name what is there now");
  r.etag.append("\"").append(opaque).append("\"");
  if (known_already(ex, opaque)) r.status = 304, r.body.clear();
  ex->reply(std::move(r));
}

void send_tagged(
  const exchange_ptr& ex, std::string body, std::string_view opaque, std::string more) {
  response r;
  r.body = std::move(body), r.more = std::move(more);
  send_tagged(ex, std::move(r), opaque);
}

void send_versioned(
  const exchange_ptr& ex, std::string body, std::uint64_t version, std::string more) {
  send_tagged(ex, std::move(body), std::to_string(version), std::move(more));
}
} // namespace jumun::http
