#include "domain/forecast.hpp"

namespace jumun::domain {
namespace {
struct name_of_command {
  std::string_view operator()(const reserve_stock&) const { return "reserve_stock"; }
  std::string_view operator()(const commit_stock&) const { return "commit_stock"; }
  std::string_view operator()(const release_stock&) const { return "release_stock"; }
  std::string_view operator()(const charge_payment&) const { return "charge_payment"; }
  std::string_view operator()(const inquire_payment&) const { return "inquire_payment"; }
  std::string_view operator()(const cancel_payment&) const { return "cancel_payment"; }
  std::string_view operator()(const start_delivery&) const { return "start_delivery"; }
  std::string_view operator()(const cancel_delivery&) const { return "cancel_delivery"; }
};
} // namespace

std::string_view name_of(const command& c) { return std::visit(name_of_command{}, c); }

forecast foresee(const order& now, const operator_acted& what, context ctx) {
  auto d = advance(now, what, ctx);
  forecast f{"no-op", std::move(d.next), {}};
  if (d.outcome == verdict::refused) f.outcome = "action-not-allowed";
  if (d.outcome == verdict::applied) f.outcome = "would-act";
  for (const auto& c : d.commands) f.sends.push_back(name_of(c));
  return f;
}
} // namespace jumun::domain
