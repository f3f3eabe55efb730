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
    to_ = std::move(to);
  }
  template <class Message> void ring(Message m) {
    std::lock_guard lock{guard_};
    if (to_) caf::anon_send(to_, std::move(m));
  }

private:
  std::mutex guard_;
  caf::actor to_;
};

/// A peer can send any message to an actor that it knows, exits included: these know one type.
template <class Self> void hear_nothing_else(Self* self) {
  self->set_default_handler(caf::drop);
  self->set_exit_handler([](caf::exit_msg&) {});
  self->set_error_handler([](caf::error&) {});
}
} // namespace jumun::cluster::link

CAF_BEGIN_TYPE_ID_BLOCK(jumun_link, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(jumun_link, (jumun::cluster::link::wire_bytes))
CAF_END_TYPE_ID_BLOCK(jumun_link)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::flush_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::dial_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::cluster::link::stop)
