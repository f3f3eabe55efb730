#pragma once
#include "app/node.hpp"
#include "http/console/inspector.hpp"
#include <chrono>
#include <mutex>

namespace jumun::app {
/// The console's port, plugged into a node that outlives it.
class inspector final : public http::inspector {
public:
  explicit inspector(node& inside) : node_(inside) {}

  // actors.cpp
  std::optional<http::listed<http::actor_info>> list_actors(
    const http::actor_query& q, std::size_t limit, const std::string& cursor) override;
  std::vector<http::actor_total> actor_totals() override;
  // recordings.cpp
  std::optional<http::recorded> record_actor(
    const std::string& id, const http::recording_form& how) override;
  std::optional<http::recorded> record_order(
    domain::order_id id, const http::recording_form& how) override;
  http::recorded record_lines(domain::order_id id, const std::vector<http::shelf_line>& lines,
    const http::recording_form& how) override;
  std::optional<http::recorded> recording_of(const std::string& what) override;
  bool stop_recording(const std::string& what) override;
  // orders.cpp
  std::optional<http::order_rows> rows_of(domain::order_id id) override;
  std::vector<domain::reservation> reservations_of(
    domain::order_id id, const std::vector<http::shelf_line>& lines) override;
  std::vector<http::blocked_group> blocked_groups() override;
  // find.cpp
  std::vector<http::found_thing> find(const std::string& text) override;
  // stock.cpp
  std::optional<http::listed<domain::reservation>> list_reservations(
    const std::string& sku, std::size_t limit, const std::string& cursor) override;
  std::optional<http::stock_check> check_stock(const std::string& sku) override;

private:
  http::recorded start(actors::recording what, const http::recording_form& how);
  std::vector<http::blocked_group> group_blocked();
  node& node_;

  std::mutex guard_; // of what follows
  std::vector<http::blocked_group> groups_;
  std::chrono::steady_clock::time_point groups_until_; // then they are made anew
};
} // namespace jumun::app
