#pragma once
#include "http/faults.hpp"
#include <atomic>
#include <functional>
#include <map>
#include <mutex>

namespace jumun::app {
/// The faults that are set, by target: `payment-provider`, `delivery`, `journal`. In memory only.
/// Thread-safe; each change is a line in the log.
class fault_board final : public http::faults {
public:
  explicit fault_board(std::function<std::uint64_t()> random) : random_(std::move(random)) {}

  std::vector<std::string> targets() override;
  std::vector<std::string> modes_of(std::string_view target) override;
  std::vector<http::fault> list() override;
  void set(const http::fault& f) override;
  void clear(std::string_view target) override;

  /// One call to `target`: the fault that hits it, if any; uses up one of its count.
  [[nodiscard]] std::optional<http::fault> hit(std::string_view target);

private:
  std::function<std::uint64_t()> random_;
  std::mutex guard_;
  std::map<std::string, http::fault, std::less<>> set_;
  std::atomic<bool> any_ = false; // so that a board without faults costs no lock
};
} // namespace jumun::app
