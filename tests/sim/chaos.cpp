#include "tests/sim/chaos.hpp"
#include <charconv>
#include <random>

namespace jumun::sim {
namespace {
constexpr std::array<std::string_view, fault_count> names{
#define X(name, rate) #name,
  JUMUN_SIM_FAULTS(X) JUMUN_SIM_CLUSTER_FAULTS(X)
#undef X
};
constexpr std::array<std::uint32_t, fault_count> usual_rate{
#define X(name, rate) rate,
  JUMUN_SIM_FAULTS(X) JUMUN_SIM_CLUSTER_FAULTS(X)
#undef X
};
constexpr std::uint64_t whole = 10'000;

std::size_t at(fault f) { return static_cast<std::size_t>(f); }
} // namespace

std::string_view name_of(fault f) { return names[at(f)]; }
std::string to_text(const fired& f) {
  return std::string{name_of(f.what)} + ":" + std::to_string(f.ordinal);
}

std::optional<std::set<fired>> parse_fired(std::string_view list) {
  std::set<fired> out;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto one = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const auto colon = one.find(':');
    if (colon == std::string_view::npos) return {};
    fired f;
    std::size_t which = 0;
    while (which < fault_count && names[which] != one.substr(0, colon)) ++which;
    const auto* last = one.data() + one.size();
    const auto read = std::from_chars(one.data() + colon + 1, last, f.ordinal);
    if (which == fault_count || read.ec != std::errc{} || read.ptr != last) return {};
    f.what = static_cast<fault>(which);
    out.insert(f);
  }
  return out;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15ULL * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

options::options(std::uint64_t seed, std::size_t of_nodes) : nodes(of_nodes) {
  std::mt19937_64 draw{mix(seed, 0x0b71)};
  const auto one_of = [&draw](auto... choices) {
    const std::array all{choices...};
    return all[draw() % all.size()];
  };
  // One run in eight is quiet, so that what goes wrong without any fault is found, too.
  const bool quiet = draw() % 8 == 0;
  for (std::size_t f = 0; f < alone_count; ++f) {
    const auto scale = one_of(0U, 0U, 0U, 1U, 1U, 4U, 8U);
    rate[f] = quiet ? 0 : std::min<std::uint32_t>(usual_rate[f] * scale, whole / 2);
  }
  for (const auto people : {fault::cancels, fault::operates, fault::courier_reports})
    if (draw() % 2 == 0) rate[at(people)] = usual_rate[at(people)]; // quiet days have people, too
  shards = one_of(std::size_t{2}, std::size_t{8}, std::size_t{8}, std::size_t{32});
  skus = one_of(std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{6});
  orders = one_of(std::size_t{4}, std::size_t{10}, std::size_t{24}, std::size_t{50});
  shelf = one_of(std::int64_t{3}, std::int64_t{12}, std::int64_t{40}, std::int64_t{1'000});
  day_ms = one_of(std::int64_t{50}, std::int64_t{2'000}, std::int64_t{30'000});
  lives_max = one_of(std::size_t{4}, std::size_t{8}, std::size_t{16});
  commit_patience = one_of(1U, 4U, 16U, 64U);
  hurry = one_of(4U, 16U, 64U, 1'000'000U);
  provider_ms = one_of(std::int64_t{1}, std::int64_t{20}, std::int64_t{400});
  // Never shorter than a healthy provider takes: that would be an outage that nothing ends.
  payment_timeout_ms =
    std::max(3 * provider_ms, one_of(std::int64_t{150}, std::int64_t{1'000}, std::int64_t{5'000}));
  waiters_pct = one_of(0U, 30U, 100U);
  declined_pct = one_of(0U, 10U, 40U);
  undeliverable_pct = one_of(0U, 10U, 40U);
  operators_heal = draw() % 4 != 0;
  dormant_ms = one_of(std::int64_t{0}, std::int64_t{30}, std::int64_t{500}, std::int64_t{5'000});
  recent_rows = std::array<std::size_t, 4>{1, 8, 64, 2'048}[mix(seed, 0x2e7e) % 4];
  if (nodes == 1) return;
  for (std::size_t f = alone_count; f < fault_count; ++f) {
    const auto scale = one_of(0U, 0U, 1U, 1U, 4U);
    rate[f] = quiet ? 0 : usual_rate[f] * scale;
  }
  if (draw() % 2 == 0) rate[at(fault::shard_wished)] = usual_rate[at(fault::shard_wished)];
  shards = one_of(std::size_t{3}, std::size_t{6}, std::size_t{12});
  orders = one_of(std::size_t{4}, std::size_t{10}, std::size_t{24});
  link_ms = one_of(std::int64_t{0}, std::int64_t{1}, std::int64_t{20}, std::int64_t{200});
  skew_ms = one_of(std::int64_t{0}, std::int64_t{100}, std::int64_t{60'000});
  rebalance_ms = one_of(std::int64_t{500}, std::int64_t{5'000}, std::int64_t{30'000});
  one_bank_line = draw() % 4 == 0;
  if (one_bank_line) // and the calls go over the link, too
    payment_timeout_ms = std::max(payment_timeout_ms, 3 * provider_ms + 4 * link_ms);
}

std::string options::text() const {
  std::string out =
    (nodes == 1 ? ""
                : "nodes=" + std::to_string(nodes) + " link_ms=" + std::to_string(link_ms)
                    + " rebalance_ms=" + std::to_string(rebalance_ms)
                    + " skew_ms=" + std::to_string(skew_ms)
                    + " one_bank_line=" + std::to_string(one_bank_line) + " ")
    + "shards=" + std::to_string(shards) + " skus=" + std::to_string(skus)
    + " orders=" + std::to_string(orders) + " shelf=" + std::to_string(shelf) + " day_ms="
    + std::to_string(day_ms) + " lives_max=" + std::to_string(lives_max) + " commit_patience="
    + std::to_string(commit_patience) + " recent_rows=" + std::to_string(recent_rows)
    + " hurry=" + std::to_string(hurry) + " provider_ms=" + std::to_string(provider_ms)
    + " payment_timeout_ms=" + std::to_string(payment_timeout_ms) + " dormant_ms="
    + std::to_string(dormant_ms) + " waiters_pct=" + std::to_string(waiters_pct) + " declined_pct="
    + std::to_string(declined_pct) + " undeliverable_pct=" + std::to_string(undeliverable_pct)
    + " operators_heal=" + std::to_string(operators_heal) + " rates(/10000):";
  for (std::size_t f = 0; f < fault_count; ++f)
    if (rate[f] > 0) out += " " + std::string{names[f]} + "=" + std::to_string(rate[f]);
  return out;
}

bool chaos::fires(fault f) {
  if (healed_) return false;
  const fired now{f, ++asked_[at(f)]};
  picked_[at(f)] = 0;
  const bool yes = only_ ? only_->contains(now)
                         : mix(mix(seed_, 0x100 + at(f)), now.ordinal) % whole < rate_[at(f)];
  if (yes) log_.push_back(now);
  return yes;
}

std::uint64_t chaos::pick(fault f, std::uint64_t bound) {
  const auto n = ++picked_[at(f)];
  return mix(mix(mix(seed_, 0x200 + at(f)), asked_[at(f)]), n) % bound;
}
} // namespace jumun::sim
