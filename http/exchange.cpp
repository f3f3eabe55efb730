#include "http/exchange.hpp"
#include "http/cors.hpp"
#include "http/forwarding.hpp"
#include "http/routes.hpp"
#include "http/session.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>

namespace jumun::http {
exchange::exchange(std::shared_ptr<edge> at, listener on) : at{std::move(at)}, on{on} {}

void exchange::hand_over(std::shared_ptr<session> by) { by_ = std::move(by); }

exchange::~exchange() {
  if (answered_ || (!by_ && !across_)) return;
  if (at->io.stopped()) return; // the server has ended, and with it whatever would carry an answer
  try {
    ++at->counts.exceptions;
    began_here = false;
    auto lost = problem_reply({&problems::internal_error, "", {}}, from.trace_id);
    reply({lost.status, std::move(lost.content_type), std::move(lost.body), {}, {}, {}});
  } catch (...) {
    ++at->counts.exceptions; // out of memory: the connection stays without an answer
  }
}

std::string exchange::rate_key() const {
  return who.principal.empty() ? '\0' + by_->peer() : who.principal; // no principal has a NUL
}

/// What every answer of the public listener has, where it is configured.
void exchange::add_fields(std::string& more) const {
  if (on != listener::on_public) return;
  if (at->rates.on())
    more += at->rates.fields(rate ? *rate : at->rates.look(rate_key(), rate_limiter::clock::now()));
  add_cors(head, at->options.cors_origins, more);
}

void exchange::reply(response r) {
  if (began_here && read_too_late(shared_from_this(), r.status)) return;
  r.last = r.last || last;
  if (across_) return reply_across({forwarded_answer::kind::answered, std::move(r), {}, {}});
  add_fields(r.more);
  if (answered_.exchange(true)) return;
  account(r.status);
  held = {}, entering = {};
  by_->answer(std::move(r));
}

/// The node that the client is connected to counts it, and adds its own fields.
void exchange::reply_across(forwarded_answer a) {
  if (answered_.exchange(true)) return;
  held = {};
  across_(std::move(a));
}

/// Counts the answer, and writes it to the log where debug lines are wanted.
void exchange::account(unsigned status) const {
  using namespace std::chrono;
  const auto took = duration_cast<microseconds>(steady_clock::now() - began_);
  auto& of = at->counts.routes[route];
  constexpr auto relaxed = std::memory_order_relaxed;
  of.answered[std::min(status / 100, 5U)].fetch_add(1, relaxed);
  of.took.count(static_cast<std::uint64_t>(took.count()));
  if (on == listener::on_public && status == 429) at->counts.too_many.fetch_add(1, relaxed);
  if (on == listener::on_public && status == 503) at->counts.unavailable.fetch_add(1, relaxed);
  auto* logs = at->to.logs;
  if (!logs || !logs->debugs()) return;
  // Not here: an answer may come from the committer's thread, which must not wait for a write(2).
  boost::asio::post(at->io, [logs, status, took, method = std::string{head.method},
                              trace_id = from.trace_id, path = route_path(route)] {
    logs->access({method, path, status, took, trace_id});
  });
}

void exchange::stream(response head, std::shared_ptr<endless_body> body) {
  if (across_) // no node asks for one: see http/merged_stream.hpp
    return send(shared_from_this(), problems::not_acceptable, "a node has no streams for another");
  add_fields(head.more);
  if (answered_.exchange(true)) return;
  account(head.status);
  held = {}, entering = {};
  by_->stream(std::move(head), std::move(body));
}

std::optional<std::string> exchange::query(std::string_view name) const {
  auto rest = head.query;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    return percent_decoded(pair.substr(std::min(equals + 1, pair.size())), /*plus=*/true);
  }
  return {};
}

namespace {
/// Who is turned away for want of room, or too early, is told when to come again.
bool comes_again(const domain::stored_reply& r) {
  if (r.status == 503 || r.status == 429) return true;
  return r.status == 409 && r.body.find(problems::key_running.code) != std::string::npos;
}
} // namespace

void send(const exchange_ptr& ex, domain::stored_reply r, std::string more) {
  if (r.replayed) {
    more += "Idempotency-Replayed: true\r\n";
    ++ex->at->counts.replays;
  }
  if (comes_again(r)) more += "Retry-After: 1\r\n";
  ex->reply({r.status, std::move(r.content_type), std::move(r.body), std::move(r.etag),
    std::move(r.location), std::move(more)});
}

void send(const exchange_ptr& ex, const problem& p, std::string more) {
  send(ex, problem_reply(p, ex->from.trace_id), std::move(more));
}

void send(const exchange_ptr& ex, const problem_kind& kind, std::string detail) {
  send(ex, problem{&kind, std::move(detail), {}});
}

void send_json(const exchange_ptr& ex, std::string body, std::string etag) {
  response r;
  r.body = std::move(body), r.etag = std::move(etag);
  ex->reply(std::move(r));
}

void on_readers(const exchange_ptr& ex, std::function<void()> work) {
  boost::asio::post(ex->at->readers, [ex, work = std::move(work)] { guarded(ex, work); });
}

void send_mistake(const exchange_ptr& ex) noexcept {
  ++ex->at->counts.exceptions;
  try {
    send(ex, problems::internal_error);
  } catch (...) {
    ++ex->at->counts.exceptions; // ~exchange() tries again
  }
}
} // namespace jumun::http
