#include "app/resilience/fault_board.hpp"
#include "app/log.hpp"
#include "domain/invariant.hpp"

namespace jumun::app {
namespace {
struct target {
  std::string_view name;
  std::vector<std::string> modes;
};
const std::vector<target>& all_targets() {
  static const std::vector<target> all{
    {"payment-provider", {"slow", "timeout", "error", "decline", "timeout_after_charge"}},
    {"delivery", {"error", "decline"}},
    {"journal", {"slow"}},
  };
  return all;
}
} // namespace

std::vector<std::string> fault_board::targets() {
  std::vector<std::string> names;
  for (const auto& t : all_targets()) names.emplace_back(t.name);
  return names;
}

std::vector<std::string> fault_board::modes_of(std::string_view name) {
  for (const auto& t : all_targets())
    if (t.name == name) return t.modes;
  return {};
}

std::vector<http::fault> fault_board::list() {
  const std::lock_guard lock{guard_};
  std::vector<http::fault> out;
  for (const auto& [name, f] : set_) out.push_back(f);
  return out;
}

void fault_board::set(const http::fault& f) {
  JUMUN_INVARIANT(!modes_of(f.target).empty(), "the edge lets only known targets in");
  {
    const std::lock_guard lock{guard_};
    set_.insert_or_assign(f.target, f);
    any_ = true;
  }
  log::warn("fault.set", {{"target", f.target}, {"mode", f.mode}, {"delay_ms", f.delay_ms},
                           {"rate", f.rate}, {"count", f.count.value_or(-1)}});
}

void fault_board::clear(std::string_view name) {
  {
    const std::lock_guard lock{guard_};
    const auto found = set_.find(name);
    if (found == set_.end()) return;
    set_.erase(found);
    any_ = !set_.empty();
  }
  log::warn("fault.cleared", {{"target", name}});
}

std::optional<http::fault> fault_board::hit(std::string_view name) {
  if (!any_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock{guard_};
  const auto found = set_.find(name);
  if (found == set_.end()) return {};
  auto& f = found->second;
  constexpr std::uint64_t million = 1'000'000;
  if (static_cast<double>(random_() % million) >= f.rate * static_cast<double>(million)) return {};
  const auto now = f;
  if (f.count && --*f.count == 0) {
    set_.erase(found);
    any_ = !set_.empty();
  }
  return now;
}
} // namespace jumun::app
