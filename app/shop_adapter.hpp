#pragma once
#include "app/node.hpp"
#include "app/shard_permits.hpp"
#include "http/shop.hpp"
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <mutex>

namespace jumun::app {
/// The bridge between Asio and CAF, and back: the edge's port, plugged into a node. Commands become
/// messages, and answers come from whichever thread made them durable; reads go to the store.
class shop_adapter final : public http::shop {
public:
  /// `io` runs the deadlines of find_actor(). Both outlive this. `config` gives a JSON object,
  /// secrets masked.
  shop_adapter(node& inside, boost::asio::io_context& io, std::function<std::string()> config)
      : node_(inside), io_(io), config_(std::move(config)) {}

  void place(domain::place_order c, http::done<http::outcome> reply) override;
  void cancel(domain::cancel_order c, http::done<http::outcome> reply) override;
  void report(domain::report_delivery c, http::done<http::outcome> reply) override;
  void adjust(domain::adjust_stock c, http::done<http::outcome> reply) override;
  void count(domain::count_stock c, http::done<http::outcome> reply) override;
  void put(domain::put_product c, http::done<http::outcome> reply) override;
  void remember(domain::remember_reply c, http::done<http::outcome> reply) override;
  watch_id watch(domain::order_id id, bool settled_only, std::uint64_t version,
    std::function<void()> changed) override;
  void stop_watching(domain::order_id id, watch_id w) override;

  std::optional<domain::order> find_order(domain::order_id id) override;
  std::optional<domain::order> recent_order(domain::order_id id) override;
  std::optional<domain::stock> find_stock(const std::string& sku) override;
  std::optional<domain::product> find_product(const std::string& sku) override;
  maybe<domain::order> list_orders(
    const http::order_query& q, std::size_t limit, const std::string& cursor) override;
  maybe<domain::stock> list_stock(std::size_t limit, const std::string& cursor) override;
  maybe<domain::product> list_products(std::size_t limit, const std::string& cursor) override;
  maybe<domain::movement> list_movements(
    const std::string& sku, std::size_t limit, const std::string& cursor) override;

  void find_actor(
    const std::string& id, http::done<std::optional<http::actor_info>> reply) override;
  std::optional<std::string> restart_actor(const std::string& id) override;
  std::optional<std::vector<http::ledger_entry>> ledger() override;
  std::vector<http::readiness_check> readiness() override;
  std::string storage_figures() override;
  std::string effective_config() override { return config_(); }
  bool disk_nearly_full() override { return node_.space().nearly_full(); }
  std::chrono::microseconds commit_time() override;

private:
  [[nodiscard]] domain::shard_id shard_being_filled();

  /// What commit_time() has seen.
  struct commits_seen {
    std::mutex mutex;
    std::uint64_t commits = 0, us_sum = 0;
    double quickest_us = 0; // 0: there was none yet
  };

  node& node_;
  boost::asio::io_context& io_;
  std::function<std::string()> config_;
  shard_permits placing_{limits::orders_per_shard_max};
  std::atomic<std::uint64_t> unkeyed_{random_bits()}; // orders without a key, from anywhere
  commits_seen seen_;
};
} // namespace jumun::app
