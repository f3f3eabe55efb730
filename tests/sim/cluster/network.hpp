#pragma once
#include "cluster/peers.hpp"
#include "tests/sim/chaos.hpp"
#include "tests/sim/timeline.hpp"
#include <deque>
#include <map>

namespace jumun::sim {
/// What lies between the nodes, as the real link shows it to them (cluster/peers.hpp): a peer's
/// messages keep their order while a session lasts; a way that is blocked for less than
/// limits::peer_silent_max is only slow; a session that ends takes along what is on its way, and
/// another one begins after a while. What chance does to it are faults by name.
class network {
public:
  network(chaos& luck, timeline& time, std::int64_t latency_ms)
      : luck_(luck), time_(time), latency_ms_(latency_ms) {}

  class port;
  /// A process comes up under that name; its sessions begin one by one. `now_ms`: its clock, by
  /// which it sets deadlines.
  [[nodiscard]] std::unique_ptr<port> plug(
    const std::string& node, std::function<std::int64_t()> now_ms);

  /// Nothing gets from one to the other until then.
  void block(const std::string& from, const std::string& to, std::int64_t until_us);
  /// The same, both ways, with everybody: a cable is out, or the process is stopped.
  void block_all(const std::string& node, std::int64_t until_us);
  /// All sessions with that peer end now; others begin.
  void break_session(const std::string& a, const std::string& b);
  /// From now on nothing is blocked.
  void heal();
  /// A line for each thing that is worth one; empty: nobody reads it.
  std::function<void(const std::string&)> trace;

private:
  using pair = std::pair<std::string, std::string>; // from, to
  struct session {
    std::uint64_t number = 0;                         // 0: there is none
    std::int64_t last_us = 0;                         // when the newest message on its way arrives
    std::deque<std::function<void(port&)>> under_way; // in the order in which they arrive
    std::map<std::uint64_t, cluster::peers::done> asks;
  };

  void leave(const std::string& node);
  /// Sessions need both ways: either both have one, or neither.
  void begin(const std::string& a, const std::string& b);
  void begin_later(const std::string& a, const std::string& b);
  void end(const std::string& a, const std::string& b);
  void say(const std::string& node, const std::string& about, cluster::link_state now);
  [[nodiscard]] std::int64_t blocked_until(const pair& way) const;
  [[nodiscard]] std::int64_t arrival(const pair& way);
  /// Calls `arrive` when it is there, unless the session has ended by then.
  void carry(const pair& way, std::function<void(port&)> arrive);
  void arrive_at(const pair& way, std::uint64_t number, std::int64_t at_us);
  bool tell(const std::string& from, const std::string& to, cluster::envelope what);
  void ask(const std::string& from, const std::string& to, cluster::envelope what,
    std::int64_t within_ms, cluster::peers::done then);
  void finish(const pair& way, std::uint64_t id, cluster::ask_result r);

  chaos& luck_;
  timeline& time_;
  const std::int64_t latency_ms_;
  std::map<std::string, port*> up_;
  std::map<pair, session> sessions_;
  std::map<pair, std::int64_t> blocked_; // until then
  std::uint64_t numbers_ = 0;
  friend class port;
};

/// One process's end of it; gone with the process, and nothing reaches it any more.
class network::port final : public cluster::peers {
public:
  port(network& net, std::string name, std::function<std::int64_t()> now_ms)
      : net_(net), name_(std::move(name)), now_ms_(std::move(now_ms)) {}
  ~port() override { unplug(); }
  /// The process is dead; before anything of it is torn down.
  void unplug();

  bool tell(const std::string& node, cluster::envelope what) override;
  void ask(const std::string& node, cluster::envelope what, done then) override;
  void on_tell(tell_handler h) override { tell_ = std::move(h); }
  void on_ask(ask_handler h) override { ask_ = std::move(h); }
  void on_change(change_handler h) override { change_ = std::move(h); }
  std::vector<cluster::peer_figures> figures() const override { return {}; }

private:
  friend class network;
  network& net_;
  const std::string name_;
  const std::function<std::int64_t()> now_ms_;
  bool plugged_ = true;
  tell_handler tell_;
  ask_handler ask_;
  change_handler change_;
};
} // namespace jumun::sim
