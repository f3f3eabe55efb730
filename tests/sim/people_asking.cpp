#include "storage/queries.hpp"
#include "storage/rows.hpp"
#include "tests/sim/people.hpp"

// How people ask, until there is an answer; and what must be on disk once one has left the node.
namespace jumun::sim {
namespace {
using storage::table;

constexpr std::int64_t patience_ms = 10'000; // of a client for an answer; then it asks again
constexpr std::int64_t edge_wait_ms = 2'000; // Prefer: wait=2

bool says(const domain::stored_reply& r, std::string_view code) {
  return r.body.find(code) != std::string::npos;
}
/// No answer yet: the same is to be asked again.
bool not_yet(const domain::stored_reply& r) {
  return r.status == 503 || r.status == 504 || says(r, "idempotency-key-running");
}
std::string tag_of(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }
domain::order_id order_in(const std::string& body) {
  const auto at = body.find("ord_");
  if (at == std::string::npos) return {};
  return domain::parse_id(domain::id_kind::order, body.substr(at, 30)).value_or(domain::order_id{});
}
} // namespace

wish& people::want(command what, std::string name) {
  auto& w = wishes_.emplace_back();
  w.what = std::move(what);
  w.name = std::move(name);
  if (trace) trace(w.name + " is wanted");
  send(w, ++w.attempts);
  return w;
}

void people::resend(wish& w, std::int64_t ms) {
  want_later(ms, [this, &w, attempt = w.attempts] {
    if (!w.answered && w.attempts == attempt) send(w, ++w.attempts);
  });
}

void people::send(wish& w, int attempt) {
  const auto door = world_.at.door();
  if (!door) return resend(w, 500 + some(1'000));
  // Nothing is remembered of these, so a repetition is another wish: its outcome stays unknown.
  want_later(patience_ms, [this, &w, attempt] {
    if (!w.answered && w.attempts == attempt) send(w, ++w.attempts);
  });
  if (!w.from().key.empty() && world_.luck.fires(fault::other_body)) {
    auto forged = w.what;
    std::visit([](auto& c) { c.from.fingerprint += " (another)"; }, forged);
    if (w.reply) ask(w, forged, /*honest=*/false, *door); // the key is used: it must be refused
  }
  if (world_.luck.fires(fault::sent_twice)) ask(w, w.what, true, *door);
  ask(w, w.what, true, *door);
}

void people::ask(wish& w, const command& what, bool honest, std::size_t door) {
  world_.at.ask(door, what, [this, &w, honest, door](const actors::command_result& r) {
    if (honest) return heard(w, r, door);
    if (!r.lost && r.reply.status != 422 && !not_yet(r.reply))
      model_.wrong("key-reused",
        w.name + ": another body under a used key was answered " + std::to_string(r.reply.status));
  });
}

void people::heard(wish& w, const actors::command_result& r, std::size_t door) {
  if (r.lost) {
    if (!w.answered) resend(w, 100 + some(2'000));
    return;
  }
  if (r.to_settle != domain::order_id{}) {
    if (!durable(r.to_settle))
      model_.wrong("answered-before-durable", w.name + " waits for no order");
    return wait_for(w, r.to_settle, door);
  }
  model_.mark(r.reply.body);
  if (not_yet(r.reply)) {
    if (!w.answered) resend(w, 200 + some(1'000));
    return;
  }
  left_the_node(w, r.reply);
  if (w.answered) return;
  if (world_.luck.fires(fault::reply_lost)) return resend(w, 100 + some(3'000));
  w.answered = true;
  if (trace) trace(w.name + " is answered " + std::to_string(r.reply.status));
  accepted(w, r.reply);
}

/// The edge's part of Prefer: wait: render once it has settled, or after a while, whether its asker
/// still listens or not.
void people::wait_for(wish& w, domain::order_id id, std::size_t door) {
  const auto o = durable(id);
  if (o && domain::settled(*o)) return render(w, id, door);
  const auto number = ++waited_;
  waiting_[number] = {id, &w, door};
  want_later(edge_wait_ms, [this, number] { stop_waiting(number); });
}
void people::stop_waiting(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return; // settled before, or its edge is gone
  const auto [order, who, door] = found->second;
  waiting_.erase(found);
  render(*who, order, door);
}
void people::render(wish& w, domain::order_id id, std::size_t door) {
  const auto o = durable(id);
  if (!world_.at.open(door) || !o) return;
  const domain::remember_reply c{
    w.from(), domain::shard_of(w.from().key), world_.at.present().placed(*o)};
  world_.at.ask(door, c, [this, &w, door](const actors::command_result& r) { heard(w, r, door); });
}

/// Whoever hears it or not: from here on it must hold, whatever happens to us.
void people::left_the_node(wish& w, const domain::stored_reply& reply) {
  const auto& from = w.from();
  if (!from.key.empty()) {
    const auto bytes =
      world_.truth.get(table::idempotency, storage::idempotency_key(shard_for(w.what), from.key));
    const auto record = bytes ? storage::decode<domain::idempotency_record>(*bytes) : std::nullopt;
    if (!record || !record->reply || record->reply->body != reply.body)
      model_.wrong("answered-before-durable", w.name + ": its key does not remember the answer");
    if (w.reply && (w.reply->body != reply.body || w.reply->status != reply.status))
      model_.wrong(
        "replay-differs", w.name + ": one key, two answers: " + w.reply->body + " / " + reply.body);
  }
  if (!w.reply) w.reply = reply;
  check_effect(w, reply);
}

void people::check_effect(const wish& w, const domain::stored_reply& reply) {
  const auto missing = [&](const char* what) {
    model_.wrong("answered-before-durable", w.name + " was answered, and " + what);
  };
  const auto& truth = world_.truth;
  const bool good = reply.status < 300;
  if (std::holds_alternative<domain::place_order>(w.what) && good) {
    const auto o = durable(order_in(reply.body));
    if (!o || o->customer != w.name) missing("its order is not on disk");
  } else if (const auto* c = std::get_if<domain::cancel_order>(&w.what); c && good) {
    const auto o = durable(c->order);
    if (!o || !o->cancel_requested) missing("its cancellation is not on disk");
  } else if (const auto* h = std::get_if<domain::take_hook>(&w.what); h && good) {
    if (!truth.get(table::hooks, storage::hook_key(domain::shard_of(h->what.order), h->what.event)))
      missing("its hook is not on disk");
  } else if (const auto* r = std::get_if<domain::report_delivery>(&w.what); r && good) {
    const auto o = durable(r->order);
    const bool there = o && (o->delivery >= r->report.status || o->resolved);
    if (!there) missing("its report is not on disk");
  } else if (const auto* n = std::get_if<domain::count_stock>(&w.what); n && good) {
    if (reply.etag != tag_of(n->if_version + 1)) overwrites(w);
  } else if (const auto* a = std::get_if<domain::act_on_saga>(&w.what); a && good) {
    const auto seen = a->if_version.value_or(0);
    if (seen > 0 && reply.etag != tag_of(seen) && reply.etag != tag_of(seen + 1)) overwrites(w);
  }
}

/// It was done on another version than the one that was seen.
void people::overwrites(const wish& w) {
  model_.wrong("if-match-ignored", w.name + " was done on a version that nobody had shown");
}

void people::accepted(wish& w, const domain::stored_reply& reply) {
  if (std::holds_alternative<domain::place_order>(w.what) && reply.status == 201)
    after_acceptance(w.name, order_in(reply.body));
}

std::optional<domain::order> people::durable(domain::order_id id) const {
  return storage::find_order(world_.truth, id);
}
} // namespace jumun::sim
