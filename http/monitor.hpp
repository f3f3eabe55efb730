#pragma once
#include "http/metrics.hpp"
#include <string>

namespace jumun::http {
/// Port to what the process knows of itself, for a monitoring system. Thread-safe.
class monitor {
public:
  virtual ~monitor() = default;
  /// All metrics, the edge's own included, in Prometheus' text format 0.0.4. Takes milliseconds and
  /// reads files of /proc: call it on the reader threads.
  [[nodiscard]] virtual std::string page(const metrics& of_edge) = 0;
};
} // namespace jumun::http
