#pragma once
#include "cluster/envelope_codec.hpp"
#include "cluster/link/credit.hpp"
#include "cluster/link/options.hpp"
#include "cluster/link/outbox.hpp"
#include "cluster/link/timer_wheel.hpp"
#include <mutex>
#include <unordered_map>

namespace jumun::cluster::link {
/// One node's own side of a link that it dials: its tells and asks to one peer, and the peer's
/// replies. Knows nothing of sockets: whoever carries it hands it the peer's frames, and takes its
/// own. Thread-safe. Calls what it was given (`wake`, `done`, `changed`) without a lock held.
class outlet {
public:
  struct hooks {
    std::function<void()> wake; // next_frame() has something; from any thread
    std::function<void(link_state)> changed;
  };
  outlet(identity self, std::string peer, terms t, clocks now, hooks to);

  // -- from any thread --------------------------------------------------------------------------
  [[nodiscard]] bool tell(envelope what);
  void ask(envelope what, peers::done then);
  [[nodiscard]] peer_figures figures() const;
  [[nodiscard]] const std::string& peer() const { return peer_; }

  // -- from whoever carries it ------------------------------------------------------------------
  /// Begins a session; its first frame is the next one.
  void greet(std::uint64_t session);
  void heard(frame f);
  /// The connection went, or never came: asks in flight end unknown.
  void lost(const std::string& why);
  /// Ends asks whose deadline has come, finds a peer silent (then the link is lost), and lets a
  /// heartbeat be due.
  void tick();
  /// When tick() is to be called again.
  [[nodiscard]] std::chrono::milliseconds until_tick() const;
  [[nodiscard]] std::optional<std::string> next_frame();
  [[nodiscard]] link_state state() const;
  /// In a session, greeted back or not: its end is still to be waited for.
  [[nodiscard]] bool in_session() const;

private:
  struct pending {
    peers::done then;
    timer_wheel::handle due;
    std::int64_t asked_us = 0;
  };
  using ended = std::vector<std::pair<peers::done, ask_result>>;
  [[nodiscard]] bool put(std::uint64_t ask, envelope what); // with the lock held
  void welcomed(const welcome& w);
  void take_replies(const frame& f, ended& out);
  void end(const std::string& why, link_state now, ended& out);

  const identity self_;
  const std::string peer_;
  const terms terms_;
  const clocks now_;
  const hooks to_;

  mutable std::mutex guard_;
  link_state state_ = link_state::away;
  std::uint64_t session_ = 0; // 0: none
  bool hello_due_ = false, ping_due_ = false, woken_ = false;
  credit credit_;
  tally replies_;
  outbox outbox_;
  std::unordered_map<std::uint64_t, pending> asks_;
  std::uint64_t last_ask_ = 0;
  timer_wheel wheel_;
  std::int64_t heard_us_ = 0, pinged_us_ = 0;
  peer_figures figures_;
};
} // namespace jumun::cluster::link
