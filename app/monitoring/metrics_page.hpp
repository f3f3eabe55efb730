#pragma once
#include "app/config.hpp"
#include "app/monitoring/families.hpp"
#include "app/node.hpp"
#include "http/monitor.hpp"

namespace jumun::app {
/// GET /metrics: every figure of this process, put together for each scrape. docs/monitoring tells
/// what to look at when.
class metrics_page final : public http::monitor {
public:
  /// `inside` must outlive this.
  metrics_page(const config& c, node& inside)
      : inside_(inside), requests_max_(c.max_requests), connections_max_(c.max_connections) {}
  [[nodiscard]] std::string page(const http::metrics& of_edge) override;

private:
  void add_edge(families& to, const http::metrics& now) const;
  void add_connections(families& to, const http::metrics& now) const;
  node& inside_;
  std::size_t requests_max_, connections_max_;
};
} // namespace jumun::app
