#pragma once
#include "storage/holdings.hpp"
#include "tests/sim/front.hpp"
#include "tests/sim/model.hpp"

namespace jumun::sim {
/// One thing that somebody wants, and asks for until it is answered: always the same command under
/// the same key, over a connection that breaks.
struct wish {
  command what;
  std::string name; // unique: the customer, the reason, the reference
  int attempts = 0;
  bool answered = false;
  std::optional<domain::stored_reply> reply; // the first that left the process, heard or not
  [[nodiscard]] const domain::request_context& from() const { return context_of(what); }
};

/// Everyone who asks: customers, the stock manager, couriers, operators, the provider's hooks.
/// Keeps what each was told, and says what must be there because of it.
class people {
public:
  /// All of it outlives this.
  struct surroundings {
    chaos& luck;
    timeline& time;
    provider& bank;
    const storage::store& truth; // what the shop's disks say
    front& at;
  };
  people(surroundings world, const options& how, shop_model& model, std::uint64_t seed);
  /// Plans the day: who will want what, when.
  void plan();
  /// A process has ended, and with it whoever waited at its edge.
  void door_closes(std::size_t door) {
    std::erase_if(waiting_, [door](const auto& w) { return w.second.door == door; });
  }
  /// A decision became durable.
  void order_durable(const domain::order_step& s);
  /// Nothing moves any more: people let go of what they hold, and look at what was set aside.
  /// False: there is nothing for them to do.
  bool tidy_up();
  /// What must hold at the end. `held`: of a shop of several nodes; see storage::check_store.
  void inspect(const std::optional<storage::holdings>& held = {});

  [[nodiscard]] const std::vector<std::string>& skus() const { return skus_; }
  [[nodiscard]] const std::vector<domain::shard_id>& shards() const { return shards_; }
  /// Something is planned yet, or somebody waits for an answer.
  [[nodiscard]] bool busy() const;
  [[nodiscard]] std::size_t orders() const { return placed_.size(); }
  std::function<void(std::string)> trace; // empty: nobody reads it

private:
  [[nodiscard]] std::string on_our_shards(const std::string& begin) const;
  [[nodiscard]] domain::request_context signed_by(
    const std::string& who, const std::string& key) const;
  std::int64_t some(std::int64_t below) {
    return static_cast<std::int64_t>(draw_() % static_cast<std::uint64_t>(below));
  }

  // -- wishes
  wish& want(command what, std::string name);
  void want_later(std::int64_t ms, std::function<void()> what) {
    ++planned_;
    world_.time.later(ms, [this, what = std::move(what)] {
      --planned_;
      what();
    });
  }
  void plan_order(int number);
  void plan_shelf(const std::string& sku);
  void after_acceptance(const std::string& customer, domain::order_id id);
  void cancel(domain::order_id id, const std::string& customer);
  void operate(domain::order_id id, domain::operator_action a);
  void report(domain::order_id id, domain::delivery_status s);
  void hook(domain::order_id id, domain::hook_news news);

  // -- asking
  void send(wish& w, int attempt);
  void ask(wish& w, const command& what, bool honest, std::size_t door);
  void resend(wish& w, std::int64_t ms);
  void heard(wish& w, const actors::command_result& r, std::size_t door);
  void wait_for(wish& w, domain::order_id id, std::size_t door);
  void stop_waiting(std::uint64_t number);
  void render(wish& w, domain::order_id id, std::size_t door);
  void left_the_node(wish& w, const domain::stored_reply& reply);
  void check_effect(const wish& w, const domain::stored_reply& reply);
  void overwrites(const wish& w);
  void accepted(wish& w, const domain::stored_reply& reply);
  [[nodiscard]] std::optional<domain::order> durable(domain::order_id id) const;
  [[nodiscard]] std::vector<domain::order> all_orders() const;
  void inspect_wish(const wish& w, const std::vector<domain::order>& orders);

  const surroundings world_;
  const options& how_;
  shop_model& model_;
  std::mt19937_64 draw_;
  std::vector<domain::shard_id> shards_;
  std::vector<std::string> skus_;
  std::deque<wish> wishes_;                        // never moved: closures point into it
  std::map<std::string, domain::order_id> placed_; // customer → order, once durable
  std::set<domain::order_id> couriered_;
  struct waiter { // Prefer: wait, at the edge of a process
    domain::order_id order;
    wish* who = nullptr;
    std::size_t door = 0;
  };
  std::map<std::uint64_t, waiter> waiting_; // by a number of its own
  std::uint64_t waited_ = 0;
  int rounds_ = 0;
  std::size_t planned_ = 0; // that will happen yet
};
} // namespace jumun::sim
