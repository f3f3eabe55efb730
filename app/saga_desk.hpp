#pragma once
#include "app/shop_adapter.hpp"
#include "http/saga_desk.hpp"

namespace jumun::app {
/// The operators' port, plugged into a node that outlives it.
class saga_desk final : public http::saga_desk {
public:
  explicit saga_desk(node& inside) : node_(inside) {}
  void act(domain::act_on_saga c, http::done<http::outcome> reply) override;
  std::optional<http::listed<domain::order>> list(
    const http::saga_query& q, std::size_t limit, const std::string& cursor) override;

private:
  node& node_;
};
} // namespace jumun::app
