#pragma once
#include "domain/hook.hpp"
#include "tests/sim/life.hpp"
#include "tests/sim/model.hpp"
#include <variant>

namespace jumun::sim {
/// One thing that somebody wants, and asks for until it is answered: always the same command under
/// the same key, over a connection that breaks.
struct wish {
  using command = std::variant<domain::place_order, domain::cancel_order, domain::report_delivery,
    domain::adjust_stock, domain::count_stock, domain::put_product, domain::take_hook,
    domain::act_on_saga>;
  command what;
  std::string name; // unique: the customer, the reason, the reference
  int attempts = 0;
  bool answered = false;
  std::optional<domain::stored_reply> reply; // the first that left the process, heard or not
  [[nodiscard]] const domain::request_context& from() const;
};

/// Everyone who asks: customers, the stock manager, couriers, operators, the provider's hooks.
/// Keeps what each was told, and says what must be there because of it.
class people {
public:
  people(outside& world, const options& how, shop_model& model, std::uint64_t seed);
  /// Plans the day: who will want what, when.
  void plan();
  /// Another life of the node has begun; null: it is down.
  void meet(life* node) {
    node_ = node;

    waiting_.clear(); // the edge of the last one is gone
  }
  /// A decision became durable.
  void order_durable(const domain::order_step& s);
  /// Nothing moves any more: people let go of what they hold, and look at what was set aside.
  /// False: there is nothing for them to do.
  bool tidy_up();
  /// What must hold at the end.
  void inspect();

  [[nodiscard]] const std::vector<std::string>& skus() const { return skus_; }
  [[nodiscard]] const std::vector<domain::shard_id>& shards() const { return shards_; }
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
  wish& want(wish::command what, std::string name);
  void want_later(std::int64_t ms, std::function<void()> what) {
    world_.time.later(ms, std::move(what));
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
  void ask(wish& w, const wish::command& what, bool honest);
  void resend(wish& w, std::int64_t ms);
  void heard(wish& w, const actors::command_result& r);
  void wait_for(wish& w, domain::order_id id);
  void stop_waiting(std::uint64_t number);
  void render(wish& w, domain::order_id id);
  void left_the_node(wish& w, const domain::stored_reply& reply);
  void check_effect(const wish& w, const domain::stored_reply& reply);
  void overwrites(const wish& w);
  void accepted(wish& w, const domain::stored_reply& reply);
  [[nodiscard]] std::optional<domain::order> durable(domain::order_id id) const;
  [[nodiscard]] std::vector<domain::order> all_orders() const;
  void inspect_wish(const wish& w, const std::vector<domain::order>& orders);

  outside& world_;
  const options& how_;
  shop_model& model_;
  std::mt19937_64 draw_;
  life* node_ = nullptr;
  std::vector<domain::shard_id> shards_;
  std::vector<std::string> skus_;
  std::deque<wish> wishes_;                        // never moved: closures point into it
  std::map<std::string, domain::order_id> placed_; // customer → order, once durable
  std::set<domain::order_id> couriered_;
  struct waiter { // Prefer: wait, at the edge of this life of the node
    domain::order_id order;
    wish* who = nullptr;
  };
  std::map<std::uint64_t, waiter> waiting_; // by a number of its own
  std::uint64_t waited_ = 0;
  int rounds_ = 0;
};
} // namespace jumun::sim
