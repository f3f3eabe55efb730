#include "http/console/overview.hpp"
#include "http/console/limits.hpp"
#include "http/console/money_at_risk.hpp"
#include "http/console/overview_parts.hpp"
#include "http/console/overview_stream.hpp"
#include "http/console/resources.hpp"
#include "http/feed_parts.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include <charconv>
#include <cmath>

namespace jumun::http {
namespace {
/// Two digits behind the point are enough for people.
std::string number_text(double v) {
  if (std::isnan(v)) return "null";
  const auto rounded = std::round(v * 100) / 100;
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, rounded).ptr};
}

void put_sample(json_writer& w, const sample& s) {
  w.open("now", '{');
  for (std::size_t i = 0; i < s.size(); ++i) w.raw(figure_names[i], number_text(s[i]));
  w.close('}');
}

/// By column, as plots want it.
void put_history(json_writer& w, const node_overview& o) {
  if (o.history.empty()) return w.null("history");
  const auto step = std::chrono::milliseconds{limits::overview_step}.count();
  const auto behind = static_cast<std::int64_t>(o.history.size() - 1) * step;
  w.open("history", '{');
  w.number("step_ms", step);
  w.text("from", time_text(o.at_ms - behind));
  for (std::size_t i = 0; i < figure_names.size(); ++i) {
    w.open(figure_names[i], '[');
    for (const auto& s : o.history) w.raw(number_text(s[i]));
    w.close(']');
  }
  w.close('}');
}

void put_oldest(json_writer& w, const node_overview& o) {
  if (!o.oldest) return w.null("oldest_open");
  w.open("oldest_open", '{');
  w.text("order_id", to_text(domain::id_kind::order, o.oldest->id));
  w.text("since", time_text(domain::accepted_ms(o.oldest->id)));
  w.text("state", o.oldest->state);
  w.close('}');
}

void put_breakers(json_writer& w, const std::vector<breaker_info>& all) {
  w.open("breakers", '[');
  for (const auto& b : all) {
    w.open('{');
    w.text("name", b.name);
    w.text("state", b.state);
    w.count("waiting", b.waiting);
    w.close('}');
  }
  w.close(']');
}

std::string document(const std::vector<std::string>& nodes, const std::vector<std::string>& away) {
  json_writer w{1024};
  w.open('{');
  w.open("nodes", '[');
  for (const auto& n : nodes) w.raw(n);
  w.close(']');
  w.open("missing_nodes", '[');
  for (const auto& n : away) w.element(n);
  w.close(']');
  w.close('}');
  return w.take();
}

forwarded_request question(const exchange_ptr& ex, bool with_history) {
  forwarded_request r;
  r.on = listener::on_ops;
  r.head = with_history ? "GET /admin/v1/overview HTTP/1.1\r\nHost: jumun\r\n\r\n"
                        : "GET /admin/v1/overview?history=no HTTP/1.1\r\nHost: jumun\r\n\r\n";
  r.who = ex->who;
  r.from = ex->from;
  r.part = true;
  return r;
}

/// This node's part, for the node that asked.
void send_part(const exchange_ptr& ex, bool with_history) {
  on_readers(ex, [ex, with_history] {
    send_whole_part(
      ex, list_part::form::overview, {overview_json(ex->at->to.overview->look(with_history))});
  });
}
} // namespace

std::string overview_json(const node_overview& o) {
  json_writer w{o.history.empty() ? std::size_t{1024} : std::size_t{64 * 1024}};
  w.open('{');
  w.text("node", o.node);
  w.text("at", time_text(o.at_ms));
  w.text("started_at", time_text(o.started_ms));
  put_sample(w, o.now);
  w.open("funnel", '{');
  for (std::size_t m = 0; m < o.reached.size(); ++m)
    w.count(name_of(static_cast<domain::milestone>(m)), o.reached[m]);
  w.close('}');
  w.open("sagas", '{');
  for (const auto& [state, n] : o.sagas) w.number(state, n);
  w.close('}');
  put_money_at_risk(w, o.at_risk);
  put_oldest(w, o);
  put_breakers(w, o.breakers);
  put_history(w, o);
  w.close('}');
  return w.take();
}

void gather_overview(
  const exchange_ptr& ex, bool with_history, std::function<void(std::string)> then) {
  if (!ex->at->to.others)
    return on_readers(ex, [ex, with_history, then = std::move(then)] {
      then(document({overview_json(ex->at->to.overview->look(with_history))}, {}));
    });
  const auto all = members_of(*ex->at);
  ask_each(ex, question(ex, with_history), all, limits::part_max,
    [all, then = std::move(then)](std::vector<forwarded_answer> answers) {
      std::vector<std::string> nodes, away;
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto& part = answers[i].rows;
        if (part && !part->rows.empty())
          nodes.push_back(part->rows.front().json);
        else
          away.push_back(all[i].node);
      }
      then(document(nodes, away));
    });
}

/// GET /admin/v1/overview?history= → 200: each node's figures, or a stream of them; 404, 422; a
/// stream too many: 429, 503.
void get_overview(const exchange_ptr& ex) {
  if (!ex->at->to.overview) return send(ex, problems::not_found, "this server has no overview");
  const auto history = read_choice(ex, "history", {"yes", "no"});
  if (!history) return;
  const bool with_history = *history != "no";
  if (ex->wants_rows) return send_part(ex, with_history);
  if (prefers_event_stream(ex->head))
    return open_stream(ex, [&](admission::permit seat) {
      return std::make_shared<overview_stream>(ex, std::move(seat));
    });
  gather_overview(ex, with_history, [ex](std::string all) { send_json(ex, std::move(all)); });
}
} // namespace jumun::http
