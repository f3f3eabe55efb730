#include "app/console/inspector.hpp"
#include "app/pages.hpp"
#include "http/console/limits.hpp"
#include "storage/stock_rows.hpp"

namespace jumun::app {
std::optional<http::listed<domain::reservation>> inspector::list_reservations(
  const std::string& sku, std::size_t limit, const std::string& cursor) {
  return listed(storage::list_live_reservations(
    node_.disk(), sku, limit, cursor, limits::reservations_looked_at));
}

std::optional<http::stock_check> inspector::check_stock(const std::string& sku) {
  const auto sums = storage::add_up_stock(node_.disk(), sku, limits::stock_rows_max);
  if (!sums) return {};
  return http::stock_check{
    sums->now, sums->moved, sums->held, sums->movements, sums->reservations, sums->complete};
}
} // namespace jumun::app
