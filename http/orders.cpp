#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/events.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/order_form.hpp"
#include "http/ownership.hpp"
#include "http/price_list.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"
#include "http/waiting.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
/// Name, price and currency from the catalogue, and the total.
template <class Catalogue>
void price(const Catalogue& product_of, order_form& form, std::vector<field_error>& errors) {
  auto& draft = form.draft;
  std::vector<std::string> wrong(draft.lines.size());
  for (std::size_t i = 0; i < draft.lines.size(); ++i) {
    auto& line = draft.lines[i];
    const auto product = product_of(line.sku);
    if (!product) {
      wrong[i] = "is not a product";
      continue;
    }
    if (draft.currency.empty()) draft.currency = product->unit_price.currency;
    if (product->unit_price.currency != draft.currency)
      wrong[i] = "has its price in another currency than the lines before; an order has one";
    line.name = product->name, line.unit_price = product->unit_price.amount;
    draft.total += line.unit_price * line.quantity; // fits: see limits.hpp
  }
  for (std::size_t i = 0; i < form.line_of.size(); ++i)
    if (const auto& why = wrong[form.line_of[i]]; !why.empty())
      errors.push_back({pointer_to(pointer_to("/lines", i), "sku"), why});
}

std::string wait_applied(std::optional<std::chrono::seconds> wait) {
  return wait ? "Preference-Applied: wait=" + std::to_string(wait->count()) + "\r\n" : "";
}

/// The order has settled, or was waited for long enough: this is its answer from now on.
void send_settled(
  const exchange_ptr& ex, domain::order_id id, std::optional<std::chrono::seconds> wait) {
  if (!ex->from.key.empty() && moved_on(ex, domain::shard_of(id))) return;
  const auto answer = [ex, wait](const domain::order& o) {
    answer_once(ex, domain::shard_of(ex->from.key), renderer{}.placed(o), wait_applied(wait));
  };
  if (const auto o = ex->inside().recent_order(id)) return answer(*o);
  on_readers(ex, [ex, id, answer] {
    const auto o = ex->inside().find_order(id);
    if (!o) return send(ex, problems::outcome_unknown, "ask for " + order_path(id));
    answer(*o);
  });
}

void put_order(const exchange_ptr& ex, domain::order draft) {
  const auto wait = prefer_wait(ex->head);
  draft.principal = ex->from.principal;
  draft.traceparent = ex->from.traceparent;
  auto c = std::make_shared<domain::place_order>(
    domain::place_order{ex->from, std::move(draft), wait.has_value()});
  auto ask = [ex, c](done<outcome> d) {
    auto entered = [ex, d = std::move(d)](outcome o) {
      if (o.reply.status != problems::overloaded.status) ex->entering.served();
      d(std::move(o));
    };
    // Only a key makes it asked again, and only then is a copy needed.
    ex->inside().place(c->from.key.empty() ? std::move(*c) : *c, std::move(entered));
  };
  command(ex, std::move(ask), [ex, wait](outcome o) {
    const auto id = o.to_settle;
    if (id == domain::order_id{}) return send(ex, std::move(o.reply));
    // Without a wait of our own: an order that a process accepted which died before it answered.
    if (!wait) return send_settled(ex, id, wait);
    await_change(ex, id, true, 0, *wait, [ex, id, wait] { send_settled(ex, id, wait); });
  });
}

bool prices_are_here(const exchange_ptr& ex, const domain::order& draft) {
  auto* others = ex->at->to.others;
  return !others
         || std::all_of(
           draft.lines.begin(), draft.lines.end(), [&](const domain::order_line& line) {
             return others->owner_of(domain::shard_of(line.sku)).is == place::kind::here;
           });
}

/// Not kept for an Idempotency-Key: it passes. Names the lines as the client numbered them.
void send_unreachable(const exchange_ptr& ex, const std::vector<std::size_t>& line_of,
  const unreachable_product& which) {
  problem p{&problems::shard_unavailable, "a product's price can't be asked for now", {}};
  for (std::size_t i = 0; i < line_of.size(); ++i)
    if (line_of[i] == which.number)
      p.errors.push_back({pointer_to(pointer_to("/lines", i), "sku"), which.why});
  send(ex, p);
}

template <class Catalogue>
void place_priced(const exchange_ptr& ex, order_form form, const Catalogue& product_of) {
  const auto shard = domain::shard_of(ex->from.key);
  std::vector<field_error> errors;
  price(product_of, form, errors);
  if (!errors.empty()) return refuse_once(ex, shard, std::move(errors));
  const domain::money total{form.draft.total, form.draft.currency};
  if (form.expected && *form.expected != total) {
    const auto now = std::to_string(total.amount) + ' ' + total.currency;
    return refuse_once(ex, shard, {&problems::price_changed, "the total is now " + now, {}});
  }
  put_order(ex, std::move(form.draft));
}

/// Not kept for an Idempotency-Key: it speaks of the asker, not of the order.
void refuse_customer(const exchange_ptr& ex) {
  problem p{&problems::forbidden, "an order is placed for oneself", {}};
  p.errors.push_back({"/customer_id", "must be the principal of your own key"});
  send(ex, p);
}

/// The order that the path names. nullopt: the 404 is sent.
std::optional<domain::order> order_of_path(const exchange_ptr& ex) {
  auto o = visible_order_of_path(ex, domain::id_kind::order);
  if (!o) send(ex, problems::not_found, "no order has this id");
  return o;
}

/// nullopt: the 422 is sent.
std::optional<order_query> read_filters(const exchange_ptr& ex) {
  order_query q;
  q.customer = ex->query("customer_id").value_or("");
  q.sku = ex->query("sku").value_or("");
  const auto status = read_choice(ex, "status",
    {"pending", "reserving", "paying", "paid", "preparing", "shipped", "delivered", "rejected",
      "cancelling", "cancelled"});
  if (!status) return {};
  const auto saga = read_choice(ex, "saga", {"running", "waiting", "paused", "blocked", "done"});
  if (!saga) return {};
  q.status = *status, q.saga = *saga;
  const std::pair<std::string_view, std::optional<std::int64_t>*> times[] = {
    {"created_after", &q.created_after_ms}, {"created_before", &q.created_before_ms}};
  for (const auto& [name, into] : times) {
    const auto text = ex->query(name);
    if (!text) continue;
    if (!(*into = parse_time(*text))) {
      refuse_query(ex, name, "must be a time as in RFC 3339, such as 2024-05-01T00:00:00Z");
      return {};
    }
  }
  return q;
}
} // namespace

/// POST /v1/orders → 201 durable (and settled, with Prefer: wait); 400, 403 for another customer,
/// 409 price-changed, 422, 503.
void place_order(const exchange_ptr& ex) {
  if (ex->inside().disk_nearly_full())
    return send(ex, problems::overloaded, "the disk is nearly full: no new orders are taken");
  const auto shard = domain::shard_of(ex->from.key);
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return refuse_once(ex, shard, *bad);
  std::vector<field_error> errors;
  auto form = read_order(std::get<json_value>(body), errors);
  const auto& customer = form.draft.customer;
  if (!customer.empty() && !ex->who.may_order_for(customer)) return refuse_customer(ex);
  if (!errors.empty()) return refuse_once(ex, shard, std::move(errors));
  if (prices_are_here(ex, form.draft))
    return place_priced(
      ex, std::move(form), [&](const std::string& sku) { return ex->inside().find_product(sku); });
  std::vector<std::string> skus;
  for (const auto& line : form.draft.lines) skus.push_back(line.sku);
  find_products(
    ex, std::move(skus),
    [ex, form = std::move(form)](const std::map<std::string, domain::product>& all) {
      place_priced(ex, form, [&](const std::string& sku) {
        const auto found = all.find(sku);
        return found == all.end() ? std::nullopt : std::optional{found->second};
      });
    },
    [ex, lines = form.line_of](
      const unreachable_product& which) { send_unreachable(ex, lines, which); });
}

/// GET /v1/orders/{id} → 200, 304, 404. If-None-Match and Prefer: wait make it a long poll.
void get_order(const exchange_ptr& ex) {
  const auto o = order_of_path(ex);
  if (!o) return;
  const bool polls = ex->head.count("if-none-match") > 0;
  const auto wait = polls ? prefer_wait(ex->head) : std::nullopt;
  const auto applied = wait_applied(wait);
  if (!wait || !known_already(ex, std::to_string(o->version)))
    return send_versioned(ex, order_json(*o), o->version, applied);
  await_change(ex, o->id, false, o->version, *wait, [ex, applied, id = o->id] {
    if (moved_on(ex, domain::shard_of(id))) return;
    on_readers(ex, [ex, applied] {
      if (const auto now = order_of_path(ex))
        send_versioned(ex, order_json(*now), now->version, applied);
    });
  });
}

/// GET /v1/orders → 200 newest first; 400 invalid-cursor, 422. A customer has none but their own.
void list_orders(const exchange_ptr& ex) {
  auto q = read_filters(ex);
  if (!q) return;
  const auto p = read_page(ex);
  if (!p) return;
  if (ex->who.own_only()) {
    if (!q->customer.empty() && q->customer != ex->who.principal)
      return send_rows(ex, std::optional{listed<domain::order>{}}, order_json);
    q->customer = ex->who.principal;
  }
  send_rows(
    ex, ex->inside().list_orders(*q, p->limit, p->cursor), order_json, order_of::newest_first);
}

/// GET /v1/orders/{id}/events → 200 its history, oldest first, or a stream of it that stays open;
/// 404, and as list_events.
void get_order_events(const exchange_ptr& ex) {
  const auto id = domain::parse_id(domain::id_kind::order, ex->params[0]);
  if (id && asks_owner_for_stream(ex))
    return answer_events(ex, {"", to_text(domain::id_kind::order, *id)}, /*finite=*/true);
  if (const auto o = order_of_path(ex))
    answer_events(ex, {"", to_text(domain::id_kind::order, o->id)}, /*finite=*/true);
}
} // namespace jumun::http
