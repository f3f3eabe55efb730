#pragma once
#include "domain/page_cursor.hpp"
#include "http/problem.hpp"
#include "http/render.hpp"
#include "http/server.hpp"
#include "http/shop.hpp"
#include "tests/support/slowness.hpp"
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace jumun::tests {
/// A shop without actors and disk, for tests of the edge alone: answers at once, or when told to.
class fake_shop final : public http::shop {
public:
  template <class T> using done = http::done<T>;

  fake_shop() {
    products["americano"] = {"americano", "Americano", {4'500, "KRW"}, 3, 1, 0};
    products["latte"] = {"latte", "Latte", {5'000, "KRW"}, 1, 1, 0};
    products["tea"] = {"tea", "Tea", {300, "USD"}, 1, 1, 0};
    stocks["americano"] = {"americano", 10, 2, 7, 1, 1, 0};
  }

  // -- what a test may set or look at; guarded by `mutex` where threads run
  std::mutex mutex;
  std::map<std::string, domain::product> products;
  std::map<std::string, domain::stock> stocks;
  std::map<domain::order_id, domain::order> orders;
  std::map<std::string, std::pair<std::string, domain::stored_reply>> kept; // by key
  std::vector<domain::place_order> placed;
  std::vector<domain::cancel_order> cancelled;
  bool hold = false;       // place() answers at release()
  bool lose = false;       // place() forgets to answer
  int running_answers = 0; // so many times place() says that the key is still running
  bool throws = false;     // reads throw
  int lost_answers = 0;    // so many commands are not done, as their actor is gone
  std::function<void()> when_lost = [] {};   // …and what else happens then
  std::function<void()> before_find = [] {}; // on the reader's thread
  bool ready = true, disk_full = false;
  std::vector<http::ledger_entry> books;
  std::function<domain::shard_set()> served = domain::all_shards; // whose rows it lists
  std::string figures = R"({"files":1})";

  void release() {
    std::vector<std::function<void()>> all;
    {
      const std::lock_guard lock{mutex};
      hold = false;
      all.swap(held_);
    }
    for (auto& f : all) f();
  }
  void await_held(std::size_t n) {
    await([&] { return held_.size() >= n; });
  }
  void await_watched(std::size_t n) {
    await([&] { return watches_.size() >= n; });
  }

  /// Moves an order, and tells who watches.
  void change(domain::order_id id, const std::function<void(domain::order&)>& how) {
    std::vector<std::function<void()>> due;
    {
      const std::lock_guard lock{mutex};
      auto& o = orders.at(id);
      how(o), ++o.version;
      for (auto it = watches_.begin(); it != watches_.end();) {
        const auto& w = it->second;
        const bool fires = w.id == id && (w.settled_only ? settled(o) : o.version > w.version);
        if (fires) due.push_back(w.changed);
        it = fires ? watches_.erase(it) : std::next(it);
      }
    }
    for (auto& f : due) f();
  }
  static void fulfil(domain::order& o) {
    o.at = domain::phase::fulfilled, o.payment = domain::payment_status::approved;
    o.delivery = domain::delivery_status::started, o.captured = o.total;
  }

  // -- the port
  void place(domain::place_order c, done<http::outcome> reply) override {
    if (lose || loses(c.from, reply)) return;
    std::unique_lock lock{mutex};
    const auto& key = c.from.key;
    if (running_answers > 0) {
      --running_answers;
      lock.unlock();
      return reply({render.refused(domain::refusal::key_running, "", "", c.from), {}});
    }
    if (const auto k = kept.find(key); !key.empty() && k != kept.end()) {
      auto r = replay(k->second, c.from);
      lock.unlock();
      return reply({std::move(r), {}});
    }
    auto o = c.draft;
    o.id =
      domain::make_order_id(key.empty() ? 1 : domain::shard_of(key), 1'700'000'000'000, 0, ++last_);
    o.version = 1, o.created_ms = o.updated_ms = 1'700'000'000'000;
    orders[o.id] = o;
    http::outcome out;
    if (c.wants_settled)
      out.to_settle = o.id;
    else
      out.reply = render.placed(o);
    if (!key.empty() && !c.wants_settled) kept[key] = {c.from.fingerprint, out.reply};
    placed.push_back(std::move(c));
    if (hold) {
      held_.push_back([reply, out] { reply(out); });
      changed_.notify_all();
      return;
    }
    lock.unlock();
    reply(out);
  }
  void cancel(domain::cancel_order c, done<http::outcome> reply) override {
    if (loses(c.from, reply)) return;
    std::unique_lock lock{mutex};
    const auto it = orders.find(c.order);
    auto r = it == orders.end()
               ? render.refused(domain::refusal::not_found, "no order has this id", "", c.from)
               : cancel_one(it->second, c.reason);
    cancelled.push_back(std::move(c));
    lock.unlock();
    reply({std::move(r), {}});
  }
  void report(domain::report_delivery c, done<http::outcome> reply) override {
    const auto o = find_order(c.order);
    reply(
      {o ? render.delivery(*o) : render.refused(domain::refusal::not_found, "", "", c.from), {}});
  }
  void adjust(domain::adjust_stock c, done<http::outcome> reply) override {
    auto s = find_stock(c.sku).value_or(domain::stock{});
    s.sku = c.sku, s.on_hand += c.change.delta, ++s.version;
    domain::movement m;
    m.sku = c.sku, m.number = 1, m.delta = c.change.delta, m.reason = c.change.reason;
    m.reference = c.change.reference, m.on_hand_after = s.on_hand;
    reply({render.adjusted(s, m), {}});
  }
  void count(domain::count_stock c, done<http::outcome> reply) override {
    auto s = find_stock(c.sku).value_or(domain::stock{});
    if (s.version != c.if_version)
      return reply({render.refused(domain::refusal::precondition_failed, "", "", c.from), {}});
    s.sku = c.sku, s.on_hand = c.on_hand, ++s.version;
    reply({render.counted(s), {}});
  }
  void put(domain::put_product c, done<http::outcome> reply) override {
    c.row.version = c.if_version.value_or(0) + 1;
    reply({render.product_put(c.row, {}, c.if_absent), {}});
  }
  void remember(domain::remember_reply c, done<http::outcome> reply) override {
    std::unique_lock lock{mutex};
    const auto [it, fresh] = kept.try_emplace(c.from.key, c.from.fingerprint, c.reply);
    auto r = fresh ? c.reply : replay(it->second, c.from);
    lock.unlock();
    reply({std::move(r), {}});
  }
  watch_id watch(domain::order_id id, bool settled_only, std::uint64_t version,
    std::function<void()> changed) override {
    std::unique_lock lock{mutex};
    const auto& o = orders.at(id);
    if (settled_only ? settled(o) : o.version > version) {
      lock.unlock();
      changed();
      return 0;
    }
    watches_[++last_watch_] = {id, settled_only, version, std::move(changed)};
    changed_.notify_all();
    return last_watch_;
  }
  void stop_watching(domain::order_id, watch_id w) override {
    const std::lock_guard lock{mutex};
    watches_.erase(w);
  }

  std::optional<domain::order> find_order(domain::order_id id) override {
    before_find();
    return find(orders, id);
  }
  std::optional<domain::stock> find_stock(const std::string& sku) override {
    return find(stocks, sku);
  }
  std::optional<domain::product> find_product(const std::string& sku) override {
    return find(products, sku);
  }
  maybe<domain::order> list_orders(
    const http::order_query&, std::size_t, const std::string&) override {
    return http::listed<domain::order>{};
  }
  maybe<domain::stock> list_stock(std::size_t limit, const std::string& cursor) override {
    const auto key_of = [](const std::string& sku) {
      return std::string(1, static_cast<char>(domain::shard_of(sku))) + sku;
    };
    const auto after = cursor.empty() ? "" : domain::parse_cursor('s', cursor).value_or("");
    http::listed<domain::stock> page;
    page.kind = 's';
    page.served = served();
    const std::lock_guard lock{mutex};
    auto it = after.empty() ? stocks.begin() : stocks.upper_bound(after.substr(1));
    for (; it != stocks.end() && page.rows.size() < limit; ++it) {
      page.rows.push_back(it->second);
      page.keys.push_back(key_of(it->first));
    }
    if (it != stocks.end()) page.next_cursor = domain::cursor_text('s', page.keys.back());
    return page;
  }
  maybe<domain::product> list_products(std::size_t limit, const std::string& cursor) override {
    if (throws) throw std::runtime_error{"the disk says no"};
    if (!cursor.empty() && cursor != "a/b") return {};
    http::listed<domain::product> page;
    for (const auto& [sku, p] : products)
      if (page.rows.size() < limit) page.rows.push_back(p);
    if (page.rows.size() < products.size()) page.next_cursor = "a/b";
    return page;
  }
  maybe<domain::movement> list_movements(
    const std::string&, std::size_t, const std::string&) override {
    return http::listed<domain::movement>{};
  }
  void find_actor(const std::string&, done<std::optional<http::actor_info>> reply) override {
    reply({});
  }
  std::optional<std::string> restart_actor(const std::string& id) override {
    return id == "inventory/7" ? std::optional{id} : std::nullopt;
  }
  std::optional<std::vector<http::ledger_entry>> ledger() override { return books; }
  std::vector<http::readiness_check> readiness() override { return {{"journal", ready, ""}}; }
  std::string storage_figures() override { return figures; }
  std::string effective_config() override { return R"({"data":[]})"; }
  bool disk_nearly_full() override { return disk_full; }

private:
  struct watched {
    domain::order_id id;
    bool settled_only;
    std::uint64_t version;
    std::function<void()> changed;
  };
  bool loses(const domain::request_context& from, const done<http::outcome>& reply) {
    {
      const std::lock_guard lock{mutex};
      if (lost_answers == 0) return false;
      --lost_answers;
    }
    when_lost();
    reply({render.refused(domain::refusal::shard_unavailable, "", "", from), {}, /*lost=*/true});
    return true;
  }
  template <class Map, class Key>
  std::optional<typename Map::mapped_type> find(const Map& map, const Key& key) {
    const std::lock_guard lock{mutex};
    const auto it = map.find(key);
    if (it == map.end()) return {};
    return it->second;
  }
  template <class Condition> void await(Condition met) {
    std::unique_lock lock{mutex};
    if (!changed_.wait_for(lock, std::chrono::seconds{10} * slowness, met))
      throw std::runtime_error{"waited for 10 s in vain"};
  }
  domain::stored_reply replay(const std::pair<std::string, domain::stored_reply>& first,
    const domain::request_context& from) {
    if (first.first != from.fingerprint)
      return render.refused(domain::refusal::key_reused, "", "", from);
    auto r = first.second;
    r.replayed = true;
    return r;
  }
  domain::stored_reply cancel_one(domain::order& o, const std::string& reason) {
    o.cancel_requested = true, o.cancel_reason = reason;
    return render.cancellation(o);
  }

  http::renderer render;
  std::condition_variable changed_;
  std::vector<std::function<void()>> held_;
  std::map<watch_id, watched> watches_;
  std::uint64_t last_ = 0, last_watch_ = 0;
};

/// A server on free ports over a fake shop, with two I/O threads and two readers.
class running_server {
public:
  /// `plug`: sets further ports.
  explicit running_server(
    http::server_options options = {}, const std::function<void(http::ports&)>& plug = {})
      : server{io, readers, plugged(plug), on_free_ports(std::move(options))} {
    if (const auto why = server.start()) throw std::runtime_error{*why};
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io.run(); });
  }
  ~running_server() {
    shop.release();
    server.stop();
    work_.reset();
    for (auto& t : threads_) t.join();
    readers.join();
  }
  [[nodiscard]] std::uint16_t port() const { return server.public_port(); }
  [[nodiscard]] std::uint16_t ops() const { return server.ops_port(); }

  fake_shop shop;
  boost::asio::io_context io;
  boost::asio::thread_pool readers{2};
  http::server server;

private:
  http::ports plugged(const std::function<void(http::ports&)>& plug) {
    http::ports all{shop};
    if (plug) plug(all);
    return all;
  }
  static http::server_options on_free_ports(http::server_options o) {
    o.public_port = o.ops_port = 0;
    return o;
  }
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
  std::vector<std::thread> threads_;
};
} // namespace jumun::tests
