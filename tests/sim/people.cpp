#include "tests/sim/people.hpp"
#include "domain/operator.hpp"
#include "storage/queries.hpp"
#include "storage/rows.hpp"
#include <algorithm>

namespace jumun::sim {
namespace {
using storage::table;

constexpr std::int64_t price = 100;
constexpr std::int64_t patience_ms = 10'000; // of a client for an answer; then it asks again
constexpr std::int64_t edge_wait_ms = 2'000; // Prefer: wait=2

bool says(const domain::stored_reply& r, std::string_view code) {
  return r.body.find(code) != std::string::npos;
}
/// No answer yet: the same is to be asked again.
bool not_yet(const domain::stored_reply& r) {
  return r.status == 503 || r.status == 504 || says(r, "idempotency-key-running");
}
std::string tag_of(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }
domain::order_id order_in(const std::string& body) {
  const auto at = body.find("ord_");
  if (at == std::string::npos) return {};
  return domain::parse_id(domain::id_kind::order, body.substr(at, 30)).value_or(domain::order_id{});
}
/// Its shard is its SKU's, and its actor that shard's inventory.
template <class Command> constexpr bool has_sku =
  std::is_same_v<Command,
    domain::
      adjust_stock> || std::is_same_v<Command, domain::count_stock> || std::is_same_v<Command, domain::put_product>;

/// Where a command's record is kept, and where it is sent.
domain::shard_id shard_for(const wish::command& c) {
  struct {
    domain::shard_id operator()(const domain::place_order& p) {
      return domain::shard_of(p.from.key);
    }
    domain::shard_id operator()(const domain::cancel_order& p) { return domain::shard_of(p.order); }
    domain::shard_id operator()(const domain::report_delivery& p) {
      return domain::shard_of(p.order);
    }
    domain::shard_id operator()(const domain::act_on_saga& p) { return domain::shard_of(p.order); }
    domain::shard_id operator()(const domain::take_hook& p) {
      return domain::shard_of(p.what.order);
    }
    domain::shard_id operator()(const domain::adjust_stock& p) {
      return domain::shard_of(std::string_view{p.sku});
    }
    domain::shard_id operator()(const domain::count_stock& p) {
      return domain::shard_of(std::string_view{p.sku});
    }
    domain::shard_id operator()(const domain::put_product& p) {
      return domain::shard_of(std::string_view{p.row.sku});
    }
  } which;
  return std::visit(which, c);
}
} // namespace

const domain::request_context& wish::from() const {
  return std::visit([](const auto& c) -> const domain::request_context& { return c.from; }, what);
}

people::people(outside& world, const options& how, shop_model& model, std::uint64_t seed)
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
      const auto row = storage::find_stock(world_.disk_.truth(), sku);
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
      if (world_.provider_.give_back(payment)) hook(id, domain::hook_news::reversed);
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

// -- asking, until there is an answer -------------------------------------------------------------

wish& people::want(wish::command what, std::string name) {
  auto& w = wishes_.emplace_back();
  w.what = std::move(what);
  w.name = std::move(name);
  if (trace) trace(w.name + " is wanted");
  send(w, ++w.attempts);
  return w;
}

void people::resend(wish& w, std::int64_t ms) {
  want_later(ms, [this, &w, attempt = w.attempts] {
    if (!w.answered && w.attempts == attempt) send(w, ++w.attempts);
  });
}

void people::send(wish& w, int attempt) {
  if (!node_) return resend(w, 500 + some(1'000));
  // Nothing is remembered of these, so a repetition is another wish: its outcome stays unknown.
  want_later(patience_ms, [this, &w, attempt] {
    if (!w.answered && w.attempts == attempt) send(w, ++w.attempts);
  });
  if (!w.from().key.empty() && world_.luck.fires(fault::other_body)) {
    auto forged = w.what;
    std::visit([](auto& c) { c.from.fingerprint += " (another)"; }, forged);
    if (w.reply) ask(w, forged, /*honest=*/false); // the key is used: it must be refused
  }
  if (world_.luck.fires(fault::sent_twice)) ask(w, w.what, true);
  ask(w, w.what, true);
}

void people::ask(wish& w, const wish::command& what, bool honest) {
  if (!node_) return;
  auto done = [this, &w, honest, attempt = w.attempts](const actors::command_result& r) {
    if (honest) return heard(w, r);
    if (!r.lost && r.reply.status != 422 && !not_yet(r.reply))
      model_.wrong("key-reused",
        w.name + ": another body under a used key was answered " + std::to_string(r.reply.status));
  };
  const auto shard = shard_for(what);
  const auto& route = node_->env().route;
  const auto to = [&](const auto& c) {
    if constexpr (has_sku<std::decay_t<decltype(c)>>)
      node_->ask(route.inventory(shard), c, done);
    else
      node_->ask(route.supervisor(shard), c, done);
  };
  std::visit(to, what);
}

void people::heard(wish& w, const actors::command_result& r) {
  if (r.lost) {
    if (!w.answered) resend(w, 100 + some(2'000));
    return;
  }
  if (r.to_settle != domain::order_id{}) {
    if (!durable(r.to_settle))
      model_.wrong("answered-before-durable", w.name + " waits for no order");
    return wait_for(w, r.to_settle);
  }
  model_.mark(r.reply.body);
  if (not_yet(r.reply)) {
    if (!w.answered) resend(w, 200 + some(1'000));
    return;
  }
  left_the_node(w, r.reply);
  if (w.answered) return;
  if (world_.luck.fires(fault::reply_lost)) return resend(w, 100 + some(3'000));
  w.answered = true;
  if (trace) trace(w.name + " is answered " + std::to_string(r.reply.status));
  accepted(w, r.reply);
}

/// The edge's part of Prefer: wait: render once it has settled, or after a while, whether its asker
/// still listens or not.
void people::wait_for(wish& w, domain::order_id id) {
  const auto o = durable(id);
  if (o && domain::settled(*o)) return render(w, id);
  const auto number = ++waited_;
  waiting_[number] = {id, &w};
  want_later(edge_wait_ms, [this, number] { stop_waiting(number); });
}
void people::stop_waiting(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return; // settled before, or its edge is gone
  const auto [order, who] = found->second;
  waiting_.erase(found);
  render(*who, order);
}
void people::render(wish& w, domain::order_id id) {
  const auto o = durable(id);
  if (!node_ || !o) return;
  domain::remember_reply c{
    w.from(), domain::shard_of(w.from().key), node_->env().present.placed(*o)};
  node_->ask(node_->env().route.supervisor(c.shard), c,
    [this, &w](const actors::command_result& r) { heard(w, r); });
}

/// Whoever hears it or not: from here on it must hold, whatever happens to us.
void people::left_the_node(wish& w, const domain::stored_reply& reply) {
  const auto& from = w.from();
  if (!from.key.empty()) {
    const auto bytes = world_.disk_.truth().get(
      table::idempotency, storage::idempotency_key(shard_for(w.what), from.key));
    const auto record = bytes ? storage::decode<domain::idempotency_record>(*bytes) : std::nullopt;
    if (!record || !record->reply || record->reply->body != reply.body)
      model_.wrong("answered-before-durable", w.name + ": its key does not remember the answer");
    if (w.reply && (w.reply->body != reply.body || w.reply->status != reply.status))
      model_.wrong(
        "replay-differs", w.name + ": one key, two answers: " + w.reply->body + " / " + reply.body);
  }
  if (!w.reply) w.reply = reply;
  check_effect(w, reply);
}

void people::check_effect(const wish& w, const domain::stored_reply& reply) {
  const auto missing = [&](const char* what) {
    model_.wrong("answered-before-durable", w.name + " was answered, and " + what);
  };
  const auto& truth = world_.disk_.truth();
  const bool good = reply.status < 300;
  if (std::holds_alternative<domain::place_order>(w.what) && good) {
    const auto o = durable(order_in(reply.body));
    if (!o || o->customer != w.name) missing("its order is not on disk");
  } else if (const auto* c = std::get_if<domain::cancel_order>(&w.what); c && good) {
    const auto o = durable(c->order);
    if (!o || !o->cancel_requested) missing("its cancellation is not on disk");
  } else if (const auto* h = std::get_if<domain::take_hook>(&w.what); h && good) {
    if (!truth.get(table::hooks, storage::hook_key(domain::shard_of(h->what.order), h->what.event)))
      missing("its hook is not on disk");
  } else if (const auto* r = std::get_if<domain::report_delivery>(&w.what); r && good) {
    const auto o = durable(r->order);
    const bool there = o && (o->delivery >= r->report.status || o->resolved);
    if (!there) missing("its report is not on disk");
  } else if (const auto* n = std::get_if<domain::count_stock>(&w.what); n && good) {
    if (reply.etag != tag_of(n->if_version + 1)) overwrites(w);
  } else if (const auto* a = std::get_if<domain::act_on_saga>(&w.what); a && good) {
    const auto seen = a->if_version.value_or(0);
    if (seen > 0 && reply.etag != tag_of(seen) && reply.etag != tag_of(seen + 1)) overwrites(w);
  }
}

/// It was done on another version than the one that was seen.
void people::overwrites(const wish& w) {
  model_.wrong("if-match-ignored", w.name + " was done on a version that nobody had shown");
}

void people::accepted(wish& w, const domain::stored_reply& reply) {
  if (std::holds_alternative<domain::place_order>(w.what) && reply.status == 201)
    after_acceptance(w.name, order_in(reply.body));
}

std::optional<domain::order> people::durable(domain::order_id id) const {
  return storage::find_order(world_.disk_.truth(), id);
}
} // namespace jumun::sim
