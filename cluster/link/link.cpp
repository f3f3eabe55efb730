#include "cluster/link/link.hpp"
#include "cluster/link/dialler.hpp"
#include "cluster/link/door.hpp"
#include "domain/invariant.hpp"
#include <algorithm>
#include <caf/io/all.hpp>
#include <shared_mutex>
#include <stdexcept>

namespace jumun::cluster::link {
namespace {
struct config : caf::actor_system_config {
  config(std::size_t threads, const terms& how) {
    load<caf::io::middleman>();
    add_message_types<caf::id_block::jumun_link>();
    set("scheduler.policy", caf::atom("sharing")); // as the node's own; DESIGN §10
    set("scheduler.max-threads", threads);
    // CAF's own: a connection that is silent is cut, whoever still had something to say on it.
    set("middleman.heartbeat-interval", caf::timespan{how.heartbeat});
    set("middleman.connection-timeout", caf::timespan{how.silent});
    set("middleman.workers", std::size_t{0}); // one hop less for what comes in
  }
};

struct other {
  std::shared_ptr<outlet> out;
  std::shared_ptr<bell> wake;
};
} // namespace

struct link::inside {
  explicit inside(options o)
      : how{std::move(o)}, listening_config{how.threads, how.how},
        dialling_config{how.threads, how.how}, chance{how.seed} {}

  std::shared_ptr<outlet> outlet_to(const std::string& node) const {
    std::shared_lock lock{guard};
    const auto found = others.find(node);
    return found == others.end() ? nullptr : found->second.out;
  }
  void begin(const std::string& node) {
    auto wake = std::make_shared<bell>();
    auto out = std::make_shared<outlet>(how.self, node, how.how, how.now,
      outlet::hooks{[wake] { wake->ring(flush{}); },
        [this, node](link_state s) {
          if (to.change) to.change(node, s);
        }});
    {
      std::unique_lock lock{guard}; // before it can come up, so that who is told can use it
      others.emplace(node, other{out, wake});
    }
    wake->hang(dialling->spawn(dialler, out, how.way_to, how.how, how.now, chance()));
  }
  static void end(const other& o, const std::string& why) {
    o.wake->ring(stop{});
    o.wake->hang(nullptr);
    o.out->lost(why);
  }

  const options how;
  handlers to;
  config listening_config, dialling_config;
  guests in;
  std::shared_ptr<bell> door_bell = std::make_shared<bell>();
  std::mt19937_64 chance;
  std::uint16_t port = 0;
  std::mutex dial_guard;
  mutable std::shared_mutex guard; // of others
  std::map<std::string, other> others;
  // Last: their threads end before what they use. Two, as CAF keeps one connection between two
  // systems: were both nodes to dial with the system that they listen with, each would find the
  // other's connection redundant, or half in use.
  std::unique_ptr<caf::actor_system> listening, dialling;
};

link::link(options how) : in_{std::make_unique<inside>(std::move(how))} {}

link::~link() {
  if (!in_->listening) return;
  dial({});
  in_->door_bell->ring(stop{});
  in_->door_bell->hang(nullptr);
  in_->dialling.reset(); // waits for its actors
  in_->listening.reset();
}

void link::start() {
  JUMUN_INVARIANT(!in_->listening, "a link starts once");
  in_->listening = std::make_unique<caf::actor_system>(in_->listening_config);
  in_->dialling = std::make_unique<caf::actor_system>(in_->dialling_config);
  auto at = in_->listening->spawn(
    door, in_->how.self, in_->how.how, in_->how.now, &in_->to, &in_->in, in_->door_bell);
  in_->door_bell->hang(at);
  const auto port = in_->listening->middleman().publish(at, 0, "127.0.0.1");
  if (!port)
    throw std::runtime_error{"no port for other nodes: " + in_->listening->render(port.error())};
  in_->port = *port;
}

std::uint16_t link::port() const { return in_->port; }
std::uint64_t link::turned_away() const { return in_->in.turned_away(); }

void link::dial(const std::vector<std::string>& nodes) {
  std::lock_guard one_by_one{in_->dial_guard};
  std::vector<other> gone;
  std::vector<std::string> fresh;
  {
    std::unique_lock lock{in_->guard};
    std::erase_if(in_->others, [&](const auto& o) {
      if (std::find(nodes.begin(), nodes.end(), o.first) != nodes.end()) return false;
      gone.push_back(o.second);
      return true;
    });
    for (const auto& n : nodes)
      if (n != in_->how.self.node && !in_->others.contains(n)) fresh.push_back(n);
  }
  for (const auto& o : gone) inside::end(o, "not dialled any more");
  for (const auto& n : fresh) in_->begin(n);
}

bool link::tell(const std::string& node, envelope what) {
  const auto out = in_->outlet_to(node);
  return out && out->tell(std::move(what));
}

void link::ask(const std::string& node, envelope what, done then) {
  if (const auto out = in_->outlet_to(node)) return out->ask(std::move(what), std::move(then));
  then({asked::not_sent, {}});
}

void link::on_tell(tell_handler handler) { in_->to.tell = std::move(handler); }
void link::on_ask(ask_handler handler) { in_->to.ask = std::move(handler); }
void link::on_change(change_handler handler) { in_->to.change = std::move(handler); }

std::vector<peer_figures> link::figures() const {
  std::vector<peer_figures> out;
  std::shared_lock lock{in_->guard};
  for (const auto& [node, o] : in_->others) {
    out.push_back(o.out->figures());
    in_->in.count_into(out.back());
  }
  return out;
}
} // namespace jumun::cluster::link
