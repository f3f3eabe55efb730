#include "http/order_form.hpp"
#include "domain/limits.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
void read_line(
  const json_value& item, std::size_t index, order_form& form, std::vector<field_error>& errors) {
  object_reader in{item, pointer_to("/lines", index), errors};
  const auto before = errors.size();
  const auto sku = in.text("sku", 1, limits::sku_bytes_max);
  const auto quantity = in.integer("quantity", 1, limits::quantity_max);
  in.finish();
  if (errors.size() != before) return;
  auto& lines = form.draft.lines;
  auto same = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.sku == sku; });
  if (same == lines.end()) same = lines.insert(lines.end(), domain::order_line{sku, {}, 0, 0, {}});
  same->quantity += quantity;
  form.line_of.push_back(static_cast<std::size_t>(same - lines.begin()));
  if (same->quantity > limits::quantity_max)
    in.refuse("quantity", "the lines of one SKU must add up to 1000000 at most");
}

void read_payment(const json_value& value, domain::order& draft, std::vector<field_error>& errors) {
  object_reader in{value, "/payment", errors};
  draft.method = in.text("method", 1, 16);
  if (!draft.method.empty() && draft.method != "card") in.refuse("method", "must be \"card\"");
  draft.token = in.text("token", 1, 128);
  in.finish();
  const auto& t = draft.token;
  if (!std::all_of(t.begin(), t.end(), [](char c) { return c > 0x20 && c < 0x7f; }))
    in.refuse("token", "must be visible ASCII characters");
  else if (!t.empty() && t.find_first_not_of("0123456789-") == std::string::npos)
    in.refuse("token", "must be a token of the payment provider, never a card number");
}

void read_address(const json_value& value, domain::address& to, std::vector<field_error>& errors) {
  object_reader in{value, "/shipping_address", errors};
  to.line1 = in.text("line1", 1, limits::text_bytes_max);
  to.line2 = in.text_or_empty("line2", limits::text_bytes_max);
  to.city = in.text("city", 1, limits::text_bytes_max);
  to.postal_code = in.text_or_empty("postal_code", limits::text_bytes_max);
  to.country = in.text("country", 2, 2);
  in.finish();
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (!std::all_of(to.country.begin(), to.country.end(), upper))
    in.refuse("country", "must be two letters A..Z (ISO 3166-1)");
}
} // namespace

order_form read_order(const json_value& body, std::vector<field_error>& errors) {
  order_form form;
  object_reader in{body, "", errors};
  form.draft.customer = in.text("customer_id", 1, limits::principal_bytes_max);
  if (const auto* lines = in.array("lines", 1, limits::order_lines_max))
    for (std::size_t i = 0; i < lines->items.size(); ++i)
      read_line(lines->items[i], i, form, errors);
  if (const auto* payment = in.object("payment")) read_payment(*payment, form.draft, errors);
  if (const auto* to = in.object("shipping_address")) read_address(*to, form.draft.ship_to, errors);
  if (const auto* total = in.object("expected_total", /*optional=*/true)) {
    object_reader money{*total, "/expected_total", errors};
    form.expected.emplace();
    form.expected->amount = money.integer("amount", 0, INT64_MAX);
    form.expected->currency = read_currency(money);
    money.finish();
  }
  in.finish();
  return form;
}

std::string read_currency(object_reader& in) {
  auto code = in.text("currency", 3, 3);
  if (!std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    in.refuse("currency", "must be three letters A..Z (ISO 4217)");
  return code;
}
} // namespace jumun::http
