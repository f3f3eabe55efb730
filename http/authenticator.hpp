#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace jumun::http {
/// Bits of API.md's roles.
enum role : unsigned {
  customer = 1,
  inventory = 2,
  courier = 4,
  viewer = 8,
  operator_ = 16,
  admin = 32,
  anyone = 63, // whoever has a key
};
/// The roles of a route that asks for no key at all: probes, metrics, and what has a signature of
/// its own.
inline constexpr unsigned open_to_all = 0;

/// Who asks. One role a key or token; all of them in dev mode.
struct identity {
  std::string principal; // a customer's is their customer_id
  unsigned roles = 0;
  /// Sees their own orders only; another's does not exist for them.
  [[nodiscard]] bool own_only() const {
    return (roles & customer) != 0 && (roles & (viewer | operator_ | admin)) == 0;
  }
  [[nodiscard]] bool may_order_for(std::string_view customer_id) const {
    return (roles & admin) != 0 || customer_id == principal;
  }
};

/// Port: who a bearer token (RFC 6750) belongs to. Without one the server is in dev mode: everyone
/// is admin.
class authenticator {
public:
  virtual ~authenticator() = default;
  /// nullopt: nobody's; unknown, expired, revoked, or not well formed. `token` is not empty, and
  /// limits::bearer_bytes_max at most. Thread-safe; never waits for a disk; called for each
  /// request, on I/O threads.
  [[nodiscard]] virtual std::optional<identity> identify(std::string_view token) const = 0;
};
} // namespace jumun::http
