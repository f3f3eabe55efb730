#pragma once
#include "tests/integration/fake_shop.hpp"
#include <algorithm>
#include <array>
#include <set>

/// Some edges in one process, each over a fake shop, joined by a wire that does what a test wants.
namespace jumun::tests {
/// Events of one node, each with a shard; the disk and the live feed are one.
class fake_node_feed final : public http::feed {
public:
  explicit fake_node_feed(std::function<domain::shard_set()> ours) : ours_{std::move(ours)} {}

  /// Event number `n` of a key becomes durable. @returns its offset
  std::uint64_t commit(const std::string& key, std::uint64_t n) {
    http::feed_row r;
    r.fact.key = key, r.fact.type = domain::event_type::stock_adjusted, r.fact.sequence = n;
    const auto order = domain::parse_id(domain::id_kind::order, key);
    r.shard = order ? domain::shard_of(*order) : domain::shard_of(key);
    std::vector<http::live_sink> all;
    {
      const std::lock_guard lock{guard_};
      r.offset = ++last_;
      rows_.push_back(r);
      for (const auto& [handle, sink] : sinks_) all.push_back(sink);
    }
    for (const auto& sink : all) sink(std::make_shared<http::live_frames>());
    return r.offset;
  }
  /// What the next owner of a shard does with it.
  void take_from(fake_node_feed& other, domain::shard_id shard) {
    const std::scoped_lock lock{guard_, other.guard_};
    for (const auto& r : other.rows_)
      if (r.shard == shard) rows_.push_back(r);
    std::erase_if(other.rows_, [&](const auto& r) { return r.shard == shard; });
    std::stable_sort(
      rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    last_ = std::max(last_, other.last_);
  }
  void await_followers(std::size_t n) {
    std::unique_lock lock{guard_};
    if (!changed_.wait_for(
          lock, std::chrono::seconds{60} * slowness, [&] { return sinks_.size() >= n; }))
      throw std::runtime_error{"nobody follows"};
  }
  std::uint64_t trimmed = 0;

  http::feed_page read(
    const http::feed_query& q, std::optional<std::uint64_t> after, std::size_t limit) override {
    return read(q, domain::feed_position{after.value_or(trimmed)}, !after, limit, ours_());
  }
  http::feed_page read(const http::feed_query& q, const domain::feed_position& after,
    bool from_begin, std::size_t limit, const domain::shard_set& only) override {
    const std::lock_guard lock{guard_};
    http::feed_page page;
    page.next = page.last = last_;
    page.begin = domain::feed_position{trimmed};
    for (std::size_t s = 0; s < 256; ++s)
      if (only.test(s) && after.of[s] < trimmed && (after.of[s] > 0 || !from_begin))
        page.expired = true;
    std::uint64_t before = 0;
    for (const auto& r : rows_) {
      const bool latest = after.of[r.shard] == domain::feed_position::latest;
      if (latest || !only.test(r.shard) || r.offset <= std::max(after.of[r.shard], trimmed))
        continue;
      if (!q.key.empty() && r.fact.key != q.key) continue;
      if (page.rows.size() >= limit && r.offset != before) {
        page.next = before, page.at_end = false;
        break;
      }
      before = r.offset;
      page.rows.push_back(r);
    }
    return page;
  }
  std::uint64_t last() override {
    const std::lock_guard lock{guard_};
    return last_;
  }
  std::unique_ptr<following> follow(const http::feed_query&, http::live_sink sink) override {
    struct handle final : following {
      explicit handle(fake_node_feed& of) : feed{of} {}
      ~handle() override {
        const std::lock_guard lock{feed.guard_};
        feed.sinks_.erase(this);
      }
      fake_node_feed& feed;
    };
    auto h = std::make_unique<handle>(*this);
    const std::lock_guard lock{guard_};
    h->since = last_;
    sinks_[h.get()] = std::move(sink);
    changed_.notify_all();
    return h;
  }

private:
  const std::function<domain::shard_set()> ours_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<http::feed_row> rows_; // by offset
  std::uint64_t last_ = 0;
  std::map<void*, http::live_sink> sinks_;
};

class fake_cluster {
public:
  struct node;
  /// Nobody waits for an owner that is away, unless the options say so.
  explicit fake_cluster(std::size_t n, const http::server_options& options = waiting_for({})) {
    for (std::size_t s = 0; s < 256; ++s) owners[s] = s % n;
    for (std::size_t i = 0; i < n; ++i) nodes.push_back(std::make_unique<node>(*this, i, options));
  }
  ~fake_cluster() {
    for (auto& n : nodes) n->shop().release();
  }

  static http::server_options waiting_for(std::chrono::milliseconds owner) {
    http::server_options o;
    o.owner_wait = owner;
    return o;
  }

  // -- what a test may set, under `guard`
  std::mutex guard;
  std::array<std::size_t, 256> owners{};
  std::map<domain::shard_id, std::size_t> believed; // by node 0, until somebody says not_here
  std::set<std::size_t> away;                       // as the members are known
  std::set<std::size_t> strangers;                  // they have not joined yet
  std::set<std::size_t> cut;       // nothing reaches them, though they seem to be there
  std::map<std::size_t, int> mute; // so many answers of theirs are lost
  std::vector<std::string> heads;  // of all that was forwarded
  std::size_t prices_asked = 0;
  std::size_t looked = 0; // at who owns a shard

  class wire final : public http::elsewhere {
  public:
    wire(fake_cluster& of, std::size_t self) : of_{of}, self_{self} {}
    http::place owner_of(domain::shard_id shard) override {
      const std::lock_guard lock{of_.guard};
      ++of_.looked;
      const auto owner = of_.owners[shard];
      if (owner == self_) return {};
      const auto belief = of_.believed.find(shard);
      return there(self_ == 0 && belief != of_.believed.end() ? belief->second : owner);
    }
    http::place any_owner() override {
      if (served().any()) return {};
      const std::lock_guard lock{of_.guard};
      for (const auto o : of_.owners)
        if (!of_.away.contains(o)) return there(o);
      return {http::place::kind::away, {}};
    }
    http::place place_of(std::string_view name) override {
      const std::lock_guard lock{of_.guard};
      for (std::size_t i = 0; i < of_.nodes.size(); ++i)
        if (name_of(i) == name) return i == self_ ? http::place{} : there(i);
      return {http::place::kind::away, {}};
    }
    std::vector<http::member> members() override {
      const std::lock_guard lock{of_.guard};
      std::vector<http::member> out;
      if (of_.strangers.contains(self_)) return out;
      for (std::size_t i = 0; i < of_.nodes.size(); ++i) {
        http::member m{name_of(i), {}, i == self_, !of_.away.contains(i)};
        for (std::size_t s = 0; s < 256; ++s) m.shards.set(s, of_.owners[s] == i);
        out.push_back(m);
      }
      return out;
    }
    domain::shard_set served() override { return of_.shards_of(self_); }
    void forward(const std::string& to, http::forwarded_request r, ms,
      http::done<http::forwarded_answer> reply) override {
      using kind = http::forwarded_answer::kind;
      const auto which = of_.number_of(to);
      bool reaches = true, lost = false;
      {
        const std::lock_guard lock{of_.guard};
        of_.heads.push_back(r.head);
        reaches = !of_.cut.contains(which) && !of_.away.contains(which);
        if (reaches && of_.mute[which] > 0) --of_.mute[which], lost = true;
      }
      if (!reaches) return reply({kind::not_sent, {}, {}, {}});
      of_.nodes[which]->server.server.take(
        std::move(r), [this, lost, reply](http::forwarded_answer a) {
          if (lost) return reply({kind::unknown, {}, {}, {}});
          if (a.is == kind::not_here) { // whoever is told looks at the map again
            const std::lock_guard lock{of_.guard};
            of_.believed.clear();
          }
          reply(std::move(a));
        });
    }
    void find_products(const std::string& to, std::vector<std::string> skus, ms,
      http::done<products> reply) override {
      const auto which = of_.number_of(to);
      {
        const std::lock_guard lock{of_.guard};
        ++of_.prices_asked;
        if (of_.cut.contains(which)) return reply({});
      }
      std::vector<domain::product> out;
      for (const auto& sku : skus)
        if (auto p = of_.nodes[which]->shop().find_product(sku)) out.push_back(*p);
      reply(std::move(out));
    }

  private:
    /// With the guard held.
    http::place there(std::size_t i) const {
      return {
        of_.away.contains(i) ? http::place::kind::away : http::place::kind::there, name_of(i)};
    }
    fake_cluster& of_;
    const std::size_t self_;
  };

  struct node {
    node(fake_cluster& of, std::size_t i, http::server_options options)
        : others{of, i}, feed{[&of, i] { return of.shards_of(i); }}, server{
                                                                       named(std::move(options), i),
                                                                       [this](http::ports& to) {
                                                                         to.others = &others;
                                                                         to.events = &feed;
                                                                       }} {
      server.shop.products.clear(), server.shop.stocks.clear();
      server.shop.served = [&of, i] { return of.shards_of(i); };
    }
    static http::server_options named(http::server_options o, std::size_t i) {
      o.node = name_of(i);
      return o;
    }
    fake_shop& shop() { return server.shop; }
    wire others;
    fake_node_feed feed;
    running_server server;
  };
  std::vector<std::unique_ptr<node>> nodes;

  node& operator[](std::size_t i) { return *nodes[i]; }
  static std::string name_of(std::size_t i) { return "n" + std::to_string(i + 1); }
  [[nodiscard]] std::size_t number_of(const std::string& name) const {
    return static_cast<std::size_t>(name.back() - '1');
  }
  domain::shard_set shards_of(std::size_t node) {
    const std::lock_guard lock{guard};
    domain::shard_set out;
    for (std::size_t s = 0; s < 256; ++s) out.set(s, owners[s] == node);
    return out;
  }
  /// The n-th text of its kind whose shard is the node's.
  std::string name_at(std::size_t node, const std::string& kind, int n = 0) {
    for (int i = 0;; ++i) {
      auto text = kind + std::to_string(i);
      if (shards_of(node).test(domain::shard_of(text)) && n-- == 0) return text;
    }
  }
  /// An order's id in a shard of the node's.
  domain::order_id id_at(std::size_t node, std::uint64_t n = 1) {
    const auto shards = domain::numbers_of(shards_of(node));
    return domain::make_order_id(
      static_cast<domain::shard_id>(shards.front()), 1'700'000'000'000, 0, n);
  }
};
} // namespace jumun::tests
