#include "tests/kills/history.hpp"

namespace jumun::tests::kills {
namespace {
bool is_kept(const json& order) {
  const auto status = order.at("status").get<std::string>();
  return status == "preparing" || status == "shipped" || status == "delivered";
}

struct counts {
  std::map<std::string, std::size_t> of;
  std::vector<std::string> in_order;
  explicit counts(const std::vector<json>& events) {
    for (const auto& e : events) {
      in_order.push_back(e.at("type").get<std::string>());
      ++of[in_order.back()];
    }
  }
  std::size_t operator[](const std::string& type) const {
    const auto found = of.find(type);
    return found == of.end() ? 0 : found->second;
  }
  /// Every `first` comes before every `second`.
  [[nodiscard]] bool before(const std::string& first, const std::string& second) const {
    const auto early = std::find(in_order.begin(), in_order.end(), second);
    return std::find(early, in_order.end(), first) == in_order.end();
  }
};

/// Collects the sentences that do not hold.
struct sentences {
  std::vector<std::string> broken;
  void hold(bool is_true, const char* what) {
    if (!is_true) broken.emplace_back(what);
  }
};

void check_kept(sentences& must, const counts& c, const json& order) {
  must.hold(c["StockDecreased"] == order.at("lines").size(), "kept: each line reserved, once");
  must.hold(c["PaymentApproved"] == 1, "kept: paid, once");
  must.hold(c["DeliveryStarted"] == 1, "kept: a delivery, once");
  must.hold(c["StockIncreased"] + c["PaymentCanceled"] + c["DeliveryCanceled"] == 0,
    "kept: nothing was undone");
  const bool is_delivered = order.at("status") == "delivered";
  must.hold(c["DeliveryCompleted"] == (is_delivered ? 1U : 0U), "delivered, as often as told");
  must.hold(c["OrderCompleted"] == (is_delivered ? 1U : 0U), "completed, as often as delivered");
}

void check_undone(sentences& must, const counts& c, const json& order) {
  const bool is_cancelled = order.at("status") == "cancelled";
  must.hold(c["OrderCanceled"] == (is_cancelled ? 1U : 0U), "cancelled: told once");
  must.hold(c["OrderRejected"] == (is_cancelled ? 0U : 1U), "rejected: told once");
  must.hold(c["StockIncreased"] == c["StockDecreased"], "undone: all stock came back");
  must.hold(c["DeliveryCanceled"] == c["DeliveryStarted"], "undone: the delivery, too");
  must.hold(c["PaymentCanceled"] >= c["PaymentApproved"], "undone: the payment, too");
  must.hold(c["PaymentCanceled"] <= 1, "the payment was undone once");
  must.hold(c["DeliveryCompleted"] == 0, "undone: never delivered");
  must.hold(c.before("OrderCanceled", "DeliveryCanceled"), "the delivery stops after the wish");
  must.hold(c.before("DeliveryCanceled", "PaymentCanceled"), "money comes behind the delivery");
  must.hold(c.before("PaymentCanceled", "StockIncreased"), "stock comes back behind the money");
}

void check_promises(sentences& must, const counts& c, const order_story& s) {
  if (s.is_cancelled)
    must.hold(s.end.at("status") == "cancelled", "an accepted cancellation was kept");
  const std::pair<const char*, const char*> reports[] = {{"picked_up", "DeliveryPickedUp"},
    {"delivered", "DeliveryCompleted"}, {"failed", "DeliveryFailed"}};
  for (const auto& [what, event] : reports) {
    must.hold(c[event] <= 1, "what a courier reports is told once");
    if (s.reported.count(what) != 0) must.hold(c[event] == 1, "the courier's report was kept");
  }
}
} // namespace

std::vector<std::string> faults_of(const std::string& id, const order_story& s) {
  sentences must;
  std::uint64_t sequence = 0;
  for (const auto& e : s.events)
    must.hold(e.at("sequence") == ++sequence && e.at("partitionkey") == id, "gapless, of its own");
  const counts c{s.events};
  must.hold(c["OrderPlaced"] == 1 && c.in_order.front() == "OrderPlaced", "placed once, and first");
  must.hold(c["PaymentApproved"] <= 1, "paid at most once");
  must.hold(c["DeliveryStarted"] <= 1, "one delivery at most");
  must.hold(c.before("StockDecreased", "PaymentApproved"), "no money before the stock is held");
  must.hold(c.before("PaymentApproved", "DeliveryStarted"), "no delivery before the money");
  if (is_kept(s.end))
    check_kept(must, c, s.end);
  else
    check_undone(must, c, s.end);
  check_promises(must, c, s);
  for (auto& why : must.broken)
    why = id + ": does not hold: " + why + "\n  " + s.end.dump() + "\n  "
          + json(c.in_order).dump();
  return must.broken;
}

std::string money_fault(const order_story& s) {
  const auto total = s.end.at("total").at("amount").get<std::int64_t>();
  std::ostringstream told;
  told << s.money << ": " << s.end.dump();
  if (s.money.charges > 1 || s.money.refunds > 1) return "charged or refunded twice: " + told.str();
  if (s.money.kept != (is_kept(s.end) ? total : 0)) return "wrong money is kept: " + told.str();
  return {};
}

std::string stock_fault(const order_story& s) {
  std::map<std::string, std::int64_t> wanted;
  for (const auto& line : s.end.at("lines"))
    wanted[line.at("sku").get<std::string>()] += line.at("quantity").get<std::int64_t>();
  for (const auto& [sku, moved] : s.moved)
    if (wanted.count(sku) == 0) return "moved " + sku + ", which it does not have";
  for (const auto& [sku, quantity] : wanted) {
    const auto found = s.moved.find(sku);
    const auto moved = found == s.moved.end() ? std::vector<std::int64_t>{} : found->second;
    using moves = std::vector<std::int64_t>;
    const bool good = is_kept(s.end) ? moved == moves{-quantity}
                                     : moved.empty() || moved == moves{-quantity, quantity};
    if (!good) return "moved " + sku + " " + json(moved).dump() + ": " + s.end.dump();
  }
  return {};
}
} // namespace jumun::tests::kills
