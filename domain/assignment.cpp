#include "domain/assignment.hpp"
#include "domain/invariant.hpp"
#include "domain/planted.hpp"
#include <algorithm>
#include <map>

namespace jumun::domain {
std::uint64_t affinity(std::string_view node, shard_id shard) {
  std::string key{node};
  key += '/';
  key += static_cast<char>(shard);
  return stable_hash(key);
}

std::size_t imbalance_max(std::size_t shards, std::size_t nodes) {
  return 1 + shards / (nodes * limits::balance_slack);
}

namespace {
struct place {
  const candidate* who;
  std::size_t load = 0;  // shards that are here or on their way, less those on their way out
  std::size_t moves = 0; // from and to here, under way
  [[nodiscard]] bool takes() const { return who->owns && !who->draining; }
};

/// One plan in the making.
class planner {
public:
  planner(const shard_map& map, const std::vector<candidate>& present, const assignment_rules& r)
      : rules_{r}, before_{map.version}, plan_{map, {}} {
    for (const auto& c : present)
      JUMUN_INVARIANT(places_.try_emplace(c.node, place{&c}).second, "a node is there once");
    for (auto& [node, p] : places_)
      if (p.takes()) takers_.push_back(&p);
    for (auto& s : plan_.next.shards) {
      if (!s.to.empty() && !possible(s)) want(s, {});
      count(s);
      if (s.epoch == 0 || find(s.node) != nullptr) ++to_place_;
    }
  }

  void give_out(std::chrono::milliseconds quiet_for) {
    if (quiet_for < rules_.first_quiet || takers_.empty() || takers_.size() < rules_.owners_min)
      return;
    for (std::size_t i = 0; i < shard_count; ++i) {
      auto& s = plan_.next.shards[i];
      if (s.epoch != 0) continue;
      auto* to = best_open(static_cast<shard_id>(i));
      s = {to->who->node, 1};
      ++to->load;
      changed_ = true;
    }
  }

  void heed(const std::vector<move_wish>& wishes) {
    for (const auto& w : wishes) {
      auto& s = plan_.next.shards[w.shard];
      const auto* to = find(w.to);
      const bool there = s.node == w.to || s.to == w.to;
      if (there || s.epoch == 0 || to == nullptr || !to->takes()) {
        if (s.node == w.to && !s.to.empty()) drop(s); // it is to stay, after all
        plan_.answered.push_back(w);
      } else if (s.to.empty() && begin(s, w.to)) {
        plan_.answered.push_back(w);
      } // else it waits for its turn
    }
  }

  void drain() {
    for (std::size_t i = 0; i < shard_count && !takers_.empty(); ++i) {
      auto& s = plan_.next.shards[i];
      const auto* from = find(s.node);
      if (from == nullptr || from->takes() || !s.to.empty()) continue;
      if (JUMUN_PLANTED(drain_forgets_last) && from->load == 1) continue;
      begin(s, best_open(static_cast<shard_id>(i))->who->node);
    }
  }

  void rebalance(std::chrono::milliseconds quiet_for) {
    if (quiet_for < rules_.rebalance_quiet || takers_.size() < 2) return;
    if (!rules_.mixed_releases && mixed()) return;
    while (level_once()) {}
  }

  [[nodiscard]] assignment take() {
    if (changed_) plan_.next.version = before_ + 1;
    return std::move(plan_);
  }

private:
  place* find(const std::string& node) {
    const auto at = places_.find(node);
    return at == places_.end() ? nullptr : &at->second;
  }
  /// Whether both ends of a move are there, and the target may have the shard.
  bool possible(const shard_owner& s) {
    const auto* to = find(s.to);
    return find(s.node) != nullptr && to != nullptr && to->takes();
  }
  void want(shard_owner& s, const std::string& to) { s.to = to, changed_ = true; }
  void count(const shard_owner& s) {
    if (auto* from = find(s.node)) s.to.empty() ? ++from->load : ++from->moves;
    if (s.to.empty()) return;
    auto* to = find(s.to);
    ++to->load, ++to->moves;
  }
  /// Asks for a move, unless one of the two has enough of them under way.
  bool begin(shard_owner& s, const std::string& to) {
    auto *source = find(s.node), *target = find(to);
    if (source == nullptr || source->moves >= rules_.moves_per_node
        || target->moves >= rules_.moves_per_node)
      return false;
    --source->load, ++source->moves;
    ++target->load, ++target->moves;
    want(s, to);
    return true;
  }
  void drop(shard_owner& s) {
    auto *source = find(s.node), *target = find(s.to);
    ++source->load, --source->moves;
    --target->load, --target->moves;
    want(s, {});
  }

  /// Of those that still have room for their even share, the one that the shard likes most. There
  /// is one as long as a shard is not placed.
  place* best_open(shard_id shard) {
    const auto even = to_place_ / takers_.size();
    const auto above = static_cast<std::size_t>(std::count_if(
      takers_.begin(), takers_.end(), [&](const place* p) { return p->load > even; }));
    const auto room = to_place_ % takers_.size() > above ? even + 1 : even;
    place* best = nullptr;
    std::uint64_t most = 0;
    for (auto* p : takers_) {
      const auto likes = affinity(p->who->node, shard);
      if (p->load < room && (best == nullptr || likes > most)) best = p, most = likes;
    }
    JUMUN_INVARIANT(best != nullptr, "a shard that is not placed leaves room somewhere");
    return best;
  }

  [[nodiscard]] bool mixed() const {
    return std::any_of(places_.begin(), places_.end(), [this](const auto& p) {
      return p.second.who->release != places_.begin()->second.who->release;
    });
  }

  /// One more move from the fullest to the emptiest; false: it is level, or they are busy.
  bool level_once() {
    const auto by_load = [](const place* a, const place* b) { return a->load < b->load; };
    std::size_t all = 0;
    for (const auto* p : takers_) all += p->load;
    const auto apart = imbalance_max(all, takers_.size());
    auto* emptiest = *std::min_element(takers_.begin(), takers_.end(), by_load);
    const auto most = (*std::max_element(takers_.begin(), takers_.end(), by_load))->load;
    if (most <= emptiest->load + apart || emptiest->moves >= rules_.moves_per_node) return false;
    shard_owner* choice = nullptr;
    std::uint64_t likes_most = 0;
    for (std::size_t i = 0; i < shard_count; ++i) {
      auto& s = plan_.next.shards[i];
      const auto* from = find(s.node);
      if (from == nullptr || !from->takes() || !s.to.empty() || from->load < most
          || from->moves >= rules_.moves_per_node)
        continue;
      const auto likes = affinity(emptiest->who->node, static_cast<shard_id>(i));
      if (choice == nullptr || likes > likes_most) choice = &s, likes_most = likes;
    }
    return choice != nullptr && begin(*choice, emptiest->who->node);
  }

  const assignment_rules& rules_;
  const std::uint64_t before_;
  assignment plan_;
  std::map<std::string, place> places_; // by name: the plan does not depend on an order of arrival
  std::vector<place*> takers_;
  std::size_t to_place_ = 0; // shards that are on takers, will be, or have to go to one
  bool changed_ = false;
};
} // namespace

assignment assign(const shard_map& map, const std::vector<candidate>& present,
  const std::vector<move_wish>& wishes, std::chrono::milliseconds quiet_for,
  const assignment_rules& rules) {
  planner p{map, present, rules};
  p.give_out(quiet_for);
  p.heed(wishes);
  p.drain();
  p.rebalance(quiet_for);
  return p.take();
}
} // namespace jumun::domain
