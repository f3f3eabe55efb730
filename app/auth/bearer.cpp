#include "app/auth/bearer.hpp"

namespace jumun::app {
void bearer::take(std::shared_ptr<const keyring> keys) {
  const std::lock_guard lock{mutex_};
  ring_.swap(keys);
}
void bearer::take(std::shared_ptr<const jwt_keys> keys) {
  const std::lock_guard lock{mutex_};
  jwt_.swap(keys);
}

std::optional<http::identity> bearer::identify(std::string_view token) const {
  std::shared_ptr<const keyring> ring;
  std::shared_ptr<const jwt_keys> jwt;
  {
    const std::lock_guard lock{mutex_};
    ring = ring_, jwt = jwt_;
  }
  const auto now_ms = now_ms_();
  if (token.find('.') == token.npos) return ring ? ring->find(token, now_ms) : std::nullopt;
  if (!jwt) return {};
  return verify_jwt(token, *jwt, rules_, static_cast<double>(now_ms) / 1000);
}
} // namespace jumun::app
