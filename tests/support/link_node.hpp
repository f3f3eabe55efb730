#pragma once
#include "cluster/link/link.hpp"
#include "tests/support/process.hpp"
#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>

/// A node that is nothing but a link, for the tests of cluster/link.
namespace jumun::tests {
// What is asked of one, and told.
inline constexpr std::uint16_t kind_tell = 1;
inline constexpr std::uint16_t kind_echo = 2; // answered with the same
inline constexpr std::uint16_t kind_hold = 3; // answered by release_held()
inline constexpr std::uint16_t kind_drop = 4; // never answered
inline constexpr std::uint16_t kind_none = 5; // unsupported

inline cluster::envelope command(std::uint16_t kind, std::string bytes = {}) {
  cluster::envelope e;
  e.kind = kind;
  e.bytes = std::move(bytes);
  return e;
}

/// Which port leads to which node: what the tunnel knows.
class link_town {
public:
  void move(const std::string& node, std::uint16_t port) {
    std::lock_guard lock{guard_};
    ports_[node] = port;
  }
  [[nodiscard]] std::optional<std::uint16_t> way_to(const std::string& node) const {
    std::lock_guard lock{guard_};
    const auto found = ports_.find(node);
    return found == ports_.end() ? std::nullopt : std::optional{found->second};
  }

private:
  mutable std::mutex guard_;
  std::map<std::string, std::uint16_t> ports_;
};

class link_node {
public:
  link_node(std::string name, std::uint64_t incarnation, cluster::link::terms how, link_town& town,
    const std::string& cluster = "shop")
      : link_node{
        name, incarnation, how, [&town](const auto& n) { return town.way_to(n); }, cluster} {
    town.move(name, port());
  }
  link_node(std::string name, std::uint64_t incarnation, cluster::link::terms how)
      : link_node{
        std::move(name), incarnation, how, [](const auto&) { return std::nullopt; }, "shop"} {}

  [[nodiscard]] std::uint16_t port() const { return link_->port(); }
  [[nodiscard]] cluster::peers& peers() { return *link_; }
  [[nodiscard]] std::uint64_t turned_away() const { return link_->turned_away(); }
  void dial(const std::vector<std::string>& nodes) { link_->dial(nodes); }

  void wait_up(const std::string& node) { wait_state(node, cluster::link_state::up); }
  /// Until the link to it is so now. Throws when that takes longer than our patience.
  void wait_state(const std::string& node, cluster::link_state what) {
    wait("state of " + node, [&] {
      for (const auto& f : link_->figures())
        if (f.node == node) return f.state == what;
      return false;
    });
  }
  /// Until it has come up so many times, and is up.
  void wait_connects(const std::string& node, std::uint64_t count) {
    wait("connection " + std::to_string(count) + " to " + node, [&] {
      for (const auto& f : link_->figures())
        if (f.node == node) return f.state == cluster::link_state::up && f.connects >= count;
      return false;
    });
  }
  /// What it was told, once it is so much.
  std::vector<std::string> told_all(std::size_t count) {
    wait(std::to_string(count) + " tells", [&] { return told_.size() >= count; });
    std::lock_guard lock{guard_};
    return told_;
  }
  void wait_held(std::size_t count) {
    wait(std::to_string(count) + " asks held", [&] { return held_.size() >= count; });
  }
  std::vector<cluster::reply_once> take_held() {
    std::lock_guard lock{guard_};
    std::vector<cluster::reply_once> out;
    for (auto& [what, reply] : std::exchange(held_, {})) out.push_back(std::move(reply));
    return out;
  }
  void release_held() {
    std::vector<std::pair<cluster::envelope, cluster::reply_once>> all;
    {
      std::lock_guard lock{guard_};
      all = std::exchange(held_, {});
    }
    for (auto& [what, reply] : all) reply(std::move(what));
  }
  void drop_receipts() {
    std::vector<cluster::receipt> all;
    std::lock_guard lock{guard_};
    all.swap(receipts_);
  }

  // before it is dialled
  std::function<void()> gate; // each tell waits for this
  bool keep_receipts = false;

private:
  link_node(std::string name, std::uint64_t incarnation, cluster::link::terms how,
    std::function<std::optional<std::uint16_t>(const std::string&)> way_to,
    const std::string& cluster) {
    cluster::link::link::options o;
    o.self = {cluster, std::move(name), incarnation, "test"};
    o.way_to = std::move(way_to);
    o.how = how;
    o.seed = std::hash<std::string>{}(o.self.node) + incarnation;
    link_ = std::make_unique<cluster::link::link>(std::move(o));
    link_->on_tell([this](const std::string&, cluster::envelope e, cluster::receipt r) {
      if (gate) gate();
      std::lock_guard lock{guard_};
      told_.push_back(std::move(e.bytes));
      if (keep_receipts) receipts_.push_back(std::move(r));
      changed_.notify_all();
    });
    link_->on_ask([this](const std::string&, cluster::envelope e, cluster::reply_once reply) {
      if (e.kind == kind_echo) return reply(std::move(e));
      if (e.kind == kind_none) return reply.unsupported();
      if (e.kind != kind_hold) return;
      std::lock_guard lock{guard_};
      held_.emplace_back(std::move(e), std::move(reply));
      std::cout << "holding" << std::endl; // for a parent process
      changed_.notify_all();
    });
    link_->on_change([this](const std::string&, cluster::link_state) {
      std::lock_guard lock{guard_};
      changed_.notify_all();
    });
    link_->start();
  }
  template <class Condition> void wait(const std::string& what, const Condition& so) {
    std::unique_lock lock{guard_};
    if (!changed_.wait_for(lock, patience, so)) throw std::runtime_error{"waited for " + what};
  }

  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
  std::vector<std::pair<cluster::envelope, cluster::reply_once>> held_;
  std::vector<cluster::receipt> receipts_;
  std::unique_ptr<cluster::link::link> link_; // last: it calls what is above until it is gone
};
} // namespace jumun::tests
