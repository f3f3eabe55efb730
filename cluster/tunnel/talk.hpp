#pragma once
#include "cluster/tunnel/basp_guard.hpp"
#include "cluster/tunnel/frames.hpp"
#include <chrono>
#include <optional>
#include <string>

namespace jumun::cluster {
struct talk_rules {
  std::string cluster, node; // ours
  std::string peer;          // whoever says otherwise is refused; empty: it may be anybody
  std::chrono::nanoseconds heartbeat, silence_max;
};

/// One link's side of the conversation, without the sockets: bytes go in, bytes come out, both
/// bounded. What CAF says is sent ahead of what the peer has granted by at most its window, so that
/// the peer's reading never has to stop: a heartbeat comes through, however slow a CAF reads. Not
/// thread-safe. `now` is the time of a steady clock.
class tunnel_talk {
public:
  enum class side : std::uint8_t { dialler, listener };
  using moment = std::chrono::nanoseconds;
  tunnel_talk(side on, talk_rules rules);

  /// The peer's bytes. Anything but `none`: the link is to be ended for it.
  [[nodiscard]] tunnel_refusal from_peer(std::string_view bytes, moment now);
  /// Our CAF's: at most caf_room(), which must have been asked for just before they were read.
  void from_caf(std::string_view bytes);
  /// Once each heartbeat: sends one, and @returns `silent` after silence_max without a byte. Time
  /// in which this process itself stood still counts for one heartbeat only.
  [[nodiscard]] tunnel_refusal tick(moment now);
  /// A listener's answer to a greeting.
  void welcome();
  /// Tells the peer why this is the end; from here on only for_peer() matters.
  void end(tunnel_refusal why);

  /// Who the other side is: empty until it has said so.
  [[nodiscard]] const std::string& peer() const { return peer_; }
  /// Both have greeted.
  [[nodiscard]] bool is_open() const { return state_ == state::open; }
  /// Why the peer has ended it; nullopt: it has not. What waits for CAF is still CAF's.
  [[nodiscard]] std::optional<tunnel_refusal> ended_by_peer() const { return ended_by_peer_; }
  [[nodiscard]] std::size_t caf_room() const;
  [[nodiscard]] std::chrono::nanoseconds rtt() const { return rtt_; } // 0: not measured yet

  /// Gives all that waits for the peer, or for CAF, in exchange for an empty string whose room is
  /// used again. False: nothing waits.
  [[nodiscard]] bool swap_for_peer(std::string& out);
  [[nodiscard]] bool swap_for_caf(std::string& out);
  /// So much of what swap_for_caf() gave has been written.
  void delivered(std::size_t bytes);
  /// What was counted since the start.
  struct counts {
    std::uint64_t frames_in = 0, frames_out = 0;
    std::uint64_t beats_lost = 0; // heartbeats without an answer by the next one
    std::uint64_t stalls = 0;     // times that CAF had used up what the peer had granted
  };
  [[nodiscard]] const counts& counted() const { return counts_; }
  /// Bytes that wait here, or were swapped out and not yet delivered to CAF.
  [[nodiscard]] std::size_t waiting() const { return for_peer_.size() + undelivered_; }

private:
  enum class state : std::uint8_t { greeting, open, ended };
  void say(frame_kind kind, std::string_view payload);
  tunnel_refusal take(frame_kind kind, std::string_view payload, moment now);
  tunnel_refusal take_greeting(std::string_view payload);
  tunnel_refusal take_data(std::string_view payload);

  const side side_;
  const talk_rules rules_;
  state state_ = state::greeting;
  std::string peer_;
  std::optional<tunnel_refusal> ended_by_peer_;
  frame_reader reader_;
  basp_guard guard_;
  std::string for_peer_, for_caf_;
  std::size_t window_ = 0;      // bytes of data that the peer still takes
  std::size_t undelivered_ = 0; // bytes of the peer's that CAF has not taken
  std::size_t ungranted_ = 0;   // bytes that CAF has taken and the peer was not told of
  std::string pong_;            // the one that is owed
  bool ping_ = false;           // one is due
  bool unanswered_ = false;     // the last one, so far
  counts counts_;
  bool heard_ = true;           // since the last tick
  moment ticked_{};             // when; 0: never
  std::chrono::nanoseconds quiet_{}, rtt_{};
};
} // namespace jumun::cluster
