#include "http/lists.hpp"
#include "http/forwarding.hpp"
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
  std::string_view next_cursor, std::string_view cursor_name, const coverage& of) {
  response r;
  r.body = list_json(data, next_cursor, of);
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

void send_whole_part(const exchange_ptr& ex, list_part::form as, std::vector<std::string> all,
  const std::function<std::string(std::size_t)>& key) {
  list_part part;
  part.as = as;
  part.served = served_by(*ex->at);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto number = std::to_string(i);
    auto sorts = std::string(1, '\0') + (key ? key(i) : "") + ex->at->options.node + '\0';
    sorts.append(20 - number.size(), '0').append(number);
    if (sorts > *ex->wants_rows) part.rows.push_back({std::move(sorts), std::move(all[i])});
  }
  std::sort(
    part.rows.begin(), part.rows.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  ex->reply_across({forwarded_answer::kind::answered, {}, std::move(part), {}});
}

void send_slice(const exchange_ptr& ex, std::vector<std::string> all, const coverage& of) {
  if (ex->wants_rows) return send_whole_part(ex, list_part::form::whole, std::move(all));
  const bool whole = !ex->query("limit") && !ex->query("cursor");
  const auto p = read_page(ex);
  if (!p) return;
  std::size_t from = 0;
  const auto* end = p->cursor.data() + p->cursor.size();
  const auto [stop, ec] = std::from_chars(p->cursor.data(), end, from);
  if (!p->cursor.empty() && (ec != std::errc{} || stop != end || from > all.size()))
    return send(ex, problems::invalid_cursor);
  const auto to = whole ? all.size() : std::min(from + p->limit, all.size());
  const auto next = to < all.size() ? std::to_string(to) : "";
  all.resize(to);
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  send_page(ex, all, next, "cursor", of);
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
} // namespace jumun::http
