#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jumun::http {
struct backup_info {
  std::uint64_t id = 0;
  std::string state; // running | done | failed
  std::int64_t created_ms = 0;
  std::uint64_t bytes = 0, files = 0; // 0 until it is done
  std::string error;                  // of a failed one
};

/// Port to the backups of this node's data. Thread-safe.
class backups {
public:
  virtual ~backups() = default;
  /// Begins one, on a thread of its own; nullopt: one is being made already.
  [[nodiscard]] virtual std::optional<backup_info> begin() = 0;
  /// Newest first: what is being made, then what is there. Reads the folder.
  [[nodiscard]] virtual std::vector<backup_info> list() = 0;
};
} // namespace jumun::http
