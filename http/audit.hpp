#pragma once
#include "domain/audit.hpp"
#include "http/listed.hpp"

namespace jumun::http {
struct audit_query {
  std::string principal, action, target; // empty: any
};

/// Port: the append-only record of what people changed by the admin API. Thread-safe.
class audit_log {
public:
  virtual ~audit_log() = default;
  /// Appends `entry` (its time is set here). Calls `then` once, on any thread, with true as soon as
  /// it is durable; with false when it can't be. Never blocks.
  virtual void record(domain::audit_entry entry, done<bool> then) = 0;
  /// Newest first. nullopt: the cursor is not ours. May wait for a disk: reader threads only.
  [[nodiscard]] virtual std::optional<listed<domain::audit_entry>> list(
    const audit_query& q, std::size_t limit, const std::string& cursor) = 0;
};
} // namespace jumun::http
