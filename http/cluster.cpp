#include "http/audited.hpp"
#include "http/cluster_view.hpp"
#include "http/command.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::string cluster_json(const cluster_info& c) {
  json_writer w;
  w.open('{');
  w.text("node", c.node);
  w.text("coordinator", c.coordinator);
  w.count("map_version", c.map_version);
  w.count("shards", domain::shard_count);
  w.open("members", '[');
  for (const auto& m : c.members) {
    w.open('{');
    w.text("id", m.node);
    w.text("role", m.role);
    w.text("state", m.state);
    w.close('}');
  }
  w.close(']');
  w.close('}');
  return w.take();
}

std::string shard_json(const shard_info& s) {
  json_writer w;
  w.open('{');
  w.number("shard", s.shard);
  w.text_or_null("owner", s.owner);
  w.count("epoch", s.epoch);
  w.text("state", s.state);
  w.close('}');
  return w.take();
}

std::optional<int> shard_number(std::string_view text) {
  const auto n = parse_offset(text);
  if (!n || *n >= domain::shard_count) return {};
  return static_cast<int>(*n);
}

/// 202 with `body`, or why not.
void send_moving(const exchange_ptr& ex, moving came_to, deed what, std::string body) {
  if (came_to == moving::unknown_node)
    return send(ex, problems::not_found, "no node has this id; GET /admin/v1/cluster lists them");
  if (came_to == moving::nowhere_to_go)
    return send(ex, problems::no_other_node, "no other node is there that takes shards");
  if (came_to == moving::unavailable)
    return send(ex, problems::overloaded, "the other nodes can't be told now; ask again");
  response r;
  r.status = 202, r.body = std::move(body);
  reply_recorded(ex, std::move(what), std::move(r));
}
} // namespace

/// GET /admin/v1/cluster → 200: the members, and who agrees on the owners of shards.
void get_cluster(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  send_json(ex, cluster_json(ex->at->to.cluster->cluster()));
}

/// GET /admin/v1/shards → 200, all 256.
void list_shards(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  std::vector<std::string> data;
  for (const auto& s : ex->at->to.cluster->shards()) data.push_back(shard_json(s));
  send_page(ex, data, "");
}

/// POST /admin/v1/shards/{n}/move {to} → 202, also when it is there already; 404, 409
/// no-other-node, 422.
void move_shard(const exchange_ptr& ex) {
  const auto shard = shard_number(ex->params[0]);
  if (!shard || !ex->at->to.cluster)
    return send(ex, problems::not_found, "shards are numbered 0..255");
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  object_reader in{std::get<json_value>(body), "", errors};
  const auto to = in.text("to", 1, limits::node_id_bytes_max);
  in.finish();
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  json_writer w;
  w.open('{');
  w.number("shard", *shard);
  w.text("to", to);
  w.close('}');
  send_moving(ex, ex->at->to.cluster->move(*shard, to),
    {"shard.move", "shard " + std::to_string(*shard) + " to " + to}, w.take());
}

/// POST /admin/v1/nodes/{id}/drain → 202; 404, 409 no-other-node.
void drain_node(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  json_writer w;
  w.open('{');
  w.text("id", ex->params[0]);
  w.text("state", "draining");
  w.close('}');
  send_moving(
    ex, ex->at->to.cluster->drain(ex->params[0]), {"node.drain", ex->params[0]}, w.take());
}
} // namespace jumun::http
