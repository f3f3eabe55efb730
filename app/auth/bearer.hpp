#pragma once
#include "app/auth/jwt.hpp"
#include "app/auth/keys_file.hpp"
#include <functional>
#include <mutex>

namespace jumun::app {
/// Says who a bearer token belongs to: one with three parts is a JWT, any other an API key. What it
/// judges by may be replaced while it serves.
class bearer final : public http::authenticator {
public:
  /// `now_ms`: unix milliseconds, from any thread.
  explicit bearer(jwt_rules rules, std::function<std::int64_t()> now_ms)
      : rules_{std::move(rules)}, now_ms_{std::move(now_ms)} {}

  // any thread; whoever asks from now on is judged by these
  void take(std::shared_ptr<const keyring> keys);
  void take(std::shared_ptr<const jwt_keys> keys);
  [[nodiscard]] std::optional<http::identity> identify(std::string_view token) const override;

private:
  const jwt_rules rules_;
  const std::function<std::int64_t()> now_ms_;
  mutable std::mutex mutex_; // held for a copy of a pointer
  std::shared_ptr<const keyring> ring_;
  std::shared_ptr<const jwt_keys> jwt_;
};
} // namespace jumun::app
