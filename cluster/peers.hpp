#pragma once
#include "domain/ids.hpp"
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The port between nodes (DESIGN §8). `cluster/link` is its adapter over CAF; the simulator and
/// the tests have their own. Nobody trusts it with delivery: what was sent may come twice, late or
/// never, so commands have ids, receivers know a repetition by their own rows, and senders ask
/// again by their own timers.
namespace jumun::cluster {
/// Of the envelope and of the messages in it. A release speaks its own number and all older ones
/// down to protocol_oldest, so that two adjacent releases mix.
inline constexpr std::uint32_t protocol_now = 1;
inline constexpr std::uint32_t protocol_oldest = 1;

/// What travels between nodes. On the wire: cluster/envelope.proto.
struct envelope {
  std::uint32_t protocol = protocol_now;
  domain::shard_id shard = 0;    // the one that it is for
  domain::epoch_id epoch = 0;    // of that shard, as the sender knows it; 0: it knows none
  std::uint64_t map_version = 0; // of the sender's map
  std::string command_id;        // the same each time that a command is sent
  std::int64_t deadline_ms = 0;  // unix ms by the sender's clock; 0: limits::ask_default
  std::string traceparent;
  std::uint16_t kind = 0; // of `bytes`: cluster/messages.hpp
  std::string bytes;      // at most limits::envelope_bytes_max (cluster/limits.hpp)
  bool operator==(const envelope&) const = default;
};

/// How an ask ended. Refused and unknown are different answers.
enum class asked : std::uint8_t {
  answered = 1,
  not_sent,    // no link, or no credit: it surely did not reach the peer
  unsupported, // the peer's release doesn't know the protocol or the kind: it surely did nothing
  unknown,     // sent, and no answer by its deadline, or the link went: it may have happened
};
struct ask_result {
  asked how = asked::unknown;
  envelope reply; // with asked::answered
};

/// The sender's credit for one tell: given back once the last copy is gone. A handler that only
/// queues what it got keeps it until that was worked off, so that a slow shard slows its senders.
using receipt = std::shared_ptr<void>;

/// The one answer to an ask, from any thread, at any time. Copies share it; dropped without a call,
/// the asker hears `unknown` at once instead of at its deadline. Holds the asker's credit.
class reply_once {
public:
  using to = std::function<void(ask_result)>;
  reply_once() = default;
  explicit reply_once(to hear) : shared_{std::make_shared<state>(std::move(hear))} {}
  /// What comes after the first call is ignored.
  void operator()(envelope reply) const { tell({asked::answered, std::move(reply)}); }
  void unsupported() const { tell({asked::unsupported, {}}); }

private:
  struct state {
    explicit state(to f) : hear{std::move(f)} {}
    state(const state&) = delete;
    ~state() {
      if (hear) hear({asked::unknown, {}});
    }
    to hear;
  };
  void tell(ask_result r) const {
    if (!shared_ || !shared_->hear) return;
    std::exchange(shared_->hear, nullptr)(std::move(r));
  }
  std::shared_ptr<state> shared_;
};

enum class link_state : std::uint8_t {
  away = 0, // never up, gone silent, or cut: it is dialled again and again
  up = 1,
  refused = 2, // it answers, and won't have us: another cluster, node or protocol; dialled rarely
};

/// One peer as this node sees it. Counts are since the start, of asks and tells together.
struct peer_figures {
  std::string node;
  link_state state = link_state::away;
  std::uint64_t incarnation = 0; // of the peer's process; 0: never heard
  std::string release;
  std::uint32_t protocol = 0; // agreed on
  std::uint64_t rtt_us = 0;   // of the last heartbeat; 0: none yet
  std::uint64_t sent = 0;     // envelopes, and their bytes
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0; // tells and asks of the peer's, and its replies
  std::uint64_t received_bytes = 0;
  std::uint64_t refused_for_credit = 0;
  std::uint64_t replies_dropped = 0; // too many waited for a slow asker; it hears `unknown`
  std::uint64_t unsupported = 0;     // of the peer's: a newer protocol, or not to be understood
  std::uint64_t asks = 0;            // of what was sent; the rest are tells
  std::uint64_t answered = 0;        // of our asks
  std::uint64_t answer_us = 0;       // how long these took, all together
  std::uint64_t unknown = 0;         // our asks that ended so
  std::uint64_t in_flight = 0;       // our asks
  std::uint64_t unhandled = 0;       // envelopes out, that the peer hasn't handled yet
  std::uint64_t unhandled_bytes = 0;
  std::uint64_t connects = 0; // times that the link came up
  std::string last_error;     // why it went, or didn't come up; empty: never
};

/// Thread-safe; nothing of it blocks. Handlers are called from threads of the adapter's, must not
/// block either, and may call back into it. A peer's tells are handled in the order in which they
/// were told; between asks and tells there is none to rely on.
class peers {
public:
  using tell_handler = std::function<void(const std::string& from, envelope what, receipt held)>;
  using ask_handler = std::function<void(const std::string& from, envelope what, reply_once reply)>;
  using change_handler = std::function<void(const std::string& node, link_state now)>;
  using done = std::function<void(ask_result)>;
  virtual ~peers() = default;

  /// One-way. False: no link or no credit, or larger than limits allow: it was not sent, and the
  /// sender tries again by its own timers. True promises nothing but that it is on its way.
  [[nodiscard]] virtual bool tell(const std::string& node, envelope what) = 0;
  /// `then` is called exactly once, from any thread, maybe before this returns.
  virtual void ask(const std::string& node, envelope what, done then) = 0;

  // Each once, before the adapter starts. Without one: tells are dropped, asks are unsupported.
  virtual void on_tell(tell_handler handler) = 0;
  virtual void on_ask(ask_handler handler) = 0;
  virtual void on_change(change_handler handler) = 0; // a link came up, or went
  [[nodiscard]] virtual std::vector<peer_figures> figures() const = 0;
};
} // namespace jumun::cluster
