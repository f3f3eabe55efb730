#pragma once
#include "bench/client/workload.hpp"
#include <memory>
#include <vector>

namespace jumun::bench {
/// What the load's orders are like.
struct order_form {
  unsigned skus = 16;        // they are spread over so many, bench-000 on
  std::vector<unsigned> these; // or over these, by number; of orders of one line
  unsigned customers = 1000; // and over so many of these
  unsigned lines = 1;        // an order has; each of another SKU
  unsigned quantity = 2;     // of a line
  bool waits = false;        // Prefer: wait=10: the whole saga, not only its beginning
  bool keyed = false;        // each with an Idempotency-Key of its own
  std::string token = "tok_approve";
};
inline constexpr std::int64_t unit_price = 100;
inline constexpr std::string_view currency = "KRW";
[[nodiscard]] std::string sku_name(unsigned n);
[[nodiscard]] inline std::int64_t units_of(const order_form& f) {
  return std::int64_t{f.lines} * f.quantity;
}

/// GET of a path that answers 200: `/livez`.
[[nodiscard]] std::unique_ptr<workload> getting(std::string path);
/// POST /v1/orders. `thread` makes its keys differ from the other threads'.
[[nodiscard]] std::unique_ptr<workload> ordering(const order_form& form, unsigned thread);
/// 70 % orders, 20 % reads of orders placed before, 10 % cancellations of them, each once.
[[nodiscard]] std::unique_ptr<workload> mixing(const order_form& form, unsigned thread);
/// POST /v1/inventory/{sku}/adjustments, one piece more.
[[nodiscard]] std::unique_ptr<workload> restocking(unsigned skus);
} // namespace jumun::bench
