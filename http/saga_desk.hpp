#pragma once
#include "domain/request.hpp"
#include "http/listed.hpp"
#include "http/shop.hpp"

namespace jumun::http {
struct saga_query {
  std::string state, customer, sku;               // empty: any
  std::optional<std::chrono::seconds> older_than; // since the order was placed
  std::uint32_t phases = 0;                       // bits by domain::phase's numbers; 0: any
};

/// Port: what operators see of sagas, and do to them. Thread-safe.
class saga_desk {
public:
  virtual ~saga_desk() = default;
  /// 202 with the saga, once the action, its event and its line in the audit log are durable; 404,
  /// 409 action-not-allowed, 412. Never blocks.
  virtual void act(domain::act_on_saga c, done<outcome> reply) = 0;
  /// Open sagas, oldest first; those that are done too, where `state` asks for them. nullopt: the
  /// cursor is not ours. May wait for a disk: reader threads only.
  [[nodiscard]] virtual std::optional<listed<domain::order>> list(
    const saga_query& q, std::size_t limit, const std::string& cursor) = 0;
};
} // namespace jumun::http
