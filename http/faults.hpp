#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jumun::http {
/// A fault that somebody asked for, to see how the system bears it.
struct fault {
  std::string target;
  std::string mode;
  std::int64_t delay_ms = 0;         // before anything else happens
  double rate = 1;                   // the share of calls that it hits, 0..1
  std::optional<std::int64_t> count; // so many more calls; none: until it is taken away
};

/// Port to fault injection; there is one only with --enable-faults. In memory: a restart clears all
/// faults. Thread-safe, never blocks.
class faults {
public:
  virtual ~faults() = default;
  /// What can be made to fail.
  [[nodiscard]] virtual std::vector<std::string> targets() = 0;
  /// The modes that a target knows; empty: there is no such target.
  [[nodiscard]] virtual std::vector<std::string> modes_of(std::string_view target) = 0;
  [[nodiscard]] virtual std::vector<fault> list() = 0;
  /// In place of the target's last one. @pre its mode is one of modes_of(its target)
  virtual void set(const fault& f) = 0;
  /// Without effect where there is none.
  virtual void clear(std::string_view target) = 0;
};
} // namespace jumun::http
