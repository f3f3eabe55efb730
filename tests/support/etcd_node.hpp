#pragma once
#include "cluster/etcd_coordinator.hpp"
#include "tests/support/process.hpp"
#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <random>

namespace jumun::tests {
/// A coordinator as a node has it: it remembers what it was told, hands over at once what it is
/// asked to (when `moves`), and complains of a view that may not be.
class etcd_node {
public:
  struct options {
    std::string node;
    std::vector<std::string> urls;
    std::string role = "all", release = "1.0";
    domain::shard_map stored{};
    std::string previous{};
    bool moves = true; // false: wanted moves stay wanted
    std::chrono::milliseconds first_quiet{300}, rebalance_quiet{300};
    std::size_t owners_min = 1;
    cluster::etcd::tls_files tls{};
    std::string user{}, password_file{};
    std::uint64_t life = 0, life_before = 0; // of its disk; 0: not told
    bool resumes = false;
  };
  explicit etcd_node(options how) : how_{std::move(how)} { start(); }
  ~etcd_node() { leave(); }

  static std::string next_incarnation() {
    static std::atomic<int> made{0};
    return "i" + std::to_string(++made);
  }

  [[nodiscard]] cluster::etcd_coordinator& at() { return *at_; }
  [[nodiscard]] const std::string& name() const { return how_.node; }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }
  [[nodiscard]] cluster::view_ptr now() const { return at_->now(); }
  [[nodiscard]] std::size_t owns() const { return owned_by(how_.node); }
  [[nodiscard]] std::size_t owned_by(const std::string& node) const {
    return domain::leases_of(at_->map(), node).size();
  }
  [[nodiscard]] std::string state_of(const std::string& node) const {
    for (const auto& m : now()->members)
      if (m.node == node) return m.state;
    return "";
  }

  /// Waits until that holds, which is looked at whenever something was told, and now and then.
  template <class Predicate> void until(const char* what, Predicate holds) {
    std::unique_lock held{guard_};
    const auto due = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const auto before = told_;
      held.unlock();
      const bool good = holds();
      held.lock();
      if (good) return;
      if (std::chrono::steady_clock::now() > due)
        throw std::runtime_error{
          how_.node + " waited in vain until " + what + "; " + at_->link().error + "\n" + notes_};
      news_.wait_for(held, std::chrono::milliseconds{50}, [&] { return told_ != before; });
    }
  }
  void until_joined() {
    until("it has joined and knows of a map", [&] {
      const auto v = now();
      return v->joined && v->map.version > 0;
    });
  }
  /// The refusal, once it has come.
  cluster::refusal refused() {
    until("it is refused", [&] { return has_refusal(); });
    const std::lock_guard held{guard_};
    return *refusal_;
  }
  [[nodiscard]] bool has_refusal() const {
    const std::lock_guard held{guard_};
    return refusal_.has_value();
  }
  [[nodiscard]] bool has_noted(const std::string& text) const {
    const std::lock_guard held{guard_};
    return notes_.find(text) != std::string::npos;
  }
  [[nodiscard]] std::string complaints() const {
    const std::lock_guard held{guard_};
    return complaints_;
  }
  /// The coordinator's thread stands still in its next callback, as if the process were stopped.
  void freeze() {
    const std::lock_guard held{guard_};
    frozen_ = true;
  }
  [[nodiscard]] bool stands_still() const {
    const std::lock_guard held{guard_};
    return standing_;
  }
  void thaw() {
    const std::lock_guard held{guard_};
    frozen_ = false;
    news_.notify_all();
  }
  void leave() { thaw(), at_->stop(true); }
  void die() { thaw(), at_->stop(false); } // its lease runs out
  /// What its next lives say that they are.
  void become(std::string release) { how_.release = std::move(release); }
  void resume_by_start(bool resumes) { how_.resumes = resumes; }
  /// Another process, on the same disk. `knows`: of the one before, as its disk tells.
  void start_again(bool knows, std::uint64_t life = 0, std::uint64_t before = 0) {
    how_.life = life, how_.life_before = before;
    how_.stored = at_->map();
    how_.previous = knows ? incarnation_ : "";
    start();
  }

private:
  void start() {
    at_.reset(); // ends the other one
    const std::lock_guard held{guard_};
    last_ = {}, refusal_.reset(), notes_.clear();
    incarnation_ = next_incarnation();
    cluster::etcd_coordinator::options o;
    for (const auto& url : how_.urls)
      o.at.endpoints.push_back(cluster::etcd::endpoint::parse(url).value());
    o.at.tls = how_.tls, o.at.user = how_.user, o.at.password_file = how_.password_file;
    o.at.deadline = std::chrono::milliseconds{700} * slowness;
    o.cluster = "shop", o.node = how_.node;
    o.self.role = how_.role, o.self.release = how_.release;
    o.self.tunnel = how_.node + ":7001";
    o.stored = how_.stored;
    o.incarnation = incarnation_, o.previous = how_.previous;
    o.life = how_.life, o.life_before = how_.life_before;
    o.resumes = how_.resumes;
    o.rules.first_quiet = how_.first_quiet;
    o.rules.owners_min = how_.owners_min;
    o.rules.rebalance_quiet = how_.rebalance_quiet;
    o.lease = std::chrono::seconds{2} * slowness;
    o.period = std::chrono::milliseconds{200};
    o.random = [chance = std::make_shared<std::mt19937_64>(std::random_device{}())] {
      return (*chance)();
    };
    at_ = std::make_unique<cluster::etcd_coordinator>(std::move(o));
    cluster::listener to;
    to.changed = [this, c = at_.get()](const cluster::view_ptr& v) { changed(*c, v); };
    to.refused = [this](cluster::refusal r) {
      const std::lock_guard told{guard_};
      refusal_ = std::move(r);
      ++told_, news_.notify_all();
    };
    to.noted = [this](const cluster::note& n) {
      const std::lock_guard told{guard_};
      notes_ += std::string{n.event} + ": " + n.detail + "\n";
      ++told_, news_.notify_all();
    };
    at_->start(std::move(to));
  }

  void changed(cluster::etcd_coordinator& c, const cluster::view_ptr& v) {
    {
      std::unique_lock held{guard_};
      judge(*v);
      last_ = v->map;
      ++told_, news_.notify_all();
      standing_ = true;
      news_.wait(held, [&] { return !frozen_; });
      standing_ = false;
    }
    c.durable(v->map.version);
    if (how_.moves)
      for (const auto& m : domain::wanted_moves(v->map, how_.node))
        c.pass(m.shard, m.epoch, m.to, [](cluster::passed) {});
  }
  /// What must hold between each view and the one before.
  void judge(const cluster::view& v) {
    if (v.map.version < last_.version) complaints_ += "the version fell\n";
    std::map<std::string, std::size_t> busy;
    for (std::size_t i = 0; i < domain::shard_count; ++i) {
      const auto &was = last_.shards[i], &is = v.map.shards[i];
      if (is.epoch < was.epoch) complaints_ += "an epoch fell\n";
      if (is.epoch == was.epoch && is.node != was.node) complaints_ += "two owners at an epoch\n";
      if (!is.to.empty()) ++busy[is.node], ++busy[is.to];
    }
    for (const auto& [node, moves] : busy)
      if (moves > 2) complaints_ += "too many moves at once\n";
  }

  options how_;
  std::string incarnation_;
  mutable std::mutex guard_;
  std::condition_variable news_;
  std::uint64_t told_ = 0;
  bool frozen_ = false, standing_ = false;
  domain::shard_map last_;
  std::optional<cluster::refusal> refusal_;
  std::string notes_, complaints_;
  std::unique_ptr<cluster::etcd_coordinator> at_; // last: its thread uses the others
};
} // namespace jumun::tests
