#include "tests/history/order_model.hpp"

namespace jumun::tests::history {
namespace {
using order = order_model::state;

bool undecided(standing s) { return s >= standing::pending && s <= standing::paid; }

/// Where its saga alone may bring it, in a higher version.
bool leads_to(const order& from, standing to) {
  if (from.at == standing::cancelling)
    return to == standing::cancelling || to == standing::cancelled;
  if (!undecided(from.at)) return false;
  if (to == standing::rejected) return true;
  if (undecided(to)) return to >= from.at;
  return to == standing::preparing && !from.doomed;
}

/// Seen in this version and standing, by whatever call.
std::optional<order> seen_as(const order& now, std::int64_t version, standing as) {
  if (version < now.version) return {};
  const bool same = version == now.version && as == now.at;
  const bool later = (version > now.version || now.at_least) && leads_to(now, as);
  const bool rests = now.at_least && as == now.at; // its true version is told now
  if (!same && !later && !rests) return {};
  auto next = now;
  next.at = as, next.version = version, next.at_least = false;
  if (!undecided(as)) next.doomed = false;
  return next;
}

/// A client moves it from `before` (which its saga may have brought it to first) into `to`.
std::optional<order> moved(const order& now, bool from_here, std::int64_t version, standing to) {
  if (!from_here) return {};
  // An order at rest has no versions in between.
  const bool at_rest = now.at >= standing::preparing && now.at <= standing::delivered;
  if (version != unseen && (version <= now.version)) return {};
  if (version != unseen && at_rest && !now.at_least && version != now.version + 1) return {};
  auto next = now;
  next.at = to;
  next.at_least = version == unseen;
  next.version = version == unseen ? now.version + 1 : version;
  return next;
}

std::optional<order> step_place(const order& now, const call& c) {
  if (now.at != standing::none || c.status != 201) return {};
  return order{c.seen, false, false, c.version, 0};
}

std::optional<order> step_read(const order& now, const call& c) {
  if (c.status == 404) return now.at == standing::none ? std::optional{now} : std::nullopt;
  const bool as_it_is = c.version == now.version && !now.at_least;
  if (c.status == 304) return as_it_is ? std::optional{now} : std::nullopt;
  if (c.status != 200 || now.at == standing::none) return {};
  return seen_as(now, c.version, c.seen);
}

std::optional<order> step_cancel(const order& now, const call& c) {
  const bool undoing = now.at == standing::cancelling || now.at == standing::cancelled;
  const bool can = (undecided(now.at) && !now.doomed) || now.at == standing::preparing;
  if (!c.answered()) // if it is accepted here
    return moved(now, can, unseen, standing::cancelling);
  if (c.status == 409) {
    if (now.at >= standing::shipped && now.at <= standing::rejected) return now;
    if (!undecided(now.at)) return {};
    auto next = now;
    next.doomed = true;
    return next;
  }
  if (c.status != 202 && c.status != 200) return {};
  const auto to = c.status == 200 ? standing::cancelled : standing::cancelling;
  if (undoing) return seen_as(now, c.version, to); // one cancellation, however often it is asked
  return moved(now, can, c.version, to);
}

std::optional<order> step_report(const order& now, const call& c) {
  const auto to = static_cast<standing>(c.quantity);
  const bool could_be_ready = undecided(now.at) && !now.doomed;
  const bool ready = now.at == standing::preparing
                     || (now.at == standing::shipped && to == standing::delivered);
  if (!c.answered()) return moved(now, ready || could_be_ready, unseen, to);
  if (c.status == 409) {
    const bool fits = now.at >= standing::preparing && now.at <= to;
    return now.at != standing::none && !fits ? std::optional{now} : std::nullopt;
  }
  if (c.status != 200) return {};
  if (now.at == to) return seen_as(now, c.version, to); // said twice
  return moved(now, ready || could_be_ready, c.version, to);
}

/// At least as many events as it takes to stand there.
std::int64_t events_of(standing s) {
  switch (s) {
    case standing::none: return 0;
    case standing::paid: return 3;
    case standing::preparing: return 4;
    case standing::shipped: return 5;
    case standing::delivered: return 6;
    case standing::rejected: return 3;
    case standing::cancelling: return 2;
    case standing::cancelled: return 2;
    default: return 1;
  }
}

std::optional<order> step_events(const order& now, const call& c) {
  if (c.status != 200 || now.at == standing::none) return {};
  if (c.quantity < now.events || c.quantity < events_of(now.at)) return {};
  auto next = now;
  next.events = c.quantity;
  return next;
}
} // namespace

order_model::order_model(part& of) {
  of.twin.assign(of.calls.size(), 0);
  of.after.resize(of.calls.size());
  std::unordered_map<std::int64_t, std::uint32_t> bodies, chains;
  std::vector<sighting> seen;
  for (std::uint32_t i = 0; i < of.calls.size(); ++i) {
    const auto& c = of.calls[i];
    of.after[i] = i;
    if (c.version != unseen) seen.push_back({i, c.version});
    if (c.digest == 0) continue;
    const bool list = c.what == action::events;
    const auto [known, fresh] =
      list ? chains.emplace(c.quantity, i) : bodies.emplace(c.version, i);
    if (!fresh && of.calls[known->second].digest != c.digest)
      contradict(list ? "as many events, and not the same" : "one version with two bodies",
        {known->second, i});
  }
  if (!contradiction_.empty()) return;
  if (const auto two = narrow(of.calls, std::move(seen)))
    contradict("the second was answered with a later version before the first was asked",
      {two->first, two->second});
}

void order_model::contradict(std::string why, std::vector<std::uint32_t> between) {
  if (!contradiction_.empty()) return;
  contradiction_ = std::move(why);
  contradicting_ = std::move(between);
}

std::optional<order_model::state> order_model::step(const state& now, const call& c) const {
  switch (c.what) {
    case action::place: return step_place(now, c);
    case action::read_order: return step_read(now, c);
    case action::cancel: return step_cancel(now, c);
    case action::report: return step_report(now, c);
    case action::events: return step_events(now, c);
    default: return {};
  }
}

fingerprint order_model::hash(const state& s) const {
  auto f = fingerprint_of(0x1000'0000'0000'0000U + static_cast<std::uint64_t>(s.version));
  f ^= fingerprint_of(0x2000'0000'0000'0000U + static_cast<std::uint64_t>(s.events));
  f ^= fingerprint_of(0x3000'0000'0000'0000U + static_cast<std::uint64_t>(s.at) * 4
                      + (s.at_least ? 2 : 0) + (s.doomed ? 1 : 0));
  return f;
}

std::string order_model::text(const state& s) const {
  return std::string{name_of(s.at)} + (s.at_least ? " in a version of at least " : " in version ")
         + std::to_string(s.version) + ", " + std::to_string(s.events) + " events told"
         + (s.doomed ? ", being rejected" : "");
}

// -- keys
// ------------------------------------------------------------------------------------------------

key_model::key_model(part& of) {
  of.twin.assign(of.calls.size(), 0);
  of.after.resize(of.calls.size());
  for (std::uint32_t i = 0; i < of.calls.size(); ++i) of.after[i] = i;
}

std::optional<key_model::state> key_model::step(const state& now, const call& c) const {
  if (c.what != action::attempt) return {};
  if (!c.answered()) return state{true, now.answer};
  if (now.answer != 0) // known: told again, and said so
    return c.replayed && c.digest == now.answer ? std::optional{now} : std::nullopt;
  if (c.replayed && !now.used) return {};
  return state{true, c.digest};
}

fingerprint key_model::hash(const state& s) const {
  auto f = fingerprint_of(0x1000'0000'0000'0000U + (s.used ? 1 : 0));
  f ^= {s.answer, ~s.answer};
  return f;
}

std::string key_model::text(const state& s) const {
  if (s.answer != 0) return "used and answered";
  return s.used ? "used, its answer unseen" : "unused";
}
} // namespace jumun::tests::history
