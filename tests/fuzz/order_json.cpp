#include "domain/limits.hpp"
#include "http/order_form.hpp"
#include "tests/fuzz/targets.hpp"

namespace jumun::fuzz {
namespace {
void check(const http::json_value& value, std::size_t depth) {
  must(depth <= limits::json_depth_max + 1, "no deeper than the limit");
  must(http::is_utf8(value.text), "texts are UTF-8");
  for (const auto& item : value.items) check(item, depth + 1);
  for (std::size_t i = 0; i < value.members.size(); ++i) {
    must(value.find(value.members[i].name) == &value.members[i].value, "no name comes twice");
    check(value.members[i].value, depth + 1);
  }
}

void check(const http::order_form& form) {
  const auto& draft = form.draft;
  must(!draft.customer.empty() && draft.customer.size() <= limits::principal_bytes_max
         && http::is_clean_text(draft.customer),
    "a customer obeys its rule");
  must(!draft.lines.empty() && draft.lines.size() <= limits::order_lines_max, "1..100 lines");
  for (const auto& line : draft.lines)
    must(line.quantity >= 1 && line.quantity <= limits::quantity_max && !line.sku.empty(),
      "a line has a SKU and a quantity");
  for (const auto at : form.line_of) must(at < draft.lines.size(), "a line's place is one");
  must(draft.method == "card" && !draft.token.empty(), "a card with a token");
  must(draft.ship_to.country.size() == 2, "a country");
}
} // namespace

void order_json(std::string_view bytes) {
  const auto parsed = http::parse_json(bytes);
  if (const auto* why = std::get_if<http::json_malformed>(&parsed))
    return must(!why->why.empty() && http::is_utf8(why->why), "malformed comes with a sentence");
  const auto& body = std::get<http::json_value>(parsed);
  must(http::is_utf8(bytes), "what parses is UTF-8");
  check(body, 0);
  std::vector<http::field_error> errors;
  const auto form = http::read_order(body, errors);
  for (const auto& e : errors) must(http::is_utf8(e.pointer), "a pointer is UTF-8");
  if (errors.empty()) check(form);
}
} // namespace jumun::fuzz
