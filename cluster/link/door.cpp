#include "cluster/link/door.hpp"

namespace jumun::cluster::link {
namespace {
using door_self = caf::stateful_actor<door_state, sturdy_actor>;
using sessions = std::map<std::uint64_t, door_state::session>;

void answer(door_self* self, const caf::strong_actor_ptr& to, std::string frame_bytes) {
  self->send(caf::actor_cast<caf::actor>(to), wire_bytes{std::move(frame_bytes)});
}

void flush_to(door_self* self, const door_state::session& s) {
  while (auto f = s.in->next_frame()) answer(self, s.back, std::move(*f));
}

/// The same actor, maybe by another proxy of CAF's.
bool same(const caf::strong_actor_ptr& a, const caf::strong_actor_ptr& b) {
  return a->id() == b->id() && a->node() == b->node();
}

sessions::iterator end(door_self* self, guests* in, sessions::iterator s) {
  in->leave(s->second.in);
  self->demonitor(s->second.back->address());
  return self->state.sessions.erase(s);
}

void refuse(door_self* self, guests* in, std::uint64_t session, const std::string& why) {
  in->turn_away();
  frame f;
  f.session = session;
  f.refused = why;
  answer(self, self->current_sender(), encode(std::move(f)));
}
} // namespace

caf::behavior door(door_self* self, identity me, terms how, clocks now, const handlers* to,
  guests* in, std::shared_ptr<bell> own) {
  self->set_down_handler([self, in](const caf::down_msg& down) {
    auto& all = self->state.sessions;
    for (auto s = all.begin(); s != all.end();)
      s = s->second.back->address() == down.source ? end(self, in, s) : std::next(s);
  });
  const auto greet = [self, me, how, now, in, own](const frame& f) {
    auto& all = self->state.sessions;
    if (const auto why = inlet::objection(*f.greeting, me); !why.empty())
      return refuse(self, in, f.session, why);
    for (auto s = all.begin(); s != all.end();) // the latest of a node's sessions is the one
      s = s->second.in->peer() == f.greeting->node && s->first != f.session ? end(self, in, s)
                                                                            : std::next(s);
    if (const auto s = all.find(f.session); s != all.end())
      return s->second.in->greet(*f.greeting, me);
    if (all.size() >= limits::peers_max) return refuse(self, in, f.session, "too many nodes");
    auto here = std::make_shared<inlet>(f.greeting->node, f.session, how, now,
      [own, session = f.session] { own->ring(flush_session{session}); });
    here->greet(*f.greeting, me);
    in->enter(here);
    self->monitor(caf::actor_cast<caf::actor>(self->current_sender()));
    all.emplace(f.session, door_state::session{here, self->current_sender()});
  };
  self->delayed_send(self, how.heartbeat, tick{});
  return {
    [=](const wire_bytes& w) {
      auto f = decode_frame(w.bytes);
      if (!self->current_sender() || !f || f->session == 0) return in->turn_away();
      if (f->greeting) greet(*f);
      auto& all = self->state.sessions;
      const auto s = all.find(f->session);
      if (s == all.end() || !same(s->second.back, self->current_sender()))
        return; // an earlier one's
      const auto id = f->session;
      if (s->second.in->heard(std::move(*f), *to)) return flush_to(self, s->second);
      end(self, in, s);
      refuse(self, in, id, "it broke the terms of its credit");
    },
    [=](flush_session which) {
      if (const auto s = self->state.sessions.find(which.session); s != self->state.sessions.end())
        flush_to(self, s->second);
    },
    [=](tick) {
      auto& all = self->state.sessions;
      for (auto s = all.begin(); s != all.end();)
        s = s->second.in->silent() ? end(self, in, s) : std::next(s);
      self->delayed_send(self, how.heartbeat, tick{});
    },
    [=](stop) {
      auto& all = self->state.sessions;
      for (auto s = all.begin(); s != all.end();) s = end(self, in, s);
      self->quit(caf::exit_reason::user_shutdown);
    },
  };
}
} // namespace jumun::cluster::link
