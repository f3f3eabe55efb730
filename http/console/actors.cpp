#include "http/console/inspector.hpp"
#include "http/console/limits.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/merge_parts.hpp"

namespace jumun::http {
namespace {
std::string total_json(const actor_total& t, std::string_view node) {
  constexpr std::string_view states[] = {"running", "restarting", "quarantined", "dormant"};
  std::uint64_t all = 0;
  for (const auto& [state, n] : t.by_state) all += n;
  json_writer w;
  w.open('{');
  w.text("node", node);
  w.text("kind", t.kind);
  w.count("count", all);
  for (const auto s : states) {
    const auto n = t.by_state.find(std::string{s});
    w.count(s, n == t.by_state.end() ? 0 : n->second);
  }
  w.number("mailbox_depth", t.mailbox_depth);
  w.number("mailbox_depth_max", t.mailbox_depth_max);
  w.count("messages_handled", t.handled);
  w.count("restarts", t.restarts);
  w.close('}');
  return w.take();
}

/// nullopt: the 422 is sent.
std::optional<actor_query> read_query(const exchange_ptr& ex) {
  actor_query q;
  const auto kind =
    read_choice(ex, "kind", {"node", "supervisor", "inventory", "payment", "delivery", "saga"});
  const auto state =
    kind ? read_choice(ex, "state", {"running", "restarting", "quarantined", "dormant"})
         : std::nullopt;
  const auto sort = state
                      ? read_choice(ex, "sort", {"mailbox_depth", "messages_handled", "restarts"})
                      : std::nullopt;
  if (!sort) return {};
  if (const auto text = ex->query("shard")) {
    const auto n = parse_offset(*text);
    if (!n || *n >= domain::shard_count) {
      refuse_query(ex, "shard", "must be an integer in 0..255");
      return {};
    }
    q.shard = static_cast<int>(*n);
  }
  q.kind = *kind, q.state = *state, q.sort = *sort;
  q.name = ex->query("name").value_or("");
  q.parent = ex->query("parent");
  return q;
}

/// Without a limit a list is long, so that who has always taken all of it still does.
std::optional<page> read_actor_page(const exchange_ptr& ex) {
  auto p = read_page(ex);
  if (p && !ex->query("limit")) p->limit = limits::actors_unasked;
  return p;
}
/// This node's rows, for the node that asked.
void send_part(const exchange_ptr& ex, std::optional<listed<actor_info>> found) {
  if (!found) return send(ex, problems::invalid_cursor);
  list_part part;
  part.kind = found->kind;
  part.served = served_by(*ex->at);
  part.end = domain::parse_cursor(found->kind, found->next_cursor).value_or("");
  for (std::size_t i = 0; i < found->rows.size(); ++i)
    part.rows.push_back({std::move(found->keys[i]), actor_json(found->rows[i])});
  ex->reply_across({forwarded_answer::kind::answered, {}, std::move(part), {}});
}

void send_merged(const exchange_ptr& ex, std::size_t limit, bool top_alone,
  std::vector<forwarded_answer> answers) {
  if (auto* refused = refusal_in(answers)) return ex->reply(std::move(*refused));
  std::vector<list_part> parts;
  char kind = 0;
  for (auto& a : answers)
    if (a.rows) kind = a.rows->kind, parts.push_back(std::move(*a.rows));
  const bool all_came = parts.size() == answers.size();
  auto all = merge_lists(std::move(parts), limit);
  std::vector<std::string> data;
  for (auto& row : all.rows) data.push_back(std::move(row.json));
  const bool last = top_alone || all.end.empty();
  send_page(
    ex, data, last ? "" : domain::cursor_text(kind, all.end), "cursor", {all.served, all_came});
}

void gather(const exchange_ptr& ex, std::size_t limit, bool top_alone) {
  auto from = members_of(*ex->at);
  if (const auto node = ex->query("node"))
    std::erase_if(from, [&](const member& m) { return m.node != *node; });
  auto like = forwarded(ex);
  like.part = true;
  ask_each(ex, like, from, limits::part_max,
    [ex, limit, top_alone](std::vector<forwarded_answer> answers) {
      send_merged(ex, limit, top_alone, std::move(answers));
    });
}
} // namespace

/// GET /admin/v1/actors?node=&kind=&state=&shard=&parent=&name=&sort= → 200; 400 invalid-cursor,
/// 422. A page of all nodes' actors is made here and not by gather_list(): its rows belong to
/// nodes, those without shards among them.
void list_actors(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  if (!inside) return send(ex, problems::not_found, "this server has no actors");
  const auto q = read_query(ex);
  const auto p = q ? read_actor_page(ex) : std::nullopt;
  if (!p) return;
  if (!q->sort.empty() && !p->cursor.empty())
    return refuse_query(ex, "cursor", "must be absent where sort is given: it is the top alone");
  if (ex->wants_rows || !ex->at->to.others) {
    auto found = inside->list_actors(*q, p->limit, p->cursor);
    return ex->wants_rows ? send_part(ex, std::move(found)) : send_rows(ex, found, actor_json);
  }
  gather(ex, p->limit, !q->sort.empty());
}

/// GET /admin/v1/actor-totals → 200, a row for each node and kind.
void list_actor_totals(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  if (!inside) return send(ex, problems::not_found, "this server has no actors");
  std::vector<std::string> data;
  for (const auto& t : inside->actor_totals()) data.push_back(total_json(t, ex->at->options.node));
  send_slice(ex, std::move(data));
}
} // namespace jumun::http
