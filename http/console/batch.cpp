#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/console/forecast.hpp"
#include "http/console/limits.hpp"
#include "http/console/resources.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/render.hpp"
#include <mutex>
#include <set>

namespace jumun::http {
namespace {
struct batch {
  std::string action, reason;
  bool dry_run = false;
  std::vector<std::string> orders; // their ids, each once
};

void read_orders(const json_value& list, object_reader& in, batch& b) {
  std::set<std::string> seen;
  for (const auto& item : list.items) {
    if (!domain::parse_id(domain::id_kind::order, item.text))
      return in.refuse("orders", "must be ids of orders: ord_ and 26 characters");
    if (seen.insert(item.text).second) b.orders.push_back(item.text);
  }
}

batch read_batch(const json_value& body, std::vector<field_error>& errors) {
  object_reader in{body, "", errors};
  batch b;
  b.action = in.text("action", 1, limits::text_bytes_max);
  if (!b.action.empty() && !domain::parse_operator_action(b.action))
    in.refuse("action", "must be one of: pause, resume, retry_now, cancel, resolve");
  b.dry_run = in.truth_or_none("dry_run").value_or(false);
  b.reason = b.dry_run ? in.text_or_empty("reason", limits::text_bytes_max)
                       : in.text("reason", 1, limits::text_bytes_max);
  if (const auto* list = in.array("orders", 1, limits::batch_orders_max)) read_orders(*list, in, b);
  in.finish();
  return b;
}

/// One order's action, as an operator would ask for it alone: it is decided, made durable and
/// audited by its saga.
forwarded_request action_on(const exchange_ptr& ex, const batch& b, const std::string& order) {
  json_writer w;
  w.open('{');
  w.text("action", b.action);
  w.text("reason", b.reason);
  w.flag("dry_run", b.dry_run);
  w.close('}');
  forwarded_request r;
  r.on = listener::on_ops;
  r.body = w.take();
  r.head = "POST /admin/v1/sagas/" + order
           + "/actions HTTP/1.1\r\nHost: jumun\r\nContent-Type: application/json\r\n"
             "Content-Length: "
           + std::to_string(r.body.size()) + "\r\n\r\n";
  r.who = ex->who;
  r.from = ex->from;
  return r;
}

/// What an order's answer says of it, for the batch's list.
std::string row_of(const std::string& order, const response& r) {
  if (r.status == 200) return r.body; // what would be
  if (r.status == 202) return done_json(order, "done", "it was done, or stood so already");
  const auto parsed = parse_json(r.body);
  const auto* body = std::get_if<json_value>(&parsed);
  const auto text = [&](std::string_view name) {
    const auto* found = body ? body->find(name) : nullptr;
    return found ? found->text : std::string{};
  };
  const auto code = text("code");
  return done_json(order, code.empty() ? "shard-unavailable" : code, text("detail"));
}

/// The answers of a batch's orders, and who waits for the last of them.
struct rows_of_batch {
  std::mutex guard;
  std::vector<std::string> rows; // in the order that was asked for
  std::size_t missing = 0, refused = 0;
};

void send_rows_of(const exchange_ptr& ex, const batch& b, const rows_of_batch& all) {
  json_writer w{4096};
  w.open('{');
  w.text("action", b.action);
  w.flag("dry_run", b.dry_run);
  w.open("data", '[');
  for (const auto& row : all.rows) w.raw(row);
  w.close(']');
  w.close('}');
  if (b.dry_run) return send_json(ex, w.take());
  response r;
  r.body = w.take();
  deed what{"saga.batch", b.action + " " + std::to_string(all.rows.size()) + " orders", b.reason};
  if (all.refused > 0) what.outcome = std::to_string(all.refused) + " refused";
  reply_recorded(ex, std::move(what), std::move(r));
}
} // namespace

/// POST /admin/v1/sagas/actions {action, reason, orders, dry_run?} → 200: for each order what came
/// of it, or would; 400, 422. Each order's action is one of its own; the batch has a line in the
/// audit log besides.
void act_on_sagas(const exchange_ptr& ex) {
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  auto b = std::make_shared<batch>(read_batch(std::get<json_value>(body), errors));
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  auto all = std::make_shared<rows_of_batch>();
  all->rows.resize(b->orders.size());
  all->missing = b->orders.size();
  for (std::size_t i = 0; i < b->orders.size(); ++i)
    ask_own(ex->at, action_on(ex, *b, b->orders[i]), [ex, b, all, i](const response& r) {
      {
        const std::lock_guard lock{all->guard};
        all->rows[i] = row_of(b->orders[i], r);
        all->refused += r.status >= 300;
        if (--all->missing > 0) return;
      }
      guarded(ex, [&] { send_rows_of(ex, *b, *all); });
    });
}
} // namespace jumun::http
