#pragma once
#include "domain/limits.hpp"
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace jumun::app {
/// Re-reads files while the server runs: looks at each once a period, on a thread of its own. What
/// takes the new version may refuse it: then the old one stays in force, and the log warns, once
/// for each version. Looking is stat(2), so that links which are turned (Kubernetes' mounts) and
/// files put in place by rename(2) are seen alike; inotify would miss the first.
class file_watch {
public:
  /// Is given the files' bytes, in the order of the paths; @returns why they are refused.
  using taking = std::function<std::optional<std::string>(const std::vector<std::string>& bytes)>;

  explicit file_watch(std::chrono::milliseconds period = limits::file_watch_period)
      : period_{period} {}
  /// Waits for a take() that is under way.
  ~file_watch();

  /// Reads the files (they change together: a certificate and its key) and takes them at once, on
  /// this thread. @returns why they are refused, and then they are not watched. Before start().
  [[nodiscard]] std::optional<std::string> add(std::vector<std::string> paths, taking take);
  void start();

private:
  struct watched {
    std::vector<std::string> paths;
    taking take;
    std::string stamp;    // of all paths, when they were last read
    bool settled = false; // the stamp tells versions apart
    std::string seen;     // digest of what was last read; no copy: some of it is secret
    std::string refusal;  // why that was not taken; empty: it was
    std::string fault;    // what the log was told of last
  };
  void run();
  static void look(watched& w);
  static std::string read(watched& w);

  const std::chrono::milliseconds period_;
  std::vector<watched> all_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};
} // namespace jumun::app
