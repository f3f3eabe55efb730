#include "tests/sim/cluster/simulated.hpp"
#include "domain/invariant.hpp"

namespace jumun::sim {
using cluster::change;
using cluster::passed;

namespace {
constexpr std::int64_t period_ms = std::chrono::milliseconds{limits::etcd_period}.count();
constexpr std::int64_t version_pause_us = 5'000'000;

std::chrono::milliseconds ms_between(std::int64_t from_us, std::int64_t to_us) {
  return std::chrono::milliseconds{(to_us - from_us) / 1000};
}
} // namespace

simulated::simulated(chaos& luck, timeline& time, agreement& with, options how)
    : luck_(luck), time_(time), with_(with), how_(std::move(how)), heard_us_(time.now_us()),
      members_since_us_(time.now_us()), known_(how_.stored), durable_(how_.stored.version) {
  cluster::view first;
  first.map = known_;
  view_ = std::make_shared<const cluster::view>(std::move(first));
}

void simulated::die() {
  *alive_ = false;
  with_.bells.erase(how_.node);
}

void simulated::start(cluster::listener to) {
  to_ = std::move(to);
  started_ = true;
  with_.bells[how_.node] = [this] { look_within(1); };
  look_within(0);
}

void simulated::stop(bool leave) {
  if (!std::exchange(started_, false)) return;
  if (*alive_ && leave && lease_ > 0 && reaches()) with_.revoke(lease_);
  die();
  for (auto& p : std::exchange(passes_, {})) p.done(passed::unknown);
}

cluster::contact simulated::link() const {
  cluster::contact c;
  c.up = reaches();
  c.silent_for = ms_between(heard_us_, time_.now_us());
  return c;
}

// -- when -----------------------------------------------------------------------------------------

/// Unless it is dead by then; a process that is stopped does it when it goes on.
void simulated::later(std::int64_t ms, std::function<void()> what) {
  time_.later(ms, [this, alive = alive_, what = std::move(what)] {
    if (!*alive) return;
    const auto frozen = how_.frozen_until_us() - time_.now_us();
    if (frozen > 0) return later(frozen / 1000 + 1, what);
    what();
  });
}

void simulated::look_within(std::int64_t ms) {
  const auto at = time_.now_us() + ms * 1000;
  if (at >= look_at_us_) return; // it looks before that
  look_at_us_ = at;
  later(ms, [this, at] {
    if (look_at_us_ != at) return;
    look_at_us_ = INT64_MAX;
    look();
  });
}

bool simulated::reaches() const { return with_.is_up() && how_.away_until_us() <= time_.now_us(); }

// -- one round ------------------------------------------------------------------------------------

void simulated::look() {
  if (!reaches() || !hold_lease()) return look_within(period_ms / 2);
  picture_ = with_.look();
  auto back_ms = static_cast<std::int64_t>(how_.random() % 3);
  if (luck_.fires(fault::looked_long_ago))
    back_ms += static_cast<std::int64_t>(luck_.pick(fault::looked_long_ago, 8'000));
  look_at_us_ = time_.now_us() + back_ms * 1000; // no other look until then
  later(back_ms, [this] {
    look_at_us_ = INT64_MAX;
    act();
  });
}

bool simulated::hold_lease() {
  if (lease_ == 0 || !with_.keep_alive(lease_)) lease_ = with_.grant();
  return true;
}

void simulated::act() {
  heard_us_ = time_.now_us();
  std::vector<std::string> signature;
  for (const auto& [id, at] : picture_.nodes)
    signature.push_back(
      id + "/" + at.says.incarnation + (picture_.draining.contains(id) ? "/draining" : ""));
  if (signature != signature_) {
    signature_ = std::move(signature);
    members_since_us_ = time_.now_us();
  }
  absorb();
  const bool entering = enter();
  if (!*alive_) return; // it was refused
  show();
  look_within(period_ms);
  if (entering || !joined_ || show_stored() || pass_on() || make_known() || stand_for_election()
      || assign())
    look_within(0); // what came of it
}

void simulated::absorb() {
  std::string why;
  if (picture_.map) {
    why = domain::contradiction(*picture_.map, known_);
  } else {
    for (const auto& [id, map] : picture_.stored)
      if (why.empty()) why = domain::contradiction(map, known_);
  }
  if (!why.empty())
    to_.refused({cluster::refusal::cause::other_cluster, why});
  else if (picture_.map && domain::covers(*picture_.map, known_))
    known_ = *picture_.map;
}

void simulated::show() {
  auto next = std::make_shared<cluster::view>();
  next->map = known_;
  next->members = cluster::etcd::members_of(picture_, known_, view_->members);
  if (picture_.assigner) next->assigner = picture_.assigner->node;
  ever_served_ =
    ever_served_
    || (joined_
        && (known_.version == 0 || (picture_.map && domain::covers(*picture_.map, known_))));
  next->joined = joined_ && ever_served_;
  if (*next == *view_) return;
  view_ = next;
  to_.changed(next);
}

/// Its conditions are looked at when it gets there; whether it did is seen by the next look.
bool simulated::write(condition if_all, change_of then) {
  const auto ms = static_cast<std::int64_t>(how_.random() % 3);
  later(ms, [this, if_all = std::move(if_all), then = std::move(then)] {
    if (!reaches() || luck_.fires(fault::answer_of_it_lost)) return;
    if (luck_.fires(fault::outrun)) {
      const auto touch = [](picture& p, std::int64_t revision) {
        if (p.map) p.map_modified = revision;
      };
      with_.commit([](const picture&) { return true; }, touch);
    }
    with_.commit(if_all, then);
  });
  return true;
}

cluster::member simulated::record() const {
  cluster::member m;
  m.role = self_.role, m.release = self_.release, m.protocol = self_.protocol;
  m.tunnel = self_.tunnel;
  m.incarnation = how_.incarnation;
  m.map_version = durable_;
  return m;
}

/// As etcd_coordinator has it: another life of the folder has joined since this disk's last one.
bool simulated::is_older_copy() {
  const auto newest = picture_.lives.find(how_.node);
  if (newest == picture_.lives.end() || how_.life_before == 0) return false;
  if (newest->second <= how_.life_before) return false;
  if (newest->second == how_.life) return false; // it is this one's, which has just said so
  if (domain::leases_of(known_, how_.node).empty()) return false;
  to_.refused({cluster::refusal::cause::superseded, "the folder is an older copy"});
  return true;
}

bool simulated::enter() {
  const auto& node = how_.node;
  if (!ever_joined_ && is_older_copy()) return false;
  const auto found = picture_.nodes.find(node);
  const auto newest = picture_.lives.find(node);
  const bool tells =
    how_.life > 0
    && (!ever_joined_ || newest == picture_.lives.end() || how_.life > newest->second);
  const auto put = [node, says = record(), lease = lease_, life = tells ? how_.life : 0](
                     picture& p, std::int64_t revision) {
    p.nodes[node] = {says, revision, lease};
    if (life > 0) p.lives[node] = life;
  };
  if (found == picture_.nodes.end()) {
    joined_ = false;
    const bool works_again =
      !ever_joined_ && picture_.draining.contains(node) && domain::leases_of(known_, node).empty();
    return write([node](const picture& p) { return !p.nodes.contains(node); },
      [put, node, works_again, known = known_](picture& p, std::int64_t revision) {
        put(p, revision);
        if (known.version > 0) p.stored[node] = known;
        if (works_again) p.draining.erase(node);
      });
  }
  const auto& there = found->second;
  const bool mine = there.says.incarnation == how_.incarnation;
  if (!mine && there.says.incarnation != how_.previous) {
    joined_ = false; // it waits for the other's lease to run out
    return false;
  }
  joined_ = mine;
  ever_joined_ = ever_joined_ || joined_;
  auto as_it_is = record();
  as_it_is.node = there.says.node, as_it_is.state = there.says.state;
  if (joined_ && there.says.map_version > 0 && time_.now_us() < version_at_us_)
    as_it_is.map_version = there.says.map_version;
  if (there.says == as_it_is && there.lease == lease_) return false;
  version_at_us_ = time_.now_us() + version_pause_us;
  const auto same = [node, since = there.modified](const picture& p) {
    const auto known = p.nodes.find(node);
    return known != p.nodes.end() && known->second.modified == since;
  };
  return write(same, put);
}

bool simulated::show_stored() {
  const auto& node = how_.node;
  const auto shown = picture_.stored.find(node);
  const bool needed =
    known_.version > 0 && !(picture_.map && domain::covers(*picture_.map, known_));
  const auto always = [](const picture&) { return true; };
  if (!needed) {
    if (shown == picture_.stored.end()) return false;
    return write(always, [node](picture& p, std::int64_t) { p.stored.erase(node); });
  }
  if (shown != picture_.stored.end() && shown->second == known_) return false;
  return write(
    always, [node, known = known_](picture& p, std::int64_t) { p.stored[node] = known; });
}

bool simulated::pass_on() {
  if (passes_.empty() || !picture_.map) return false;
  auto next = *picture_.map;
  std::vector<std::function<void()>> tell; // they may call pass() again
  for (auto p = passes_.begin(); p != passes_.end();) {
    const auto verdict = domain::judge_pass(picture_.map->shards[p->shard], how_.node, p->epoch);
    if (verdict == domain::passing::done || verdict == domain::passing::fenced) {
      const auto came_to = verdict == domain::passing::done ? passed::done : passed::fenced;
      tell.emplace_back([says = std::move(p->done), came_to] { says(came_to); });
      p = passes_.erase(p);
      continue;
    }
    if (verdict == domain::passing::due && next.shards[p->shard].epoch == p->epoch)
      next = domain::passed_on(std::move(next), p->shard, p->to);
    ++p;
  }
  for (const auto& t : tell) t();
  if (next == *picture_.map) return false;
  next.version = picture_.map->version + 1;
  return write(
    [since = picture_.map_modified](const picture& p) { return p.map && p.map_modified == since; },
    [next](picture& p, std::int64_t) { p.map = next; });
}

bool simulated::make_known() {
  if (wishes_.empty()) return false;
  auto wish = std::move(wishes_.front());
  wishes_.pop_front();
  return write([](const picture&) { return true; }, std::move(wish));
}

bool simulated::is_assigner() const {
  const auto& a = picture_.assigner;
  return joined_ && a && a->node == how_.node && a->lease == lease_;
}

bool simulated::stand_for_election() {
  if (picture_.assigner) return false;
  return write([](const picture& p) { return !p.assigner.has_value(); },
    [node = how_.node, lease = lease_](picture& p, std::int64_t revision) {
      p.assigner = cluster::etcd::assigner_row{node, revision, lease};
    });
}

bool simulated::assign() {
  if (!is_assigner()) return false;
  auto next = cluster::etcd::decide(
    picture_, ms_between(members_since_us_, time_.now_us()), how_.rules, "lineage");
  if (!next.trouble.empty())
    to_.noted({cluster::note::weight::error, "cluster.maps_contradict", next.trouble});
  if (!next.write && next.answered.empty()) return false;
  const auto still = [elected = picture_.assigner->created, since = picture_.map_modified](
                       const picture& p) {
    return p.assigner && p.assigner->created == elected && (p.map ? p.map_modified : 0) == since;
  };
  return write(still, [next = std::move(next)](picture& p, std::int64_t) {
    if (next.write) p.map = *next.write;
    std::erase_if(p.wishes, [&](const domain::move_wish& w) {
      return std::find(next.answered.begin(), next.answered.end(), w) != next.answered.end();
    });
  });
}

// -- the port -------------------------------------------------------------------------------------

change simulated::move(domain::shard_id shard, const std::string& to) {
  wishes_.push_back([shard, to](picture& p, std::int64_t) {
    std::erase_if(p.wishes, [shard](const domain::move_wish& w) { return w.shard == shard; });
    p.wishes.push_back({shard, to});
  });
  look_within(0);
  return change::begun;
}

change simulated::drain(const std::string& node) {
  wishes_.push_back([node](picture& p, std::int64_t) { p.draining.insert(node); });
  look_within(0);
  return change::begun;
}

change simulated::resume(const std::string& node) {
  wishes_.push_back([node](picture& p, std::int64_t) { p.draining.erase(node); });
  look_within(0);
  return change::begun;
}

void simulated::pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
  std::function<void(passed)> done) {
  passes_.push_back({shard, epoch, to, std::move(done)});
  look_within(0);
}
} // namespace jumun::sim
