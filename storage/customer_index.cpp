#include "storage/customer_index.hpp"
#include "storage/rows.hpp"

namespace jumun::storage {
namespace {
constexpr std::string_view built_key = "customer_index";
constexpr std::size_t rows_per_batch = 1'000;
} // namespace

bool has_customer_index(const store& disk) { return disk.get(table::meta, built_key).has_value(); }

std::optional<failure> build_customer_index(store& disk) {
  if (has_customer_index(disk)) return {};
  std::vector<entry> batch;
  const auto all = disk.scan(table::orders, {}, {}, direction::forward);
  for (; all->valid(); all->next()) {
    const auto o = decode<domain::order>(all->value());
    if (!o) continue; // `jumun check` names it
    batch.push_back({table::customer_orders, customer_order_key(o->customer, o->id), ""});
    if (batch.size() < rows_per_batch) continue;
    if (auto why = disk.apply(batch)) return why;
    batch.clear();
  }
  batch.push_back({table::meta, std::string{built_key}, "1"});
  return disk.apply(batch);
}
} // namespace jumun::storage
