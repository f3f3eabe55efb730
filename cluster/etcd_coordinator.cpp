#include "cluster/etcd_coordinator.hpp"
#include "cluster/etcd/records.hpp"
#include "domain/invariant.hpp"
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <mutex>
#include <thread>

namespace jumun::cluster {
namespace {
namespace net = boost::asio;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using etcd::failure;
using std::chrono::milliseconds;
using outcome = std::optional<failure>; // of a step; nullopt: go on
template <class T> using task = net::awaitable<T>;
constexpr std::size_t rounds_at_once_max = 16; // without a pause, however much there is to do
constexpr std::size_t wishes_at_once_max = 64; // in one transaction; etcd's default limit is 128
/// Between two writes of a record for its map's version alone: each change of the map would else be
/// answered by one from every node, and each of those be read by every node.
constexpr auto version_pause = 5s;

milliseconds since(clock::time_point t) {
  return std::chrono::duration_cast<milliseconds>(clock::now() - t);
}
std::string hex(std::uint64_t n) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[n >> shift & 15];
  return out;
}

// GCC 12 can't compile a braced list inside of a co_await: these build what a write takes.
etcd::condition absent(const std::string& key) { return {etcd::condition::of::created, key, 0}; }
etcd::condition unchanged(const std::string& key, std::int64_t since) {
  return {etcd::condition::of::modified, key, since};
}
/// The key has not been deleted and made again.
etcd::condition same(const std::string& key, std::int64_t created) {
  return {etcd::condition::of::created, key, created};
}
std::vector<etcd::change_of_key> put(
  const std::string& key, std::string value, std::int64_t lease = 0) {
  return {{key, std::move(value), lease}};
}
std::vector<etcd::change_of_key> erase(const std::string& key) { return {{key, std::nullopt, 0}}; }

template <class T> outcome why_not(const etcd::result<T>& r) {
  const auto* why = std::get_if<failure>(&r);
  return why != nullptr ? outcome{*why} : outcome{};
}
} // namespace

/// Everything behind the port. What is not guarded by `guard_` is touched on the thread alone.
class etcd_coordinator::engine {
public:
  explicit engine(options how)
      : how_{std::move(how)}, at_{how_.cluster}, client_{io_, how_.at}, bell_{io_}, hook_{io_},
        known_{how_.stored}, self_{how_.self}, durable_{how_.stored.version} {
    JUMUN_INVARIANT(etcd::is_name(how_.node) && etcd::is_name(how_.cluster),
      "names are checked with the settings");
    JUMUN_INVARIANT(!how_.incarnation.empty(), "a process has an incarnation");
    view first;
    first.map = known_;
    view_ = std::make_shared<const view>(std::move(first));
    link_.error = "etcd has not been asked yet";
    heard_ = clock::now();
  }

  void start(listener to);
  void stop(bool leave);
  template <class Work> void soon(Work work) {
    net::post(io_, [this, work = std::move(work)]() mutable {
      work();
      ring();
    });
  }

  view_ptr now() const {
    const std::lock_guard held{guard_};
    return view_;
  }
  contact link() const {
    const std::lock_guard held{guard_};
    auto l = link_;
    l.silent_for = since(heard_);
    return l;
  }
  change judge(const std::string& node, bool must_take) const;
  change wish(std::string key, std::optional<std::string> value, const std::string& what);
  void pass(domain::shard_id shard, domain::epoch_id epoch, std::string to,
    std::function<void(passed)> done) {
    passes_.push_back({shard, epoch, std::move(to), std::move(done)});
  }
  void publish(self_record what) { self_ = std::move(what); }
  void durable(std::uint64_t version) { durable_ = std::max(durable_, version); }

  const options how_;

private:
  struct pending_wish {
    std::string key;
    std::optional<std::string> value;
    std::string what;
    clock::time_point until;
  };
  struct pending_pass {
    domain::shard_id shard;
    domain::epoch_id epoch;
    std::string to;
    std::function<void(passed)> done;
  };
  /// Another process under this node's name, while it is not known whether it still lives.
  struct rival {
    std::string incarnation;
    clock::time_point seen;
    etcd::lease_left had; // when it was seen
  };

  // the thread's two strands of work
  void run(bool watching);
  task<void> live();
  task<void> keep_watch();
  task<void> farewell();

  // one round: the steps in their order
  task<outcome> round();
  task<outcome> hold_lease();
  task<outcome> look();
  task<outcome> agree_on_config();
  outcome absorb();
  task<outcome> enter();
  bool is_older_copy();
  [[nodiscard]] bool is_to_resume() const;
  task<outcome> suspect(const etcd::node_row& other);
  task<outcome> show_stored();
  task<outcome> pass_on();
  task<outcome> make_known();
  task<outcome> stand_for_election();
  task<outcome> assign();

  task<outcome> carry_out(
    const char* what, std::vector<etcd::change_of_key> then, std::vector<etcd::condition> if_all);
  template <class... Conditions> task<outcome> write(
    const char* what, std::vector<etcd::change_of_key> then, const Conditions&... if_all) {
    return carry_out(what, std::move(then), std::vector<etcd::condition>{if_all...});
  }
  void refuse(refusal::cause why, std::string detail);
  void report(const outcome& failed);
  void show();
  void ring() {
    rung_ = true;
    bell_.cancel();
  }
  void say(note::weight at, std::string_view event, std::string detail) {
    to_.noted({at, event, std::move(detail)});
  }
  [[nodiscard]] member record() const;
  [[nodiscard]] std::uint64_t newest_life() const { // that etcd knows of; 0: none
    const auto found = picture_.lives.find(how_.node);
    return found == picture_.lives.end() ? 0 : found->second;
  }
  [[nodiscard]] bool is_mine(const etcd::node_row& r) const {
    return r.says.incarnation == how_.incarnation;
  }
  [[nodiscard]] bool is_assigner() const {
    const auto& a = picture_.assigner;
    return joined_ && a && a->node == how_.node && a->lease == lease_;
  }

  const etcd::keys at_;
  net::io_context io_{1};
  etcd::client client_;
  net::steady_timer bell_, hook_; // hook_: between two watches
  std::thread thread_;
  listener to_;
  bool stopping_ = false, leave_ = true, rung_ = false, again_ = false, over_ = false;

  std::int64_t lease_ = 0; // 0: none
  clock::time_point renew_at_{};
  etcd::agreed picture_;
  bool fresh_ = false;                        // false: the next look reads all of it
  domain::shard_map known_;                   // never falls
  bool joined_ = false, ever_joined_ = false; // by picture_
  bool ever_served_ = false;                  // a view has said that it has joined
  std::optional<rival> rival_;
  self_record self_;
  std::uint64_t durable_;
  clock::time_point version_at_{};     // until then a newer version alone is not worth a write
  std::vector<std::string> signature_; // of the members
  clock::time_point members_since_ = clock::now();
  std::deque<pending_wish> wishes_;
  std::vector<pending_pass> passes_;
  std::string trouble_; // that was told last
  bool was_assigner_ = false;
  unsigned failed_in_row_ = 0;

  mutable std::mutex guard_;
  view_ptr view_;
  contact link_;
  clock::time_point heard_;
  std::size_t wishes_waiting_ = 0;
};

// -- the thread ---------------------------------------------------------------------------------

void etcd_coordinator::engine::start(listener to) {
  JUMUN_INVARIANT(!thread_.joinable(), "a coordinator is started once");
  to_ = std::move(to);
  heard_ = clock::now();
  run(false);
  run(true);
  thread_ = std::thread{[this] { io_.run(); }};
}

/// An exception can only be a lack of memory, or a bug: it is told, and the work begun anew.
void etcd_coordinator::engine::run(bool watching) {
  net::co_spawn(io_, watching ? keep_watch() : live(), [this, watching](std::exception_ptr thrown) {
    if (!thrown || over_) return;
    say(note::weight::error, "etcd.exception", watching ? "in the watch" : "in a round");
    fresh_ = false;
    run(watching);
  });
}

void etcd_coordinator::engine::stop(bool leave) {
  if (thread_.joinable()) {
    JUMUN_INVARIANT(thread_.get_id() != std::this_thread::get_id(), "a callback does not stop it");
    net::post(io_, [this, leave] {
      stopping_ = true, leave_ = leave;
      client_.cut();
      hook_.cancel();
      ring();
    });
    thread_.join();
  }
  io_.restart();
  io_.poll(); // what was asked for after the thread's last look
  for (auto& p : std::exchange(passes_, {})) p.done(passed::unknown);
}

task<void> etcd_coordinator::engine::live() {
  for (std::size_t at_once = 0; !stopping_ && !over_;) {
    again_ = false;
    const auto failed = co_await round();
    report(failed);
    if (stopping_ || over_) break;
    if (!failed && again_ && ++at_once < rounds_at_once_max) continue;
    at_once = 0;
    auto pause = how_.period;
    if (failed) {
      const auto doubled = limits::etcd_retry_base * (1U << std::min(failed_in_row_, 6U));
      pause = std::min<milliseconds>(pause, doubled) / 2;
      pause += milliseconds{how_.random() % static_cast<std::uint64_t>(pause.count() + 1)};
      rung_ = false; // what rings can't be had faster
    } else if (again_) {
      pause = 10ms;
    } else if (rival_) {
      pause = pause / 4;
    }
    bell_.expires_after(pause);
    if (!rung_) co_await bell_.async_wait(net::as_tuple(net::use_awaitable));
    rung_ = false;
  }
  over_ = true;
  client_.cut();
  hook_.cancel();
  if (leave_) co_await farewell();
}

/// The doorbell: whatever it says, the next round looks for itself. So nothing depends on it but
/// how soon.
task<void> etcd_coordinator::engine::keep_watch() {
  while (!stopping_ && !over_) {
    if (picture_.at != etcd::moment{}) {
      co_await client_.watch(at_.all, [this] { ring(); });
      fresh_ = false;
    }
    hook_.expires_after(how_.period);
    if (!stopping_ && !over_) co_await hook_.async_wait(net::as_tuple(net::use_awaitable));
  }
}

task<void> etcd_coordinator::engine::farewell() {
  if (lease_ == 0) co_return;
  client_.mend();
  net::steady_timer enough{io_, limits::etcd_farewell};
  enough.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) client_.cut();
  });
  co_await client_.revoke(std::exchange(lease_, 0)); // or it runs out by itself
  enough.cancel();
}

// -- one round ----------------------------------------------------------------------------------

task<outcome> etcd_coordinator::engine::round() {
  using step = task<outcome> (engine::*)();
  if (auto why = co_await hold_lease()) co_return why;
  if (auto why = co_await look()) co_return why;
  if (auto why = co_await agree_on_config()) co_return why;
  if (over_) co_return std::nullopt;
  if (auto why = absorb()) co_return why;
  if (over_) co_return std::nullopt;
  if (auto why = co_await enter()) co_return why;
  show();
  if (!joined_) co_return std::nullopt;
  constexpr step rest[] = {&engine::show_stored, &engine::pass_on, &engine::make_known,
    &engine::stand_for_election, &engine::assign};
  for (const auto next : rest)
    if (auto why = co_await (this->*next)()) co_return why;
  co_return std::nullopt;
}

task<outcome> etcd_coordinator::engine::hold_lease() {
  const auto now = clock::now();
  if (lease_ != 0) {
    if (now < renew_at_) co_return std::nullopt;
    const auto left = co_await client_.keep_alive(lease_);
    if (auto why = why_not(left)) co_return why;
    renew_at_ = now + how_.period;
    if (std::get<etcd::lease_left>(left).left > 0s) co_return std::nullopt;
    say(note::weight::warn, "etcd.lease_lost", "the others have taken this node for away");
    lease_ = 0;
    fresh_ = false;
  }
  const auto granted = co_await client_.grant(how_.lease);
  if (auto why = why_not(granted)) co_return why;
  lease_ = std::get<std::int64_t>(granted);
  renew_at_ = now + how_.period;
  co_return std::nullopt;
}

task<outcome> etcd_coordinator::engine::look() {
  if (fresh_) {
    const auto stands = co_await client_.read(at_.all, /*count_only=*/true);
    if (auto why = why_not(stands)) co_return why;
    if (std::get<etcd::range>(stands).at == picture_.at) co_return std::nullopt;
  }
  const auto all = co_await client_.read(at_.all, false);
  if (auto why = why_not(all)) co_return why;
  auto read = etcd::read_agreed(at_, std::get<etcd::range>(all));
  if (auto why = why_not(read)) co_return why;
  picture_ = std::get<etcd::agreed>(std::move(read));
  fresh_ = true;
  std::vector<std::string> signature;
  for (const auto& [id, at] : picture_.nodes)
    signature.push_back(id + "/" + at.says.incarnation + "/" + at.says.role + "/" + at.says.release
                        + (picture_.draining.contains(id) ? "/draining" : ""));
  if (signature != signature_) {
    signature_ = std::move(signature);
    members_since_ = clock::now();
  }
  co_return std::nullopt;
}

task<outcome> etcd_coordinator::engine::agree_on_config() {
  if (!picture_.config)
    co_return co_await write("config", put(at_.config, etcd::own_config()), absent(at_.config));
  auto why = etcd::misfit(*picture_.config);
  if (why.empty()) co_return std::nullopt;
  why = "the cluster " + how_.cluster + " can't be joined: " + why;
  if (ever_joined_) co_return failure{failure::kind::garbled, std::move(why), 0};
  refuse(refusal::cause::other_cluster, std::move(why));
  co_return std::nullopt;
}

/// Takes the map over, where it knows at least what is known here.
outcome etcd_coordinator::engine::absorb() {
  std::string why;
  if (picture_.map) {
    why = domain::contradiction(*picture_.map, known_);
  } else { // it will be made of these
    for (const auto& [id, map] : picture_.stored)
      if (why.empty()) why = domain::contradiction(map, known_);
  }
  if (!why.empty()) {
    why = "the map in etcd is of another cluster than this folder's: " + why;
    if (ever_joined_) return failure{failure::kind::garbled, std::move(why), 0};
    refuse(refusal::cause::other_cluster, std::move(why));
  } else if (picture_.map && domain::covers(*picture_.map, known_)) {
    known_ = *picture_.map;
  }
  return {};
}

/// This node's record is to be there, and as it should be.
task<outcome> etcd_coordinator::engine::enter() {
  const auto key = at_.node(how_.node);
  const auto found = picture_.nodes.find(how_.node);
  if (!ever_joined_ && is_older_copy()) co_return std::nullopt;
  const auto mine = record();
  std::vector<etcd::change_of_key> entry{{key, etcd::encode(mine), lease_}};
  // By its first record it becomes the newest, whatever its clock says beside another one's.
  if (how_.life > newest_life() || (!ever_joined_ && how_.life > 0 && how_.life != newest_life()))
    entry.push_back({at_.life(how_.node), std::to_string(how_.life), 0});
  if (!ever_joined_ && (found == picture_.nodes.end() || !is_mine(found->second)) && is_to_resume())
    entry.push_back({at_.draining(how_.node), std::nullopt, 0});
  if (found == picture_.nodes.end()) {
    joined_ = false;
    rival_.reset();
    if (known_.version > 0) entry.push_back({at_.stored(how_.node), etcd::encode(known_), lease_});
    co_return co_await write("record", std::move(entry), absent(key));
  }
  const auto& there = found->second;
  if (!is_mine(there) && there.says.incarnation != how_.previous) {
    joined_ = false;
    if (!ever_joined_) co_return co_await suspect(there);
    refuse(refusal::cause::superseded, "another process runs as node " + how_.node
                                         + " since this one was away (incarnation "
                                         + there.says.incarnation + "); this one must not go on");
    co_return std::nullopt;
  }
  auto as_it_is = mine;
  as_it_is.node = how_.node, as_it_is.state = there.says.state;
  if (is_mine(there) && !ever_joined_)
    say(note::weight::info, "cluster.joined", how_.cluster + " as " + how_.node);
  joined_ = is_mine(there);
  ever_joined_ = ever_joined_ || joined_;
  if (joined_ && there.says.map_version > 0 && clock::now() < version_at_)
    as_it_is.map_version = there.says.map_version;
  if (there.says == as_it_is && there.lease == lease_) co_return std::nullopt;
  version_at_ = clock::now() + version_pause;
  co_return co_await write("record", std::move(entry), unchanged(key, there.modified));
}

/// Whether this start takes a drain back: one that was done, as the node is meant to work again.
bool etcd_coordinator::engine::is_to_resume() const {
  return picture_.draining.contains(how_.node)
         && (how_.resumes || domain::leases_of(known_, how_.node).empty());
}

/// The cluster has seen a later life of this node's folder than the last one of this disk, which is
/// a copy from before: what was acknowledged since is not on it. It does no harm where the node has
/// no shards any more.
bool etcd_coordinator::engine::is_older_copy() {
  if (how_.life_before == 0 || newest_life() <= how_.life_before) return false;
  if (newest_life() == how_.life) return false; // it is this one's, which has just said so
  if (domain::leases_of(known_, how_.node).empty()) return false;
  refuse(refusal::cause::superseded,
    "the data folder is an older copy of node " + how_.node
      + "'s: the cluster has seen a later life of it. Start the newest one; if there is none, "
        "restore a backup with --restore-from, or accept that what was acknowledged since is lost, "
        "and delete the key "
      + at_.life(how_.node) + " in etcd");
  return true;
}

/// Another process has this name. Its lease is watched: a dead one's only runs down.
task<outcome> etcd_coordinator::engine::suspect(const etcd::node_row& other) {
  const auto asked = co_await client_.time_left(other.lease);
  if (auto why = why_not(asked)) co_return why;
  const auto now = std::get<etcd::lease_left>(asked);
  fresh_ = false; // its end may come without a ring
  const bool is_news = !rival_ || rival_->incarnation != other.says.incarnation;
  if (is_news)
    say(note::weight::info, "cluster.name_in_use",
      "node " + how_.node + " is registered by another process (incarnation "
        + other.says.incarnation + "); waiting for its lease to run out");
  // A new leader of etcd extends all leases: what is gained across terms is no sign of life.
  if (is_news || rival_->had.term != now.term) {
    rival_ = rival{other.says.incarnation, clock::now(), now};
    co_return std::nullopt;
  }
  const auto waited = since(rival_->seen);
  const bool renewed = now.left + std::chrono::floor<std::chrono::seconds>(waited)
                       >= rival_->had.left + 2s; // both are whole seconds
  const bool overdue = waited > std::max(rival_->had.granted, how_.lease) + 2s;
  if (!renewed && !overdue) co_return std::nullopt;
  refuse(refusal::cause::name_taken,
    "another process runs as node " + how_.node + " (incarnation " + other.says.incarnation
      + (other.says.tunnel.empty() ? "" : ", at " + other.says.tunnel)
      + "), and its lease is being renewed; give each node an id of its own");
  co_return std::nullopt;
}

/// Shows the map that is known here for as long as the one in etcd knows less.
task<outcome> etcd_coordinator::engine::show_stored() {
  const auto key = at_.stored(how_.node);
  const auto shown = picture_.stored.find(how_.node);
  const bool needed =
    known_.version > 0 && !(picture_.map && domain::covers(*picture_.map, known_));
  if (!needed) {
    if (shown == picture_.stored.end()) co_return std::nullopt;
    co_return co_await write("stored map", erase(key));
  }
  if (shown != picture_.stored.end() && shown->second == known_) co_return std::nullopt;
  co_return co_await write("stored map", put(key, etcd::encode(known_), lease_));
}

/// Enters the next owners of what this node has given up: all in one write.
task<outcome> etcd_coordinator::engine::pass_on() {
  if (passes_.empty() || !picture_.map) co_return std::nullopt;
  auto next = *picture_.map;
  std::vector<std::function<void()>> tell; // they may call pass() again
  for (auto p = passes_.begin(); p != passes_.end();) {
    const auto verdict = domain::judge_pass(picture_.map->shards[p->shard], how_.node, p->epoch);
    if (verdict == domain::passing::done || verdict == domain::passing::fenced) {
      const bool done = verdict == domain::passing::done;
      tell.emplace_back(
        [says = std::move(p->done), done] { says(done ? passed::done : passed::fenced); });
      p = passes_.erase(p);
      continue;
    }
    if (verdict == domain::passing::due
        && next.shards[p->shard].epoch == p->epoch) // one that was asked twice is passed once
      next = domain::passed_on(std::move(next), p->shard, p->to);
    ++p;
  }
  for (const auto& t : tell) t();
  if (next == *picture_.map) co_return std::nullopt;
  next.version = picture_.map->version + 1;
  co_return co_await write(
    "pass", put(at_.map, etcd::encode(next)), unchanged(at_.map, picture_.map_modified));
}

/// What operators asked of this node.
task<outcome> etcd_coordinator::engine::make_known() {
  if (wishes_.empty()) co_return std::nullopt;
  std::vector<etcd::change_of_key> all;
  std::set<std::string> keys; // etcd takes a key once in a transaction
  std::size_t taken = 0;
  for (; taken < wishes_.size() && taken < wishes_at_once_max
         && keys.insert(wishes_[taken].key).second;
       ++taken)
    all.push_back({wishes_[taken].key, wishes_[taken].value, 0});
  if (auto why = co_await write("wishes", std::move(all))) co_return why;
  wishes_.erase(wishes_.begin(), wishes_.begin() + static_cast<std::ptrdiff_t>(taken));
  const std::lock_guard held{guard_};
  wishes_waiting_ = wishes_.size();
  co_return std::nullopt;
}

task<outcome> etcd_coordinator::engine::stand_for_election() {
  const bool elected = is_assigner();
  if (elected != was_assigner_)
    say(note::weight::info, elected ? "cluster.assigner" : "cluster.assigner_no_more", how_.node);
  was_assigner_ = elected;
  if (picture_.assigner) co_return std::nullopt;
  co_return co_await write("candidacy", put(at_.assigner, how_.node, lease_), absent(at_.assigner));
}

/// The one assigner's write: void when it is no longer elected, or has not seen the newest map.
task<outcome> etcd_coordinator::engine::assign() {
  if (!is_assigner()) co_return std::nullopt;
  auto next = etcd::decide(picture_, since(members_since_), how_.rules, hex(how_.random()));
  if (next.trouble != trouble_) {
    trouble_ = next.trouble;
    if (!trouble_.empty()) say(note::weight::error, "cluster.maps_contradict", trouble_);
  }
  if (!next.write && next.answered.empty()) co_return std::nullopt;
  std::vector<etcd::change_of_key> all;
  if (next.write) all.push_back({at_.map, etcd::encode(*next.write), 0});
  for (const auto& w : next.answered) all.push_back({at_.wish(w.shard), std::nullopt, 0});
  if (next.write)
    say(next.rebuilt ? note::weight::warn : note::weight::info,
      next.rebuilt ? "cluster.map_rebuilt" : "cluster.map_written",
      "version " + std::to_string(next.write->version));
  co_return co_await write("map", std::move(all), same(at_.assigner, picture_.assigner->created),
    unchanged(at_.map, picture_.map_modified));
}

// -- parts --------------------------------------------------------------------------------------

/// Whether it came through or not, what there is now is seen by the next look.
task<outcome> etcd_coordinator::engine::carry_out(
  const char* what, std::vector<etcd::change_of_key> then, std::vector<etcd::condition> if_all) {
  again_ = true, fresh_ = false;
  const auto did = co_await client_.commit(std::move(if_all), std::move(then));
  if (auto why = why_not(did)) co_return why;
  if (!std::get<bool>(did))
    say(note::weight::debug, "etcd.outdated", std::string{what} + ": somebody was faster");
  co_return std::nullopt;
}

void etcd_coordinator::engine::refuse(refusal::cause why, std::string detail) {
  over_ = true;
  show();
  to_.refused({why, std::move(detail)});
}

member etcd_coordinator::engine::record() const {
  member m;
  m.role = self_.role, m.release = self_.release, m.protocol = self_.protocol;
  m.tunnel = self_.tunnel, m.http = self_.http, m.ops = self_.ops;
  m.incarnation = how_.incarnation;
  m.map_version = durable_;
  return m;
}

void etcd_coordinator::engine::report(const outcome& failed) {
  const auto silent = link().silent_for;
  const bool was_down = failed_in_row_ > 0;
  {
    const std::lock_guard held{guard_};
    link_.up = !failed;
    link_.endpoint = client_.asked_last().text();
    link_.error = failed ? failed->detail : "";
    link_.failures = client_.failures();
    if (!failed) heard_ = clock::now();
  }
  if (failed) {
    fresh_ = false;
    ++failed_in_row_;
    if (!was_down && !stopping_) say(note::weight::warn, "etcd.lost", failed->detail);
  } else {
    failed_in_row_ = 0;
    if (was_down)
      say(note::weight::info, "etcd.found",
        "after " + std::to_string(silent.count()) + " ms without");
  }
  for (; !wishes_.empty() && wishes_.front().until < clock::now(); wishes_.pop_front())
    say(note::weight::warn, "cluster.wish_dropped",
      wishes_.front().what + ": etcd could not be told in time");
  const std::lock_guard held{guard_};
  wishes_waiting_ = wishes_.size();
}

/// Makes what is known now visible, and tells the owner when that is news.
void etcd_coordinator::engine::show() {
  const auto before = now();
  auto next = std::make_shared<view>();
  next->map = known_;
  next->members = etcd::members_of(picture_, known_, before->members);
  if (picture_.assigner) next->assigner = picture_.assigner->node;
  // A process that begins serves by the map that all agree on, not by its folder's: etcd may have
  // been wiped, and the folder be an old one. Later on it goes by what it knows.
  const bool agreed =
    known_.version == 0 || ever_served_ || (picture_.map && domain::covers(*picture_.map, known_));
  next->joined = joined_ && agreed && !over_;
  next->remade = picture_.map && picture_.map_remade;
  ever_served_ = ever_served_ || next->joined;
  if (*next == *before) return;
  {
    const std::lock_guard held{guard_};
    view_ = next;
  }
  to_.changed(next);
}

change etcd_coordinator::engine::judge(const std::string& node, bool must_take) const {
  const auto seen = now();
  const auto& all = seen->members;
  const auto at =
    std::find_if(all.begin(), all.end(), [&](const member& m) { return m.node == node; });
  if (at == all.end()) return seen->joined ? change::unknown_node : change::unavailable;
  const auto takes = [](const member& m) { return m.state == "up" && m.role != "gateway"; };
  const bool somewhere = must_take ? takes(*at)
                                   : std::any_of(all.begin(), all.end(),
                                     [&](const member& m) { return m.node != node && takes(m); });
  if (!somewhere) return change::nowhere_to_go;
  const auto l = link();
  const bool heard = seen->joined && l.silent_for < how_.lease;
  const std::lock_guard held{guard_};
  return heard && wishes_waiting_ < limits::wishes_max ? change::begun : change::unavailable;
}

change etcd_coordinator::engine::wish(
  std::string key, std::optional<std::string> value, const std::string& what) {
  {
    const std::lock_guard held{guard_};
    ++wishes_waiting_;
  }
  soon([this, key = std::move(key), value = std::move(value), what]() mutable {
    wishes_.push_back(
      {std::move(key), std::move(value), what, clock::now() + limits::wish_patience});
  });
  return change::begun;
}

// -- the port -----------------------------------------------------------------------------------

etcd_coordinator::etcd_coordinator(options how)
    : engine_{std::make_unique<engine>(std::move(how))} {}
etcd_coordinator::~etcd_coordinator() { engine_->stop(true); }

const std::string& etcd_coordinator::self() const { return engine_->how_.node; }
view_ptr etcd_coordinator::now() const { return engine_->now(); }
contact etcd_coordinator::link() const { return engine_->link(); }
void etcd_coordinator::start(listener to) { engine_->start(std::move(to)); }
void etcd_coordinator::stop(bool leave) { engine_->stop(leave); }

void etcd_coordinator::publish(self_record what) {
  engine_->soon([e = engine_.get(), what = std::move(what)] { e->publish(what); });
}

void etcd_coordinator::durable(std::uint64_t map_version) {
  engine_->soon([e = engine_.get(), map_version] { e->durable(map_version); });
}

change etcd_coordinator::move(domain::shard_id shard, const std::string& to) {
  const auto seen = now();
  const auto& s = seen->map.shards[shard];
  if (s.to == to || (s.node == to && s.to.empty())) return change::begun;
  if (const auto can = engine_->judge(to, /*must_take=*/true); can != change::begun) return can;
  return engine_->wish(etcd::keys{engine_->how_.cluster}.wish(shard), to,
    "move shard " + std::to_string(shard) + " to " + to);
}

change etcd_coordinator::drain(const std::string& node) {
  if (const auto can = engine_->judge(node, /*must_take=*/false); can != change::begun) return can;
  return engine_->wish(etcd::keys{engine_->how_.cluster}.draining(node), "", "drain " + node);
}

change etcd_coordinator::resume(const std::string& node) {
  const auto can = engine_->judge(node, /*must_take=*/false);
  if (can == change::unknown_node || can == change::unavailable) return can;
  return engine_->wish(
    etcd::keys{engine_->how_.cluster}.draining(node), std::nullopt, "resume " + node);
}

void etcd_coordinator::pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
  std::function<void(passed)> done) {
  engine_->soon([e = engine_.get(), shard, epoch, to, done = std::move(done)]() mutable {
    e->pass(shard, epoch, to, std::move(done));
  });
}
} // namespace jumun::cluster
