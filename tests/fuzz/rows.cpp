#include "storage/rows.hpp"
#include "tests/fuzz/targets.hpp"

namespace jumun::fuzz {
namespace {
/// By bytes: encode() writes all of a row, and not every row has an operator==.
template <class Row> void as(std::string_view bytes) {
  const auto row = storage::decode<Row>(bytes);
  if (!row) return;
  const auto plain = storage::encode(*row);
  const auto again = storage::decode<Row>(plain);
  must(again.has_value(), "a row that was read can be written and read again");
  must(storage::encode(*again) == plain, "and is the same then");
}
template <class... Row> void as_each(std::string_view bytes) { (as<Row>(bytes), ...); }
} // namespace

void rows(std::string_view bytes) {
  using namespace domain;
  as_each<order, stock, reservation, movement, product, payment_record, delivery_record, event,
    idempotency_record, audit_entry, shard_map, hook_record, webhook, webhook_delivery>(bytes);
  auto row = std::string{bytes};
  if (const auto version = storage::version_of(bytes)) {
    storage::set_version(row, *version);
    must(row == bytes, "a row's version is where it is written");
  }
}
} // namespace jumun::fuzz
