#pragma once
#include <cstdint>
#include <string>

namespace jumun::domain {
/// One line of the audit log: who did what to which thing, why, and what came of it. Holds no
/// token, address, body or other secret.
struct audit_entry {
  std::int64_t time_ms = 0; // unix milliseconds
  std::string principal;
  std::string roles;    // by their names in API.md, with commas: those that the asker had
  std::string action;   // such as `saga.pause`, `actor.restart`, `log-level.set`
  std::string target;   // an order's id, an actor's name, a node, a shard; empty: the process
  std::string reason;   // a person's words; empty: none was asked for
  std::string outcome;  // `done`, `no-op`, or the code of the problem that was answered
  std::string trace_id; // of the request
  bool operator==(const audit_entry&) const = default;
};
} // namespace jumun::domain
