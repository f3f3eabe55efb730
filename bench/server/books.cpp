#include "bench/server/books.hpp"
#include "bench/interrupt.hpp"
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

namespace jumun::bench {
namespace {
constexpr auto rest_pause = std::chrono::milliseconds{50};

/// The integer behind `name`, from `at` on.
std::int64_t number_after(std::string_view json, std::string_view name, std::size_t at) {
  at = json.find(name, at);
  std::int64_t value = 0;
  if (at != std::string_view::npos)
    std::from_chars(json.data() + at + name.size(), json.data() + json.size(), value);
  return value;
}

std::map<std::string, shelf> read_stock(const control& shop) {
  std::map<std::string, shelf> all;
  std::string cursor;
  do {
    const auto page = nlohmann::json::parse(
      shop.get("/v1/inventory?limit=200" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& s : page.at("data"))
      all[s.at("sku")] = {s.at("on_hand"), s.at("reserved"), s.at("available")};
    const auto& next = page.at("next_cursor");
    cursor = next.is_string() ? next.get<std::string>() : "";
  } while (!cursor.empty());
  return all;
}

/// Collects sentences.
class findings {
public:
  void unless(bool holds, std::string what) {
    if (!holds) all_.push_back(std::move(what));
  }
  std::vector<std::string> take() { return std::move(all_); }

private:
  std::vector<std::string> all_;
};
std::string text(std::int64_t n) { return std::to_string(n); }
std::string between(std::int64_t least, std::int64_t most) {
  return least == most ? text(least) : text(least) + ".." + text(most);
}

std::int64_t pieces(const books& b) {
  std::int64_t sum = 0;
  for (const auto& [sku, s] : b.stock) sum += s.on_hand;
  return sum;
}
} // namespace

ledger_sums sums_of_ledger(std::string_view json) {
  constexpr std::string_view kind = R"("kind":")";
  ledger_sums sums;
  for (auto at = json.find(kind); at != std::string_view::npos; at = json.find(kind, at)) {
    at += kind.size();
    const auto amount = number_after(json, R"("amount":)", at);
    if (json.substr(at).starts_with("charge")) ++sums.charges, sums.charged += amount;
    if (json.substr(at).starts_with("refund")) ++sums.refunds, sums.refunded += amount;
  }
  return sums;
}

double metric_sum(std::string_view page, std::string_view name) {
  double sum = 0;
  while (!page.empty()) {
    const auto line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    if (!line.starts_with(name) || line.size() == name.size()) continue;
    if (line[name.size()] != '{' && line[name.size()] != ' ') continue;
    sum += std::strtod(std::string{line.substr(line.rfind(' ') + 1)}.c_str(), nullptr);
  }
  return sum;
}

double sagas_open(const control& ops) {
  return metric_sum(ops.get("/metrics"), "jumun_sagas_open");
}
double sagas_recovering(const control& ops) {
  return metric_sum(ops.get("/metrics"), R"(jumun_sagas_open{state="recovering"})");
}
double sagas_dormant(const control& ops) {
  return metric_sum(ops.get("/metrics"), R"(jumun_actors{kind="saga",state="dormant"})");
}

books read_books(const control& shop, const control& ops, std::chrono::seconds patience) {
  const auto deadline = clock::now() + patience;
  books b;
  while ((b.sagas_open = sagas_open(ops)) > 0 && clock::now() < deadline && !interrupted())
    std::this_thread::sleep_for(rest_pause);
  b.stock = read_stock(shop);
  b.ledger = sums_of_ledger(ops.get("/admin/v1/simulator/ledger"));
  return b;
}

std::vector<std::string> disagreements(
  const books& before, const books& after, const tally& seen, const order_price& each) {
  findings wrong;
  wrong.unless(after.sagas_open == 0,
    text(static_cast<std::int64_t>(after.sagas_open)) + " sagas are still in flight");
  for (const auto& [sku, s] : after.stock) {
    wrong.unless(s.reserved == 0, text(s.reserved) + " pieces of " + sku + " are still reserved");
    wrong.unless(s.available + s.reserved == s.on_hand && s.available >= 0,
      sku + " has " + text(s.on_hand) + " on hand, " + text(s.available) + " available, "
        + text(s.reserved) + " reserved");
  }
  // What was refused had no effect; what was not answered may have had one.
  const auto as_signed = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  const auto charges = as_signed(after.ledger.charges - before.ledger.charges);
  const auto refunds = as_signed(after.ledger.refunds - before.ledger.refunds);
  const auto kept = charges - refunds; // orders that were paid and stayed so
  const auto money = (after.ledger.charged - before.ledger.charged)
                     - (after.ledger.refunded - before.ledger.refunded);
  wrong.unless(money == kept * each.units * each.unit_price,
    "the ledger kept " + text(money) + " for " + text(kept) + " orders of "
      + text(each.units * each.unit_price));

  const auto restock_most = seen.restock_sent - seen.restock_refused;
  const auto gone = pieces(before) - pieces(after);
  const auto sold = kept * each.units;
  wrong.unless(gone + seen.restock_done <= sold && sold <= gone + restock_most,
    text(sold) + " pieces were paid for, but "
      + between(gone + seen.restock_done, gone + restock_most) + " have left the shelves");

  const auto orders_most = as_signed(seen.orders_sent - seen.orders_refused);
  const auto cancels_most = as_signed(seen.cancels_sent - seen.cancels_refused);
  const auto least = as_signed(seen.orders_accepted) - cancels_most;
  const auto most = orders_most - as_signed(seen.cancels_accepted);
  wrong.unless(least <= kept && kept <= most,
    text(kept) + " orders were kept, but the answers say " + between(least, most));
  wrong.unless(as_signed(seen.orders_settled) - cancels_most <= kept,
    text(as_signed(seen.orders_settled)) + " orders were told to be settled, but " + text(kept)
      + " were kept");
  return wrong.take();
}
} // namespace jumun::bench
