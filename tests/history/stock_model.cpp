#include "tests/history/stock_model.hpp"
#include <map>

namespace jumun::tests::history {
namespace {
bool makes_a_version(const call& c) {
  return c.version != unseen
         && (c.what == action::start || c.what == action::adjust || c.what == action::count);
}
} // namespace

stock_model::stock_model(part& of) {
  order_hidden(of);
  learn(of);
  if (!contradiction_.empty()) return;
  std::vector<sighting> seen;
  for (std::uint32_t i = 0; i < of.calls.size(); ++i)
    if (const auto& c = of.calls[i]; c.version != unseen)
      seen.push_back({i, 2 * c.version + (makes_a_version(c) ? 0 : 1)});
  if (const auto two = narrow(of.calls, std::move(seen)))
    contradict("the second was answered with a later version before the first was asked",
      {two->first, two->second});
}

void stock_model::contradict(std::string why, std::vector<std::uint32_t> between) {
  if (!contradiction_.empty()) return;
  contradiction_ = std::move(why);
  contradicting_ = std::move(between);
}

void stock_model::learn(const part& of) {
  std::int64_t low = never, high = 0;
  for (const auto& c : of.calls) {
    if (c.version == unseen) continue;
    low = std::min(low, c.version), high = std::max(high, c.version);
  }
  constexpr std::int64_t versions_max = 100'000'000; // a line that was written by hand
  if (low == never) return;
  if (high - low > versions_max) return contradict("a version that can't be", {});
  lowest_ = low;
  versions_.resize(static_cast<std::size_t>(high - low + 1));
  for (std::uint32_t i = 0; i < of.calls.size(); ++i)
    if (of.calls[i].version != unseen) learn_figures(of, i);
}

void stock_model::learn_figures(const part& of, std::uint32_t index) {
  const auto& c = of.calls[index];
  auto& v = versions_[static_cast<std::size_t>(c.version - lowest_)];
  const auto take = [&](std::int64_t& figure, std::int64_t told) {
    if (told == unseen) return;
    if (figure != unseen && figure != told)
      contradict("one version with two states", {v.seen_by, index});
    figure = told;
  };
  take(v.on_hand, c.on_hand);
  take(v.reserved, c.reserved);
  take(v.available, c.available);
  if (c.on_hand != unseen && c.reserved != unseen) take(v.available, c.on_hand - c.reserved);
  if (makes_a_version(c)) {
    if (v.made_visibly) contradict("two changes made the same version", {v.seen_by, index});
    v.made_visibly = true;
  }
  if (c.on_hand != unseen || v.seen_by == 0) v.seen_by = index;
}

/// A commit or a release comes after its reservation, a restock after its commit. Orders that do
/// the same to the shelf are twins, where what they do has the same bounds from first to last.
void stock_model::order_hidden(part& of) const {
  struct chain {
    std::optional<std::uint32_t> reserve, leave, back; // leave: commit or release
  };
  std::map<std::uint32_t, chain> orders;
  of.after.resize(of.calls.size());
  of.twin.assign(of.calls.size(), 0);
  for (std::uint32_t i = 0; i < of.calls.size(); ++i) {
    of.after[i] = i;
    const auto& c = of.calls[i];
    if (c.group == 0 || c.what == action::refuse) continue;
    auto& o = orders[c.group];
    if (c.what == action::reserve) o.reserve = i;
    if (c.what == action::commit || c.what == action::release) o.leave = i;
    if (c.what == action::restock) o.back = i;
  }
  for (const auto& [group, o] : orders) {
    if (o.leave && o.reserve) of.after[*o.leave] = *o.reserve;
    if (o.back && o.leave) of.after[*o.back] = *o.leave;
    if (!o.reserve || !o.leave) continue;
    const auto& reserve = of.calls[*o.reserve];
    const auto& leave = of.calls[*o.leave];
    const bool alike = reserve.invoked == leave.invoked && reserve.returned == leave.returned;
    if (!alike || (o.back && of.calls[*o.back].invoked < leave.returned)) continue;
    const auto kind = static_cast<std::uint32_t>(reserve.quantity) * 8;
    const bool commits = leave.what == action::commit;
    of.twin[*o.reserve] = kind + (commits ? 1 : 2);
    of.twin[*o.leave] = kind + (commits ? 3 : 4);
    if (o.back) of.twin[*o.back] = kind + 5;
  }
}

const stock_model::known* stock_model::find(std::int64_t version) const {
  const auto at = static_cast<std::size_t>(version - lowest_);
  return version >= lowest_ && at < versions_.size() ? &versions_[at] : nullptr;
}

/// The next version with these figures. nullopt: it would not be what was seen of that version.
std::optional<stock_model::state> stock_model::moved(
  const state& now, std::int64_t on_hand, std::int64_t reserved, const call& told) const {
  const state next{true, now.version + 1, on_hand, reserved};
  if (reserved < 0 || on_hand < reserved) return {};
  if (told.version != unseen
      && (told.version != next.version || told.on_hand != on_hand || told.reserved != reserved))
    return {};
  if (const auto* v = find(next.version)) {
    if (v->made_visibly && told.version == unseen) return {};
    if (v->on_hand != unseen && (v->on_hand != on_hand || v->reserved != reserved)) return {};
    if (v->available != unseen && v->available != on_hand - reserved) return {};
  }
  return next;
}

std::optional<stock_model::state> stock_model::step_adjust(const state& now, const call& c) const {
  const auto after = now.on_hand + c.quantity;
  if (c.status == 409) return after < now.reserved ? std::optional{now} : std::nullopt;
  if (c.status != 201 && c.answered()) return {};
  return moved(now, after, now.reserved, c);
}

std::optional<stock_model::state> stock_model::step_count(const state& now, const call& c) const {
  const bool matches = now.version == c.if_version;
  const bool fits = c.quantity >= now.reserved;
  if (c.status == 412) return matches ? std::nullopt : std::optional{now};
  if (c.status == 409) return matches && !fits ? std::optional{now} : std::nullopt;
  if (!matches || (c.status != 200 && c.answered())) return {};
  return moved(now, c.quantity, now.reserved, c);
}

std::optional<stock_model::state> stock_model::step(const state& now, const call& c) const {
  const auto only_if = [&](bool holds) { return holds ? std::optional{now} : std::nullopt; };
  const auto q = c.quantity, available = now.on_hand - now.reserved;
  if (c.what == action::start) {
    if (now.started) return {};
    return state{true, c.version, c.on_hand, c.reserved};
  }
  if (!now.started) return {};
  switch (c.what) {
    case action::adjust: return step_adjust(now, c);
    case action::count: return step_count(now, c);
    case action::read_stock:
      return only_if(c.status == 200 && c.version == now.version && c.on_hand == now.on_hand
                     && c.reserved == now.reserved);
    case action::read_menu:
      return only_if(c.status == 200 && c.version == now.version && c.available == available);
    case action::reserve:
      if (available < q) return {};
      return moved(now, now.on_hand, now.reserved + q, c);
    case action::refuse:
      return only_if(available < q && (c.status == 410) == (available == 0));
    case action::commit: return moved(now, now.on_hand - q, now.reserved - q, c);
    case action::release: return moved(now, now.on_hand, now.reserved - q, c);
    case action::restock: return moved(now, now.on_hand + q, now.reserved, c);
    default: return {};
  }
}

fingerprint stock_model::hash(const state& s) const {
  auto f = fingerprint_of(
    0x3000'0000'0000'0000U + static_cast<std::uint64_t>(s.version) * 2 + (s.started ? 1 : 0));
  f ^= fingerprint_of(0x1000'0000'0000'0000U + static_cast<std::uint64_t>(s.on_hand));
  f ^= fingerprint_of(0x2000'0000'0000'0000U + static_cast<std::uint64_t>(s.reserved));
  return f;
}

std::string stock_model::text(const state& s) const {
  if (!s.started) return "before anybody came";
  return "version " + std::to_string(s.version) + ": on_hand " + std::to_string(s.on_hand)
         + ", reserved " + std::to_string(s.reserved);
}
} // namespace jumun::tests::history
