#include "storage/stock_rows.hpp"
#include "domain/page_cursor.hpp"

namespace jumun::storage {
namespace {
constexpr char live_kind = 'l'; // of a cursor
constexpr std::size_t behind_sku = 18;

std::string prefix_of_reservations(std::string_view sku) {
  auto key = reservation_key(sku, {}, 0);
  key.resize(key.size() - behind_sku);
  return key;
}
std::string prefix_of_movements(std::string_view sku) {
  auto key = movement_key(sku, 0);
  key.resize(key.size() - 8);
  return key;
}
std::unique_ptr<cursor> all_of(const store& disk, table in, const std::string& prefix) {
  return disk.scan(in, prefix, after_prefix(prefix), direction::forward);
}

/// The stock row, and cursors over its movements and reservations that see the same moment.
struct one_moment {
  domain::stock now;
  std::unique_ptr<cursor> movements, reservations;
};
std::optional<one_moment> look(const store& disk, std::string_view sku) {
  const auto key = sku_key(sku);
  for (;;) { // a commit comes every millisecond, and this takes some microseconds
    const auto before = disk.get(table::stock, key);
    const auto now = before ? decode<domain::stock>(*before) : std::nullopt;
    if (!now) return {};
    one_moment m{*now, all_of(disk, table::movements, prefix_of_movements(sku)),
      all_of(disk, table::reservations, prefix_of_reservations(sku))};
    if (disk.get(table::stock, key) == before) return m;
  }
}
} // namespace

std::optional<page<domain::reservation>> list_live_reservations(const store& disk,
  std::string_view sku, std::size_t limit, std::string_view cursor, std::size_t rows_max) {
  const auto prefix = prefix_of_reservations(sku);
  auto from = prefix;
  if (!cursor.empty()) {
    const auto last = domain::parse_cursor(live_kind, cursor);
    if (!last || !last->starts_with(prefix)) return {};
    from = *last + '\0'; // the smallest key behind it
  }
  page<domain::reservation> out;
  out.kind = live_kind;
  std::string last;
  const auto at = disk.scan(table::reservations, from, after_prefix(prefix), direction::forward);
  for (std::size_t looked_at = 0; at->valid(); at->next(), ++looked_at) {
    if (looked_at == rows_max || out.rows.size() == limit) {
      out.next_cursor = domain::cursor_text(live_kind, last);
      break;
    }
    last = at->key();
    auto r = decode<domain::reservation>(at->value());
    if (!r || r->state != domain::reservation_state::live) continue;
    out.rows.push_back(std::move(*r));
    out.keys.push_back(last);
  }
  return out;
}

std::optional<stock_sums> add_up_stock(
  const store& disk, std::string_view sku, std::size_t rows_max) {
  auto at = look(disk, sku);
  if (!at) return {};
  stock_sums out;
  out.now = std::move(at->now);
  for (auto& c = *at->movements; c.valid() && (out.complete = out.movements < rows_max); c.next()) {
    const auto m = decode<domain::movement>(c.value());
    out.moved += m ? m->delta : 0;
    ++out.movements;
  }
  std::uint64_t looked_at = 0;
  auto& held = *at->reservations;
  for (; held.valid() && out.complete; held.next()) {
    if (++looked_at > rows_max) out.complete = false;
    const auto r = decode<domain::reservation>(held.value());
    if (!r || r->state != domain::reservation_state::live) continue;
    out.held += r->quantity;
    ++out.reservations;
  }
  return out;
}
} // namespace jumun::storage
