#pragma once
#include "storage/rocks_store.hpp"
#include "tests/power/power_env.hpp"
#include "tests/power/shop_life.hpp"
#include "tests/power/witness.hpp"
#include <set>

namespace jumun::tests {
inline const std::string data_dir = "/srv/jumun/data", backup_dir = "/srv/jumun/backups",
                         restored_dir = "/srv/jumun/restored";
/// How the day opens a folder on this disk, and how its images are opened.
[[nodiscard]] storage::rocks_options opened_on(const std::string& dir, power_env& env);

/// How long a day it is.
struct day_plan {
  int rounds = 5;           // of orders, each ended by a flush; from the fourth on there are
                            // compactions
  int orders = 3;           // in each round
  bool backup = true, trim = true;
  int restarts = 1;         // closed and opened again, so often
};

/// A scripted day of a shop: the real actors, journal and RocksDB, on a power_disk. Stock comes in,
/// orders are placed, paid, some refused, some cancelled; memtables are flushed, files compacted, a
/// backup is made, old events are trimmed, the process ends and starts again, the backup is
/// restored beside it.
class shop_day {
public:
  explicit shop_day(std::shared_ptr<power_disk> disk)
      : disk_(std::move(disk)), env_(std::make_unique<power_env>(disk_)) {}
  /// @returns why it ended before its end; nullopt: it did not.
  [[nodiscard]] std::optional<storage::failure> run(const day_plan& plan);
  /// The process is killed: what it has open is closed without its files hearing of it.
  void kill();
  [[nodiscard]] const witness_store::story& story() const { return *story_; }
  [[nodiscard]] const bank& money() const { return money_; }
  [[nodiscard]] const std::vector<std::string>& answered() const { return answered_; }
  /// What restored_dir must hold; 0: nothing was acknowledged there yet.
  [[nodiscard]] rows_digest restored() const { return restored_; }
  std::uint64_t flushes = 0, background_jobs = 0, trimmed = 0, backups = 0;

private:
  bool open();
  void close();
  void sell(shop_life& now, int round, const day_plan& plan);
  void order(shop_life& now, int number);
  void cancel(shop_life& now, const std::string& order);
  bool flush_all();
  bool trim(shop_life& now);
  std::optional<storage::failure> one_life(const day_plan& plan, int life);
  std::optional<storage::failure> restore();

  std::shared_ptr<power_disk> disk_;
  std::unique_ptr<power_env> env_;
  std::shared_ptr<witness_store::story> story_ = std::make_shared<witness_store::story>();
  bank money_;
  std::shared_ptr<storage::store> rocks_;
  std::shared_ptr<witness_store> store_;
  std::optional<storage::failure> why_;
  std::vector<std::string> answered_; // order ids of 201s
  int orders_ = 0;
  rows_digest restored_ = 0;
};
} // namespace jumun::tests
