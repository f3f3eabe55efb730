#pragma once
#include <caf/all.hpp>
#include <mutex>
#include <string>

/// What CAF carries for the link: one type over the wire, the others inside of the process only.
namespace jumun::cluster::link {
/// The one type that goes from node to node: a frame of envelope.proto. Its spelled name goes over
/// the wire: renaming it breaks a half-upgraded cluster.
struct wire_bytes {
  std::string bytes;
};
template <class Inspector> typename Inspector::result_type inspect(Inspector& f, wire_bytes& x) {
  return f(x.bytes);
}
/// What CAF prints of it, if ever: a card token may be in there.
inline std::string to_string(const wire_bytes& x) {
  return "wire_bytes(" + std::to_string(x.bytes.size()) + " bytes)";
}

// To a dialler, or to the door. They have no name for the wire, so no peer can send one.
struct flush {}; // frames are due
struct flush_session {
  std::uint64_t session = 0;
};
struct dial_now {};
struct tick {
  std::uint64_t generation = 0; // an older one is stale
};
struct stop {};

/// Wakes an actor for as long as there is one, from any thread: replies may outlive the link.
class bell {
public:
  void hang(caf::actor to) {
    std::lock_guard lock{guard_};
    to_.swap(to); // what was there ends behind the lock, as it may ring once more
  }
  template <class Message> void ring(Message m) {
    std::lock_guard lock{guard_};
    if (to_) caf::anon_send(to_, std::move(m));
  }

private:
  std::mutex guard_;
  caf::actor to_;
};

/// What peers can name: it hears wire_bytes and messages of this process, and nothing else ends it.
class sturdy_actor : public caf::event_based_actor {
public:
  explicit sturdy_actor(caf::actor_config& how) : caf::event_based_actor{how} {
    set_default_handler(caf::drop);
    set_error_handler([](caf::error&) {});
  }
  /// An exit may come over the wire as well, and CAF lets none be handled whose reason is kill.
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* on) override {
    if (!what->content().match_elements<caf::exit_msg>())
      caf::event_based_actor::enqueue(std::move(what), on);
  }
};
} // namespace jumun::cluster::link

CAF_BEGIN_TYPE_ID_BLOCK(jumun_link, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(jumun_link, (jumun::cluster::link::wire_bytes))
CAF_END_TYPE_ID_BLOCK(jumun_link)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::flush_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::dial_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::stop)
