#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace jumun::http {
struct member_info {
  std::string node, role, state; // role: all | gateway | shard; state: up | away | draining
};
struct cluster_info {
  std::string node, coordinator; // who answers, and by what the owners are agreed on
  std::uint64_t map_version = 0;
  std::vector<member_info> members;
};
struct shard_info {
  int shard = 0;
  std::string owner, state; // state: running | restarting | quarantined | elsewhere
  std::uint64_t epoch = 0;
};
/// What asking for a move or a drain came to.
enum class moving : std::uint8_t { begun = 1, unknown_node, nowhere_to_go, unavailable };

/// Port to the owners of shards. Thread-safe; nothing of it blocks.
class cluster_view {
public:
  virtual ~cluster_view() = default;
  [[nodiscard]] virtual cluster_info cluster() = 0;
  [[nodiscard]] virtual std::vector<shard_info> shards() = 0; // all of them, by number
  [[nodiscard]] virtual moving move(int shard, const std::string& to) = 0;
  [[nodiscard]] virtual moving drain(const std::string& node) = 0;
};
} // namespace jumun::http
