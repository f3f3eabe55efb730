#pragma once
#include <chrono>
#include <string_view>

namespace jumun::http {
/// One answered request. Neither who asked nor what: a customer's principal is personal data.
struct access_line {
  std::string_view method;
  std::string_view route; // the template, not the path; empty: there was none
  unsigned status = 0;
  std::chrono::microseconds took{0};
  std::string_view trace_id;
};

/// Port to the process's log. Thread-safe.
class logs {
public:
  virtual ~logs() = default;
  /// Whether lines of the level debug are written at present. Cheap.
  [[nodiscard]] virtual bool debugs() const = 0;
  /// One debug line; may block for its write.
  virtual void access(const access_line& line) = 0;
  /// `debug`, `info`, `warn` or `error`.
  [[nodiscard]] virtual std::string_view level() const = 0;
  /// False: there is no such level, and nothing has changed.
  [[nodiscard]] virtual bool set_level(std::string_view name) = 0;
};
} // namespace jumun::http
