#pragma once
#include "domain/saga.hpp"
#include "domain/stock.hpp"
#include "storage/check.hpp"
#include "storage/journal.hpp"
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>

namespace jumun::tests {
/// The real decisions of domain/ over a real journal, without actors: every command is obeyed at
/// once and every transition is one commit. Makes databases for tests that must look as
/// production's do.
class toy_shop {
public:
  struct crashed : std::runtime_error {
    crashed() : std::runtime_error("the journal has stopped") {}
  };
  explicit toy_shop(std::shared_ptr<storage::store> disk)
      : j_(disk, {true, storage::read_last_offset(*disk), {}}) {}

  std::vector<storage::ledger_line> ledger;

  void stock_up(const std::string& sku, std::int64_t pieces) {
    auto& shelf = shelf_of(sku);
    auto done = domain::adjust(shelf, {pieces, "delivery from the roaster", ""}, now_ms_);
    if (!done) throw std::logic_error("adjust");
    auto set = stock_set(shelf);
    put(set, storage::table::stock, storage::sku_key(sku), done->next);
    put(
      set, storage::table::movements, storage::movement_key(sku, done->moved.number), done->moved);
    set.events = {done->fact};
    commit(std::move(set));
    shelf = done->next;
  }
  void put_on_menu(const std::string& sku) {
    auto& shelf = shelf_of(sku);
    auto set = stock_set(shelf);
    domain::event fact;
    fact.type = domain::event_type::product_changed;
    fact.key = fact.sku = sku;
    fact.sequence = ++shelf.sequence;
    ++shelf.version;
    put(set, storage::table::stock, storage::sku_key(sku), shelf);
    put(set, storage::table::products, storage::sku_key(sku),
      domain::product{sku, sku, {100, "KRW"}, 1, 0, now_ms_});
    set.events = {fact};
    commit(std::move(set));
  }

  /// Places an order, and goes on until nothing is owed. token "no": the card is declined; "lost":
  /// the charge is made, and its answer is lost for good.
  domain::order_id place(const std::vector<std::pair<std::string, std::int64_t>>& lines,
    const std::string& token = "yes", std::size_t obeyed_max = SIZE_MAX) {
    domain::order o;
    ++orders_;
    o.id =
      domain::make_order_id(static_cast<domain::shard_id>(orders_ * 41), ++now_ms_, 0, orders_);
    o.customer = o.principal = "c-1";
    o.currency = "KRW";
    o.method = "card";
    o.token = token;
    o.ship_to.country = "KR";
    o.created_ms = now_ms_;
    for (const auto& [sku, quantity] : lines) {
      o.lines.push_back({sku, sku, quantity, 100, domain::line_state::open});
      o.total += quantity * 100;
    }
    auto d = domain::begin(std::move(o));
    const auto id = d.next.id;
    domain::idempotency_record key;
    key.fingerprint = "body";
    key.order = id;
    persist(d, 0, &key);
    work(id, std::move(d.commands), obeyed_max);
    return id;
  }
  /// Cancels, or lets the courier report; then goes on until nothing is owed.
  void tell(domain::order_id id, const domain::input& what) { hear(id, what, SIZE_MAX); }
  const domain::order& order(domain::order_id id) const { return orders_by_id_.at(id); }

private:
  domain::stock& shelf_of(const std::string& sku) {
    auto& s = shelves_[sku];
    s.sku = sku;
    return s;
  }
  template <class Row>
  static void put(storage::write_set& set, storage::table in, std::string key, const Row& row) {
    set.entries.push_back({in, std::move(key), storage::encode(row)});
  }
  static storage::write_set stock_set(const domain::stock& s) {
    storage::write_set set;
    set.shard = domain::shard_of(s.sku);
    set.replaces =
      storage::write_set::replaced{storage::table::stock, storage::sku_key(s.sku), s.version};
    return set;
  }
  void commit(storage::write_set set) {
    if (j_.append(std::move(set)) != storage::append_result::ok || !j_.run_once()) throw crashed{};
  }
  void persist(const domain::decision& d, std::uint64_t replaces,
    const domain::idempotency_record* key = nullptr) {
    storage::write_set set;
    set.shard = domain::shard_of(d.next.id);
    const auto row = storage::order_key(d.next.id);
    set.replaces = storage::write_set::replaced{storage::table::orders, row, replaces};
    put(set, storage::table::orders, row, d.next);
    const auto listed = domain::open(d.next) ? std::optional{std::string{}} : std::nullopt;
    set.entries.push_back({storage::table::open_sagas, row, listed});
    if (key)
      put(set, storage::table::idempotency, storage::idempotency_key(set.shard, "0123456789abcdef"),
        *key);
    set.events = d.events;
    commit(std::move(set));
    orders_by_id_[d.next.id] = d.next;
  }
  void work(domain::order_id id, std::vector<domain::command> owed, std::size_t obeyed_max) {
    std::deque<domain::command> todo{owed.begin(), owed.end()};
    for (std::size_t n = 0; !todo.empty() && n < obeyed_max; ++n) {
      const auto said = std::visit([this](const auto& c) { return obey(c); }, todo.front());
      todo.pop_front();
      for (auto& c : decide(id, said)) todo.push_back(std::move(c));
    }
  }
  void hear(domain::order_id id, const domain::input& what, std::size_t obeyed_max) {
    work(id, decide(id, what), obeyed_max);
  }
  std::vector<domain::command> decide(domain::order_id id, const domain::input& what) {
    auto& now = orders_by_id_.at(id);
    const auto before = now.version;
    auto d = domain::advance(now, what, {++now_ms_, 0});
    if (d.outcome == domain::verdict::applied) persist(d, before);
    if (d.outcome == domain::verdict::noted) now = d.next;
    return std::move(d.commands);
  }

  template <class Command, class Decide>
  domain::stock_answered move_stock(const Command& c, Decide decide_stock) {
    auto& shelf = shelf_of(c.sku);
    const auto key = storage::reservation_key(c.sku, c.order, c.line);
    std::optional<domain::reservation> known;
    if (const auto row = j_.latest(storage::table::reservations, key))
      known = storage::decode<domain::reservation>(*row);
    auto d = decide_stock(shelf, known, c, now_ms_);
    if (d.row) {
      auto set = stock_set(shelf);
      put(set, storage::table::reservations, key, *d.row);
      put(set, storage::table::stock, storage::sku_key(c.sku), d.next);
      if (d.moved)
        put(
          set, storage::table::movements, storage::movement_key(c.sku, d.moved->number), *d.moved);
      commit(std::move(set));
      shelf = d.next;
    }
    return d.reply;
  }
  domain::input obey(const domain::reserve_stock& c) { return move_stock(c, domain::reserve); }
  domain::input obey(const domain::commit_stock& c) { return move_stock(c, domain::commit); }
  domain::input obey(const domain::release_stock& c) { return move_stock(c, domain::release); }

  void keep(domain::payment_record row) {
    ++row.version;
    storage::write_set set;
    set.shard = domain::shard_of(row.order);
    put(set, storage::table::payments, storage::order_key(row.order), row);
    commit(std::move(set));
  }
  domain::payment_record payment_of(domain::order_id id) const {
    const auto row = j_.latest(storage::table::payments, storage::order_key(id));
    auto known = row ? storage::decode<domain::payment_record>(*row) : std::nullopt;
    return known ? *known : domain::payment_record{id, {}, 0, 0, "KRW", "", 0, 0};
  }
  void enter(const char* kind, domain::order_id id, std::int64_t amount) {
    ledger.push_back({kind, domain::to_text(domain::id_kind::order, id),
      domain::to_text(domain::id_kind::payment, id), "KRW", amount});
  }
  domain::input obey(const domain::charge_payment& c) {
    domain::payment_answered a{c.order, domain::phase::charging, c.attempt, {}, 0, "no money"};
    auto row = payment_of(c.order);
    a.said = c.token == "no" ? domain::payment_said::declined : domain::payment_said::approved;
    if (c.token != "no") enter("charge", c.order, c.amount);
    row.amount = c.token == "no" ? 0 : c.amount;
    row.state = c.token == "no" ? domain::charge_state::declined : domain::charge_state::approved;
    if (c.token == "lost") {
      a.said = domain::payment_said::unknown;
      return a;
    }
    keep(row);
    return a;
  }
  domain::input obey(const domain::inquire_payment&) {
    return domain::cancel_requested{"never mind"}; // so that it is made void
  }
  domain::input obey(const domain::cancel_payment& c) {
    auto row = payment_of(c.order);
    row.state = domain::charge_state::cancelling;
    keep(row);
    const auto id = domain::to_text(domain::id_kind::order, c.order);
    std::int64_t taken = 0;
    for (const auto& line : ledger)
      if (line.order_id == id) taken += line.kind == "charge" ? line.amount : -line.amount;
    enter(taken > 0 ? "refund" : "void", c.order, taken);
    row = payment_of(c.order);
    row.state = domain::charge_state::cancelled;
    row.refunded = taken;
    keep(row);
    return domain::payment_answered{
      c.order, c.about, c.attempt, domain::payment_said::cancelled, taken, ""};
  }
  domain::input book(domain::order_id id, const domain::delivery_decision& d) {
    if (d.row) {
      storage::write_set set;
      set.shard = domain::shard_of(id);
      put(set, storage::table::deliveries, storage::order_key(id), *d.row);
      commit(std::move(set));
    }
    return d.reply;
  }
  std::optional<domain::delivery_record> delivery_of(domain::order_id id) const {
    const auto row = j_.latest(storage::table::deliveries, storage::order_key(id));
    return row ? storage::decode<domain::delivery_record>(*row) : std::nullopt;
  }
  domain::input obey(const domain::start_delivery& c) {
    return book(c.order, domain::start(delivery_of(c.order), c.order, true, now_ms_));
  }
  domain::input obey(const domain::cancel_delivery& c) {
    return book(c.order, domain::cancel(delivery_of(c.order), c.order, now_ms_));
  }

  storage::journal j_;
  std::map<std::string, domain::stock> shelves_;
  std::map<domain::order_id, domain::order> orders_by_id_;
  std::int64_t now_ms_ = 1'763'832'000'000;
  std::uint64_t orders_ = 0;
};

/// Some of everything that an order can come to.
struct toy_orders {
  domain::order_id kept, shipped, declined, sold_out, cancelled, voided, failed, waiting;
};
inline toy_orders run_all(toy_shop& shop) {
  using s = domain::delivery_status;
  toy_orders out;
  shop.put_on_menu("tea");
  shop.stock_up("tea", 100);
  shop.stock_up("coffee", 50);
  shop.stock_up("coffee", -5);
  out.kept = shop.place({{"tea", 2}, {"coffee", 1}});
  out.shipped = shop.place({{"tea", 1}});
  shop.tell(out.shipped, domain::courier_reported{s::picked_up, ""});
  shop.tell(out.shipped, domain::courier_reported{s::delivered, ""});
  out.declined = shop.place({{"tea", 3}, {"coffee", 2}}, "no");
  out.sold_out = shop.place({{"tea", 3}, {"coffee", 1'000}});
  shop.place({{"coffee", 1'000}, {"tea", 3}});     // the second line's answer comes too late
  shop.place({{"coffee", 1'000}, {"tea", 1'000}}); // so does its refusal
  out.cancelled = shop.place({{"coffee", 4}, {"tea", 1}});
  shop.tell(out.cancelled, domain::cancel_requested{"changed my mind"});
  out.voided = shop.place({{"tea", 5}}, "lost");
  out.failed = shop.place({{"coffee", 1}});
  shop.tell(out.failed, domain::courier_reported{s::failed, "nobody at home"});
  out.waiting = shop.place({{"tea", 1}, {"coffee", 1}}, "yes", 1); // one line held, one not asked
  return out;
}
} // namespace jumun::tests
