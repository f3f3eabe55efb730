#pragma once
#include "tests/power/shop_day.hpp"
#include <condition_variable>
#include <deque>
#include <thread>

namespace jumun::tests {
/// What a disk must hold, by what had been acknowledged when it was left.
struct promise {
  std::vector<rows_digest> any_of;   // states from the last acknowledged to the last begun write;
                                     // empty: nothing was acknowledged, all that opens is right
  std::vector<storage::ledger_line> money;
  rows_digest restored = 0;          // of restored_dir; 0: nothing was acknowledged there
  [[nodiscard]] static promise of(const shop_day& day);
};

/// Opens a left disk as the next start would, for writing, and looks at all of it. Empty: the
/// promise is kept. Else what is wrong, for a person.
[[nodiscard]] std::string look_at(
  const std::shared_ptr<power_disk>& left, const promise& must_hold);
/// As `jumun check` does, which is a third of the work: opens it read-only, and for writing only
/// where that is refused (an end to be cut off).
[[nodiscard]] std::string check_at(
  const std::shared_ptr<power_disk>& left, const promise& must_hold);
/// The same, with cuts while it recovers: each sync of the recovery is a sync point of its own.
[[nodiscard]] std::string look_at_recovery(
  const std::shared_ptr<power_disk>& left, const promise& must_hold, std::uint64_t seed);

/// Checks left disks on threads of its own, a few behind the one that makes them.
class image_checker {
public:
  explicit image_checker(unsigned threads);
  ~image_checker();
  image_checker(const image_checker&) = delete;
  image_checker& operator=(const image_checker&) = delete;
  /// `label` replays it. Blocks while many wait.
  void put(std::string label, std::function<std::string()> check);
  /// Waits for all. @returns what was wrong, one line each, `label: what`
  [[nodiscard]] std::vector<std::string> finish();
  [[nodiscard]] std::uint64_t checked() const;

private:
  void work();
  struct job {
    std::string label;
    std::function<std::string()> check;
  };
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  std::size_t running_ = 0;
  std::uint64_t checked_ = 0;
  bool over_ = false;
  std::vector<std::string> wrong_;
  std::vector<std::thread> threads_;
};

/// A number from the environment, or `otherwise`.
[[nodiscard]] std::uint64_t setting(const char* name, std::uint64_t otherwise);
[[nodiscard]] bool interrupted(); // SIGINT came; long loops end, and say how far they got
void watch_for_interrupt();
} // namespace jumun::tests
