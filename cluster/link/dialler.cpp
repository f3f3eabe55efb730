#include "cluster/link/dialler.hpp"
#include <caf/io/all.hpp>

namespace jumun::cluster::link {
namespace {
using dialler_self = caf::stateful_actor<dialler_state, sturdy_actor>;

/// What a dialler is made of; copied into its handlers.
struct parts {
  dialler_self* self;
  std::shared_ptr<outlet> out;
  way way_to;
  terms how;
  clocks now;
};

void tick_in_time(const parts& p) {
  auto& s = p.self->state;
  const auto wait = p.out->until_tick();
  const auto at = p.now.steady_us() + std::chrono::microseconds{wait}.count();
  if (s.tick_at_us != 0 && s.tick_at_us <= at) return; // one is under way that comes no later
  s.tick_at_us = at;
  p.self->delayed_send(p.self, wait, tick{++s.ticks});
}

void send_frames(const parts& p) {
  while (auto f = p.out->next_frame()) p.self->send(p.self->state.door, wire_bytes{std::move(*f)});
  tick_in_time(p);
}

/// Dials again after a pause, if there is no session and no dial under way: from half to all of
/// min × 2^failed, so that nodes that lost the same peer don't come all at once.
void see_to_session(const parts& p) {
  auto& s = p.self->state;
  if (p.out->state() == link_state::up) s.failed = 0;
  if (s.under_way || p.out->in_session()) return;
  const auto most = std::chrono::microseconds{p.how.redial_max}.count();
  const auto full = p.out->state() == link_state::refused
                      ? most
                      : std::min(most, std::chrono::microseconds{p.how.redial_min}.count()
                                         << std::min(s.failed, 16U));
  const auto pause = full / 2 + static_cast<std::int64_t>(s.chance() % (full / 2 + 1));
  ++s.failed;
  s.under_way = true;
  p.self->delayed_send(p.self, std::chrono::microseconds{pause}, dial_now{});
}

void failed(const parts& p, const std::string& why) {
  p.self->state.under_way = false;
  p.out->lost(why);
  see_to_session(p);
}

void arrived(const parts& p, const caf::strong_actor_ptr& at) {
  auto& s = p.self->state;
  if (!at) return failed(p, "nobody is behind its door");
  s.under_way = false;
  if (s.door) p.self->demonitor(s.door);
  s.door = caf::actor_cast<caf::actor>(at);
  p.self->monitor(s.door);
  p.out->greet(s.chance() | 1); // never 0
  send_frames(p);
}

void dial(const parts& p) {
  const auto port = p.way_to(p.out->peer());
  if (!port) return failed(p, "no way to it is known");
  const auto middleman = p.self->system().middleman().actor_handle();
  p.self->request(
          middleman, p.how.silent, caf::connect_atom::value, std::string{"127.0.0.1"}, *port)
    .then([p](const caf::node_id&, caf::strong_actor_ptr& at,
            const std::set<std::string>&) { arrived(p, at); },
      [p](const caf::error& why) { failed(p, p.self->system().render(why)); });
}
} // namespace

caf::behavior dialler(dialler_self* self, std::shared_ptr<outlet> out, way way_to, terms how,
  clocks now, std::uint64_t seed) {
  self->state.chance.seed(seed);
  const parts p{self, std::move(out), std::move(way_to), how, std::move(now)};
  self->set_down_handler([p](const caf::down_msg& down) {
    if (!p.self->state.door || p.self->state.door.address() != down.source) return;
    if (p.out->in_session()) p.out->lost("the connection was lost");
    see_to_session(p);
  });
  self->state.under_way = true;
  self->send(self, dial_now{});
  tick_in_time(p);
  return {
    [p](dial_now) { dial(p); },
    [p](const wire_bytes& w) {
      if (auto f = decode_frame(w.bytes)) p.out->heard(std::move(*f));
      see_to_session(p);
    },
    [p](flush) { send_frames(p); },
    [p](tick t) {
      if (t.generation != p.self->state.ticks) return;
      p.self->state.tick_at_us = 0;
      p.out->tick();
      see_to_session(p);
      tick_in_time(p);
    },
    [p](stop) { p.self->quit(caf::exit_reason::user_shutdown); },
  };
}
} // namespace jumun::cluster::link
