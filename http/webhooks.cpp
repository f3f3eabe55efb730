#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
using domain::id_kind;

// -- out ------------------------------------------------------------------------------------------

std::string time_or_none(std::int64_t unix_ms) { return unix_ms ? time_text(unix_ms) : ""; }

std::string webhook_json(const webhook_view& v) {
  const auto& row = v.row;
  json_writer w;
  w.open('{');
  w.text("id", to_text(id_kind::webhook, row.id));
  w.text("url", row.url);
  w.text("description", row.description);
  w.open("topics", '[');
  for (const auto& topic : row.topics) w.element(topic);
  w.close(']');
  w.open("event_types", '[');
  for (const auto type : row.types) w.element(domain::name_of(type));
  w.close(']');
  w.flag("enabled", row.off == domain::webhook_off::none);
  w.text_or_null("disabled_reason", domain::name_of(row.off));
  if (!v.secret.empty()) w.text("secret", v.secret);
  w.text_or_null("old_secret_signs_until", time_or_none(v.old_secret_signs_until));
  w.text_or_null("failing_since", time_or_none(row.failing_since_ms));
  w.text("cursor", to_text(row.cursor));
  w.count("behind", v.behind);
  w.count("lost", row.lost);
  w.count("version", row.version);
  w.text("created_at", time_text(row.created_ms));
  w.text("updated_at", time_text(row.updated_ms));
  w.close('}');
  return w.take();
}

void put_attempt(json_writer& w, const domain::webhook_attempt& a) {
  w.text("time", time_text(a.time_ms));
  if (a.status)
    w.number("status", a.status);
  else
    w.null("status");
  w.text_or_null("error", a.error);
  w.number("duration_ms", a.duration_ms);
}

std::string delivery_json(const domain::webhook_delivery& d) {
  json_writer w;
  w.open('{');
  w.text("id", event_id(d.key, d.sequence));
  w.text("type", domain::name_of(d.type));
  w.text("partitionkey", d.key);
  w.count("sequence", d.sequence);
  w.text("cursor", d.cursor);
  w.text("state", domain::name_of(d.state));
  w.open("attempts", '[');
  for (const auto& a : d.attempts) {
    w.open('{');
    put_attempt(w, a);
    w.flag("by_hand", a.by_hand);
    w.close('}');
  }
  w.close(']');
  w.text_or_null("next_attempt_at", time_or_none(d.next_attempt_ms));
  w.close('}');
  return w.take();
}

/// The opaque part of its ETag: the version of the settings, and what tells this state of its
/// progress from others.
std::string tag_of(webhook_view v) {
  v.secret.clear();
  return std::to_string(v.row.version) + "-" + std::to_string(domain::stable_hash(webhook_json(v)));
}

/// Sends what became of it, recorded as `action`; or why nothing did.
done<webhook_outcome> answer(const exchange_ptr& ex, unsigned status, std::string action) {
  return [ex, status, action = std::move(action)](webhook_outcome o) {
    guarded(ex, [&] {
      if (!o.done) return send(ex, o.refused);
      const auto id = to_text(id_kind::webhook, o.done->row.id);
      response r;
      r.status = status;
      if (status == 201) r.location = "/admin/v1/webhooks/" + id;
      if (status != 204) {
        r.body = webhook_json(*o.done), r.etag = "\"" + tag_of(*o.done) + "\"";
        r.more = "Cache-Control: no-store\r\n"; // there may be a secret in it
      }
      reply_recorded(ex, {"webhook." + action, id}, std::move(r));
    });
  };
}

// -- in -------------------------------------------------------------------------------------------

/// The webhook of the path; nullopt: the 404 is sent.
std::optional<domain::order_id> id_of(const exchange_ptr& ex) {
  const auto id = domain::parse_id(id_kind::webhook, ex->params[0]);
  if (ex->at->to.webhooks && id && ex->at->to.webhooks->find(*id)) return id;
  send(ex, problems::not_found, "no webhook has this id");
  return {};
}

template <class Item, class Parse> std::optional<std::vector<Item>> read_names(
  object_reader& in, std::string_view name, std::string_view must, const Parse& parse) {
  const auto* given = in.array(name, 0, domain::event_type_last, true);
  if (!given) return {};
  std::vector<Item> out;
  for (const auto& item : given->items) {
    const auto one = parse(item.text);
    if (!one) {
      in.refuse(name, std::string{must});
      return {};
    }
    if (std::find(out.begin(), out.end(), *one) == out.end()) out.push_back(*one);
  }
  return out;
}

std::optional<std::string> parse_topic(const std::string& text) {
  const auto known = {"orders", "payments", "inventory", "deliveries"};
  return std::find(known.begin(), known.end(), text) == known.end() ? std::nullopt
                                                                    : std::optional{text};
}

/// What the body says; `errors` notes what is wrong with it.
webhook_settings read_settings(
  const json_value& body, bool is_new, std::vector<field_error>& errors) {
  webhook_settings s;
  object_reader in{body, "", errors};
  auto url = in.text("url", is_new || body.find("url") ? 1 : 0, limits::webhook_url_bytes_max);
  if (!url.empty()) s.url = std::move(url);
  auto description = in.text_or_empty("description", limits::text_bytes_max);
  if (is_new || body.find("description")) s.description = std::move(description);
  s.topics = read_names<std::string>(
    in, "topics", "must be an array of: orders, payments, inventory, deliveries", parse_topic);
  s.types = read_names<domain::event_type>(in, "event_types",
    "must be an array of event names such as OrderPlaced",
    [](const std::string& text) { return domain::parse_event_type(text); });
  s.enabled = in.truth_or_none("enabled");
  in.finish();
  return s;
}

/// False: the problem is sent.
bool read_body_into(const exchange_ptr& ex, bool is_new, webhook_settings& s) {
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad), false;
  std::vector<field_error> errors;
  s = read_settings(std::get<json_value>(body), is_new, errors);
  if (errors.empty()) return true;
  send(ex, problem{&problems::validation_failed,
             "errors names each field and what is allowed there", std::move(errors)});
  return false;
}

} // namespace

/// GET /admin/v1/webhooks → 200, all of them (limits::webhooks_max of a node), the oldest first,
/// without their secrets.
void list_webhooks(const exchange_ptr& ex) {
  if (!ex->at->to.webhooks) return send(ex, problems::not_found);
  auto served = served_by(*ex->at);
  const auto all = ex->at->to.webhooks->list();
  served &= served_by(*ex->at);
  std::vector<list_part::row> rows;
  for (const auto& v : all) {
    const auto id = to_text(id_kind::webhook, v.row.id);
    auto key = std::string(1, '\0') + time_text(v.row.created_ms) + id;
    if (served.test(domain::shard_of(v.row.id)) && key > ex->wants_rows.value_or(""))
      rows.push_back({std::move(key), webhook_json(v)});
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  if (ex->wants_rows) {
    list_part part;
    part.as = list_part::form::whole, part.rows = std::move(rows), part.served = served;
    return ex->reply_across({forwarded_answer::kind::answered, {}, std::move(part), {}});
  }
  std::vector<std::string> data;
  for (auto& row : rows) data.push_back(std::move(row.json));
  send_slice(ex, std::move(data));
}

/// POST /admin/v1/webhooks {url, topics?, event_types?, description?, enabled?} → 201 with the
/// secret, this once; without topics and event_types those of orders and deliveries. 409
/// webhooks-full, 422.
void create_webhook(const exchange_ptr& ex) {
  if (!ex->at->to.webhooks) return send(ex, problems::not_found);
  webhook_settings s;
  if (!read_body_into(ex, true, s)) return;
  if (!s.topics && !s.types) s.topics = {"orders", "deliveries"};
  if (!s.topics) s.topics.emplace();
  if (!s.types) s.types.emplace();
  ex->at->to.webhooks->create(std::move(s), answer(ex, 201, "create"));
}

/// GET /admin/v1/webhooks/{id} → 200, 304, 404, 412.
void get_webhook(const exchange_ptr& ex) {
  const auto id = id_of(ex);
  const auto v = id ? ex->at->to.webhooks->find(*id) : std::nullopt;
  if (v) return send_tagged(ex, webhook_json(*v), tag_of(*v));
  if (id) send(ex, problems::not_found, "no webhook has this id"); // deleted just now
}

/// PATCH /admin/v1/webhooks/{id}, the fields of a POST, all optional; If-Match honoured → 200; 404,
/// 412, 422. `enabled: true` starts the waiting message afresh.
void change_webhook(const exchange_ptr& ex) {
  const auto id = id_of(ex);
  webhook_settings s;
  if (!id || !read_body_into(ex, false, s)) return;
  const auto condition = read_conditions(ex, [&]() -> std::optional<std::uint64_t> {
    const auto v = ex->at->to.webhooks->find(*id);
    return v ? std::optional{v->row.version} : std::nullopt;
  });
  if (!condition) return;
  s.if_version = condition->if_version;
  ex->at->to.webhooks->change(*id, std::move(s), answer(ex, 200, "change"));
}

/// DELETE /admin/v1/webhooks/{id} → 204, 404. What is under way may still arrive.
void remove_webhook(const exchange_ptr& ex) {
  if (const auto id = id_of(ex)) ex->at->to.webhooks->remove(*id, answer(ex, 204, "delete"));
}

/// POST /admin/v1/webhooks/{id}/rotate-secret → 200 with the new secret, this once; the old one
/// signs beside it for limits::webhook_secret_overlap. 404.
void rotate_webhook_secret(const exchange_ptr& ex) {
  if (const auto id = id_of(ex))
    ex->at->to.webhooks->rotate_secret(*id, answer(ex, 200, "rotate-secret"));
}

/// POST /admin/v1/webhooks/{id}/test → 200 with what the receiver said; 404, 503.
void test_webhook(const exchange_ptr& ex) {
  const auto id = id_of(ex);
  if (!id) return;
  ex->at->to.webhooks->test(*id, [ex](std::variant<domain::webhook_attempt, problem> said) {
    guarded(ex, [&] {
      if (const auto* refused = std::get_if<problem>(&said)) return send(ex, *refused);
      const auto& a = std::get<domain::webhook_attempt>(said);
      json_writer w;
      w.open('{');
      w.flag("accepted", a.status >= 200 && a.status < 300);
      put_attempt(w, a);
      w.close('}');
      response r;
      r.body = w.take();
      reply_recorded(ex, {"webhook.test", ex->params[0]}, std::move(r));
    });
  });
}

/// GET /admin/v1/webhooks/{id}/deliveries?state=retrying|delivered|failed → 200 newest first: the
/// one that is being tried, and the last limits::webhook_rows_kept of each kind. 400
/// invalid-cursor, 404, 422.
void list_webhook_deliveries(const exchange_ptr& ex) {
  const auto id = id_of(ex);
  if (!id) return;
  const auto state = read_choice(ex, "state", {"retrying", "delivered", "failed"});
  if (!state) return;
  const auto p = read_page(ex);
  if (!p) return;
  send_rows(ex, ex->at->to.webhooks->deliveries(*id, *state, p->limit, p->cursor),
    [](const domain::webhook_delivery& d) { return delivery_json(d); });
}

/// POST /admin/v1/webhooks/{id}/deliveries/{msg}/redeliver → 202: it is tried once more, soon; the
/// one that waits for its next try is tried now. 404, 409 webhook-disabled, 503.
void redeliver_webhook(const exchange_ptr& ex) {
  if (const auto id = id_of(ex))
    ex->at->to.webhooks->redeliver(*id, ex->params[1], answer(ex, 202, "redeliver"));
}
} // namespace jumun::http
