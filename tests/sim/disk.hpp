#pragma once
#include "tests/sim/chaos.hpp"
#include "tests/sim/timeline.hpp"
#include "tests/support/memory_store.hpp"
#include <stdexcept>

namespace jumun::sim {
/// Sees each batch of rows, in the order of the disk.
class disk_observer {
public:
  virtual ~disk_observer() = default;
  /// About to land, all of them: `before` has the rows that they replace.
  virtual void lands(const std::vector<storage::entry>& batch, const storage::store& before) = 0;
};

/// The node's disk, which outlives it. A batch is atomic, as RocksDB's log makes it (tests/power
/// shows that on RocksDB itself); here it can fail and be gone, fail and be there, or take its
/// time.
class disk final : public storage::store {
public:
  disk(chaos& luck, timeline& time) : luck_(luck), time_(time) {}
  void watch(disk_observer* who) { observer_ = who; }
  /// A new life of the process.
  void revive() { dead_ = false, stalled_until_us_ = 0; }
  /// The process was killed: nothing lands any more.
  void cut() { dead_ = true; }
  /// A sync takes its time: nothing can be committed before then.
  [[nodiscard]] bool stalled() const { return time_.now_us() < stalled_until_us_; }
  void stall(std::int64_t ms) { stalled_until_us_ = time_.now_us() + ms * 1000; }
  [[nodiscard]] std::int64_t stalled_until_us() const { return stalled_until_us_; }
  /// The rows, without any fault: to set up, and for checks from outside.
  [[nodiscard]] storage::store& bare() { return rows_; }
  [[nodiscard]] const storage::store& truth() const { return rows_; }
  [[nodiscard]] std::uint64_t batches() const { return rows_.applies(); }
  /// The n-th batch from now on fails, whatever chance says; 0: none.
  void fail_nth(std::uint64_t n, bool landed) { fail_in_ = n, fail_landed_ = landed; }

  std::optional<storage::failure> apply(const std::vector<storage::entry>& batch) override {
    if (dead_) return storage::failure{storage::errc::io_failed, "the process is dead"};
    const bool told = fail_in_ > 0 && --fail_in_ == 0;
    const bool lost = told ? !fail_landed_ : luck_.fires(fault::write_lost);
    const bool landed = told ? fail_landed_ : luck_.fires(fault::write_landed);
    dead_ = lost || landed;
    if (!lost) {
      if (observer_) observer_->lands(batch, rows_);
      (void)rows_.apply(batch);
    }
    if (dead_) return storage::failure{storage::errc::io_failed, "the write failed"};
    if (luck_.fires(fault::disk_stalls))
      stall(1 + static_cast<std::int64_t>(luck_.pick(fault::disk_stalls, 3'000)));
    return {};
  }
  std::optional<std::string> get(storage::table in, std::string_view key) const override {
    fail_to_read();
    return rows_.get(in, key);
  }
  std::unique_ptr<storage::cursor> scan(storage::table in, std::string_view from,
    std::string_view to, storage::direction way) const override {
    fail_to_read();
    return rows_.scan(in, from, to, way);
  }

private:
  void fail_to_read() const {
    if (luck_.fires(fault::read_fails)) throw std::runtime_error{"storage.read_failed"};
  }
  chaos& luck_;
  timeline& time_;
  tests::memory_store rows_;
  disk_observer* observer_ = nullptr;
  bool dead_ = false;
  std::int64_t stalled_until_us_ = 0;
  std::uint64_t fail_in_ = 0;
  bool fail_landed_ = false;
};
} // namespace jumun::sim
