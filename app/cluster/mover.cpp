#include "app/cluster/mover.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"

namespace jumun::app {
namespace {
using namespace std::chrono_literals;
constexpr std::size_t piece_bytes = 256 << 10;
constexpr std::size_t tail_small = 64 << 10;     // of what changed meanwhile: now stop serving
constexpr std::size_t tail_bytes_max = 64 << 20; // it changes faster than it can be copied
constexpr std::size_t moves_at_once = 2;
constexpr auto ask_for = 10s;    // an offer: the target may have an old copy to empty first
constexpr auto pause_for = 2s;   // not served: then it is taken back
constexpr auto again_after = 1s; // a move that failed
constexpr auto hold_for = 1s;    // an offer whose map may come a moment later than it
constexpr auto resend_after = 100ms;
} // namespace

/// A move that this node is the source of.
struct mover::outgoing {
  domain::wanted_move what;
  std::string id; // of this try
  std::string step = "wanted";
  std::unique_ptr<storage::shard_reader> from; // null once all was read
  std::deque<std::vector<storage::entry>> tail;
  std::size_t tail_bytes = 0;
  std::uint64_t pieces = 0, rows = 0, bytes = 0; // sent and durable over there
  std::int64_t began_ms = 0;
  std::int64_t paused_ms = 0; // 0: it is served
  bool ended = false, given_up = false;
};

std::function<void()> mover::task(std::function<void()> work) {
  return [self = weak_from_this(), work = std::move(work)] {
    if (const auto alive = self.lock(); alive && !alive->stopped_)
      alive->with_.run([self, work] {
        if (const auto still = self.lock(); still && !still->stopped_) work();
      });
  };
}

// -- the source -----------------------------------------------------------------------------------

void mover::start() {
  task([this] {
    for (std::size_t i = 0; i < domain::shard_count; ++i) {
      const auto shard = static_cast<domain::shard_id>(i);
      const auto& disk = with_.journal.disk();
      const auto given_row = disk.get(storage::table::meta, storage::shard_given_key(shard));
      const auto given = given_row ? storage::decode_given(*given_row) : std::nullopt;
      if (given && JUMUN_PLANTED(given_forgotten)) continue;
      if (given) {
        emptying_.set(shard);
        given_[shard] = given->epoch;
        pass(shard, given->epoch, given->to);
        continue;
      }
      const auto copy_row = disk.get(storage::table::meta, storage::shard_copy_key(shard));
      const auto copy = copy_row ? storage::decode_copy(*copy_row) : std::nullopt;
      if (copy && copy->complete) in_[shard].copy = *copy; // whether it is of use, want() will see
      if (copy && !copy->complete) discard(shard, copy->epoch);
    }
  })();
}

void mover::want(std::vector<domain::wanted_move> moves, domain::shard_set coming) {
  task([this, moves = std::move(moves), coming] {
    coming_ = coming;
    wanted_.clear();
    for (const auto& m : moves) wanted_[m.shard] = m;
    const auto under_way = out_;
    for (const auto& [shard, o] : under_way) {
      const auto still = wanted_.find(shard);
      if (still == wanted_.end() || still->second != o->what) fail(o, "it is not wanted any more");
    }
    // A whole copy may be given to us yet, wanted or not; but not at an epoch that has passed.
    const auto taken = in_;
    for (const auto& [shard, in] : taken) {
      const auto [owner, epoch] = with_.owner_of(shard);
      const bool passed = epoch >= in.copy.epoch;
      if (passed ? owner == with_.self : coming_[shard] || in.copy.complete) continue;
      in_.erase(shard);
      note(shard, {});
      // At an epoch that is not fenced here, should this node have served the shard since.
      if (!emptying_[shard]) discard(shard, std::max(in.copy.epoch, epoch));
    }
    for (auto& [shard, o] : std::exchange(early_, {})) take_offer(o.from, shard, o.what, o.reply);
    begin_wanted();
  })();
}

void mover::begin_wanted() {
  for (const auto& [shard, what] : wanted_) {
    if (out_.size() >= moves_at_once) return;
    const bool given = (emptying_[shard] || given_.count(shard) > 0) && !JUMUN_PLANTED(given_twice);
    if (out_.count(shard) > 0 || given) continue;
    // An old copy of a folder must not become the only one.
    if (!with_.has_rows(shard) && !JUMUN_PLANTED(missing_rows_given)) continue;
    auto o = std::make_shared<outgoing>();
    o->what = what;
    o->id = std::to_string(with_.random());
    o->began_ms = with_.now_ms();
    out_[shard] = o;
    offer(o);
  }
}

/// Asks the target, and goes on with `then` once it has agreed; what surely or perhaps did not
/// reach it is asked again, what it refuses ends the move.
template <class Message>
void mover::ask(const outgoing_ptr& o, const Message& m, std::function<void()> then) {
  cluster::envelope e;
  e.shard = o->what.shard;
  e.epoch = o->what.epoch;
  e.command_id = o->id;
  e.deadline_ms = with_.now_ms() + std::chrono::milliseconds{ask_for}.count();
  cluster::pack(e, m);
  with_.peers.ask(
    o->what.to, std::move(e), [this, self = weak_from_this(), o, m, then](cluster::ask_result r) {
      const auto alive = self.lock();
      if (!alive) return;
      alive->task([this, o, m, then, r = std::move(r)] {
        if (o->ended) return;
        if (r.how == cluster::asked::answered) {
          const auto said = cluster::unpack<cluster::move_answered>(r.reply);
          if (said && said->refused.empty()) return then();
          return fail(o, said ? said->refused : "the answer can't be read");
        }
        if (r.how == cluster::asked::unsupported) return fail(o, "its release can't take a shard");
        if (o->paused_ms == 0 && r.how == cluster::asked::unknown && o->step == "offered")
          return fail(o, "the target did not answer");
        with_.later(resend_after, task([this, o, m, then] {
          if (!o->ended) ask(o, m, then);
        }));
      })();
    });
}

void mover::step(const outgoing_ptr& o, std::string_view name) {
  o->step = name;
  note(o->what.shard, move_progress{o->what.shard, o->what.epoch + 1, with_.self, o->what.to,
                        o->step, o->rows, o->bytes});
  with_.reached(std::string{"move."}.append(name));
}

void mover::offer(const outgoing_ptr& o) {
  step(o, "offered");
  ask(o, cluster::move_offer{o->id, o->what.epoch + 1}, [this, o] { copy(o); });
}

/// From here on each commit's rows of the shard are gathered; and then all that is there is read.
void mover::copy(const outgoing_ptr& o) {
  step(o, "copying");
  const auto shard = o->what.shard;
  with_.journal.tap(shard, [this, self = weak_from_this(), o](std::vector<storage::entry> rows) {
    if (const auto alive = self.lock())
      alive->task([this, o, rows = std::move(rows)]() mutable {
        if (o->ended) return;
        for (const auto& e : rows) o->tail_bytes += e.key.size() + (e.value ? e.value->size() : 0);
        o->tail.push_back(std::move(rows));
        if (o->tail_bytes > tail_bytes_max) fail(o, "it changes faster than it can be copied");
      })();
  });
  with_.journal.when_durable(task([this, o, shard] {
    if (o->ended) return;
    o->from = std::make_unique<storage::shard_reader>(with_.journal.disk(), shard);
    send_next(o);
  }));
}

void mover::send_next(const outgoing_ptr& o) {
  if (o->from) {
    auto rows = o->from->next(piece_bytes);
    if (!rows.empty()) return send(o, std::move(rows));
    o->from.reset();
    step(o, "copied");
  }
  if (JUMUN_PLANTED(tail_left_behind)) o->tail.clear();
  if (!o->tail.empty() && (o->given_up || o->tail_bytes > tail_small)) {
    auto rows = std::move(o->tail.front());
    o->tail.pop_front();
    for (const auto& e : rows) o->tail_bytes -= e.key.size() + (e.value ? e.value->size() : 0);
    return send(o, std::move(rows));
  }
  if (o->given_up) return complete(o);
  if (with_.in_contact()) return pause(o);
  with_.later(resend_after, task([this, o] {
    if (!o->ended) send_next(o); // and what has changed meanwhile
  }));
}

/// One commit may have more rows of the shard than a piece, or a write set, has room for.
void mover::send(const outgoing_ptr& o, std::vector<storage::entry> rows) {
  std::size_t bytes = 0, count = 0;
  while (count < rows.size() && count < limits::write_set_entries_max
         && (count == 0 || bytes < piece_bytes)) {
    bytes += rows[count].key.size() + (rows[count].value ? rows[count].value->size() : 0);
    ++count;
  }
  if (count < rows.size()) {
    const auto cut = rows.begin() + static_cast<std::ptrdiff_t>(count);
    o->tail.emplace_front(std::make_move_iterator(cut), std::make_move_iterator(rows.end()));
    for (const auto& e : o->tail.front())
      o->tail_bytes += e.key.size() + (e.value ? e.value->size() : 0);
    rows.resize(count);
  }
  ask(o, cluster::move_rows{o->id, o->pieces, storage::encode_rows(rows)}, [this, o, count, bytes] {
    ++o->pieces;
    o->rows += count, o->bytes += bytes;
    counts_.rows_out += count, counts_.bytes_out += bytes;
    step(o, o->step);
    send_next(o);
  });
}

/// Stops serving: what is appended behind this is refused, and what was appended before it has been
/// told to the tap when `done` runs. A timer takes it back, not an answer that may be long in
/// coming nor the wall clock, which may be set back: without give() the target has no claim to it.
void mover::pause(const outgoing_ptr& o) {
  step(o, "pausing");
  o->paused_ms = with_.now_ms();
  with_.later(pause_for,
    task([this, o] { fail(o, "the target did not answer while the shard was not served"); }));
  if (JUMUN_PLANTED(gives_while_serving)) return complete(o);
  with_.give_up(o->what.shard, task([this, o] {
    o->given_up = true;
    with_.journal.tap(o->what.shard, nullptr);
    if (o->ended) return take_back(o);
    step(o, "paused");
    send_next(o);
  }));
}

void mover::complete(const outgoing_ptr& o) {
  step(o, "completing");
  // All that was told of the shard is durable by now, so no place in it lies behind this.
  const auto& disk = with_.journal.disk();
  ask(o,
    cluster::move_complete{o->id, o->pieces, storage::read_last_offset(disk),
      storage::read_low_water(disk, o->what.shard)},
    [this, o] { give(o); });
}

/// The point of no return.
void mover::give(const outgoing_ptr& o) {
  step(o, "completed");
  o->ended = true; // nothing takes it back from here on
  emptying_.set(o->what.shard);
  given_[o->what.shard] = o->what.epoch;
  if (JUMUN_PLANTED(given_unsaid)) return pass(o->what.shard, o->what.epoch, o->what.to);
  const storage::shard_given given{o->what.epoch, o->what.to};
  put(storage::shard_given_key(o->what.shard), storage::encode(given), task([this, o] {
    step(o, "given");
    pass(o->what.shard, o->what.epoch, o->what.to);
  }));
}

/// A row of meta.
void mover::put(std::string key, std::optional<std::string> row, storage::durable_callback then) {
  write_meta({{storage::table::meta, std::move(key), std::move(row)}}, std::move(then));
}
void mover::write_meta(std::vector<storage::entry> rows, storage::durable_callback then) {
  storage::write_set set;
  set.epoch = storage::of_no_shard;
  set.entries = std::move(rows);
  // Not ok: the journal has stopped, and the process ends.
  (void)with_.journal.append(std::move(set), std::move(then));
}

void mover::pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to) {
  with_.pass(
    shard, epoch, to, [this, self = weak_from_this(), shard, epoch, to](cluster::passed came_to) {
      const auto alive = self.lock();
      if (!alive) return;
      alive->task([this, shard, epoch, to, came_to] {
        if (came_to == cluster::passed::unknown) return; // again after the next start
        if (came_to == cluster::passed::fenced)
          with_.say("shard.move_fenced",
            "shard=" + std::to_string(shard) + " was given away, yet has another owner than " + to);
        with_.reached("move.passed");
        const auto moved = out_.find(shard);
        if (moved != out_.end()) {
          const auto& o = *moved->second;
          count_move(o);
          with_.say("shard.moved",
            "shard=" + std::to_string(shard) + " to=" + to + " epoch=" + std::to_string(epoch + 1)
              + " rows=" + std::to_string(o.rows) + " bytes=" + std::to_string(o.bytes)
              + " not_served_ms=" + std::to_string(with_.now_ms() - o.paused_ms));
          out_.erase(moved);
        }
        wanted_.erase(shard);
        empty(shard, epoch + 1, [this, shard, epoch, to] {
          note(shard, {});
          with_.reached("move.emptied");
          forget_given(shard, {epoch, to});
          begin_wanted();
        });
      })();
    });
}

/// The row that says that a shard was given stays until this node's map says so, too. Until then
/// nobody may have seen its next owner: an agreement that is restored from before is told again.
void mover::forget_given(domain::shard_id shard, const storage::shard_given& given) {
  if (with_.owner_of(shard).second > given.epoch) {
    const auto last = given_.find(shard);
    if (last == given_.end() || last->second != given.epoch) return; // it was here again, and given
    given_.erase(last);
    return put(storage::shard_given_key(shard), {});
  }
  with_.later(again_after, task([this, shard, given] {
    if (with_.owner_of(shard).second > given.epoch) return forget_given(shard, given);
    pass(shard, given.epoch, given.to);
  }));
}

void mover::count_move(const outgoing& o) {
  const auto now = with_.now_ms(); // of a wall clock: it may have been set back
  const auto us_since = [now](std::int64_t ms) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, now - ms)) * 1'000;
  };
  ++counts_.done;
  counts_.took.count(us_since(o.began_ms));
  counts_.not_served.count(us_since(o.paused_ms));
}

/// Drops what came of a copy that won't be whole.
void mover::discard(domain::shard_id shard, domain::epoch_id epoch) {
  empty(shard, epoch, [this, shard] {
    put(storage::shard_copy_key(shard), {});
    note(shard, {});
  });
}

/// Deletes the shard's rows, some at a time; nothing is taken for it until then. Rows of a copy
/// that were taken just now may not be on the disk yet: they are waited for, or they would stay.
void mover::empty(domain::shard_id shard, domain::epoch_id epoch, std::function<void()> then) {
  emptying_.set(shard);
  with_.journal.when_durable(task([this, shard, epoch, then = std::move(then)] {
    empty_rest(shard, epoch, [this, shard, then] {
      emptying_.reset(shard);
      then();
    });
  }));
}

void mover::empty_rest(domain::shard_id shard, domain::epoch_id epoch, std::function<void()> then) {
  // A reader anew for each piece: what was deleted is not there any more.
  storage::shard_reader from{with_.journal.disk(), shard};
  auto rows = storage::deletes_of(from.next(piece_bytes));
  if (JUMUN_PLANTED(left_rows_kept) && with_.owner_of(shard).first != with_.self) rows.clear();
  if (rows.empty()) return then();
  const auto came_to = write(std::move(rows), shard, epoch,
    task([this, shard, epoch, then] { empty_rest(shard, epoch, then); }));
  if (came_to == storage::append_result::fenced)
    with_.say("shard.not_emptied",
      "shard=" + std::to_string(shard) + " has a newer owner on this node than the one that left");
}

/// Before the point of no return: as if nothing had been tried.
void mover::fail(const outgoing_ptr& o, const std::string& why) {
  if (std::exchange(o->ended, true)) return;
  ++counts_.failed;
  with_.say("shard.move_failed", "shard=" + std::to_string(o->what.shard) + " to=" + o->what.to
                                   + " step=" + o->step + " why=" + why);
  with_.journal.tap(o->what.shard, nullptr);
  const bool pausing = o->paused_ms > 0 && !o->given_up; // pause() comes by again
  if (!pausing) take_back(o);
}

void mover::take_back(const outgoing_ptr& o) {
  const auto shard = o->what.shard;
  if (o->given_up) with_.take_back(shard);
  note(shard, {});
  with_.later(again_after, task([this, shard, o] {
    const auto mine = out_.find(shard);
    if (mine != out_.end() && mine->second == o) out_.erase(mine);
    begin_wanted();
  }));
}

// -- the target -----------------------------------------------------------------------------------

namespace {
void answer(const cluster::reply_once& to, domain::shard_id shard, std::string refused = {}) {
  cluster::envelope e;
  e.shard = shard;
  cluster::pack(e, cluster::move_answered{std::move(refused)});
  to(std::move(e));
}
} // namespace

bool mover::takes(const cluster::envelope& what) {
  using kind = cluster::message_kind;
  return what.kind >= static_cast<std::uint16_t>(kind::move_offer)
         && what.kind <= static_cast<std::uint16_t>(kind::move_complete);
}

void mover::take(const std::string& from, cluster::envelope what, cluster::reply_once reply) {
  task([this, from, what = std::move(what), reply = std::move(reply)] {
    if (const auto m = cluster::unpack<cluster::move_offer>(what))
      return take_offer(from, what.shard, *m, reply);
    const auto known = in_.find(what.shard);
    if (known != in_.end() && known->second.copy.from != from)
      return answer(reply, what.shard, "another node gives it");
    if (const auto m = cluster::unpack<cluster::move_rows>(what))
      return take_rows(what.shard, *m, reply);
    if (const auto m = cluster::unpack<cluster::move_complete>(what))
      return take_complete(what.shard, *m, reply);
    reply.unsupported();
  })();
}

namespace {
constexpr auto not_by_our_map = "by this node's map it is not to come from you at that epoch";
} // namespace

/// The giver hears of a new map as soon as its taker, so every other offer is early.
void mover::hold(domain::shard_id shard, early_offer offer) {
  const auto move = offer.what.move;
  if (const auto other = early_.find(shard);
      other != early_.end() && other->second.what.move != move)
    answer(other->second.reply, shard, not_by_our_map);
  early_[shard] = std::move(offer);
  with_.later(hold_for, task([this, shard, move] {
    const auto held = early_.find(shard);
    if (held == early_.end() || held->second.what.move != move) return;
    answer(held->second.reply, shard, not_by_our_map);
    early_.erase(held);
  }));
}

void mover::take_offer(const std::string& from, domain::shard_id shard,
  const cluster::move_offer& m, cluster::reply_once reply) {
  const auto [owner, epoch] = with_.owner_of(shard);
  if (owner != from || epoch + 1 != m.epoch || !coming_[shard]) {
    if (m.epoch > epoch) return hold(shard, {from, m, std::move(reply)});
    return answer(reply, shard, not_by_our_map);
  }
  if (emptying_[shard]) return answer(reply, shard, "its old rows are still being deleted here");
  auto& in = in_[shard];
  if (in.copy.move == m.move) return answer(reply, shard); // asked again
  in = {};
  in.copy = {m.epoch, from, m.move, false};
  emptying_.set(shard);
  put(storage::shard_copy_key(shard), storage::encode(in.copy), task([this, shard, m, reply] {
    const auto agree = [this, shard, reply] {
      with_.reached("move.take.offered");
      answer(reply, shard);
    };
    if (!JUMUN_PLANTED(old_rows_mixed_in)) return empty(shard, m.epoch, agree);
    emptying_.reset(shard);
    agree();
  }));
}

void mover::take_rows(
  domain::shard_id shard, const cluster::move_rows& m, cluster::reply_once reply) {
  auto& in = in_[shard];
  if (in.copy.move != m.move || emptying_[shard] || in.copy.complete)
    return answer(reply, shard, "no such move");
  if (m.piece > in.next) return answer(reply, shard, "a piece is missing");
  const auto say_so = task([this, shard, reply] {
    with_.reached("move.take.rows");
    answer(reply, shard);
  });
  if (m.piece < in.next) return with_.journal.when_durable(say_so);
  auto rows = storage::decode_rows(m.rows, shard);
  if (!rows || rows->size() > limits::write_set_entries_max)
    return answer(reply, shard, "the rows can't be read");
  const auto count = rows->size();
  if (write(std::move(*rows), shard, in.copy.epoch, say_so) != storage::append_result::ok)
    return answer(reply, shard, "it has a newer owner than the one that it is copied for");
  ++in.next;
  in.rows += count, in.bytes += m.rows.size();
  counts_.rows_in += count, counts_.bytes_in += m.rows.size();
  note(shard,
    move_progress{shard, in.copy.epoch, in.copy.from, with_.self, "taking", in.rows, in.bytes});
}

void mover::take_complete(
  domain::shard_id shard, const cluster::move_complete& m, cluster::reply_once reply) {
  auto& in = in_[shard];
  if (in.copy.move != m.move || emptying_[shard]) return answer(reply, shard, "no such move");
  if (m.pieces != in.next) return answer(reply, shard, "a piece is missing");
  if (!std::exchange(in.copy.complete, true)) ++counts_.taken;
  if (JUMUN_PLANTED(copy_said_early)) answer(reply, shard);
  // In each shard offsets only rise, whoever writes them. It is durable with what follows.
  if (!JUMUN_PLANTED(offsets_begin_anew)) with_.journal.raise_offset(m.last_offset);
  write_meta({{storage::table::meta, storage::shard_copy_key(shard), storage::encode(in.copy)},
               storage::low_water_row(shard, m.low_water)},
    task([this, shard, reply] {
      note(shard, {});
      with_.reached("move.take.completed");
      answer(reply, shard);
    }));
}

storage::append_result mover::write(std::vector<storage::entry> rows, domain::shard_id shard,
  domain::epoch_id epoch, storage::durable_callback then) {
  storage::write_set set;
  set.shard = shard;
  set.epoch = epoch;
  set.entries = std::move(rows);
  return with_.journal.append(std::move(set), std::move(then));
}

bool mover::gave_away(domain::shard_lease lease) const {
  const auto row =
    with_.journal.disk().get(storage::table::meta, storage::shard_given_key(lease.shard));
  const auto given = row ? storage::decode_given(*row) : std::nullopt;
  return row && (!given || given->epoch == lease.epoch);
}

bool mover::may_serve(domain::shard_lease lease, bool held, bool fresh) const {
  if (gave_away(lease)) return false;
  if (held || fresh || JUMUN_PLANTED(any_copy_served)) return true;
  const auto row =
    with_.journal.disk().get(storage::table::meta, storage::shard_copy_key(lease.shard));
  const auto copy = row ? storage::decode_copy(*row) : std::nullopt;
  return copy && copy->complete && copy->epoch == lease.epoch;
}

void mover::note(domain::shard_id shard, std::optional<move_progress> now) {
  const std::lock_guard lock{guard_};
  if (now)
    progress_[shard] = std::move(*now);
  else
    progress_.erase(shard);
}

std::vector<move_progress> mover::progress() const {
  const std::lock_guard lock{guard_};
  std::vector<move_progress> all;
  for (const auto& [shard, p] : progress_) all.push_back(p);
  return all;
}
} // namespace jumun::app
