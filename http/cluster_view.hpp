#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jumun::http {
struct member_info {
  std::string node, role, state; // role: all | gateway | shard; state: up | away | draining
  // of its process, as it says; empty or 0 while it has not been seen
  std::string incarnation = {}, release = {};
  std::uint32_t protocol = 0;
  std::string tunnel = {}, http = {}, ops = {}; // host:port
  std::uint64_t map_version = 0;                // the newest map on its disk
  std::size_t shards = 0;                       // that it owns
};
/// How one node sees another, by the wire between them.
struct sight {
  std::string node, state; // state: up | away | refused
  std::uint64_t rtt_us = 0, connects = 0, in_flight = 0;
  std::uint64_t unhandled = 0;          // envelopes that it was sent and has not handled
  std::uint64_t refused_for_credit = 0; // not sent, because of these
  std::uint64_t unknown = 0;            // asks without an answer
  std::size_t links = 0;                // of the tunnel, both directions
  std::string last_error;
};
/// A shard on its way, as one of both ends sees it.
struct move_info {
  std::string from, to, step;
  std::uint64_t rows = 0, bytes = 0; // that are over there
};
struct cluster_info {
  std::string node, coordinator; // who answers, and by what the owners are agreed on
  std::uint64_t map_version = 0;
  std::string assigner = {};        // who decides on moves; empty: nobody is known to
  std::string agreement_error = {}; // why the coordinator can't be reached now; empty: it can
  std::vector<member_info> members = {};
  std::vector<sight> sees = {};          // of the node that answers
  std::int64_t certificate_until_ms = 0; // of its tunnel; 0: none
};
struct shard_info {
  int shard = 0;
  /// state: running | restarting | quarantined | starting, as its owner says; elsewhere: another's,
  /// which this node alone can't say
  std::string owner, state;
  std::uint64_t epoch = 0;
  std::string moving_to = {}; // where it is wanted; empty: it stays
  // As its owner says:
  std::optional<std::uint64_t> lag_us = {};  // journal::lag_us
  std::optional<std::uint64_t> mailbox = {}; // messages that wait for the shard's own actors
  std::optional<std::uint64_t> sagas_open = {};
  std::optional<std::uint64_t> decisions = {}; // about its orders, durable, since it started
  std::optional<move_info> move = {};
};
/// What asking for a move, a drain or its end came to.
enum class moving : std::uint8_t { begun = 1, unknown_node, nowhere_to_go, unavailable };

/// Port to the owners of shards. Thread-safe; nothing of it blocks.
class cluster_view {
public:
  virtual ~cluster_view() = default;
  [[nodiscard]] virtual cluster_info cluster() = 0;
  [[nodiscard]] virtual std::vector<shard_info> shards() = 0; // all of them, by number
  [[nodiscard]] virtual moving move(int shard, const std::string& to) = 0;
  [[nodiscard]] virtual moving drain(const std::string& node) = 0;
  [[nodiscard]] virtual moving resume(const std::string& node) = 0; // takes a drain back
};
} // namespace jumun::http
