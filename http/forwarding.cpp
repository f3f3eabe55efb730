#include "http/forwarding.hpp"
#include "http/fields.hpp"
#include "http/gather.hpp"
#include "http/owner_patience.hpp"
#include "http/render.hpp"
#include "http/waiting.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <mutex>

namespace jumun::http {
namespace {
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Where a request wants to go, before the map of owners is looked at.
struct destination {
  enum class kind : std::uint8_t { here, shard, any_owner, member } is = kind::here;
  domain::shard_id shard = 0;
  std::string_view node = {};
};

std::optional<domain::id_kind> id_of(home h) {
  switch (h) {
    case home::order: return domain::id_kind::order;
    case home::payment: return domain::id_kind::payment;
    case home::delivery: return domain::id_kind::delivery;
    default: return {};
  }
}

std::optional<domain::order_id> order_named(const exchange_ptr& ex, home h) {
  const auto kind = id_of(h);
  return kind ? domain::parse_id(*kind, ex->params[0]) : std::nullopt;
}

/// Of an actor by its id, which begins with its node's name (`b.257`; not where a node is alone),
/// or by its name, which tells its shard (`inventory/91`, `saga/ord_…`).
destination destination_of_actor(std::string_view actor) {
  using kind = destination::kind;
  const auto slash = actor.find('/');
  if (slash == actor.npos) {
    const auto dot = actor.find('.');
    return dot == actor.npos ? destination{} : destination{kind::member, 0, actor.substr(0, dot)};
  }
  const auto of = actor.substr(slash + 1);
  if (const auto order = domain::parse_id(domain::id_kind::order, of))
    return {kind::shard, domain::shard_of(*order)};
  domain::shard_id shard = 0; // what is more than the last one does not fit, and stays here
  const auto [end, why] = std::from_chars(of.data(), of.data() + of.size(), shard);
  const bool whole = why == std::errc{} && end == of.data() + of.size();
  return whole ? destination{kind::shard, shard} : destination{};
}

/// What is not well formed stays here, and is refused by its handler.
destination destination_of(const exchange_ptr& ex, home h) {
  using kind = destination::kind;
  const auto to = [](std::optional<domain::shard_id> s) {
    return s ? destination{kind::shard, *s} : destination{};
  };
  switch (h) {
    case home::order:
    case home::payment:
    case home::delivery: {
      const auto id = order_named(ex, h);
      return id ? to(domain::shard_of(*id)) : destination{};
    }
    case home::sku: return to(domain::shard_of(ex->params[0]));
    case home::key:
      return ex->from.key.empty() ? destination{kind::any_owner}
                                  : to(domain::shard_of(ex->from.key));
    case home::hook:
      return ex->at->to.hooks ? to(ex->at->to.hooks->shard_of(ex->body)) : destination{};
    case home::webhook: {
      const auto id = domain::parse_id(domain::id_kind::webhook, ex->params[0]);
      return id ? to(domain::shard_of(*id)) : destination{};
    }
    case home::actor: return destination_of_actor(ex->params[0]);
    case home::any_owner: return {kind::any_owner};
    case home::here:
    case home::list:
    case home::all_nodes: break;
  }
  return {};
}

place find_place(elsewhere& others, const destination& to) {
  switch (to.is) {
    case destination::kind::here: return {};
    case destination::kind::shard: return others.owner_of(to.shard);
    case destination::kind::any_owner: return others.any_owner();
    case destination::kind::member: return others.place_of(to.node);
  }
  return {};
}

/// Whether doing this write twice is doing it once: it has a key, or says how things are to be and
/// not from where.
bool repeatable(const exchange_ptr& ex, const route& r) {
  if (!ex->from.key.empty()) return true;
  const auto& h = ex->head;
  if (h.method == "PUT") return h.count("if-match") == 0 && h.count("if-none-match") == 0;
  return r.again;
}

/// Fields that end at this node: credentials, and what is about this connection.
bool stays(std::string_view name) {
  for (const auto mine : {"authorization", "proxy-authorization", "cookie", "connection",
         "keep-alive", "expect", "host", "content-length", "traceparent", "tracestate", "origin"})
    if (same_text(name, mine)) return true;
  return false;
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// How long a request is tried in all; what it waits for itself comes on top.
retries patience_of(const exchange_ptr& ex) {
  const auto& how = ex->at->options;
  auto most = std::max<milliseconds>(limits::forward_max, how.owner_wait);
  if (const auto wait = prefer_wait(ex->head)) most += *wait;
  if (!ex->from.key.empty()) most += how.running_key_wait_max;
  return {clock::now() + most};
}

bool reads_only(const exchange_ptr& ex) {
  return ex->head.method == "GET" || ex->head.method == "HEAD";
}

/// Runs `step` after the next pause. False: the time is up, or the server is at its end: a request
/// that goes on asking would keep the process for as long as it has patience.
bool try_later(const exchange_ptr& ex, std::function<void()> step) {
  if (ex->at->stopped) return false;
  if (!ex->tries) ex->tries = patience_of(ex);
  auto& pause = ex->tries->pause;
  if (ex->tries->left() <= pause) return false;
  ++ex->at->counts.forwarded_again;
  after(ex, pause, std::move(step));
  pause = std::min(2 * pause, milliseconds{limits::forward_pause_max});
  return true;
}

/// One request's way to its node, however often it has to be asked.
class journey : public std::enable_shared_from_this<journey> {
public:
  journey(exchange_ptr ex, const route& r)
      : ex_{std::move(ex)}, route_{r}, others_{*ex_->at->to.others}, to_{destination_of(ex_, r.at)},
        reads_{reads_only(ex_)}, again_{reads_ || repeatable(ex_, r)}, patience_{*ex_->at} {
    if (!ex_->tries) ex_->tries = patience_of(ex_);
    ex_->began_here = false;
  }

  void step() {
    const auto at = find_place(others_, to_);
    switch (at.is) {
      case place::kind::here: return run_here(ex_, route_);
      case place::kind::there: return send_to(at);
      case place::kind::moving: return later(at);
      case place::kind::away:
        if (unknown_) return later(at); // it may have been done: only its owner can say
        return patience_.lasts() ? later(at) : refuse(at);
    }
  }

private:
  void send_to(const place& at) {
    const auto most = ex_->tries->left();
    if (most <= milliseconds{0}) return give_up(at);
    ++ex_->at->counts.forwarded;
    others_.forward(at.node, forwarded(ex_), most, [self = shared_from_this(), at](auto a) {
      guarded(self->ex_, [&] { self->hear(at, std::move(a)); });
    });
  }
  void hear(const place& at, forwarded_answer a) {
    using kind = forwarded_answer::kind;
    switch (a.is) {
      case kind::answered: return ex_->reply(std::move(a.what));
      case kind::not_here: return later(at);
      case kind::not_sent:
        return unknown_ || patience_.lasts(limits::resend_max) ? later(at) : refuse(at);
      case kind::unknown: unknown_ = !reads_; return again_ ? later(at) : give_up(at);
    }
  }
  void later(const place& at) {
    if (!try_later(ex_, [self = shared_from_this()] { self->step(); })) give_up(at);
  }
  void give_up(const place& at) {
    if (!unknown_) return refuse(at);
    const auto order = order_named(ex_, route_.at);
    send(ex_, problems::outcome_unknown,
      order ? "ask for " + order_path(*order)
            : "its node did not answer; ask before you repeat it");
  }
  void refuse(const place& at) {
    std::string why =
      to_.is == destination::kind::shard ? "shard " + std::to_string(to_.shard) : "it";
    if (to_.is == destination::kind::any_owner)
      why = "no node that could take it is there";
    else if (at.node.empty())
      why += " has no owner now";
    else
      why += " is served by node " + at.node + ", which does not answer";
    if (to_.is == destination::kind::member && at.node.empty())
      return send(ex_, problems::not_found, "no node of this name is there");
    send(ex_, problems::shard_unavailable, std::move(why));
  }

  const exchange_ptr ex_;
  const route& route_; // of the table, for ever
  elsewhere& others_;
  const destination to_;
  const bool reads_, again_;
  owner_patience patience_;
  bool unknown_ = false; // a write was sent without an answer
};

/// The request begins anew where its shard is now; the node that sent it sees to that.
void go_on_elsewhere(const exchange_ptr& ex) {
  if (ex->from_a_node())
    ex->reply_across({forwarded_answer::kind::not_here, {}, {}, {}});
  else
    std::make_shared<journey>(ex, all_routes()[ex->route])->step();
}

/// Answers that are waited for together.
struct answers_of_all {
  std::mutex mutex;
  std::vector<forwarded_answer> answers;
  std::size_t missing = 0;
};
} // namespace

forwarded_request forwarded(const exchange_ptr& ex) {
  forwarded_request r;
  r.on = ex->on;
  const auto& h = ex->head;
  r.head.reserve(ex->head_bytes.size());
  r.head.append(h.method).append(" ").append(h.target).append(" HTTP/1.1\r\nHost: jumun\r\n");
  for (std::size_t i = 0; i < h.field_count; ++i)
    if (!stays(h.fields[i].name)) add_line(r.head, h.fields[i].name, h.fields[i].value);
  if (!ex->body.empty()) add_line(r.head, "Content-Length", std::to_string(ex->body.size()));
  r.head += "\r\n";
  r.body = ex->body;
  r.who = ex->who;
  r.from = ex->from;
  return r;
}

bool belongs_here(const exchange_ptr& ex, const route& r) {
  return find_place(*ex->at->to.others, destination_of(ex, r.at)).is == place::kind::here;
}

bool moved_on(const exchange_ptr& ex, domain::shard_id shard) {
  auto* others = ex->at->to.others;
  if (!others || others->owner_of(shard).is == place::kind::here) return false;
  go_on_elsewhere(ex);
  return true;
}

bool begun_again(const exchange_ptr& ex) {
  const auto& r = all_routes()[ex->route];
  if (!reads_only(ex) && !repeatable(ex, r)) return false;
  if (!ex->tries) ex->tries = patience_of(ex);
  auto& since = ex->tries->lost_since;
  if (!since) since = clock::now();
  if (clock::now() - *since >= limits::resend_max) return false;
  return try_later(ex, [ex, &r] {
    if (!ex->at->to.others || (ex->from_a_node() && belongs_here(ex, r))) return run_here(ex, r);
    if (!ex->from_a_node()) return run_where_it_belongs(ex, r);
    ex->reply_across({forwarded_answer::kind::unknown, {}, {}, {}});
  });
}

bool read_too_late(const exchange_ptr& ex, unsigned status) {
  if (!std::exchange(ex->began_here, false) || (!reads_only(ex) && status != 404)) return false;
  const auto& r = all_routes()[ex->route];
  if (belongs_here(ex, r)) return false;
  go_on_elsewhere(ex);
  return true;
}

void run_where_it_belongs(const exchange_ptr& ex, const route& r) {
  if (r.at == home::here) return run_here(ex, r);
  if (r.at == home::list || r.at == home::all_nodes) return gather_list(ex, r);
  // A stream of one order's events stays here, and asks for them there: http/merged_stream.hpp.
  if (r.streams && prefers_event_stream(ex->head)) return run_here(ex, r);
  if (belongs_here(ex, r)) return run_here(ex, r);
  std::make_shared<journey>(ex, r)->step();
}

namespace {
/// The exchange of a request that came from no client's connection; `then` runs it, on an I/O
/// thread.
void begin(const std::shared_ptr<edge>& at, forwarded_request r, done<forwarded_answer> reply,
  void (*then)(const exchange_ptr&)) {
  auto ex = std::make_shared<exchange>(at, r.on);
  ex->hand_over(std::move(reply));
  guarded(ex, [&] {
    ex->head_bytes = std::move(r.head);
    if (const auto why = check_head(ex->head_bytes, ex->head))
      return send(ex, *why->kind, std::string{why->detail});
    ex->body = std::move(r.body);
    ex->who = std::move(r.who);
    ex->from = std::move(r.from);
    if (r.part) ex->wants_rows = std::move(r.part_after);
    if (r.feed) ex->wants_events = std::make_unique<feed_ask>(std::move(*r.feed));
    boost::asio::post(at->io, [ex, then] { then(ex); });
  });
}
} // namespace

void take_forwarded(
  const std::shared_ptr<edge>& at, forwarded_request r, done<forwarded_answer> reply) {
  ++at->counts.forwarded_here;
  begin(at, std::move(r), std::move(reply), dispatch_forwarded);
}

void ask_own(const std::shared_ptr<edge>& at, forwarded_request r, done<response> reply) {
  begin(
    at, std::move(r),
    [reply = std::move(reply)](forwarded_answer a) {
      if (a.is != forwarded_answer::kind::answered) a.what.status = 503; // its shard has just left
      reply(std::move(a.what));
    },
    dispatch_own);
}

std::vector<member> members_of(const edge& at) {
  if (at.to.others) return at.to.others->members();
  return {{at.options.node, domain::all_shards(), /*here=*/true}};
}

domain::shard_set served_by(const edge& at) {
  return at.to.others ? at.to.others->served() : domain::all_shards();
}

void ask_each(const exchange_ptr& ex, const forwarded_request& like, const std::vector<member>& to,
  milliseconds within, std::function<void(std::vector<forwarded_answer>)> then) {
  auto all = std::make_shared<answers_of_all>();
  all->answers.resize(to.size());
  all->missing = to.size() + 1; // one for this loop
  const auto end = [ex, all, then = std::move(then)](std::size_t which, forwarded_answer a) {
    {
      const std::lock_guard lock{all->mutex};
      if (which < all->answers.size()) all->answers[which] = std::move(a);
      if (--all->missing > 0) return;
    }
    boost::asio::post(
      ex->at->io, [ex, all, then] { guarded(ex, [&] { then(std::move(all->answers)); }); });
  };
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto heard = [end, i](forwarded_answer a) { end(i, std::move(a)); };
    if (to[i].here)
      take_forwarded(ex->at, like, heard);
    else if (to[i].up)
      ex->at->to.others->forward(to[i].node, like, within, heard);
    else
      heard({forwarded_answer::kind::not_sent, {}, {}, {}});
  }
  end(to.size(), {});
}

response* refusal_in(std::vector<forwarded_answer>& answers) {
  for (auto& a : answers)
    if (a.is == forwarded_answer::kind::answered && !a.rows && !a.events && a.what.status >= 400
        && a.what.status < 500 && a.what.status != 429)
      return &a.what;
  return nullptr;
}
} // namespace jumun::http
