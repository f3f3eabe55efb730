#include "actors/idempotency.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"

namespace jumun::actors {
using domain::refusal;

namespace {
std::int64_t ms(std::chrono::milliseconds d) { return d.count(); }
/// Its first asker, or the edge that keeps the answer for it, may still be there. A clock that went
/// back says nothing; to be asked for by two is harmless, as the supervisor keeps one answer.
bool waited_for(const environment& env, const domain::idempotency_record& record) {
  const auto age = env.now_ms() - record.created_ms;
  return record.boot == env.boot && age >= 0 && age <= ms(limits::running_key_max);
}
} // namespace

key_lookup look_up(
  const environment& env, domain::shard_id shard, const domain::request_context& from) {
  key_lookup found;
  if (from.key.empty()) return found;
  const auto bytes =
    env.journal.latest(storage::table::idempotency, storage::idempotency_key(shard, from.key));
  if (!bytes) return found;
  auto record = storage::decode<domain::idempotency_record>(*bytes);
  if (!record || env.now_ms() - record->created_ms > ms(limits::idempotency_kept)) return found;
  using kind = key_lookup::kind;
  if (JUMUN_PLANTED(reply_lost_on_restart) && record->boot != env.boot) return found;
  if (record->fingerprint != from.fingerprint && !JUMUN_PLANTED(key_of_another_body)) {
    found.what = kind::reused;
  } else if (record->reply) {
    found.what = kind::replay;
    found.reply = std::move(*record->reply);
    found.reply.replayed = true;
  } else {
    found.what = waited_for(env, *record) ? kind::running : kind::taken_over;
    found.order = record->order.value_or(domain::order_id{});
  }
  return found;
}

void remember(storage::write_set& set, const environment& env, const domain::request_context& from,
  std::optional<domain::stored_reply> reply, std::optional<domain::order_id> order) {
  if (from.key.empty()) return;
  domain::idempotency_record record;
  record.fingerprint = from.fingerprint;
  record.reply = std::move(reply);
  record.order = order;
  record.boot = env.boot;
  record.created_ms = env.now_ms();
  set.entries.push_back({storage::table::idempotency, storage::idempotency_key(set.shard, from.key),
    storage::encode(record)});
}

bool answered_from_record(const environment& env, const key_lookup& found,
  const domain::request_context& from, const completion& done) {
  switch (found.what) {
    case key_lookup::kind::fresh:
    case key_lookup::kind::taken_over: return false;
    case key_lookup::kind::replay: answer_when_durable(env, done, found.reply); return true;
    case key_lookup::kind::running:
      answer_when_durable(env, done,
        env.present.refused(refusal::key_running,
          "The first request with this Idempotency-Key is still running.", "", from));
      return true;
    case key_lookup::kind::reused:
      answer_when_durable(env, done,
        env.present.refused(refusal::key_reused,
          "This Idempotency-Key was used with another body; a new request needs a new key.", "",
          from));
      return true;
  }
  return false;
}

void answer_when_durable(
  const environment& env, const completion& done, domain::stored_reply reply) {
  env.journal.when_durable([done, reply = std::move(reply)]() mutable {
    done({std::move(reply), {}, false});
  });
}

void append_or_throw(
  const environment& env, storage::write_set set, storage::durable_callback then) {
  switch (env.journal.append(std::move(set), std::move(then))) {
    case storage::append_result::ok: return;
    case storage::append_result::stale_version:
      throw std::runtime_error{"the journal holds a newer version of this row"};
    case storage::append_result::fenced:
      throw std::runtime_error{"the shard has a newer owner: this epoch is fenced"};
    case storage::append_result::stopped: throw std::runtime_error{"the journal has stopped"};
  }
}
} // namespace jumun::actors
