#include "app/node.hpp"
#include "app/webhooks/dispatcher.hpp"
#include "app/webhooks/signature.hpp"
#include "app/webhooks/url_rule.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include "storage/queries.hpp"
#include <algorithm>
#include <openssl/rand.h>
#include <stdexcept>

// What is asked of the dispatcher over HTTP.
namespace jumun::app {
using domain::feed_position;

namespace {
using http::webhook_outcome;
using replier = http::done<webhook_outcome>;

std::int64_t now_ms() { return wall_clock_us() / 1'000; }

std::string fresh_secret() {
  std::string bytes(limits::webhook_secret_bytes, '\0');
  const auto made =
    RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  if (made != 1) throw std::runtime_error{"OpenSSL has no random bytes"};
  return bytes;
}

webhook_outcome refuse(const http::problem_kind& kind, std::string detail = {}) {
  return {std::nullopt, http::problem{&kind, std::move(detail), {}}};
}
webhook_outcome unknown() { return refuse(http::problems::not_found, "no webhook has this id"); }
webhook_outcome wrong(std::string pointer, std::string detail) {
  auto out =
    refuse(http::problems::validation_failed, "errors names each field and what is allowed there");
  out.refused.errors.push_back({std::move(pointer), std::move(detail)});
  return out;
}

/// Puts what `s` says into `row`; or says what is wrong with it.
std::optional<webhook_outcome> set(
  domain::webhook& row, http::webhook_settings s, bool allow_private) {
  if (s.url) {
    if (auto why = wrong_webhook_url(*s.url, allow_private); !why.empty())
      return wrong("/url", std::move(why));
    row.url = std::move(*s.url);
  }
  if (s.description) row.description = std::move(*s.description);
  if (s.topics) row.topics = std::move(*s.topics);
  if (s.types) row.types = std::move(*s.types);
  if (row.topics.empty() && row.types.empty())
    return wrong("/topics", "topics and event_types can't both be empty");
  using off = domain::webhook_off;
  if (s.enabled && *s.enabled) row.off = off::none;
  if (s.enabled && !*s.enabled && row.off == off::none) row.off = off::asked;
  row.updated_ms = now_ms();
  ++row.version;
  return {};
}
} // namespace

webhook_lane* webhook_dispatcher::lane_of(domain::order_id id) {
  const auto found = lanes_.find(id);
  return found == lanes_.end() ? nullptr : &found->second;
}

http::webhook_view webhook_dispatcher::view_of(const webhook_lane& lane) const {
  http::webhook_view v;
  v.row = lane.row();
  if (v.row.secrets.size() > 1 && v.row.secrets[1].signs_until_ms > now_ms())
    v.old_secret_signs_until = v.row.secrets[1].signs_until_ms;
  v.row.secrets.clear();
  const auto count = [&](std::uint64_t last, const domain::shard_set& of) {
    auto least = last;
    for (const auto s : domain::numbers_of(of))
      least = std::min(least, v.row.cursor.of[static_cast<std::size_t>(s)]);
    v.behind += last - least;
  };
  count(storage::read_last_offset(disk_), served());
  for (const auto& [node, s] : sources_) count(s.last, s.served);
  return v;
}

bool webhook_dispatcher::append(
  domain::order_id of, std::vector<storage::entry> entries, storage::durable_callback then) {
  const auto held = taken_.find(domain::shard_of(of));
  if (held == taken_.end()) return false;
  storage::write_set set;
  set.shard = held->first;
  set.epoch = held->second;
  set.entries = std::move(entries);
  return journal_.append(std::move(set), std::move(then)) == storage::append_result::ok;
}

void webhook_dispatcher::store(webhook_lane& lane, http::webhook_view then, replier reply) {
  const auto id = lane.row().id;
  lane.hold();
  const bool appended =
    append(id, lane.take_changes(), [this, id, then = std::move(then), reply]() mutable {
      {
        const std::lock_guard held{guard_};
        if (auto* known = lane_of(id)) known->release();
        feed_moved_ = poked_ = true;
      }
      wake_.notify_one();
      reply({std::move(then), {}});
    });
  if (!appended) reply(unknown()); // its shard is leaving: the edge asks the next owner
}

/// Calls `then` with the end of all feeds; where a node does not say its own in time, it is the
/// place at which that is first heard.
void webhook_dispatcher::find_end(http::done<feed_position> then) {
  struct gathering {
    std::mutex guard;
    feed_position end{feed_position::latest};
    std::size_t missing = 1; // this node
    http::done<feed_position> then;
    void add(const http::feed_part& part) {
      for (const auto s : domain::numbers_of(part.from_now))
        end.of[static_cast<std::size_t>(s)] = part.last;
    }
  };
  std::vector<std::string> nodes;
  if (others_)
    for (const auto& m : others_->members())
      if (m.up && !m.here && m.shards.any()) nodes.push_back(m.node);
  auto all = std::make_shared<gathering>();
  all->missing += nodes.size();
  all->then = std::move(then);
  const auto heard = [all](const http::feed_part* part) {
    {
      const std::lock_guard held{all->guard};
      if (part) all->add(*part);
      if (--all->missing > 0) return;
    }
    all->then(all->end);
  };
  const feed_position latest{feed_position::latest};
  for (const auto& node : nodes)
    others_->forward(node, feed_question(latest, 1), limits::part_max,
      [heard](http::forwarded_answer a) { heard(a.events ? &*a.events : nullptr); });
  const auto own = read_own(latest);
  heard(&own);
}

void webhook_dispatcher::create(http::webhook_settings s, replier reply) {
  domain::webhook row;
  row.created_ms = now_ms();
  if (auto refused = set(row, std::move(s), how_.allow_private)) return reply(std::move(*refused));
  row.secrets.push_back({fresh_secret(), 0});
  find_end([this, row = std::move(row), reply = std::move(reply)](feed_position end) mutable {
    row.cursor = end; // what happened before is not its business
    add(std::move(row), reply);
  });
}

void webhook_dispatcher::add(domain::webhook row, const replier& reply) {
  const auto act = [&]() -> std::optional<webhook_outcome> {
    const std::lock_guard held{guard_};
    // The last answer it was waiting for may come when the journal has ended: see node::~node().
    if (stopping_) return refuse(http::problems::shard_unavailable, "this node goes down");
    if (lanes_.size() >= limits::webhooks_max)
      return refuse(http::problems::webhooks_full,
        "there can be " + std::to_string(limits::webhooks_max) + "; delete one first");
    if (taken_.empty())
      return refuse(http::problems::shard_unavailable, "this node serves no shard any more");
    const auto nth = static_cast<std::ptrdiff_t>(random_bits() % taken_.size());
    const auto now = wall_clock_us();
    row.id = domain::make_order_id(std::next(taken_.begin(), nth)->first, now / 1'000,
      static_cast<std::uint64_t>(now % 1'000) * 256 / 1'000, random_bits());
    const auto id = row.id;
    auto& lane = lanes_.emplace(id, webhook_lane{std::move(row), {}}).first->second;
    endpoints_ = lanes_.size();
    auto view = view_of(lane);
    view.secret = webhook_secret_text(lane.row().secrets.front().bytes);
    store(lane, std::move(view), reply);
    return {};
  };
  if (auto refused = act()) reply(std::move(*refused));
}

void webhook_dispatcher::change(domain::order_id id, http::webhook_settings s, replier reply) {
  const auto act = [&]() -> std::optional<webhook_outcome> {
    const std::lock_guard held{guard_};
    auto* lane = lane_of(id);
    if (!lane) return unknown();
    auto row = lane->row();
    if (s.if_version && *s.if_version != row.version)
      return refuse(http::problems::precondition_failed, "If-Match names no present version");
    if (auto refused = set(row, std::move(s), how_.allow_private)) return refused;
    lane->change(std::move(row));
    store(*lane, view_of(*lane), reply);
    return {};
  };
  if (auto refused = act()) reply(std::move(*refused));
}

void webhook_dispatcher::rotate_secret(domain::order_id id, replier reply) {
  {
    const std::lock_guard held{guard_};
    if (auto* lane = lane_of(id)) {
      auto row = lane->row();
      domain::rotate_secret(row, fresh_secret(), now_ms());
      row.updated_ms = now_ms();
      ++row.version;
      lane->change(row);
      auto view = view_of(*lane);
      view.secret = webhook_secret_text(row.secrets.front().bytes);
      return store(*lane, std::move(view), std::move(reply));
    }
  }
  reply(unknown());
}

void webhook_dispatcher::remove(domain::order_id id, replier reply) {
  {
    const std::lock_guard held{guard_};
    if (auto* lane = lane_of(id)) {
      auto view = view_of(*lane);
      auto entries = lane->farewell();
      lanes_.erase(id);
      endpoints_ = lanes_.size();
      const auto gone = [view = std::move(view), reply] { reply({view, {}}); };
      if (append(id, std::move(entries), gone)) return;
    }
  }
  reply(unknown());
}

// -- messages -------------------------------------------------------------------------------------

outbound_request webhook_dispatcher::request_for(
  const domain::webhook& to, std::string_view id, std::string body) const {
  const auto now = now_ms();
  outbound_request r;
  r.method = "POST", r.url = to.url;
  r.headers = {{"Content-Type", "application/json"}, {"webhook-id", std::string{id}},
    {"webhook-timestamp", std::to_string(now / 1'000)},
    {"webhook-signature",
      webhook_signature(id, now / 1'000, body, domain::signing_secrets(to, now))}};
  r.body = std::move(body);
  r.deadline = limits::webhook_deadline;
  r.response_bytes_max = limits::webhook_response_bytes_max;
  r.allow_private = how_.allow_private;
  return r;
}

void webhook_dispatcher::test(
  domain::order_id id, http::done<std::variant<domain::webhook_attempt, http::problem>> reply) {
  std::optional<domain::webhook> to;
  bool full = false;
  {
    const std::lock_guard held{guard_};
    const auto* lane = lane_of(id);
    full = lane && tests_under_way_ >= limits::webhook_tests_max;
    if (lane && !full) to = lane->row(), ++tests_under_way_;
  }
  if (full) return reply(refuse(http::problems::overloaded, "other tests are under way").refused);
  if (!to) return reply(unknown().refused);
  const auto start = steady::now();
  const auto sent = now_ms();
  const auto message = to_text(
    domain::id_kind::event, domain::make_order_id(0, sent, random_bits() & 0xff, random_bits()));
  client_->send(request_for(*to, message, http::test_event_json(message, sent)),
    [this, start, sent, reply = std::move(reply)](const outbound_response& said) {
      {
        const std::lock_guard held{guard_};
        --tests_under_way_;
      }
      const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - start);
      const auto got = answer_of(said, took, sent);
      reply(domain::webhook_attempt{sent, got.duration_ms, got.status, got.error, true});
    });
}

void webhook_dispatcher::redeliver(domain::order_id id, const std::string& message, replier reply) {
  const auto is_it = [&](const domain::webhook_delivery& d) {
    return http::event_id(d.key, d.sequence) == message;
  };
  auto kept = storage::all_webhook_deliveries(disk_, id); // some 2 × webhook_rows_kept
  const auto act = [&]() -> webhook_outcome {
    auto* lane = lane_of(id);
    if (!lane) return unknown();
    for (auto& newer : lane->unwritten()) kept.push_back(std::move(newer));
    const auto found = std::find_if(kept.rbegin(), kept.rend(), is_it);
    if (found == kept.rend())
      return refuse(http::problems::not_found, "no delivery of this webhook has this id");
    using asked = webhook_lane::asked;
    const auto said = lane->redeliver(*found);
    if (said == asked::off)
      return refuse(http::problems::webhook_disabled, "enable it first, with PATCH");
    if (said == asked::full)
      return refuse(http::problems::overloaded, "too many redeliveries wait already");
    return {view_of(*lane), {}};
  };
  locked held{guard_};
  auto outcome = act();
  if (outcome.done) return store(*lane_of(id), std::move(*outcome.done), std::move(reply));
  held.unlock();
  reply(std::move(outcome));
}

// -- reads ----------------------------------------------------------------------------------------

std::vector<http::webhook_view> webhook_dispatcher::list() {
  std::vector<http::webhook_view> out;
  const std::lock_guard held{guard_};
  for (const auto& [id, lane] : lanes_) out.push_back(view_of(lane));
  return out;
}

std::optional<http::webhook_view> webhook_dispatcher::find(domain::order_id id) {
  for (auto& v : list())
    if (v.row.id == id) return std::move(v);
  return {};
}

std::optional<http::listed<domain::webhook_delivery>> webhook_dispatcher::deliveries(
  domain::order_id id, const std::string& state, std::size_t limit, const std::string& cursor) {
  auto p = storage::list_webhook_deliveries(disk_, id, state, limit, cursor);
  if (!p) return {};
  return http::listed<domain::webhook_delivery>{std::move(p->rows), std::move(p->next_cursor)};
}
} // namespace jumun::app
