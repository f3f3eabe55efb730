#pragma once
#include "domain/shard_map.hpp"
#include <chrono>
#include <functional>
#include <memory>

namespace jumun::cluster {
struct member {
  std::string node, role, state; // role: all | gateway | shard; state: up | away | draining
  // of its process, as it says; empty or 0 while it has not been seen
  std::string incarnation{}, release{};
  std::uint32_t protocol = 0;          // of the messages between nodes: the newest it speaks
  std::string tunnel{}, http{}, ops{}; // host:port where others reach it; empty: nowhere
  std::uint64_t map_version = 0;       // the newest map on its disk
  bool operator==(const member&) const = default;
};

/// What this process says of itself; the rest of its record is the coordinator's.
struct self_record {
  std::string role = "all", release;
  std::uint32_t protocol = 1;
  std::string tunnel, http, ops; // host:port
  bool operator==(const self_record&) const = default;
};

/// What is agreed on, as far as this node has heard. Never changed: the next one is another object.
struct view {
  domain::shard_map map;       // neither its version nor an epoch in it ever falls
  std::vector<member> members; // by name; owners of shards that are away, too
  std::string assigner;        // who decides on moves; empty: nobody, or not known
  bool joined = false;         // this node's record has been seen among the others
  /// The map was lost once, and made again of what nodes had stored: who never stored one has
  /// nothing of what it gives him.
  bool remade = false;
  bool operator==(const view&) const = default;
};
using view_ptr = std::shared_ptr<const view>;

/// How well the agreement can be reached. What this node owns it goes on serving without.
struct contact {
  bool up = false;
  std::chrono::milliseconds silent_for{0}; // since it was last heard, or since start()
  std::string endpoint;                    // that was asked last
  std::string error;                       // why not, while it is not up
  std::uint64_t failures = 0;              // of calls, in all
};

/// What a change of owners was answered with.
enum class change : std::uint8_t {
  begun = 1,     // it is under way, or was so already
  unknown_node,  // no member has this name
  nowhere_to_go, // no other node can take it, or that node takes no shards
  unavailable,   // the others have not been heard lately: ask again
};

/// What passing a shard on came to.
enum class passed : std::uint8_t {
  done = 1, // the next owner is in the map, by this call or an earlier one
  fenced,   // this node does not have the shard at that epoch: nothing was changed
  unknown,  // the coordinator was stopped meanwhile; pass it again after the next start
};

/// Why this process must not run under its name (any more). `detail` is a sentence for people.
struct refusal {
  enum class cause : std::uint8_t {
    name_taken = 1, // another process is alive under it
    superseded,     // another process took it while this one was away
    other_cluster,  // this disk's shards are of another cluster, or it counts shards differently
  } why = cause::name_taken;
  std::string detail;
};

/// Something for the log: a fixed name such as `etcd.lost`, and a detail without secrets.
struct note {
  enum class weight : std::uint8_t { debug, info, warn, error } at = weight::info;
  std::string_view event;
  std::string detail;
};

/// What a coordinator tells its owner: one call at a time, on the coordinator's thread, never from
/// inside of a call to it (but for `single`, from start()). They must neither block for long nor
/// throw; they may call the coordinator, but not stop it.
struct listener {
  /// The view is another one. When its map is, the owner stores that on disk before it acts on it,
  /// and says so by durable().
  std::function<void(view_ptr)> changed = [](view_ptr) {};
  /// At most once; nothing but stop() makes sense afterwards.
  std::function<void(refusal)> refused = [](refusal) {};
  std::function<void(note)> noted = [](note) {};
};

/// Port to whoever agrees on the owners of shards (DESIGN §8, ADR 0012): `single` and `etcd` here,
/// the simulator's behind the same calls. Thread-safe; nothing of it blocks but stop().
///
/// Who owns a shard is fenced by its data, not by this: an epoch passes on only when its holder has
/// given the shard up durably and says so by pass(). A node that hears nobody goes on serving.
class coordinator {
public:
  virtual ~coordinator() = default;
  [[nodiscard]] virtual std::string kind() const = 0; // "single" | "etcd"
  [[nodiscard]] virtual const std::string& self() const = 0;
  [[nodiscard]] virtual view_ptr now() const = 0;
  [[nodiscard]] virtual contact link() const = 0;
  [[nodiscard]] domain::shard_map map() const { return now()->map; }
  [[nodiscard]] std::vector<member> members() const { return now()->members; }

  /// Begins; once. Joined when a view says so, refused by the listener; else it goes on trying.
  virtual void start(listener to) = 0;
  /// Ends it: no callback runs any more when it returns; passes under way hear `unknown`. `leave`:
  /// the others see this node away at once, instead of when its lease runs out. Blocks, about 1 s
  /// at most. The destructor does it, too, and leaves.
  virtual void stop(bool leave = true) = 0;

  /// This process's record, from now on.
  virtual void publish(self_record what) = 0;
  /// The map of this version is on this node's disk.
  virtual void durable(std::uint64_t map_version) = 0;

  /// Asks for the shard to be at `to`. Begun: it is tried for 10 s to make the wish known, then
  /// it waits its turn; the map shows it by the shard's `to`.
  [[nodiscard]] virtual change move(domain::shard_id shard, const std::string& to) = 0;
  /// Asks `node` to hand over all that it has, and gives it nothing more. It holds until resume(),
  /// or until the node starts anew: without a shard, or as one that resumes by its start.
  [[nodiscard]] virtual change drain(const std::string& node) = 0;
  /// Takes a drain back: what has left comes back by and by. Not a change for a node that has none.
  [[nodiscard]] virtual change resume(const std::string& node) = 0;

  /// The moves that this node is the source of: in now()->map, by domain::wanted_moves(). When it
  /// has durably given the shard up at `epoch`, it enters the next owner by this, be it still
  /// wanted there or not; after a restart again. `done` is called once, on the coordinator's thread
  /// or stop()'s; it may take for ever while nobody is heard.
  virtual void pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
    std::function<void(passed)> done) = 0;
};
} // namespace jumun::cluster
