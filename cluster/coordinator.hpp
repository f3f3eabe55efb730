#pragma once
#include "domain/shard_map.hpp"

namespace jumun::cluster {
struct member {
  std::string node, role, state; // role: all | gateway | shard; state: up | away | draining
  bool operator==(const member&) const = default;
};

/// What a change of owners was answered with.
enum class change : std::uint8_t {
  begun = 1,     // it is under way, or was so already
  unknown_node,  // no member has this name
  nowhere_to_go, // no other node can take it
};

/// Port to whoever agrees on the owners of shards (DESIGN §8): `single` here, etcd and the
/// simulator's behind the same calls. Thread-safe; nothing of it blocks.
class coordinator {
public:
  virtual ~coordinator() = default;
  [[nodiscard]] virtual std::string kind() const = 0; // "single"
  [[nodiscard]] virtual const std::string& self() const = 0;
  [[nodiscard]] virtual domain::shard_map map() const = 0;
  [[nodiscard]] virtual std::vector<member> members() const = 0;
  [[nodiscard]] virtual change move(domain::shard_id shard, const std::string& to) = 0;
  [[nodiscard]] virtual change drain(const std::string& node) = 0;
};
} // namespace jumun::cluster
