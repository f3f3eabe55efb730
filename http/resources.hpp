#pragma once
#include "http/exchange.hpp"
#include "http/json.hpp"

/// The handlers behind the table in routes.cpp, one file per resource. A handler parses, calls the
/// port once, and maps the answer. Those that read may block, and run on the reader threads.
namespace jumun::http {
// orders.cpp
void place_order(const exchange_ptr& ex);
void get_order(const exchange_ptr& ex);
void list_orders(const exchange_ptr& ex);
void get_order_events(const exchange_ptr& ex);
// cancellations.cpp
void cancel_order(const exchange_ptr& ex);
void list_cancellations(const exchange_ptr& ex);
void get_cancellation(const exchange_ptr& ex);
// products.cpp
void list_products(const exchange_ptr& ex);
void get_product(const exchange_ptr& ex);
void put_product(const exchange_ptr& ex);
// inventory.cpp
void list_stock(const exchange_ptr& ex);
void get_stock(const exchange_ptr& ex);
void count_stock(const exchange_ptr& ex);
void adjust_stock(const exchange_ptr& ex);
void list_movements(const exchange_ptr& ex);
// payments_deliveries.cpp
void get_payment(const exchange_ptr& ex);
void get_delivery(const exchange_ptr& ex);
void update_delivery(const exchange_ptr& ex);
void take_payment_hook(const exchange_ptr& ex);
// events.cpp
void list_events(const exchange_ptr& ex);
// sagas.cpp
void list_sagas(const exchange_ptr& ex);
void get_saga(const exchange_ptr& ex);
void act_on_saga(const exchange_ptr& ex);
// admin.cpp
void get_actor(const exchange_ptr& ex);
void restart_actor(const exchange_ptr& ex);
void get_ledger(const exchange_ptr& ex);
void get_storage(const exchange_ptr& ex);
void get_config(const exchange_ptr& ex);
// audit.cpp
void list_audit(const exchange_ptr& ex);
// cluster.cpp
void get_cluster(const exchange_ptr& ex);
void list_shards(const exchange_ptr& ex);
void move_shard(const exchange_ptr& ex);
void drain_node(const exchange_ptr& ex);
void resume_node(const exchange_ptr& ex);
/// `sights`: JSON of each node that said whom it sees.
[[nodiscard]] std::string cluster_json(
  const cluster_info& c, const std::vector<std::string>& sights);
[[nodiscard]] std::string shard_json(const shard_info& s);
// backups.cpp
void list_backups(const exchange_ptr& ex);
void make_backup(const exchange_ptr& ex);
// openapi.cpp
void get_description(const exchange_ptr& ex);
// docs_pages.cpp
void get_docs(const exchange_ptr& ex);
void get_docs_file(const exchange_ptr& ex);
void get_problem_page(const exchange_ptr& ex);
// resilience.cpp
void list_breakers(const exchange_ptr& ex);
void list_faults(const exchange_ptr& ex);
void put_fault(const exchange_ptr& ex);
void delete_fault(const exchange_ptr& ex);
// webhooks.cpp
void list_webhooks(const exchange_ptr& ex);
void get_webhook(const exchange_ptr& ex);
void create_webhook(const exchange_ptr& ex);
void change_webhook(const exchange_ptr& ex);
void remove_webhook(const exchange_ptr& ex);
void rotate_webhook_secret(const exchange_ptr& ex);
void test_webhook(const exchange_ptr& ex);
void list_webhook_deliveries(const exchange_ptr& ex);
void redeliver_webhook(const exchange_ptr& ex);
// probes.cpp
void get_livez(const exchange_ptr& ex);
void get_readyz(const exchange_ptr& ex);
void get_startupz(const exchange_ptr& ex);
void get_metrics(const exchange_ptr& ex);
// log_level.cpp
void get_log_level(const exchange_ptr& ex);
void put_log_level(const exchange_ptr& ex);

// -- rules that several of them share -----------------------------------------------------------

/// Why `sku` cannot be one; empty: it can. 1..64 bytes of UTF-8 without control characters; not in
/// the form of an order's id, because both are keys of events.
[[nodiscard]] std::string wrong_sku(std::string_view sku);
} // namespace jumun::http
