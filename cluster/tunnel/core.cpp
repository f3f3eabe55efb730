#include "cluster/tunnel/core.hpp"
#include <algorithm>

namespace jumun::cluster {
link_ptr tunnel_crowd::enter(const std::string& key, link_ptr link) {
  const std::lock_guard lock{mutex_};
  const auto same = [&](const entry& e) { return e.key == key; };
  auto gone = all_.end();
  if (static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), same)) >= per_key_)
    gone = std::find_if(all_.begin(), all_.end(), same);
  else if (all_.size() >= in_all_)
    gone = all_.begin();
  link_ptr oldest;
  if (gone != all_.end()) oldest = std::move(gone->link), all_.erase(gone);
  all_.push_back({key, std::move(link)});
  return oldest;
}

void tunnel_crowd::leave(const tunnel_link* link) {
  const std::lock_guard lock{mutex_};
  std::erase_if(all_, [&](const entry& e) { return e.link.get() == link; });
}

std::size_t tunnel_crowd::size() const {
  const std::lock_guard lock{mutex_};
  return all_.size();
}

std::size_t tunnel_crowd::size(const std::string& key) const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(
    std::count_if(all_.begin(), all_.end(), [&](const entry& e) { return e.key == key; }));
}

std::vector<link_ptr> tunnel_crowd::everyone() const {
  const std::lock_guard lock{mutex_};
  std::vector<link_ptr> links;
  for (const auto& e : all_) links.push_back(e.link);
  return links;
}

std::vector<link_ptr> tunnel_crowd::everyone(const std::string& key) const {
  const std::lock_guard lock{mutex_};
  std::vector<link_ptr> links;
  for (const auto& e : all_)
    if (e.key == key) links.push_back(e.link);
  return links;
}

std::shared_ptr<tunnel_peer> tunnel_core::peer(const std::string& node) {
  const std::lock_guard lock{mutex_};
  auto& found = peers_[node];
  if (!found) found = std::make_shared<tunnel_peer>(node);
  return found;
}

std::vector<std::shared_ptr<tunnel_peer>> tunnel_core::peers() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<tunnel_peer>> all;
  for (const auto& [name, one] : peers_) all.push_back(one);
  return all;
}

void tunnel_core::forget(const std::string& node) {
  const std::lock_guard lock{mutex_};
  peers_.erase(node);
}

void tunnel_core::count(tunnel_refusal why, const std::string& from) {
  if (why == tunnel_refusal::none || why == tunnel_refusal::stopping) return;
  const std::lock_guard lock{mutex_};
  ++refused_[static_cast<std::size_t>(why)];
  if (!from.empty()) last_from_ = from;
}

tunnel_core::counts tunnel_core::refused() const {
  const std::lock_guard lock{mutex_};
  return refused_;
}

void tunnel_core::say_refused() {
  tunnel_neighbours::fields line;
  {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < refusal_count; ++i)
      if (const auto n = refused_[i] - said_[i]; n > 0)
        line.emplace_back(refusal_names[i], std::to_string(n));
    if (line.empty()) return;
    line.emplace_back("last_from", last_from_);
    said_ = refused_;
  }
  say("tunnel.refused", line);
}

void tunnel_core::left(const tunnel_link* link) {
  for (auto* crowd : {&greeting, &accepted, &dialled}) crowd->leave(link);
}

tunnel_figures figures_of(const tunnel_core& core) {
  tunnel_figures out;
  for (const auto& p : core.peers())
    out.peers.push_back({p->node, p->links, p->dialled, p->accepted, p->failed, p->lost,
      p->bytes_in, p->bytes_out, p->frames_in, p->frames_out, p->beats_lost, p->stalls, p->waiting,
      p->waiting_max, p->rtt_us, p->last_error()});
  out.sockets = core.sockets;
  out.greeting = core.greeting.size();
  out.open = out.greeting + core.accepted.size() + core.dialled.size();
  out.refused = core.refused();
  const auto own = core.identity.current();
  out.certificate_until = own ? own->until : 0;
  return out;
}

bool is_loopback(const boost::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
      .is_loopback();
  return address.is_loopback();
}
} // namespace jumun::cluster
