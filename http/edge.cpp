#include "http/edge.hpp"
#include "domain/invariant.hpp"
#include <random>

namespace jumun::http {
bool roster::enter(listener on, const std::string& peer) {
  const std::lock_guard lock{mutex_};
  if (on == listener::on_ops) {
    if (ops_ >= options_.ops_connections_max) return false;
    ++ops_;
    return true;
  }
  if (public_ >= options_.connections_max) return false;
  auto& from_there = per_peer_[peer];
  if (from_there >= options_.connections_per_peer) return false;
  ++from_there, ++public_;
  return true;
}

void roster::leave(listener on, const std::string& peer) {
  std::function<void()> then;
  {
    const std::lock_guard lock{mutex_};
    if (on == listener::on_ops) {
      --ops_;
      return;
    }
    const auto it = per_peer_.find(peer);
    JUMUN_INVARIANT(it != per_peer_.end() && public_ > 0, "who leaves came in");
    if (--it->second == 0) per_peer_.erase(it);
    if (--public_ == 0) then.swap(when_empty_);
  }
  if (then) then();
}

void roster::add(session* who, std::weak_ptr<session> handle) {
  const std::lock_guard lock{mutex_};
  sessions_.emplace(who, std::move(handle));
}

void roster::remove(session* who) {
  const std::lock_guard lock{mutex_};
  sessions_.erase(who);
}

std::vector<std::shared_ptr<session>> roster::everyone() const {
  std::vector<std::shared_ptr<session>> out;
  const std::lock_guard lock{mutex_};
  for (const auto& [who, handle] : sessions_)
    if (auto s = handle.lock()) out.push_back(std::move(s));
  return out;
}

std::size_t roster::public_sessions() const {
  const std::lock_guard lock{mutex_};
  return public_;
}

void roster::when_empty(std::function<void()> then) {
  {
    const std::lock_guard lock{mutex_};
    if (public_ > 0) {
      when_empty_ = std::move(then);
      return;
    }
  }
  then();
}

std::uint64_t drain_signal::add(std::function<void()> then) {
  {
    const std::lock_guard lock{mutex_};
    if (!fired_) {
      waiting_.emplace(++last_, std::move(then));
      return last_;
    }
  }
  then();
  return 0;
}

void drain_signal::remove(std::uint64_t id) {
  const std::lock_guard lock{mutex_};
  waiting_.erase(id);
}

void drain_signal::fire() {
  std::map<std::uint64_t, std::function<void()>> all;
  {
    const std::lock_guard lock{mutex_};
    fired_ = true;
    all.swap(waiting_);
  }
  for (const auto& [id, then] : all) then();
}

std::uint64_t edge::random() const {
  if (options.random) return options.random();
  thread_local std::mt19937_64 generator{[] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
  }()};
  return generator();
}
} // namespace jumun::http
