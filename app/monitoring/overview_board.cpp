#include "app/monitoring/overview_board.hpp"
#include "app/monitoring/quantile.hpp"
#include "http/console/limits.hpp"
#include "storage/rows.hpp"

namespace jumun::app {
namespace {
using domain::milestone;
using http::figure;

template <std::size_t N> std::array<std::uint64_t, N> risen(
  const std::array<std::uint64_t, N>& now, const std::array<std::uint64_t, N>& before) {
  std::array<std::uint64_t, N> by{};
  for (std::size_t i = 0; i < N; ++i) by[i] = now[i] - before[i];
  return by;
}

http::sample nothing() {
  http::sample s;
  s.fill(std::numeric_limits<double>::quiet_NaN());
  return s;
}
} // namespace

overview_board::counters overview_board::count(const http::metrics& of_edge) const {
  const auto& orders = node_.orders();
  const auto journal = node_.journal().stats();
  counters c;
  c.accepted = orders.orders(milestone::accepted);
  c.rejected = orders.orders(milestone::rejected);
  c.preparing = orders.orders(milestone::preparing);
  c.cancelled = orders.orders(milestone::cancelled);
  c.settle = orders.settled().read();
  c.commits = journal.commits;
  c.write_sets = journal.write_sets;
  c.commit_us = journal.commit_us_histogram;
  for (const auto& n : of_edge.answered) c.requests += n.load(std::memory_order_relaxed);
  c.turned_away = of_edge.too_many + of_edge.unavailable;
  return c;
}

void overview_board::take_sample(const http::metrics& of_edge, double seconds) {
  const auto now = count(of_edge);
  const auto& orders = node_.orders();
  auto s = nothing();
  const auto set = [&s](figure f, double v) { s[static_cast<std::size_t>(f)] = v; };
  double open = 0;
  for (std::size_t i = 0; i < census::states.size(); ++i)
    open += static_cast<double>(orders.open_in(i));
  set(figure::open, open);
  set(figure::blocked, static_cast<double>(orders.open_in(census::blocked)));

  const std::lock_guard lock{guard_};
  const auto rate = [&](figure f, auto... of) {
    set(f, static_cast<double>((... + (now.*of - before_.*of))) / seconds);
  };
  rate(figure::accepted, &counters::accepted);
  rate(figure::settled, &counters::preparing, &counters::rejected);
  rate(figure::failed, &counters::rejected, &counters::cancelled);
  rate(figure::commits, &counters::commits);
  rate(figure::write_sets, &counters::write_sets);
  rate(figure::requests, &counters::requests);
  rate(figure::turned_away, &counters::turned_away);
  const auto settled = risen(now.settle.in, before_.settle.in);
  const auto ms = [&](std::size_t i) { return orders.settled().upper()[i]; };
  set(figure::settle_p50_ms, quantile(settled, ms, 0.5));
  set(figure::settle_p99_ms, quantile(settled, ms, 0.99));
  const auto commits = risen(now.commit_us, before_.commit_us);
  const auto us = [](std::size_t i) { return std::uint64_t{2} << i; };
  set(figure::commit_p50_us, quantile(commits, us, 0.5));
  set(figure::commit_p99_us, quantile(commits, us, 0.99));

  before_ = now;
  samples_.push_back(s);
  if (samples_.size() > limits::overview_kept) samples_.pop_front();
  at_ms_ = node_.env().now_ms();
}

/// Some at a time: an outage blocks thousands, and each is a row to read.
void overview_board::price_blocked() {
  for (const auto& [id, version] : node_.orders().without_price(limits::rows_priced_max)) {
    const auto row = node_.journal().durable(storage::table::orders, storage::order_key(id));
    const auto o = row ? storage::decode<domain::order>(*row) : std::nullopt;
    if (o) node_.orders().price(id, o->version, {domain::money_at_risk(*o), o->currency});
  }
}

http::node_overview overview_board::figures() const {
  const auto& orders = node_.orders();
  http::node_overview o;
  o.node = node_.coordinator().self();
  o.started_ms = started_ms_;
  for (std::size_t m = 0; m < domain::milestone_count; ++m)
    o.reached[m] = orders.orders(static_cast<milestone>(m));
  for (std::size_t s = 0; s < census::states.size(); ++s)
    o.sagas.emplace_back(census::states[s], orders.open_in(s));
  o.at_risk = orders.at_risk();
  if (const auto first = orders.oldest()) o.oldest = {first->id, first->state};
  o.breakers = node_.breakers().look();
  return o;
}

http::node_overview overview_board::look(bool with_history) {
  {
    const std::lock_guard lock{guard_};
    if (!with_history && at_ms_ > 0 && told_.at_ms == at_ms_) return told_;
  }
  price_blocked();
  auto o = figures();
  const std::lock_guard lock{guard_};
  o.at_ms = samples_.empty() ? node_.env().now_ms() : at_ms_;
  o.now = samples_.empty() ? nothing() : samples_.back();
  told_ = o;
  if (with_history) o.history.assign(samples_.begin(), samples_.end());
  return o;
}
} // namespace jumun::app
