#pragma once
#include "domain/order.hpp"
#include "domain/stock.hpp"
#include "http/json.hpp"

/// The body of POST /v1/orders, before the catalogue is asked. Pure.
namespace jumun::http {
/// A body that obeys every rule that needs no catalogue.
struct order_form {
  domain::order draft;              // its lines have no name and no price yet
  std::vector<std::size_t> line_of; // the draft's line for each line of the body
  std::optional<domain::money> expected;
};
/// Reads it; each broken rule is in `errors`, and after one the form is of no use.
[[nodiscard]] order_form read_order(const json_value& body, std::vector<field_error>& errors);

/// An ISO 4217 code by its form; notes the error.
[[nodiscard]] std::string read_currency(object_reader& in);
} // namespace jumun::http
