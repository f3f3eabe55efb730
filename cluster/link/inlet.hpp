#pragma once
#include "cluster/envelope_codec.hpp"
#include "cluster/link/credit.hpp"
#include "cluster/link/options.hpp"
#include "cluster/link/outbox.hpp"
#include <atomic>
#include <mutex>

namespace jumun::cluster::link {
/// What both ends of a link hand envelopes to.
struct handlers {
  peers::tell_handler tell;
  peers::ask_handler ask;
  peers::change_handler change;
};

/// One session that a peer has dialled: its tells and asks, and our replies. Knows nothing of
/// sockets, like outlet. Thread-safe; calls `wake` without a lock held, the handlers too. Replies
/// and receipts keep it alive for as long as somebody has them.
class inlet : public std::enable_shared_from_this<inlet> {
public:
  inlet(std::string peer, std::uint64_t session, terms t, clocks now, std::function<void()> wake);

  /// Why a hello is turned down, in words for the peer's operator; empty: it is welcome.
  [[nodiscard]] static std::string objection(const hello& h, const identity& self);
  /// Makes the welcome the next frame; again, where a hello came twice.
  void greet(const hello& h, const identity& self);
  /// False: the peer broke the terms; the session is to end.
  [[nodiscard]] bool heard(frame f, const handlers& to);
  [[nodiscard]] std::optional<std::string> next_frame();
  /// What comes after is dropped, by whoever had a reply to give.
  void close();
  [[nodiscard]] bool silent() const;
  [[nodiscard]] std::uint64_t session() const { return session_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }
  /// Adds its own counts.
  void count_into(peer_figures& f) const;

private:
  void take(std::string bytes, const handlers& to);
  void handled(std::size_t bytes);
  void reply(std::uint64_t ask, ask_result r);
  /// With the lock held: true: the caller wakes.
  [[nodiscard]] bool due() { return !closed_ && !std::exchange(woken_, true); }

  const std::string peer_;
  const std::uint64_t session_;
  const terms terms_;
  const clocks now_;
  const std::function<void()> wake_;

  std::atomic<std::uint32_t> protocol_ = protocol_now; // agreed on

  mutable std::mutex guard_;
  bool closed_ = false, woken_ = false;
  std::optional<welcome> welcome_;
  std::uint64_t pong_ = 0;
  tally tally_;
  credit replies_;
  outbox outbox_;
  std::int64_t heard_us_ = 0;
  peer_figures figures_; // what this session has counted of them
};
} // namespace jumun::cluster::link
