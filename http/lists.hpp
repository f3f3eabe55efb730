#pragma once
#include "domain/page_cursor.hpp"
#include "http/exchange.hpp"
#include "http/render.hpp"

namespace jumun::http {
/// Which part of a list is asked for.
struct page {
  std::size_t limit = limits::page_default;
  std::string cursor; // empty: from the start
};
/// From `limit` and the parameter `cursor_name`. nullopt: the 422 is sent already.
[[nodiscard]] std::optional<page> read_page(
  const exchange_ptr& ex, std::string_view cursor_name = "cursor");

/// The order of a list's keys.
enum class order_of : std::uint8_t { oldest_first, newest_first };

/// 200 with the page, and Link rel="next" (RFC 8288) with the same filters where there is one.
void send_page(const exchange_ptr& ex, const std::vector<std::string>& data,
  std::string_view next_cursor, std::string_view cursor_name = "cursor", const coverage& of = {});

/// 200 with the page of `all` that is asked for: without `limit` and `cursor` it is the whole list,
/// for lists that are short by their nature. The cursor counts rows. 400 invalid-cursor, 422.
void send_slice(const exchange_ptr& ex, std::vector<std::string> all, const coverage& of = {});

/// This node's part of a list that comes whole, for the node that asked; `as` is `whole` or
/// `ledger`. `key(i)` sorts row i among those of all nodes; rows that are equal stay as they are.
void send_whole_part(const exchange_ptr& ex, list_part::form as, std::vector<std::string> all,
  const std::function<std::string(std::size_t)>& key = {});

/// Each row through `render`; an answer of nullopt is 400 invalid-cursor. Where another node merges
/// the list, it is sent this node's part.
template <class Row, class Render> void send_rows(const exchange_ptr& ex,
  const std::optional<listed<Row>>& found, Render render, order_of way = order_of::oldest_first) {
  if (!found) return send(ex, problems::invalid_cursor);
  std::vector<std::string> data;
  data.reserve(found->rows.size());
  for (const auto& row : found->rows) data.push_back(render(row));
  if (!ex->wants_rows) return send_page(ex, data, found->next_cursor);
  list_part part;
  part.kind = found->kind, part.newest_first = way == order_of::newest_first;
  part.served = found->served;
  if (!found->next_cursor.empty())
    part.end = domain::parse_cursor(found->kind, found->next_cursor).value_or("");
  for (std::size_t i = 0; i < data.size(); ++i)
    if (part.served.test(static_cast<unsigned char>(found->keys[i].front())))
      part.rows.push_back({found->keys[i], std::move(data[i])});
  ex->reply_across({forwarded_answer::kind::answered, {}, std::move(part), {}});
}

/// 422 for the query parameter `name`.
void refuse_query(const exchange_ptr& ex, std::string_view name, std::string detail);
/// A filter's value, empty when it is absent. nullopt: none of `allowed`, and the 422 is sent
/// already.
[[nodiscard]] std::optional<std::string> read_choice(
  const exchange_ptr& ex, std::string_view name, std::initializer_list<std::string_view> allowed);
} // namespace jumun::http
