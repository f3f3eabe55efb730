#pragma once
#include "cluster/peers.hpp"
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace jumun::tests {
/// Nodes joined in memory: each at() is a `peers`. Nothing moves by itself: step() lets the next
/// thing happen, in an order that depends on the seed and the calls alone. A peer's tells keep
/// their order, as over the real link. Thread-safe, but only one thread is deterministic.
class joined_peers {
public:
  explicit joined_peers(std::uint64_t seed = 1) : chance_{seed} {}
  joined_peers(const joined_peers&) = delete;

  /// The node of that name, made when it is first named. Lives as long as this object.
  cluster::peers& at(const std::string& node) {
    std::lock_guard lock{guard_};
    auto& n = nodes_[node];
    if (!n) n = std::make_unique<end>(*this, node);
    return *n;
  }

  // -- what the network does to what goes from one node to another, one way ---------------------
  /// No link any more: what is on its way is lost, asks in flight end unknown, new ones not_sent.
  void cut(const std::string& from, const std::string& to) {
    std::vector<event> lost; // ended without the lock: what they hold may call back
    {
      std::lock_guard lock{guard_};
      cut_.insert({from, to});
      for (auto e = events_.begin(); e != events_.end();) {
        const auto& v = e->second;
        const bool there = v.from == from && v.to == to && v.travels && !v.reply;
        const bool back = v.from == to && v.to == from && v.reply;
        if (there || back) lost.push_back(std::move(e->second));
        e = there || back ? events_.erase(e) : std::next(e);
      }
    }
    lost.clear();
    end_all(from, to);
    changed(from, to, cluster::link_state::away);
  }
  void join(const std::string& from, const std::string& to) {
    {
      std::lock_guard lock{guard_};
      cut_.erase({from, to});
    }
    changed(from, to, cluster::link_state::up);
  }
  void isolate(const std::string& node) {
    for (const auto& other : others(node)) cut(node, other), cut(other, node);
  }
  void heal(const std::string& node) {
    for (const auto& other : others(node)) join(node, other), join(other, node);
  }
  /// Of a hundred envelopes, replies included, this many are silently lost.
  void lose(const std::string& from, const std::string& to, unsigned percent) {
    std::lock_guard lock{guard_};
    loss_[{from, to}] = percent;
  }
  void delay(const std::string& from, const std::string& to, std::int64_t ms_max) {
    std::lock_guard lock{guard_};
    delay_[{from, to}] = ms_max;
  }
  /// Of this node's credit at that one: how many envelopes may be out and unhandled.
  void credit(const std::string& from, const std::string& to, std::size_t envelopes) {
    std::lock_guard lock{guard_};
    credit_[{from, to}] = envelopes;
  }

  /// Virtual unix ms: what deadlines are measured by.
  [[nodiscard]] std::int64_t now_ms() const {
    std::lock_guard lock{guard_};
    return now_ms_;
  }
  void set_now(std::int64_t ms) {
    std::lock_guard lock{guard_};
    now_ms_ = ms;
  }
  /// Lets the next thing happen, and the time come to it; false: nothing is under way.
  bool step() {
    event next;
    {
      std::lock_guard lock{guard_};
      if (events_.empty()) return false;
      const auto first = events_.begin();
      now_ms_ = std::max(now_ms_, first->first.first);
      next = std::move(first->second);
      events_.erase(first);
    }
    next.what();
    return true;
  }
  /// The same, unless the time would have to come to it.
  bool step_now() {
    {
      std::lock_guard lock{guard_};
      if (events_.empty() || events_.begin()->first.first > now_ms_) return false;
    }
    return step();
  }
  /// Steps until nothing is under way; false: something still was after `most` steps.
  bool run(std::size_t most = 1'000'000) {
    while (most-- > 0)
      if (!step()) return true;
    return false;
  }

private:
  using pair = std::pair<std::string, std::string>; // from, to
  struct event {
    std::string from, to;
    bool travels = false; // an envelope on its way; else a timer
    bool reply = false;   // and it is a reply
    std::function<void()> what;
  };
  /// One ask: `then` is called once, by whoever comes first.
  struct pending {
    pair way;
    cluster::peers::done then;
  };

  class end final : public cluster::peers {
  public:
    end(joined_peers& net, std::string name) : net_{net}, name_{std::move(name)} {}
    bool tell(const std::string& node, cluster::envelope what) override {
      return net_.tell(name_, node, std::move(what));
    }
    void ask(const std::string& node, cluster::envelope what, done then) override {
      net_.ask(name_, node, std::move(what), std::move(then));
    }
    void on_tell(tell_handler h) override { tell_ = std::move(h); }
    void on_ask(ask_handler h) override { ask_ = std::move(h); }
    void on_change(change_handler h) override { change_ = std::move(h); }
    std::vector<cluster::peer_figures> figures() const override { return net_.figures_of(name_); }

  private:
    friend class joined_peers;
    joined_peers& net_;
    const std::string name_;
    tell_handler tell_;
    ask_handler ask_;
    change_handler change_;
  };

  std::vector<std::string> others(const std::string& node) const {
    std::lock_guard lock{guard_};
    std::vector<std::string> out;
    for (const auto& [name, n] : nodes_)
      if (name != node) out.push_back(name);
    return out;
  }

  // with the lock held
  bool linked(const pair& way) const { return nodes_.contains(way.second) && !cut_.contains(way); }
  bool has_credit(const pair& way) {
    const auto most = credit_.find(way);
    if (most == credit_.end() || out_[way] < most->second) return true;
    ++figures_[way].refused_for_credit;
    return false;
  }
  void put(std::int64_t at_ms, event e) {
    events_.emplace(std::pair{at_ms, ++sequence_}, std::move(e));
  }
  /// Lost, or under way, after what was sent before it that way.
  void send(const pair& way, bool reply, std::function<void()> arrive) {
    if (const auto l = loss_.find(way); l != loss_.end() && chance_() % 100 < l->second) return;
    auto at = now_ms_;
    if (const auto d = delay_.find(way); d != delay_.end() && d->second > 0)
      at += static_cast<std::int64_t>(chance_() % static_cast<std::uint64_t>(d->second + 1));
    auto& last = last_[way];
    last = at = std::max(at, last);
    put(at, {way.first, way.second, true, reply, std::move(arrive)});
  }
  cluster::receipt take_credit(const pair& way) {
    ++out_[way];
    return {nullptr, [this, way](void*) {
              std::lock_guard lock{guard_};
              --out_[way];
            }};
  }

  bool tell(const std::string& from, const std::string& to, cluster::envelope what) {
    std::lock_guard lock{guard_};
    const pair way{from, to};
    if (!linked(way) || !has_credit(way)) return false;
    ++figures_[way].sent;
    auto* there = nodes_[to].get();
    send(
      way, false, [this, from, there, what = std::move(what), held = take_credit(way)]() mutable {
        if (there->tell_) there->tell_(from, std::move(what), std::move(held));
      });
    return true;
  }

  void ask(const std::string& from, const std::string& to, cluster::envelope what,
    cluster::peers::done then) {
    const pair way{from, to};
    std::unique_lock lock{guard_};
    if (!linked(way) || !has_credit(way)) {
      lock.unlock();
      return then({cluster::asked::not_sent, {}});
    }
    ++figures_[way].sent;
    const auto id = ++sequence_;
    asks_.emplace(id, pending{way, std::move(then)});
    put(what.deadline_ms > 0 ? std::max(what.deadline_ms, now_ms_) : now_ms_ + 5'000,
      {from, to, false, false, [this, id] {
         finish(id, {cluster::asked::unknown, {}});
       }});
    auto* there = nodes_[to].get();
    send(way, false,
      [this, id, from, to, there, what = std::move(what), held = take_credit(way)]() mutable {
        cluster::reply_once reply{[this, id, from, to, held](cluster::ask_result r) {
          std::lock_guard again{guard_};
          if (linked({from, to}))
            send({to, from}, true, [this, id, r = std::move(r)] { finish(id, r); });
        }};
        if (there->ask_)
          there->ask_(from, std::move(what), std::move(reply));
        else
          reply.unsupported();
      });
  }

  void finish(std::uint64_t id, cluster::ask_result r) {
    std::unique_lock lock{guard_};
    auto found = asks_.extract(id);
    if (found.empty()) return;
    if (r.how == cluster::asked::unknown) ++figures_[found.mapped().way].unknown;
    lock.unlock();
    found.mapped().then(std::move(r));
  }
  void end_all(const std::string& from, const std::string& to) {
    std::vector<std::uint64_t> ids;
    {
      std::lock_guard lock{guard_};
      for (const auto& [id, p] : asks_)
        if (p.way == pair{from, to}) ids.push_back(id);
    }
    for (const auto id : ids) finish(id, {cluster::asked::unknown, {}});
  }
  void changed(const std::string& from, const std::string& to, cluster::link_state now) {
    end* here = nullptr;
    {
      std::lock_guard lock{guard_};
      if (const auto n = nodes_.find(from); n != nodes_.end()) here = n->second.get();
    }
    if (here && here->change_) here->change_(to, now);
  }
  std::vector<cluster::peer_figures> figures_of(const std::string& from) const {
    std::lock_guard lock{guard_};
    std::vector<cluster::peer_figures> out;
    for (const auto& [name, n] : nodes_) {
      if (name == from) continue;
      const pair way{from, name};
      const auto known = figures_.find(way);
      auto f = known == figures_.end() ? cluster::peer_figures{} : known->second;
      f.node = name;
      f.state = linked(way) ? cluster::link_state::up : cluster::link_state::away;
      f.in_flight = static_cast<std::uint64_t>(std::count_if(
        asks_.begin(), asks_.end(), [&](const auto& a) { return a.second.way == way; }));
      if (const auto o = out_.find(way); o != out_.end()) f.unhandled = o->second;
      out.push_back(std::move(f));
    }
    return out;
  }

  mutable std::recursive_mutex guard_; // a receipt may end inside of it
  std::mt19937_64 chance_;
  std::map<std::string, std::unique_ptr<end>> nodes_;
  std::set<pair> cut_;
  std::map<pair, unsigned> loss_;
  std::map<pair, std::int64_t> delay_, last_;
  std::map<pair, std::size_t> credit_, out_;
  std::map<pair, cluster::peer_figures> figures_;
  std::map<std::uint64_t, pending> asks_;
  std::map<std::pair<std::int64_t, std::uint64_t>, event> events_; // by time, then by order
  std::uint64_t sequence_ = 0;
  std::int64_t now_ms_ = 1'000'000;
};
} // namespace jumun::tests
