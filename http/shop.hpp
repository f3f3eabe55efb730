#pragma once
#include "domain/request.hpp"
#include "http/listed.hpp"
#include <chrono>

namespace jumun::http {
/// What a command comes to.
struct outcome {
  domain::stored_reply reply;
  /// place() with wants_settled: accepted and durable, but the reply is still to be rendered:
  /// watch() this order, render it, remember() it, send it. Otherwise all zero.
  domain::order_id to_settle;
  /// Its actor was gone before it could answer (it fell, or its shard left this node): it may have
  /// been done or not.
  bool lost = false;
};
struct order_query {
  std::string customer, status, saga, sku;
  std::optional<std::int64_t> created_after_ms, created_before_ms;
};
struct actor_info {
  std::string id, name, kind, parent, node,
    state;        // state: running | restarting | quarantined | gone
  int shard = -1; // -1: none
  std::int64_t mailbox_depth = 0;
  std::uint64_t handled = 0, restarts = 0;
  std::string last_error;
  std::string live_state; // JSON object; only from find_actor
};
struct ledger_entry {
  std::string kind, order_id, payment_id, currency;
  std::int64_t amount = 0;
  std::int64_t time_ms = 0;
};
struct readiness_check {
  std::string name;
  bool ok = false;
  std::string detail;
};

/// Port to the inside; `app` plugs the actors and the store into it. Thread-safe. Commands and
/// finds never block the caller for long: commands go to actors; reads (second part) may wait for a
/// cold disk block, so the edge calls those on its reader threads.
class shop {
public:
  virtual ~shop() = default;
  // -- commands
  virtual void place(domain::place_order c, done<outcome> reply) = 0;
  virtual void cancel(domain::cancel_order c, done<outcome> reply) = 0;
  virtual void report(domain::report_delivery c, done<outcome> reply) = 0;
  virtual void adjust(domain::adjust_stock c, done<outcome> reply) = 0;
  virtual void count(domain::count_stock c, done<outcome> reply) = 0;
  virtual void put(domain::put_product c, done<outcome> reply) = 0;
  /// Stores `reply` for the key and hands it back, or the one that was there first; key_reused for
  /// another body.
  virtual void remember(domain::remember_reply c, done<outcome> reply) = 0;
  /// Calls `changed` once, on any thread: when the durable order is settled (settled_only), or has
  /// a version above `version`. Checks the present state first. stop_watching() before that: never.
  using watch_id = std::uint64_t;
  virtual watch_id watch(domain::order_id id, bool settled_only, std::uint64_t version,
    std::function<void()> changed) = 0;
  virtual void stop_watching(domain::order_id id, watch_id w) = 0;

  // -- reads: durable state only
  [[nodiscard]] virtual std::optional<domain::order> find_order(domain::order_id id) = 0;
  /// The same without the disk: never blocks; nullopt is no answer.
  [[nodiscard]] virtual std::optional<domain::order> recent_order(domain::order_id) { return {}; }
  [[nodiscard]] virtual std::optional<domain::stock> find_stock(const std::string& sku) = 0;
  [[nodiscard]] virtual std::optional<domain::product> find_product(const std::string& sku) = 0;
  // nullopt: the cursor is not ours
  template <class Row> using maybe = std::optional<listed<Row>>;
  [[nodiscard]] virtual maybe<domain::order> list_orders(
    const order_query& q, std::size_t limit, const std::string& cursor) = 0;
  [[nodiscard]] virtual maybe<domain::stock> list_stock(
    std::size_t limit, const std::string& cursor) = 0;
  [[nodiscard]] virtual maybe<domain::product> list_products(
    std::size_t limit, const std::string& cursor) = 0;
  [[nodiscard]] virtual maybe<domain::movement> list_movements(
    const std::string& sku, std::size_t limit, const std::string& cursor) = 0;

  // -- operations
  virtual void find_actor(const std::string& id, done<std::optional<actor_info>> reply) = 0;
  /// Its name; nullopt: no such actor. It stops with an error; its supervisor restarts it from
  /// disk.
  [[nodiscard]] virtual std::optional<std::string> restart_actor(const std::string& id) = 0;
  /// nullopt: a real provider takes the money; its books are its own.
  [[nodiscard]] virtual std::optional<std::vector<ledger_entry>> ledger() = 0;
  [[nodiscard]] virtual std::vector<readiness_check> readiness() = 0;
  /// JSON object: journal and RocksDB figures.
  [[nodiscard]] virtual std::string storage_figures() = 0;
  /// JSON object: the effective configuration, secrets masked.
  [[nodiscard]] virtual std::string effective_config() = 0;
  /// True: new orders are turned away (503 overloaded): the disk is nearly full.
  [[nodiscard]] virtual bool disk_nearly_full() = 0;
  /// What a commit takes while there is no crowd: an order waits for one or two in any case. 0: not
  /// known. Asked ten times a second while orders come.
  [[nodiscard]] virtual std::chrono::microseconds commit_time() { return {}; }
};
} // namespace jumun::http
