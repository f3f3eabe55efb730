#pragma once
#include "app/outbound/http_client.hpp"
#include "app/webhooks/lane.hpp"
#include "http/webhook_registry.hpp"
#include "storage/journal.hpp"
#include <condition_variable>
#include <mutex>
#include <thread>

namespace jumun::app {
/// Outgoing webhooks: reads the feed behind each endpoint's cursor and sends what it finds, in
/// order, at least once (Standard Webhooks 1.0). Nothing of it is on an order's way: the feed that
/// is written anyway is the queue, a thread of its own reads it, a client of its own sends, and
/// its state goes through the journal as anybody's. A crash between a delivery and its checkpoint
/// (limits::webhook_checkpoint_pause) sends again, with the same webhook-id.
class webhook_dispatcher final : public http::webhook_registry {
public:
  struct options {
    bool allow_private = false; // http, and private addresses
    std::int64_t hurry = 1;     // divides the schedule; for tests
    outbound_client::options client;
  };
  /// Reads the endpoints and what they have under way: bounded, and blocks for it. `to` outlives
  /// this.
  webhook_dispatcher(storage::journal& to, options how);
  ~webhook_dispatcher() override { stop(); }
  /// Gives up what is under way (it goes again after the next start), and makes durable where each
  /// endpoint stands. Blocks for the disk, for no receiver. Afterwards nothing happens here.
  void stop();

  /// New events are durable. Any thread; never blocks for long.
  void feed_moved();

  void create(http::webhook_settings s, http::done<http::webhook_outcome> reply) override;
  void change(domain::order_id id, http::webhook_settings s,
    http::done<http::webhook_outcome> reply) override;
  void remove(domain::order_id id, http::done<http::webhook_outcome> reply) override;
  void rotate_secret(domain::order_id id, http::done<http::webhook_outcome> reply) override;
  void test(domain::order_id id,
    http::done<std::variant<domain::webhook_attempt, http::problem>> reply) override;
  void redeliver(domain::order_id id, const std::string& message,
    http::done<http::webhook_outcome> reply) override;
  std::vector<http::webhook_view> list() override;
  std::optional<http::webhook_view> find(domain::order_id id) override;
  std::optional<http::listed<domain::webhook_delivery>> deliveries(domain::order_id id,
    const std::string& state, std::size_t limit, const std::string& cursor) override;

private:
  using steady = std::chrono::steady_clock;
  using locked = std::unique_lock<std::mutex>;
  struct outgoing { // one message, ready to be sent once its body is there
    domain::order_id to;
    webhook_lane::job job;
    domain::webhook row; // as it was: URL and secrets
  };
  struct feed_page { // what every endpoint at this place reads
    std::optional<std::uint64_t> after;
    std::uint64_t begins_after = 0, next = 0, last = 0;
    std::vector<storage::fed_event> events;
  };

  // -- the thread: dispatcher.cpp. Those that take the lock give it up while they block.
  void work();
  void look_into_feed(locked& held);
  [[nodiscard]] feed_page read_page(std::uint64_t after) const;
  void send_what_is_due(locked& held);
  void send(outgoing o);
  void heard(domain::order_id from, const webhook_lane::job& job, const outbound_response& said,
    steady::time_point asked);
  void write_checkpoints();
  void wait(locked& held);

  // -- over HTTP: desk.cpp
  [[nodiscard]] outbound_request request_for(
    const domain::webhook& to, std::string_view id, std::string body) const;
  [[nodiscard]] http::webhook_view view_of(const webhook_lane& lane) const;
  /// Appends what `lane` has changed; replies with it, and lets it go on, once that is durable.
  void store(webhook_lane& lane, http::webhook_view then, http::done<http::webhook_outcome> reply);
  void append(std::vector<storage::entry> entries, storage::durable_callback then = {});
  webhook_lane* lane_of(domain::order_id id);

  storage::journal& journal_;
  const storage::store& disk_;
  const options how_;
  mutable std::mutex guard_;
  std::condition_variable wake_;
  std::map<domain::order_id, webhook_lane> lanes_;
  bool stopping_ = false, poked_ = true;
  std::size_t tests_under_way_ = 0;
  std::optional<steady::time_point> checkpoint_at_;
  steady::time_point next_look_{};
  std::atomic<bool> feed_moved_ = true;
  std::atomic<std::size_t> endpoints_ = 0;
  std::unique_ptr<outbound_client> client_;
  std::thread thread_;
};

[[nodiscard]] domain::webhook_answer answer_of(
  const outbound_response& said, std::chrono::milliseconds took, std::int64_t now_ms);
} // namespace jumun::app
