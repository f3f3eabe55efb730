#include "app/cluster/elsewhere_adapter.hpp"
#include "app/cluster/edge_wire.hpp"
#include "storage/queries.hpp"
#include <algorithm>

namespace jumun::app {
namespace {
using http::place;

bool is_away(const cluster::member& m) { return m.state == "away"; }

const cluster::member* find_member(const cluster::view& v, std::string_view node) {
  const auto found =
    std::find_if(v.members.begin(), v.members.end(), [&](const auto& m) { return m.node == node; });
  return found == v.members.end() ? nullptr : &*found;
}

place elsewhere_at(const cluster::view& v, const std::string& node) {
  const auto* m = find_member(v, node);
  return {m && !is_away(*m) ? place::kind::there : place::kind::away, node};
}

http::forwarded_answer no_answer(cluster::asked how) {
  using kind = http::forwarded_answer::kind;
  http::forwarded_answer a;
  a.is = how == cluster::asked::unknown ? kind::unknown : kind::not_sent;
  return a;
}
} // namespace

place elsewhere_adapter::owner_of(domain::shard_id shard) {
  if (with_.owners.serves(shard)) return {};
  // The newest map that was told, not the newest on this disk: a peer may be ahead of that.
  const auto now = with_.agreed.now();
  const auto& owner = now->map.shards[shard].node;
  if (owner.empty() || owner == with_.owners.self()) {
    const bool soon = with_.owners.joined() && !with_.owners.missing().test(shard);
    return {soon ? place::kind::moving : place::kind::away, owner};
  }
  return elsewhere_at(*now, owner);
}

place elsewhere_adapter::any_owner() {
  if (with_.owners.served().any()) return {};
  const auto now = with_.agreed.now();
  std::vector<const cluster::member*> ready;
  for (const auto& m : now->members) {
    const bool owns = std::any_of(now->map.shards.begin(), now->map.shards.end(),
      [&](const auto& s) { return s.node == m.node; });
    if (owns && m.state == "up" && m.node != with_.owners.self()) ready.push_back(&m);
  }
  if (ready.empty()) return {place::kind::away, {}};
  return {place::kind::there, ready[turn_.fetch_add(1) % ready.size()]->node};
}

place elsewhere_adapter::place_of(std::string_view node) {
  if (node == with_.owners.self()) return {};
  const auto now = with_.agreed.now();
  return find_member(*now, node) ? elsewhere_at(*now, std::string{node})
                                 : place{place::kind::away, {}};
}

std::vector<http::member> elsewhere_adapter::members() {
  const auto now = with_.agreed.now();
  std::vector<http::member> out;
  for (const auto& m : now->members)
    out.push_back({m.node, {}, m.node == with_.owners.self(), !is_away(m)});
  for (std::size_t i = 0; i < domain::shard_count; ++i) {
    const auto& owner = now->map.shards[i].node;
    for (auto& m : out)
      if (m.node == owner) m.shards.set(i);
  }
  return out;
}

cluster::envelope elsewhere_adapter::packed(
  std::uint16_t kind, std::string bytes, ms within) const {
  cluster::envelope e;
  e.kind = kind;
  e.map_version = with_.agreed.now()->map.version;
  e.deadline_ms = with_.now_ms() + within.count();
  e.bytes = std::move(bytes);
  return e;
}

void elsewhere_adapter::forward(const std::string& node, http::forwarded_request r, ms within,
  http::done<http::forwarded_answer> reply) {
  auto e =
    packed(static_cast<std::uint16_t>(edge_wire::kind::request), edge_wire::encode(r), within);
  e.traceparent = r.from.traceparent;
  with_.net.ask(node, std::move(e), [reply = std::move(reply)](cluster::ask_result said) {
    if (said.how != cluster::asked::answered) return reply(no_answer(said.how));
    auto a = edge_wire::decode_answer(said.reply.bytes);
    reply(a ? std::move(*a) : no_answer(cluster::asked::unknown));
  });
}

void elsewhere_adapter::find_products(
  const std::string& node, std::vector<std::string> skus, ms within, http::done<products> reply) {
  auto e = packed(static_cast<std::uint16_t>(edge_wire::kind::find_products),
    edge_wire::encode_skus(skus), within);
  with_.net.ask(node, std::move(e), [reply = std::move(reply)](cluster::ask_result said) {
    const bool answered = said.how == cluster::asked::answered;
    reply(answered ? edge_wire::decode_products(said.reply.bytes) : std::nullopt);
  });
}

http::elsewhere::products elsewhere_adapter::own_products(
  const std::vector<std::string>& skus) const {
  std::vector<domain::product> out;
  for (const auto& sku : skus)
    if (auto p = storage::find_product(with_.disk, sku)) out.push_back(std::move(*p));
  // Looked at last: what it serves now, nobody else has changed before it was read.
  const bool ours = std::all_of(skus.begin(), skus.end(),
    [&](const std::string& sku) { return with_.owners.serves(domain::shard_of(sku)); });
  return ours ? http::elsewhere::products{std::move(out)} : std::nullopt;
}

void elsewhere_adapter::record(domain::audit_entry entry, http::done<bool> then) {
  const auto to = any_owner();
  if (to.is != place::kind::there) return then(false);
  with_.net.ask(to.node,
    packed(static_cast<std::uint16_t>(edge_wire::kind::record_audit), storage::encode(entry),
      limits::forward_max),
    [then = std::move(then)](cluster::ask_result said) {
      then(said.how == cluster::asked::answered && said.reply.bytes == "1");
    });
}

bool elsewhere_adapter::take(const cluster::envelope& what, const cluster::reply_once& reply) {
  const auto answer = [this, reply](edge_wire::kind kind, std::string bytes) {
    cluster::envelope e;
    e.kind = static_cast<std::uint16_t>(kind);
    e.map_version = with_.agreed.now()->map.version;
    e.bytes = std::move(bytes);
    reply(std::move(e));
  };
  switch (static_cast<edge_wire::kind>(what.kind)) {
    case edge_wire::kind::request: {
      auto r = edge_wire::decode_request(what.bytes);
      if (!r || !requests_) return false;
      requests_(std::move(*r), [answer](http::forwarded_answer a) {
        answer(edge_wire::kind::answer, edge_wire::encode(std::move(a)));
      });
      return true;
    }
    case edge_wire::kind::find_products: {
      auto skus = edge_wire::decode_skus(what.bytes);
      if (!skus) return false;
      with_.run([this, answer, skus = std::move(*skus)] {
        answer(edge_wire::kind::products_found, edge_wire::encode_products(own_products(skus)));
      });
      return true;
    }
    case edge_wire::kind::record_audit: {
      auto entry = storage::decode<domain::audit_entry>(what.bytes);
      if (!entry || !audit_) return false;
      audit_(std::move(*entry),
        [answer](bool durable) { answer(edge_wire::kind::audit_recorded, durable ? "1" : ""); });
      return true;
    }
    default: return false;
  }
}
} // namespace jumun::app
