#include "http/lists.hpp"
#include "http/fields.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
std::optional<page> read_page(const exchange_ptr& ex, std::string_view cursor_name) {
  page p;
  p.cursor = ex->query(cursor_name).value_or("");
  const auto text = ex->query("limit");
  if (!text) return p;
  const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), p.limit);
  const bool whole = ec == std::errc{} && end == text->data() + text->size();
  if (whole && p.limit >= 1 && p.limit <= limits::page_max) return p;
  refuse_query(ex, "limit", "must be an integer in 1.." + std::to_string(limits::page_max));
  return {};
}

void send_page(const exchange_ptr& ex, const std::vector<std::string>& data,
  std::string_view next_cursor, std::string_view cursor_name) {
  response r;
  r.body = list_json(data, next_cursor);
  if (next_cursor.empty()) return ex->reply(std::move(r));
  std::string next{ex->head.path};
  char before = '?';
  for (auto rest = ex->head.query; !rest.empty();) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty() || pair.substr(0, pair.find('=')) == cursor_name) continue;
    next += std::exchange(before, '&');
    next += pair;
  }
  next.append(1, before).append(cursor_name).append("=").append(percent_encoded(next_cursor));
  r.more = "Link: <" + next + ">; rel=\"next\"\r\n";
  ex->reply(std::move(r));
}

void refuse_query(const exchange_ptr& ex, std::string_view name, std::string detail) {
  problem p{&problems::validation_failed, "a query parameter breaks a rule", {}};
  p.errors.push_back({"/query/" + std::string{name}, std::move(detail)});
  send(ex, p);
}

std::optional<std::string> read_choice(
  const exchange_ptr& ex, std::string_view name, std::initializer_list<std::string_view> allowed) {
  auto value = ex->query(name).value_or("");
  if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
    return value;
  std::string all;
  for (const auto& a : allowed) all.append(all.empty() ? "" : ", ").append(a);
  refuse_query(ex, name, "must be one of: " + all);
  return {};
}

void send_versioned(const exchange_ptr& ex, std::string body, std::uint64_t version) {
  response r;
  r.etag = etag_of(version);
  const auto known = ex->head.find("if-none-match");
  if (known && parse_tags(*known).has_weakly(std::to_string(version)))
    r.status = 304;
  else
    r.body = std::move(body);
  ex->reply(std::move(r));
}
} // namespace jumun::http
