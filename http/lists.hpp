#pragma once
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

/// 200 with the page, and Link rel="next" (RFC 8288) with the same filters where there is one.
void send_page(const exchange_ptr& ex, const std::vector<std::string>& data,
  std::string_view next_cursor, std::string_view cursor_name = "cursor");

/// 200 with the page of `all` that is asked for: without `limit` and `cursor` it is the whole list,
/// for lists that are short by their nature. The cursor counts rows. 400 invalid-cursor, 422.
void send_slice(const exchange_ptr& ex, std::vector<std::string> all);

/// Each row through `render`; an answer of nullopt is 400 invalid-cursor.
template <class Row, class Render> void send_rows(const exchange_ptr& ex,
  const std::optional<listed<Row>>& found, Render render, std::string_view cursor_name = "cursor") {
  if (!found) return send(ex, problems::invalid_cursor);
  std::vector<std::string> data;
  data.reserve(found->rows.size());
  for (const auto& row : found->rows) data.push_back(render(row));
  send_page(ex, data, found->next_cursor, cursor_name);
}

/// 422 for the query parameter `name`.
void refuse_query(const exchange_ptr& ex, std::string_view name, std::string detail);
/// A filter's value, empty when it is absent. nullopt: none of `allowed`, and the 422 is sent
/// already.
[[nodiscard]] std::optional<std::string> read_choice(
  const exchange_ptr& ex, std::string_view name, std::initializer_list<std::string_view> allowed);
} // namespace jumun::http
