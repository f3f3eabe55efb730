#pragma once
#include "app/feed_adapter.hpp"
#include "app/outbound/http_client.hpp"
#include "app/webhooks/lane.hpp"
#include "http/elsewhere.hpp"
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
///
/// An endpoint is of the shard of its id: its rows move with that, and whoever serves the shard
/// serves the endpoint. The other nodes' events are asked for, as a reader of the merged feed does;
/// an event's contents are asked for when it is sent, where they are not on this disk.
class webhook_dispatcher final : public http::webhook_registry {
public:
  struct options {
    bool allow_private = false; // http, and private addresses
    std::int64_t hurry = 1;     // divides the schedule; for tests
    outbound_client::options client;
  };
  /// Serves nothing until take(). `to` outlives this.
  webhook_dispatcher(storage::journal& to, options how);
  ~webhook_dispatcher() override { stop(); }
  /// Gives up what is under way (it goes again after the next start), and makes durable where each
  /// endpoint stands. Blocks for the disk, for no receiver. Afterwards nothing happens here.
  void stop();

  /// From here on there are other nodes. Before the first take(); `others` outlives stop().
  void join(http::elsewhere& others);
  /// This node is about to serve the shard: reads its endpoints and what they have under way.
  /// Bounded; blocks for it. Said twice: the same.
  void take(domain::shard_id shard);
  /// It is about to give the shard up: its endpoints stop, and what is to be remembered of them is
  /// appended. What is under way goes again elsewhere. Never blocks for long.
  void leave(domain::shard_id shard);

  /// New events are durable, or served. Any thread; never blocks for long.
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
    domain::feed_position after;
    http::feed_part part;
  };
  struct source { // another node
    struct question {
      domain::feed_position after;
      domain::shard_set shards; // that it had
    };
    std::vector<question> asked; // not answered yet
    steady::time_point not_before{};
    std::uint64_t last = 0;   // of its feed, when it was heard last,
    domain::shard_set served; // and what it served
  };
  struct asking {
    std::string node;
    source::question what;
  };

  // -- the thread: dispatcher.cpp. Those that take the lock give it up while they block.
  void work();
  void run_heard(locked& held);
  void look_into_feed(locked& held);
  [[nodiscard]] http::feed_part read_own(const domain::feed_position& after);
  void offer(webhook_lane& lane, const domain::feed_position& after, const http::feed_part& part);
  void ask_others(locked& held);
  void list_questions(const http::member& m, std::vector<asking>& out);
  void ask(asking a);
  void hear(const asking& a, const http::forwarded_answer& said, steady::time_point since);
  void send_what_is_due(locked& held);
  void find_and_send(outgoing o);
  void ask_for_event(const outgoing& o, domain::shard_id shard, const std::string& node);
  void put_back(const outgoing& o);
  void send(const outgoing& o, const std::optional<domain::event>& e);
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
  /// False: the shard is not this node's any more.
  bool append(
    domain::order_id of, std::vector<storage::entry> entries, storage::durable_callback then = {});
  webhook_lane* lane_of(domain::order_id id);
  void find_end(http::done<domain::feed_position> then);
  void add(domain::webhook row, const http::done<http::webhook_outcome>& reply);
  [[nodiscard]] domain::shard_set served() const;
  /// Has the thread run `what`, soon.
  void run(std::function<void()> what);

  storage::journal& journal_;
  const storage::store& disk_;
  const options how_;
  feed_adapter feed_;
  http::elsewhere* others_ = nullptr; // null: this node is alone
  mutable std::mutex guard_;
  std::condition_variable wake_;
  std::map<domain::shard_id, domain::epoch_id> taken_;
  std::map<domain::order_id, webhook_lane> lanes_; // of those shards
  std::map<std::string, source> sources_;          // by node
  std::vector<std::function<void()>> heard_;
  bool stopping_ = false, poked_ = true;
  std::size_t tests_under_way_ = 0;
  std::optional<steady::time_point> checkpoint_at_;
  steady::time_point next_look_{};
  std::atomic<bool> feed_moved_ = true;
  std::atomic<std::size_t> endpoints_ = 0;
  std::unique_ptr<outbound_client> client_;
  std::thread thread_;
};

/// A request for a node's part of the feed, as its edge takes it from any other node.
[[nodiscard]] http::forwarded_request feed_question(const domain::feed_position& after,
  std::size_t limit, std::chrono::milliseconds wait = std::chrono::milliseconds{0});
[[nodiscard]] domain::webhook_answer answer_of(
  const outbound_response& said, std::chrono::milliseconds took, std::int64_t now_ms);
} // namespace jumun::app
