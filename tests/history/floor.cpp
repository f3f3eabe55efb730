#include "tests/history/floor.hpp"

namespace jumun::tests::history {
floor_of_shop::floor_of_shop(std::vector<std::string> skus, std::size_t orders_max)
    : skus_(std::move(skus)), orders_(orders_max) {}

void floor_of_shop::open(std::uint16_t port) {
  const std::lock_guard lock{guard_};
  port_ = port;
  changed_.notify_all();
}
void floor_of_shop::shut() {
  const std::lock_guard lock{guard_};
  port_ = 0;
}
std::uint16_t floor_of_shop::port() {
  std::unique_lock lock{guard_};
  changed_.wait(lock, [this] { return port_ != 0 || over_; });
  return port_;
}
void floor_of_shop::end_day() {
  const std::lock_guard lock{guard_};
  over_ = true;
  changed_.notify_all();
}

std::uint32_t floor_of_shop::learn(
  std::string_view id, std::string_view delivery, const wish& of) {
  const std::lock_guard lock{guard_};
  const auto [at, fresh] = by_id_.emplace(std::string{id}, count_.load());
  if (!fresh) return at->second;
  if (count_ == orders_.size()) return by_id_.erase(at), UINT32_MAX;
  auto& o = orders_[count_];
  o.id = id, o.delivery = delivery, o.lines = of.lines;
  return count_++;
}

void floor_of_shop::show(wish_ptr w) {
  const std::lock_guard lock{guard_};
  shown_[next_shown_++ % shown_.size()] = std::move(w);
}
wish_ptr floor_of_shop::shown(std::uint64_t chance) {
  const std::lock_guard lock{guard_};
  return shown_[chance % shown_.size()];
}

void floor_of_shop::complain(const std::string& what) {
  const std::lock_guard lock{guard_};
  if (complaints_.size() < 100) complaints_.push_back(what);
}
std::vector<std::string> floor_of_shop::complaints() {
  const std::lock_guard lock{guard_};
  return complaints_;
}
} // namespace jumun::tests::history
