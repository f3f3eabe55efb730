#include "tests/kills/people.hpp"

namespace jumun::tests::kills {
namespace {
bool is_at_rest(const json& order) { return order.at("saga") == "done"; }

/// Orders, changes their mind, and asks after what is on its way.
class customer final : public person {
public:
  using person::person;

protected:
  bool puts_aside() const override { return true; }
  std::optional<call> next(client& api, client&) override {
    if (chance_.percent(30)) look_after_one(api);
    const auto key = new_key();
    if (chance_.percent(22) && !kept.orders.empty()) {
      // Mostly a recent one, so that it is still on its way.
      const auto recent = std::min<std::size_t>(kept.orders.size(), 3);
      const auto& order = kept.orders[kept.orders.size() - 1 - chance_.pick(recent)];
      return call{"POST", shop_client::path(order.id) + "/cancellations", key,
        R"({"reason":"changed my mind"})"};
    }
    static const std::vector<std::string> tokens{"tok_approve", "tok_approve", "tok_approve",
      "tok_approve", "tok_decline", "tok_unknown_charged", "tok_flaky_1", "tok_slow_50",
      "tok_refund_fails_1"};
    static const auto all = menu();
    order_lines lines;
    for (auto n = 1 + chance_.pick(3); n > 0; --n)
      lines.emplace_back(chance_.one_of(all), 1 + static_cast<std::int64_t>(chance_.pick(4)));
    call c{"POST", "/v1/orders", key,
      order_body(chance_.one_of(tokens), lines, {.customer = name_}).dump()};
    c.waits = chance_.percent(25);
    return c;
  }

  void heard(const call& c, const response& r) override {
    const bool cancels = c.target.ends_with("/cancellations");
    if (cancels && (r.status == 202 || r.status == 200)) {
      const auto id = r.json().at("order_id").get<std::string>();
      kept.cancelled.insert(id);
      at_.opened(id);
    } else if (!cancels && r.status == 201) {
      const auto order = r.json();
      kept.orders.push_back({order.at("id"), fixed_part(order)});
      at_.placed(kept.orders.back().id);
      if (!is_at_rest(order)) at_.opened(kept.orders.back().id);
    } else if (!cancels || r.status != 409) {
      surprised(c, r);
    }
  }

private:
  void look_after_one(client& api) {
    const auto id = at_.long_open(chance_.pick(1 << 20));
    if (id.empty()) return;
    const auto r = api.get(shop_client::path(id));
    if (to_be_asked_again(r)) return;
    if (r.status != 200) return at_.report("lost: " + id + ": " + r.body);
    if (is_at_rest(r.json())) at_.at_rest(id);
  }
};

/// Fills the shelves and counts them.
class clerk final : public person {
public:
  using person::person;

protected:
  std::optional<call> next(client& api, client&) override {
    if (chance_.percent(40)) return count(api);
    const auto key = new_key();
    const auto delta = chance_.percent(80) ? 1 + static_cast<std::int64_t>(chance_.pick(30))
                                           : -1 - static_cast<std::int64_t>(chance_.pick(10));
    const json body{{"delta", delta}, {"reason", "by hand"}, {"reference", key}};
    return call{
      "POST", "/v1/inventory/" + chance_.one_of(scarce_skus) + "/adjustments", key, body.dump()};
  }
  void heard(const call& c, const response& r) override {
    if (c.method == "PUT") {
      const auto how = r.status == 200 ? outcome::done : outcome::refused;
      if (how == outcome::refused && r.status != 412 && r.status != 409) surprised(c, r);
      // It was to be the next version of the one that was seen, and no later one's.
      if (how == outcome::done && r.json().at("version").get<std::uint64_t>() != seen_ + 1)
        surprised(c, r);
      return note_count(c, how);
    }
    if (r.status == 409) return; // less than are reserved
    if (r.status != 201) return surprised(c, r);
    const auto moved = r.json();
    kept.adjustments[moved.at("reference")] = {moved.at("sku"), moved.at("delta")};
  }
  void lost(const call& c) override { note_count(c, outcome::unknown); }

private:
  std::optional<call> count(client& api) {
    const auto& sku = chance_.one_of(counted_skus);
    const auto now = api.get("/v1/inventory/" + sku);
    if (to_be_asked_again(now)) return std::nullopt;
    if (now.status != 200) return at_.report(sku + " was lost: " + now.body), std::nullopt;
    call c{"PUT", "/v1/inventory/" + sku, "", json{{"on_hand", 200 + ++counts_}}.dump()};
    c.if_match = now.field("etag");
    seen_ = now.json().at("version");
    return c;
  }
  void note_count(const call& c, outcome how) {
    kept.counts.push_back({c.target.substr(c.target.rfind('/') + 1),
      json::parse(c.body).at("on_hand").get<std::int64_t>(), how});
  }
  std::int64_t counts_ = 0;
  std::uint64_t seen_ = 0; // the version of If-Match, of what is asked now
};

/// Brings what is ready, and sometimes does not find the door.
class courier final : public person {
public:
  using person::person;

protected:
  std::optional<call> next(client& api, client&) override {
    const auto id = at_.recent(chance_.pick(1 << 20));
    if (id.empty()) return (void)api.get("/v1/products"), std::nullopt;
    const auto r = api.get(shop_client::path(id));
    if (to_be_asked_again(r)) return std::nullopt;
    if (r.status != 200) return at_.report("lost: " + id + ": " + r.body), std::nullopt;
    const auto order = r.json();
    const auto status = order.at("status").get<std::string>();
    const bool is_out = status == "shipped" && order.at("delivery").at("status") == "picked_up";
    if (status != "preparing" && !is_out) return std::nullopt;
    const auto* what = !is_out ? "picked_up" : chance_.percent(80) ? "delivered" : "failed";
    about_ = id, report_ = what;
    return call{"POST",
      "/v1/deliveries/" + order.at("delivery").at("id").get<std::string>() + "/updates", new_key(),
      json{{"status", what}}.dump()};
  }
  void heard(const call& c, const response& r) override {
    if (r.status == 200)
      kept.reported[about_].insert(report_);
    else if (r.status != 409) // it was cancelled meanwhile
      surprised(c, r);
  }

private:
  std::string about_, report_; // of what is asked now
};

/// Pauses what should wait, and lets it go on.
class shop_operator final : public person {
public:
  using person::person;

protected:
  std::optional<call> next(client&, client& ops) override {
    acted a;
    if (!paused_.empty() && chance_.percent(45)) {
      a = {paused_.front(), "resume", "", {}};
      paused_.erase(paused_.begin());
    } else {
      // No `resolve`: it says that a person has given money back, and here nobody has.
      static const std::vector<std::string> actions{
        "pause", "pause", "pause", "pause", "pause", "cancel", "retry_now", "resume"};
      a = {at_.recent(chance_.pick(1 << 20)), chance_.one_of(actions), "", {}};
    }
    if (a.order.empty()) return (void)ops.get("/livez"), std::nullopt;
    a.reason = new_key();
    now_ = a;
    call c{"POST", "/admin/v1/sagas/" + a.order + "/actions", "",
      json{{"action", a.action}, {"reason", a.reason}}.dump()};
    c.is_admin = true;
    return c;
  }
  void heard(const call& c, const response& r) override {
    if (r.status != 202 && r.status != 409) surprised(c, r);
    note(r.status == 202 ? outcome::done : outcome::refused);
  }
  void lost(const call&) override { note(outcome::unknown); }

private:
  void note(outcome how) {
    now_.how = how;
    if (now_.action == "pause" && how != outcome::refused) paused_.push_back(now_.order);
    if (now_.action == "resume" && how == outcome::unknown) paused_.push_back(now_.order);
    if (now_.action == "cancel" && how == outcome::done) kept.cancelled.insert(now_.order);
    kept.acts.push_back(now_);
  }
  acted now_; // what is asked now
  std::vector<std::string> paused_;
};
} // namespace

std::vector<std::unique_ptr<person>> make_crowd(
  std::uint64_t seed, std::uint64_t epoch, board& at) {
  std::vector<std::unique_ptr<person>> crowd;
  const auto chance = [&] { return choices{seed, 100 + crowd.size(), epoch}; };
  for (int i = 0; i < 6; ++i)
    crowd.push_back(std::make_unique<customer>("c-" + std::to_string(i), chance(), at));
  crowd.push_back(std::make_unique<clerk>("clerk", chance(), at));
  crowd.push_back(std::make_unique<courier>("courier", chance(), at));
  crowd.push_back(std::make_unique<shop_operator>("operator", chance(), at));
  return crowd;
}
} // namespace jumun::tests::kills
