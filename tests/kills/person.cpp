#include "tests/kills/people.hpp"

namespace jumun::tests::kills {
namespace {
constexpr std::size_t newest = 6; // answers that a kill could have taken
constexpr int tries_max = 200;
constexpr std::size_t aside_max = 30;
} // namespace

std::vector<std::string> menu() {
  auto all = scarce_skus;
  all.insert(all.end(), counted_skus.begin(), counted_skus.end());
  return all;
}

void stock_up(client& api) {
  for (const auto& sku : menu()) {
    need(api.put("/v1/products/" + sku, {{"name", "The " + sku}, {"unit_price", krw(100)}}), 201);
    const json goods{{"delta", 100}, {"reason", "goods in"}};
    need(api.post("/v1/inventory/" + sku + "/adjustments", goods), 201);
  }
}

bool person::prove(board& at, client& api, client& ops, const told& t) {
  const auto again = send(api, ops, t.asked);
  if (to_be_asked_again(again)) return false;
  if (again.status == t.status && again.body == t.body && again.field("etag") == t.etag
      && again.field("idempotency-replayed") == "true")
    return true;
  at.report("an answer was not kept: " + t.asked.target + " key=" + t.asked.key + " was "
            + std::to_string(t.status) + " " + t.body + "\n  and is " + std::to_string(again.status)
            + " " + again.body);
  return true;
}

bool person::prove(board& at, client& api, const placed_order& o) {
  const auto now = api.get(shop_client::path(o.id));
  if (to_be_asked_again(now)) return false;
  if (now.status == 200 && fixed_part(now.json()) == o.fixed) return true;
  at.report("an acknowledged order was lost or changed: " + o.id + " " + o.fixed.dump()
            + "\n  and is " + std::to_string(now.status) + " " + now.body);
  return true;
}

/// What is not answered just now is left to the audit, which proves all of it.
void person::prove_newest(client& api, client& ops) {
  const auto& k = kept.keyed;
  for (auto i = k.size(); i > proven_ && k.size() - i < newest; --i)
    (void)prove(at_, api, ops, k[i - 1]);
  const auto& o = kept.orders;
  for (auto i = o.size(); i > proven_orders_ && o.size() - i < newest; --i)
    (void)prove(at_, api, o[i - 1]);
  proven_ = k.size();
  proven_orders_ = o.size();
}

/// False: no answer yet, or, to what has no key and may have been done all the same, never.
bool person::ask(client& api, client& ops) {
  auto r = send(api, ops, *open_);
  if (to_be_asked_again(r)) {
    if (open_->key.empty()) lost(*std::exchange(open_, std::nullopt));
    return false;
  }
  const auto c = *std::exchange(open_, std::nullopt);
  heard(c, r);
  if (!c.key.empty()) kept.keyed.push_back({c, r.status, std::move(r.body), r.field("etag")});
  return true;
}

std::optional<call> person::next_or_aside(client& api, client& ops) {
  if (aside_.empty() || (aside_.size() < aside_max && chance_.percent(70))) return next(api, ops);
  auto c = std::move(aside_.front());
  aside_.pop_front();
  return c;
}

void person::live(const addresses& where, const std::function<bool()>& goes_on) {
  auto api = where.to_shop(), ops = where.to_ops();
  bool waits = false;
  try {
    prove_newest(api, ops);
    while (goes_on()) {
      if (!open_) open_ = next_or_aside(api, ops);
      if (!open_) continue; // it has looked around, which took a round trip
      ++at_.in_flight, waits = true;
      const bool told = ask(api, ops);
      --at_.in_flight, waits = false;
      if (told) at_.answered();
      if (!at_.wrong().empty()) return;
    }
  } catch (const unlike_contract& e) {
    at_.report(name_ + ": " + e.what());
  } catch (const json::exception& e) {
    at_.report(name_ + ": an answer that is none: " + e.what());
  } catch (const std::runtime_error& e) {
    if (!at_.is_dying) at_.report(name_ + ": the server broke off: " + e.what());
  }
  if (waits) --at_.in_flight;
  if (open_ && open_->key.empty()) lost(*std::exchange(open_, std::nullopt));
  if (open_ && puts_aside()) aside_.push_back(*std::exchange(open_, std::nullopt));
}

void person::finish(const addresses& where) {
  auto api = where.to_shop(), ops = where.to_ops();
  do {
    if (!open_ && !aside_.empty()) open_ = std::move(aside_.front()), aside_.pop_front();
    for (int tries = 0; open_ && tries < tries_max; ++tries) (void)ask(api, ops);
    if (open_) return at_.report("never answered: " + open_->target);
  } while (!aside_.empty());
}

void person::surprised(const call& c, const response& r) const {
  at_.report(name_ + ": " + c.method + " " + c.target + " " + c.body + " answered "
             + std::to_string(r.status) + ": " + r.body);
}
} // namespace jumun::tests::kills
