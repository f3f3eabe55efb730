#include "tests/sim/people.hpp"
#include "domain/operator.hpp"
#include "storage/queries.hpp"
#include "storage/rows.hpp"
#include <algorithm>

namespace jumun::sim {
namespace {
constexpr std::int64_t price = 100;
} // namespace

people::people(surroundings world, const options& how, shop_model& model, std::uint64_t seed)
    : world_(world), how_(how), model_(model), draw_(mix(seed, 0x9e0)) {
  std::set<domain::shard_id> owned;
  while (owned.size() < how.shards) owned.insert(static_cast<domain::shard_id>(draw_()));
  shards_.assign(owned.begin(), owned.end());
  for (std::size_t i = 0; i < how.skus; ++i)
    skus_.push_back(on_our_shards("sku" + std::to_string(i) + "-"));
}

std::string people::on_our_shards(const std::string& begin) const {
  for (int i = 0;; ++i) {
    auto name = begin + std::to_string(i);
    if (std::binary_search(
          shards_.begin(), shards_.end(), domain::shard_of(std::string_view{name})))
      return name;
  }
}

domain::request_context people::signed_by(const std::string& who, const std::string& key) const {
  return {who, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "0af7651916cd43dd8448eb211c80319c", /*traced=*/false, key, "body of " + key};
}

// -- the day --------------------------------------------------------------------------------------

void people::plan() {
  for (const auto& sku : skus_) plan_shelf(sku);
  for (int i = 0; i < static_cast<int>(how_.orders); ++i)
    want_later(some(how_.day_ms + 1), [this, i] { plan_order(i); });
}

void people::plan_shelf(const std::string& sku) {
  const auto adjust = [this, sku](std::int64_t delta) {
    const auto name = "delivery-" + std::to_string(wishes_.size());
    want(
      domain::adjust_stock{signed_by("clerk", sku + name), sku, {delta, "delivery", name}}, name);
  };
  adjust(how_.shelf);
  for (int n = 0; n < 3; ++n)
    want_later(
      some(how_.day_ms + 1), [this, adjust] { adjust(some(2 * how_.shelf) - how_.shelf / 2 + 1); });
  for (int n = 0; n < 3; ++n)
    want_later(some(how_.day_ms + 1), [this, sku] {
      if (!world_.luck.fires(fault::shelf_counted)) return;
      const auto row = storage::find_stock(world_.truth, sku);
      const auto version = row ? row->version : 0;
      const auto stale = version > 0 && world_.luck.pick(fault::shelf_counted, 3) == 0;
      const auto counted = (row ? row->on_hand : 0) + some(5) - 2;
      const auto name = "count-" + std::to_string(wishes_.size());
      if (world_.luck.pick(fault::shelf_counted, 4) == 0) {
        domain::product p;
        p.sku = p.name = sku;
        p.unit_price = {price, "KRW"};
        return void(want(domain::put_product{signed_by("clerk", ""), p, {}, false}, name));
      }
      want(domain::count_stock{signed_by("clerk", ""), sku, std::max<std::int64_t>(0, counted),
             stale ? version - 1 : version},
        name);
    });
}

void people::plan_order(int number) {
  const auto name = "c-" + std::to_string(number);
  domain::place_order c;
  c.from = signed_by(name, on_our_shards("order-" + std::to_string(number) + "-"));
  c.draft.customer = c.draft.principal = name;
  c.draft.currency = "KRW";
  auto menu = skus_;
  for (auto left = menu.size(); left > 1; --left) // std::shuffle differs between libraries
    std::swap(menu[left - 1], menu[draw_() % left]);
  menu.resize(1 + draw_() % std::min<std::size_t>(menu.size(), 3));
  for (const auto& sku : menu)
    c.draft.lines.push_back(
      {sku, sku, 1 + some(std::max<std::int64_t>(1, how_.shelf / 4)), price, {}});
  for (const auto& l : c.draft.lines) c.draft.total += l.quantity * l.unit_price;
  c.draft.method = "card";
  c.draft.token = draw_() % 100 < how_.declined_pct ? "tok_decline" : "tok_approve";
  c.draft.ship_to.country = draw_() % 100 < how_.undeliverable_pct ? "XX" : "KR";
  c.wants_settled = draw_() % 100 < how_.waiters_pct;
  want(std::move(c), name);
}

/// Its customer knows it now, and so do others.
void people::after_acceptance(const std::string& customer, domain::order_id id) {
  if (!placed_.emplace(customer, id).second) return;
  auto& luck = world_.luck;
  if (luck.fires(fault::cancels))
    for (auto n = 1 + luck.pick(fault::cancels, 2); n > 0; --n)
      want_later(some(luck.pick(fault::cancels, 2) == 0 ? 200 : 20'000),
        [this, id, customer] { cancel(id, customer); });
  if (luck.fires(fault::operates))
    for (auto n = 1 + luck.pick(fault::operates, 4); n > 0; --n)
      want_later(some(20'000), [this, id] {
        using enum domain::operator_action;
        constexpr std::array what{
          pause, pause, resume, resume, retry_now, retry_now, resolve, cancel};
        operate(id, what[draw_() % what.size()]);
      });
  if (luck.fires(fault::courier_reports)) couriered_.insert(id);
  if (luck.fires(fault::hook_comes))
    for (auto n = 1 + luck.pick(fault::hook_comes, 2); n > 0; --n)
      want_later(some(5'000), [this, id] { hook(id, domain::hook_news::outcome); });
  if (luck.fires(fault::hook_of_nobody)) {
    auto stranger = id;
    ++stranger.lo;
    hook(stranger, domain::hook_news::outcome);
  }
}

void people::order_durable(const domain::order_step& s) {
  if (s.settled) {
    for (const auto& [number, w] : waiting_)
      if (w.order == s.id) want_later(0, [this, n = number] { stop_waiting(n); });
  }
  if (!domain::contains(s.reached, domain::milestone::preparing)) return;
  using d = domain::delivery_status;
  if (couriered_.contains(s.id)) {
    const bool late = world_.luck.fires(fault::courier_backwards);
    const auto good = draw_() % 4 != 0;
    want_later(some(10'000), [this, id = s.id] { report(id, d::picked_up); });
    want_later(10'000 + some(10'000),
      [this, id = s.id, good] { report(id, good ? d::delivered : d::failed); });
    if (late) want_later(some(30'000), [this, id = s.id] { report(id, d::picked_up); });
  } else if (world_.luck.fires(fault::gives_back)) {
    want_later(some(5'000), [this, id = s.id] {
      const auto payment = domain::to_text(domain::id_kind::payment, id);
      if (world_.bank.give_back(payment)) hook(id, domain::hook_news::reversed);
    });
  }
}

void people::cancel(domain::order_id id, const std::string& customer) {
  const auto name = "cancel-" + std::to_string(wishes_.size());
  want(domain::cancel_order{signed_by(customer, name), id, name}, name);
}
void people::operate(domain::order_id id, domain::operator_action a) {
  const auto name = "operate-" + std::to_string(wishes_.size());
  const auto o = durable(id);
  std::optional<std::uint64_t> seen; // not by draw_: what was planned stays as it is
  if (o && wishes_.size() % 3 == 0) seen = o->version;
  want(domain::act_on_saga{signed_by("operator", ""), "operator", id, {a, name}, seen}, name);
}
void people::report(domain::order_id id, domain::delivery_status s) {
  const auto name = "report-" + std::to_string(wishes_.size());
  want(domain::report_delivery{signed_by("courier", name), id, {s, name}}, name);
}
void people::hook(domain::order_id id, domain::hook_news news) {
  const auto name = "hook-" + std::to_string(wishes_.size());
  domain::hook_record h;
  h.order = id;
  h.news = news;
  h.event = name + std::string(32 - name.size(), '.');
  h.received_ms = world_.time.wall_us() / 1000;
  want(domain::take_hook{signed_by("provider", ""), h}, name);
}
} // namespace jumun::sim
