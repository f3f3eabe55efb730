#pragma once
#include "cluster/link/inlet.hpp"
#include "cluster/link/wire.hpp"
#include <map>

namespace jumun::cluster::link {
/// What the door shares with the link's callers: who has a session here, and what was turned away.
class guests {
public:
  void enter(std::shared_ptr<inlet> who) {
    std::lock_guard lock{guard_};
    inlets_[who->peer()] = std::move(who);
  }
  /// Adds what is known of a peer's sessions here, past ones included.
  void count_into(peer_figures& f) const {
    std::lock_guard lock{guard_};
    if (const auto past = past_.find(f.node); past != past_.end()) {
      f.received += past->second.received;
      f.received_bytes += past->second.received_bytes;
      f.unsupported += past->second.unsupported;
      f.replies_dropped += past->second.replies_dropped;
    }
    if (const auto now = inlets_.find(f.node); now != inlets_.end()) now->second->count_into(f);
  }
  void leave(const std::shared_ptr<inlet>& who) {
    who->close();
    std::lock_guard lock{guard_};
    if (past_.size() < limits::peers_max) who->count_into(past_[who->peer()]);
    if (const auto now = inlets_.find(who->peer()); now != inlets_.end() && now->second == who)
      inlets_.erase(now);
  }
  void turn_away() {
    std::lock_guard lock{guard_};
    ++turned_away_;
  }
  [[nodiscard]] std::uint64_t turned_away() const {
    std::lock_guard lock{guard_};
    return turned_away_;
  }

private:
  mutable std::mutex guard_;
  std::map<std::string, std::shared_ptr<inlet>> inlets_; // by peer
  std::map<std::string, peer_figures> past_;             // the same, of sessions that have ended
  std::uint64_t turned_away_ = 0;
};

struct door_state {
  static inline const char* name = "door";
  struct session {
    std::shared_ptr<inlet> in;
    caf::strong_actor_ptr back; // who dialled
  };
  std::map<std::uint64_t, session> sessions;
};

/// The one actor that peers dial. Handlers run on its thread.
caf::behavior door(caf::stateful_actor<door_state, sturdy_actor>* self, identity me, terms how,
  clocks now, const handlers* to, guests* in, std::shared_ptr<bell> own);
} // namespace jumun::cluster::link
