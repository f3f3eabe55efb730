#include "app/monitoring/cluster_figures.hpp"
#include "app/cluster/cluster_side.hpp"
#include <map>

namespace jumun::app {
namespace {
double seconds(std::uint64_t us) { return static_cast<double>(us) / 1e6; }

/// Adds a series for each of `all`, named by its node.
template <class Figures, class Pick>
void each(families& to, const std::vector<Figures>& all, Pick pick) {
  for (const auto& p : all) to.value(pick(p), {{"peer", p.node}});
}
/// Two for each: what came in, and what went out.
template <class Figures, class In, class Out>
void both_ways(families& to, const std::vector<Figures>& all, In in, Out out) {
  for (const auto& p : all) {
    to.value(in(p), {{"peer", p.node}, {"direction", "in"}});
    to.value(out(p), {{"peer", p.node}, {"direction", "out"}});
  }
}

void add_ownership(families& to, const node& inside, const cluster_side* side) {
  to.gauge("jumun_cluster_map_version", "Of the newest map of shards that this node knows.");
  if (side) to.value(inside.coordinator().map().version);
  to.gauge("jumun_cluster_members", "Nodes of the cluster, by state.");
  if (side) {
    std::map<std::string, std::uint64_t> by_state{{"up", 0}, {"away", 0}, {"draining", 0}};
    for (const auto& m : inside.coordinator().members()) ++by_state[m.state];
    for (const auto& [state, n] : by_state) to.value(n, {{"state", state}});
  }
  to.gauge("jumun_cluster_shards_owned", "Shards that are this node's by the map.");
  if (side) to.value(side->owners().shards_of(side->owners().self()).count());
  to.gauge("jumun_cluster_shards_served", "Shards that this node serves.");
  if (side) to.value(side->owners().served().count());
  to.gauge("jumun_cluster_shards_missing", "Owned, and their rows are not on this disk.");
  if (side) to.value(side->owners().missing().count());
  const auto agreed = inside.coordinator().link();
  to.gauge("jumun_cluster_agreement_up", "1: the coordinator (etcd) answers this node.");
  if (side) to.value(agreed.up ? 1 : 0);
  to.gauge("jumun_cluster_agreement_silent_seconds", "Since it last answered.");
  if (side) to.value(static_cast<double>(agreed.silent_for.count()) / 1e3);
  to.counter("jumun_cluster_agreement_failures_total", "Calls to it that failed.");
  if (side) to.value(agreed.failures);
}

void add_tunnel(families& to, const std::optional<cluster::tunnel_figures>& now) {
  using peer = cluster::tunnel_peer_figures;
  const auto peers = now ? now->peers : std::vector<peer>{};
  to.gauge("jumun_tunnel_links", "TLS connections with a peer that are up, both directions.");
  each(to, peers, [](const peer& p) { return p.links; });
  to.counter("jumun_tunnel_connects_total", "Connections that came up, by who dialled.");
  both_ways(
    to, peers, [](const peer& p) { return p.accepted; }, [](const peer& p) { return p.dialled; });
  to.counter("jumun_tunnel_connect_failures_total", "Dialled, and did not come up.");
  each(to, peers, [](const peer& p) { return p.failed; });
  to.counter("jumun_tunnel_links_lost_total", "Ended by silence, or without a word.");
  each(to, peers, [](const peer& p) { return p.lost; });
  to.counter("jumun_tunnel_bytes_total", "What CAF had carried.");
  both_ways(
    to, peers, [](const peer& p) { return p.bytes_in; }, [](const peer& p) { return p.bytes_out; });
  to.counter("jumun_tunnel_frames_total", "Frames of any kind.");
  both_ways(
    to, peers, [](const peer& p) { return p.frames_in; },
    [](const peer& p) { return p.frames_out; });
  to.counter("jumun_tunnel_heartbeats_lost_total", "Without an answer when the next one was due.");
  each(to, peers, [](const peer& p) { return p.beats_lost; });
  to.counter("jumun_tunnel_stalls_total", "Times that all which the peer had granted was used up.");
  each(to, peers, [](const peer& p) { return p.stalls; });
  to.gauge("jumun_tunnel_waiting_bytes", "Bytes that wait in this tunnel.");
  each(to, peers, [](const peer& p) { return p.waiting; });
  to.gauge("jumun_tunnel_rtt_seconds", "Of the last heartbeat; 0: none yet.");
  each(to, peers, [](const peer& p) { return seconds(p.rtt_us); });
  to.counter("jumun_tunnel_refused_total", "Connections refused, and links cut, by the reason.");
  for (std::size_t i = 1; now && i < cluster::refusal_count; ++i)
    to.value(now->refused[i], {{"reason", std::string{cluster::refusal_names[i]}}});
  to.counter("jumun_tunnel_sockets_total", "Connections that came to its listener.");
  if (now) to.value(now->sockets);
  to.gauge("jumun_tunnel_greeting", "Of these, not proved yet who they are.");
  if (now) to.value(now->greeting);
  to.gauge("jumun_tunnel_certificate_expiry_timestamp_seconds",
    "Unix time at which this node's certificate ends.");
  if (now && now->certificate_until > 0) to.value(now->certificate_until);
}

void add_links(families& to, const std::vector<cluster::peer_figures>& peers) {
  using peer = cluster::peer_figures;
  to.gauge("jumun_peer_up", "1: this node can ask and tell the peer.");
  each(to, peers, [](const peer& p) { return p.state == cluster::link_state::up ? 1 : 0; });
  to.counter("jumun_peer_connects_total", "Times that it came up.");
  each(to, peers, [](const peer& p) { return p.connects; });
  to.counter("jumun_peer_envelopes_total", "In: asks, tells and replies. Out: asks and tells.");
  both_ways(
    to, peers, [](const peer& p) { return p.received; }, [](const peer& p) { return p.sent; });
  to.counter("jumun_peer_envelope_bytes_total", "Their bytes.");
  both_ways(
    to, peers, [](const peer& p) { return p.received_bytes; },
    [](const peer& p) { return p.sent_bytes; });
  to.counter("jumun_peer_asks_total", "Asked, by how it ended.");
  for (const auto& p : peers)
    to.value(p.answered, {{"peer", p.node}, {"outcome", "answered"}})
      .value(p.unknown, {{"peer", p.node}, {"outcome", "unknown"}});
  to.counter("jumun_peer_answer_seconds_total", "How long the answered ones took, together.");
  each(to, peers, [](const peer& p) { return seconds(p.answer_us); });
  to.counter("jumun_peer_tells_total", "Told.");
  each(to, peers, [](const peer& p) { return p.sent - std::min(p.sent, p.asks); });
  to.gauge("jumun_peer_asks_in_flight", "Asked, and not answered yet.");
  each(to, peers, [](const peer& p) { return p.in_flight; });
  to.gauge("jumun_peer_unhandled_envelopes", "Sent, and not handled by the peer yet.");
  each(to, peers, [](const peer& p) { return p.unhandled; });
  to.counter("jumun_peer_refused_for_credit_total", "Not sent: the peer has too much to handle.");
  each(to, peers, [](const peer& p) { return p.refused_for_credit; });
  to.counter("jumun_peer_replies_dropped_total", "Too many waited for a peer that is slow.");
  each(to, peers, [](const peer& p) { return p.replies_dropped; });
  to.counter("jumun_peer_unsupported_total", "Of the peer's, not to be understood here.");
  each(to, peers, [](const peer& p) { return p.unsupported; });
  to.gauge("jumun_peer_rtt_seconds", "Of the last heartbeat between actors; 0: none yet.");
  each(to, peers, [](const peer& p) { return seconds(p.rtt_us); });
}

void add_stock(families& to, const std::optional<stock_bridge::figures>& now) {
  to.counter("jumun_stock_commands_total", "Reserve, commit and release between nodes.");
  if (now)
    to.value(now->commands_taken, {{"direction", "in"}})
      .value(now->commands_sent, {{"direction", "out"}});
  to.counter("jumun_stock_answers_total", "Their answers.");
  if (now)
    to.value(now->answers_taken, {{"direction", "in"}})
      .value(now->answers_sent, {{"direction", "out"}});
  to.counter("jumun_stock_not_sent_total", "No link or no credit: the saga asks again.");
  if (now) to.value(now->not_sent);
  to.counter("jumun_stock_not_owner_total", "Commands for a shard that was not served there.");
  if (now)
    to.value(now->not_owner_said, {{"direction", "in"}})
      .value(now->not_owner_heard, {{"direction", "out"}});
  to.counter("jumun_stock_malformed_total", "Could not be read.");
  if (now) to.value(now->malformed);
}

void add_moves(families& to, const mover* of) {
  to.gauge("jumun_shard_moves_running", "Under way now; this node gives the shard, or takes it.");
  if (of) {
    std::size_t in = 0, out = 0;
    for (const auto& p : of->progress()) ++(p.step == "taking" ? in : out);
    to.value(in, {{"direction", "in"}}).value(out, {{"direction", "out"}});
  }
  to.counter("jumun_shard_moves_total", "As giver: done, failed (tried again); as taker: taken.");
  if (of)
    to.value(of->counted().done.load(), {{"outcome", "done"}})
      .value(of->counted().failed.load(), {{"outcome", "failed"}})
      .value(of->counted().taken.load(), {{"outcome", "taken"}});
  to.counter("jumun_shard_move_rows_total", "Rows that went over, of moves that failed, too.");
  if (of)
    to.value(of->counted().rows_in.load(), {{"direction", "in"}})
      .value(of->counted().rows_out.load(), {{"direction", "out"}});
  to.counter("jumun_shard_move_bytes_total", "Their bytes.");
  if (of)
    to.value(of->counted().bytes_in.load(), {{"direction", "in"}})
      .value(of->counted().bytes_out.load(), {{"direction", "out"}});
  to.histogram("jumun_shard_move_duration_seconds", "Of a move, as its giver sees it.");
  if (of) to.buckets(of->counted().took);
  to.histogram("jumun_shard_move_not_served_seconds", "Of that, how long nobody served the shard.");
  if (of) to.buckets(of->counted().not_served);
}
} // namespace

void add_cluster_figures(families& to, const node& inside) {
  const auto* side = inside.side();
  using std::optional;
  add_ownership(to, inside, side);
  add_tunnel(to, side ? optional{side->wire()} : std::nullopt);
  add_links(to, side ? side->links() : std::vector<cluster::peer_figures>{});
  add_stock(to, side ? optional{side->stock()} : std::nullopt);
  add_moves(to, side ? &side->moves() : nullptr);
}
} // namespace jumun::app
