#pragma once
#include "app/config.hpp"
#include "app/file_watch.hpp"
#include <mutex>

namespace jumun::app {
/// The settings of a running server. What is live in the table follows the file of --config within
/// a second; of the rest it is told what a restart would bring. A file that no server would start
/// with changes nothing, and the log warns. Thread-safe.
class live_config {
public:
  using putting_in_force = std::function<void(const config& before, const config& now)>;
  explicit live_config(const config& started) : now_{started}, wanted_{started} {}

  /// Looks at the file from here on. `put` is called for each change of what is live, on this
  /// thread or on one of its own, never twice at a time. Once.
  void follow(putting_in_force put);
  /// GET /admin/v1/config.
  [[nodiscard]] std::string json() const;

private:
  [[nodiscard]] std::optional<std::string> take(const std::string& text);

  mutable std::mutex guard_;
  config now_;    // in force
  config wanted_; // what a start would have
  putting_in_force put_;
  file_watch file_; // last: its thread uses the others
};
} // namespace jumun::app
