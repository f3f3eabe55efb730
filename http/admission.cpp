#include "http/admission.hpp"
#include "domain/invariant.hpp"
#include <algorithm>

namespace jumun::http {
admission::admission(
  std::size_t in_all_max, std::size_t per_principal_max, std::atomic<std::int64_t>& given)
    : in_all_max_{static_cast<std::int64_t>(in_all_max)}, orders_max_{std::max<std::int64_t>(
                                                            in_all_max_ * 3 / 4, 1)},
      per_principal_max_{per_principal_max}, given_{given} {}

admission::verdict admission::admit(const std::string& principal, bool new_order, permit& out) {
  if (given_.fetch_add(1) >= in_all_max_) {
    given_.fetch_sub(1);
    return verdict::full;
  }
  if (new_order && orders_.fetch_add(1) >= orders_max_) {
    orders_.fetch_sub(1), given_.fetch_sub(1);
    return verdict::full;
  }
  if (!count_principal(principal)) {
    if (new_order) orders_.fetch_sub(1);
    given_.fetch_sub(1);
    return verdict::principal_full;
  }
  permit given;
  given.from_ = this, given.principal_ = principal, given.new_order_ = new_order;
  out = std::move(given);
  return verdict::admitted;
}

void admission::give_back(permit& p) {
  uncount_principal(p.principal_);
  if (p.new_order_) orders_.fetch_sub(1);
  const auto before = given_.fetch_sub(1);
  JUMUN_INVARIANT(before > 0, "each permit is given back once");
}

bool admission::count_principal(const std::string& principal) {
  auto& b = bucket_of(principal);
  const std::lock_guard lock{b.mutex};
  auto& waiting = b.waiting[principal];
  if (waiting >= per_principal_max_) return false;
  ++waiting;
  return true;
}

void admission::uncount_principal(const std::string& principal) {
  auto& b = bucket_of(principal);
  const std::lock_guard lock{b.mutex};
  const auto it = b.waiting.find(principal);
  JUMUN_INVARIANT(it != b.waiting.end(), "who gives back was counted");
  if (--it->second == 0) b.waiting.erase(it); // or the map would remember everyone for ever
}
} // namespace jumun::http
