#pragma once
#include "app/resilience/fault_board.hpp"
#include "storage/store.hpp"
#include <thread>

namespace jumun::app {
/// The store with syncs as slow as the board's fault `journal` says. There is one only with
/// --enable-faults.
class slow_store final : public storage::store {
public:
  /// `board` outlives this.
  slow_store(std::shared_ptr<storage::store> inner, fault_board& board)
      : inner_(std::move(inner)), board_(board) {}

  std::optional<storage::failure> apply(const std::vector<storage::entry>& entries) override {
    if (const auto f = board_.hit("journal"))
      std::this_thread::sleep_for(std::chrono::milliseconds{f->delay_ms});
    return inner_->apply(entries);
  }
  std::optional<std::string> get(storage::table in, std::string_view key) const override {
    return inner_->get(in, key);
  }
  std::unique_ptr<storage::cursor> scan(storage::table in, std::string_view from,
    std::string_view to, storage::direction way) const override {
    return inner_->scan(in, from, to, way);
  }

private:
  std::shared_ptr<storage::store> inner_;
  fault_board& board_;
};
} // namespace jumun::app
