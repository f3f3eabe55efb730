#include "app/monitoring/census.hpp"
#include "tests/catch.hpp"
#include <numeric>

namespace jumun {
namespace {
using app::census;
using domain::milestone;

constexpr std::int64_t start_ms = 1'700'000'000'000;

domain::order fresh_order() {
  domain::order o;
  o.id = {7, 1};
  o.customer = "c-1";
  o.lines.push_back({"tea", "Tea", 1, 4'500, domain::line_state::open});
  o.currency = "KRW", o.total = 4'500, o.token = "tok_approve", o.created_ms = start_ms;
  return o;
}

/// One order, with every decision told to the census as it would be when durable.
struct counted_order {
  census& counts;
  domain::order now;
  std::int64_t at_ms = start_ms;

  explicit counted_order(census& c) : counts{c} { took(domain::begin(fresh_order())); }
  void took(domain::decision d) {
    if (d.outcome == domain::verdict::applied) counts.stepped(domain::step_of(d), at_ms);
    now = std::move(d.next);
  }
  void hears(const domain::input& what) {
    at_ms += 10;
    took(domain::advance(now, what, {at_ms, /*random=*/0}));
  }
  void reserve() {
    hears(domain::stock_answered{now.id, now.at, 0, domain::answer::done, true, {}});
  }
  void pay() {
    hears(domain::payment_answered{now.id, now.at, 1, domain::payment_said::approved, 0, {}});
  }
  void dispatch() {
    hears(domain::delivery_answered{now.id, now.at, domain::answer::done, true, {}});
  }
  void prepare() { reserve(), pay(), dispatch(), reserve(); }
};

/// accepted/rejected/preparing/shipped/delivered/cancelled/blocked
std::string orders_of(const census& c) {
  std::string all;
  for (std::size_t m = 0; m < domain::milestone_count; ++m)
    all += (m > 0 ? "/" : "") + std::to_string(c.orders(static_cast<milestone>(m)));
  return all;
}
/// running/waiting/paused/blocked/recovering
std::string open_of(const census& c) {
  std::string all;
  for (std::size_t s = 0; s < census::states.size(); ++s)
    all += (s > 0 ? "/" : "") + std::to_string(c.open_in(s));
  return all;
}
std::uint64_t runs_of(const census& c, milestone m) {
  const auto in = c.took(m).read().in;
  return std::accumulate(in.begin(), in.end(), std::uint64_t{0});
}
} // namespace

TEST_CASE("an order is counted once at each milestone of its life", "[census]") {
  census c;
  counted_order o{c};
  CHECK(orders_of(c) == "1/0/0/0/0/0/0");
  CHECK(open_of(c) == "1/0/0/0/0");
  o.prepare();
  CHECK(o.now.at == domain::phase::fulfilled);
  CHECK(orders_of(c) == "1/0/1/0/0/0/0");
  CHECK(open_of(c) == "0/0/0/0/0");
  o.hears(domain::courier_reported{domain::delivery_status::picked_up, {}});
  o.hears(domain::courier_reported{domain::delivery_status::picked_up, {}}); // said twice
  o.hears(domain::courier_reported{domain::delivery_status::delivered, {}});
  CHECK(orders_of(c) == "1/0/1/1/1/0/0");
  CHECK(runs_of(c, milestone::preparing) == 1);
  CHECK(c.took(milestone::preparing).read().sum_us == 40'000); // four answers, 10 ms apart
}

TEST_CASE("a refusal counts as rejected, and a declined card is a refusal", "[census]") {
  census c;
  counted_order o{c};
  o.reserve();
  o.hears(domain::payment_answered{o.now.id, o.now.at, 1, domain::payment_said::declined, 0, {}});
  CHECK(orders_of(c) == "1/0/0/0/0/0/0"); // the stock is not back yet
  CHECK(open_of(c) == "1/0/0/0/0");
  o.reserve(); // releasing: done
  CHECK(orders_of(c) == "1/1/0/0/0/0/0");
  CHECK(open_of(c) == "0/0/0/0/0");
  CHECK(runs_of(c, milestone::rejected) == 1);
}

TEST_CASE("a cancellation's duration begins when it was asked for", "[census]") {
  census c;
  counted_order o{c};
  o.prepare();
  o.at_ms += 86'400'000;
  o.hears(domain::cancel_requested{"late"});
  CHECK(open_of(c) == "1/0/0/0/0");
  o.dispatch(); // undelivering: done
  o.hears(domain::payment_answered{
    o.now.id, o.now.at, 0, domain::payment_said::cancelled, o.now.total, {}});
  o.reserve(); // releasing: done
  CHECK(o.now.at == domain::phase::cancelled);
  CHECK(orders_of(c) == "1/0/1/0/0/1/0");
  CHECK(c.took(milestone::cancelled).read().sum_us == 30'000);
}

TEST_CASE("open sagas are told apart by state, whoever says it twice", "[census]") {
  census c;
  c.found({1, 1}, "recovering");
  c.found({1, 2}, "recovering");
  CHECK(open_of(c) == "0/0/0/0/2");
  c.found({1, 1}, "blocked");
  c.found({1, 1}, "recovering"); // its supervisor was restarted: what is known stays
  CHECK(open_of(c) == "0/0/0/1/1");
  c.found({1, 1}, "blocked");
  CHECK(open_of(c) == "0/0/0/1/1");
  c.found({1, 2}, "waiting");
  c.found({1, 2}, "running");
  CHECK(open_of(c) == "1/0/0/1/0");
  c.found({1, 2}, "");
  c.found({1, 3}, ""); // revived at rest, for a courier
  CHECK(open_of(c) == "0/0/0/1/0");
  CHECK(orders_of(c) == "0/0/0/0/0/0/0"); // counters speak of this process's life
}

TEST_CASE("a saga that waits is counted as waiting, and again as running", "[census]") {
  census c;
  counted_order o{c};
  o.hears(domain::stock_answered{o.now.id, o.now.at, 0, domain::answer::unknown, false, "lost"});
  const bool pauses = o.now.next_attempt_ms > 0;
  CHECK(open_of(c) == (pauses ? "0/1/0/0/0" : "1/0/0/0/0"));
  o.hears(domain::found_poisoned{"it crashed"});
  CHECK(open_of(c) == "0/0/0/1/0");
  CHECK(orders_of(c) == "1/0/0/0/0/0/1");
}

TEST_CASE("a histogram puts each duration into the first bucket that holds it", "[histogram]") {
  static constexpr std::array<std::uint64_t, 3> upper{10, 100, 1'000};
  http::histogram<3> h{upper};
  for (const std::uint64_t us : {0, 10, 11, 100, 101, 1'000, 1'001, 5'000}) h.count(us);
  const auto now = h.read();
  CHECK(now.in == std::array<std::uint64_t, 4>{2, 2, 2, 2});
  CHECK(now.sum_us == 0 + 10 + 11 + 100 + 101 + 1'000 + 1'001 + 5'000);
}
} // namespace jumun
