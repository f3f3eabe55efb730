#include "actors/counted.hpp"
#include "actors/interfaces.hpp"
#include "actors/limits.hpp"
#include "app/monitoring/census.hpp"
#include "app/monitoring/quantile.hpp"
#include "domain/forecast.hpp"
#include "domain/limits.hpp"
#include "http/console/forecast.hpp"
#include "http/console/overview_parts.hpp"
#include "http/fields.hpp"
#include "storage/stock_rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/sample_rows.hpp"
#include <limits>
#include <nlohmann/json.hpp>

// What the console asks for, part by part.
using namespace jumun;
using actors::actor_order;
using app::census;

namespace {
constexpr auto unmeasured = std::numeric_limits<double>::quiet_NaN();
const auto by_tens = [](std::size_t i) { return 10 * (i + 1); };

double estimated(const std::array<std::uint64_t, 4>& in, double q) {
  return app::quantile(in, by_tens, q);
}

domain::order_id order_number(std::uint64_t n, std::int64_t ms = 1'000) {
  return domain::make_order_id(1, ms, 0, n);
}
} // namespace

TEST_CASE("a quantile is estimated within its bucket", "[console]") {
  CHECK(std::isnan(estimated({}, 0.5)));
  CHECK(estimated({10, 0, 0, 0}, 0.5) == 5);
  CHECK(estimated({10, 0, 0, 0}, 1) == 10);
  CHECK(estimated({5, 5, 0, 0}, 0.5) == 10);
  CHECK(estimated({5, 5, 0, 0}, 0.75) == 15);
  CHECK(estimated({90, 9, 1, 0}, 0.99) == 20);
  CHECK(estimated({0, 0, 0, 7}, 0.5) == 30); // it has no upper bound
}

TEST_CASE(
  "the census knows the oldest open order and the money at risk in blocked ones", "[console]") {
  census c;
  CHECK_FALSE(c.oldest());
  for (std::uint64_t n = 0; n < 10'000; ++n)
    c.found(order_number(n, 5'000 + static_cast<std::int64_t>(n)), "running");
  c.found(order_number(1, 100), "waiting");
  CHECK(c.oldest()->id == order_number(1, 100));
  CHECK(c.oldest()->state == "waiting");
  c.found(order_number(1, 100), "");
  CHECK(c.oldest()->id == order_number(0, 5'000));
  CHECK(c.open_in_shard(1) == 10'000);

  domain::order_step blocked{order_number(7), 3, true, 0, "blocked", 0};
  c.stepped(blocked, 2'000);
  CHECK(c.decisions(1) == 1);
  CHECK(c.at_risk().empty());
  REQUIRE(c.without_price(10).size() == 1);
  c.price(blocked.id, 2, {500, "KRW"}); // of an older row
  CHECK(c.at_risk().empty());
  c.price(blocked.id, 3, {300, "KRW"});
  CHECK(c.at_risk() == std::vector<domain::money>{{300, "KRW"}});
  CHECK(c.without_price(10).empty());
  CHECK(c.blocked_orders(10) == std::vector{blocked.id});
  blocked.version = 4; // blocked still, and some money has come back
  c.stepped(blocked, 2'000);
  CHECK(c.at_risk().empty());
  c.price(blocked.id, 4, {100, "USD"});
  CHECK(c.at_risk() == std::vector<domain::money>{{100, "USD"}});
  blocked.version = 5, blocked.open_as = "running";
  c.stepped(blocked, 2'000);
  CHECK(c.at_risk().empty());
  CHECK(c.blocked_orders(10).empty());
  c.forget(1);
  CHECK_FALSE(c.oldest());
  CHECK(c.open_in_shard(1) == 0);
}

TEST_CASE("a page of actors is what is wanted, by id or the greatest first", "[console]") {
  actors::actor_registry all;
  for (std::uint64_t n = 0; n < 200; ++n) {
    actors::actor_record r;
    r.kind = n % 2 == 0 ? "saga" : "payment";
    r.name = r.kind + "/" + std::to_string(n);
    r.order = order_number(n);
    r.shard = static_cast<int>(n % 4);
    r.parent = "supervisor/" + std::to_string(n % 4);
    r.signs = std::make_shared<actors::vital_signs>();
    r.signs->handled = n * 7 % 200;
    r.signs->received = r.signs->handled + n % 10;
    all.enter(std::move(r));
  }
  std::vector<std::uint64_t> ids;
  actors::actor_filter sagas;
  sagas.kind = "saga";
  for (std::uint64_t after = 0;;) {
    const auto page = all.page(sagas, actor_order::id, after, 7);
    for (const auto& r : page) ids.push_back(r.id), after = r.id;
    if (page.size() < 7) break;
  }
  CHECK(ids.size() == 100);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  const auto count = [&](const actors::actor_filter& f) {
    return all.page(f, actor_order::id, 0, 1'000).size();
  };
  CHECK(count({}) == 200);
  actors::actor_filter f;
  f.shard = 3;
  CHECK(count(f) == 50);
  f.kind = "saga";
  CHECK(count(f) == 0); // odd ones are payments
  f = {};
  f.parent = "supervisor/2";
  CHECK(count(f) == 50);
  f.parent = "";
  CHECK(count(f) == 0);
  f = {};
  f.name = "saga/1";
  CHECK(count(f) == 50 + 5); // 10..18 and 100..198
  const auto top = all.page({}, actor_order::handled, 0, 3);
  REQUIRE(top.size() == 3);
  CHECK(top[0].handled() == 199);
  CHECK(top[1].handled() == 198);
  CHECK(all.page({}, actor_order::mailbox_depth, 0, 1).at(0).mailbox_depth() == 9);

  all.falls_asleep("saga/10");
  f = {};
  f.state = "dormant";
  CHECK(count(f) == 1);
  f.kind = "payment";
  CHECK(count(f) == 0);
  CHECK(count({}) == 200);
  f = {};
  f.state = "dormant";
  const auto slept = all.page(f, actor_order::id, 0, 1).at(0);
  CHECK(all.page(f, actor_order::handled, 0, 1).at(0).handled() == 70); // 10 * 7 of them
  CHECK(all.page(f, actor_order::restarts, 0, 1).at(0).id == slept.id);
  CHECK(all.page(f, actor_order::id, slept.id, 1).empty());
  f.parent = slept.parent, f.shard = slept.shard, f.name = slept.name;
  CHECK(count(f) == 1);
  f.shard = (slept.shard + 1) % 256;
  CHECK(count(f) == 0);
  f.shard = slept.shard, f.parent = "supervisor/" + std::to_string((slept.shard + 1) % 256);
  CHECK(count(f) == 0);
  f.parent = "node";
  CHECK(count(f) == 0);
  f.parent = slept.parent, f.name = "payment/";
  CHECK(count(f) == 0);
}

namespace {
/// A message as it lies in a mailbox.
template <class T> caf::mailbox_element_ptr letter(T what) {
  return caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(what));
}
} // namespace

TEST_CASE("a recording keeps its own messages, the newest, until it ends", "[console]") {
  std::int64_t now = 1'000;
  actors::actor_registry all;
  auto& by = all.recorder();
  by.clock([&now] { return now; });
  actors::actor_record r;
  r.name = "saga/x", r.kind = "saga";
  r.signs = std::make_shared<actors::vital_signs>();
  const auto signs = r.signs;
  all.enter(r);
  const auto receive = [&](domain::order_id order) {
    auto m = letter(domain::timer_fired{});
    domain::stock_answered answer;
    answer.order = order;
    if (order != domain::order_id{}) m = letter(std::move(answer));
    if (signs->watched) by.came(*m);
    now += 5;
    auto noted = signs->watched ? by.begins(*m, signs.get()) : std::nullopt;
    now += 3;
    if (noted) by.ended(std::move(*noted));
    return noted.has_value();
  };
  CHECK_FALSE(receive({})); // nobody records: nobody is watched
  actors::recording what;
  what.of = "saga/x", what.by = {"saga/x"}, what.limit = 2;
  by.start(what, 1'000);
  all.watch_recorded();
  CHECK(receive({}));
  CHECK(receive(order_number(1)));
  CHECK(receive(order_number(2)));
  auto found = by.find("saga/x");
  REQUIRE(found);
  CHECK(found->seen == 3);
  REQUIRE(found->messages.size() == 2);
  const auto& last = found->messages.back();
  CHECK(last.message == "stock_answered");
  CHECK(last.order == order_number(2));
  CHECK(last.to == "saga/x");
  CHECK(last.wait_us == 5);
  CHECK(last.took_us == 3);

  actors::recording of_order;
  of_order.of = "ord", of_order.order = order_number(2), of_order.by = {"saga/x"};
  of_order.limit = 10;
  by.start(of_order, 1'000);
  receive(order_number(1));
  receive(order_number(2));
  CHECK(by.find("ord")->seen == 1);

  CHECK(by.stop("ord"));
  CHECK_FALSE(by.stop("ord"));
  now += 2'000; // the other one is over by its time
  CHECK_FALSE(receive(order_number(2)));
  CHECK(by.find("saga/x")->seen == 5);
  all.watch_recorded();
  CHECK(signs->watched == nullptr);
  for (std::size_t i = 0; i < limits::recordings_max; ++i) {
    what.of = "other" + std::to_string(i);
    by.start(what, 1'000);
  }
  CHECK_FALSE(by.find("saga/x")); // the oldest went
}

TEST_CASE("what an action would do is the decision itself, without its effect", "[console]") {
  auto o = tests::sample_order();
  o.at = domain::phase::refunding, o.why = domain::ending::cancel;
  o.payment = domain::payment_status::approved;
  o.captured = o.total, o.refunded = 0, o.blocked = true, o.paused = o.poisoned = false;
  o.attempts = 7, o.next_attempt_ms = 2'000'000;
  const auto foresee = [&](domain::operator_action a) {
    return domain::foresee(o, {a, "why"}, {1'000'000, 0});
  };
  const auto retried = foresee(domain::operator_action::retry_now);
  CHECK(retried.outcome == "would-act");
  CHECK(retried.sends == std::vector<std::string_view>{"cancel_payment"});
  CHECK(foresee(domain::operator_action::resume).outcome != "would-act");
  CHECK(foresee(domain::operator_action::pause).next.paused);
  const auto json = nlohmann::json::parse(http::forecast_json(o, retried, "n1"));
  CHECK(json.at("phase").at("from") == "refunding");
  CHECK(json.at("then").at("phase") == "refunding");
  CHECK(json.at("then").at("standing").at("because") == "cancelled");
  CHECK(json.dump().find(o.token) == std::string::npos);
}

TEST_CASE("a shelf's rows are added up as of one moment", "[console]") {
  tests::memory_store disk;
  const std::string sku = "tea";
  domain::stock s;
  s.sku = sku, s.on_hand = 90, s.reserved = 7, s.version = 9;
  std::vector<storage::entry> rows{
    {storage::table::stock, storage::sku_key(sku), storage::encode(s)}};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    domain::movement m;
    m.sku = sku, m.number = n, m.delta = 30;
    rows.push_back({storage::table::movements, storage::movement_key(sku, n), storage::encode(m)});
  }
  for (std::uint16_t n = 0; n < 20; ++n) {
    domain::reservation r;
    r.order = order_number(n), r.sku = sku, r.quantity = n < 7 ? 1 : 50;
    r.state = n < 7 ? domain::reservation_state::live : domain::reservation_state::committed;
    rows.push_back({storage::table::reservations, storage::reservation_key(sku, r.order, 0),
      storage::encode(r)});
  }
  REQUIRE_FALSE(disk.apply(rows));
  const auto sums = storage::add_up_stock(disk, sku, 1'000);
  REQUIRE(sums);
  CHECK(sums->moved == 90);
  CHECK(sums->held == 7);
  CHECK(sums->reservations == 7);
  CHECK(sums->complete);
  CHECK_FALSE(storage::add_up_stock(disk, sku, 2)->complete);
  CHECK_FALSE(storage::add_up_stock(disk, "coffee", 1'000));

  std::size_t seen = 0, pages = 0;
  for (std::string cursor;; ++pages) {
    const auto page = storage::list_live_reservations(disk, sku, 3, cursor, 5);
    REQUIRE(page);
    seen += page->rows.size();
    if (page->next_cursor.empty()) break;
    cursor = page->next_cursor;
  }
  CHECK(seen == 7);
  CHECK(pages >= 4); // short ones, as it looks at five rows for each
  CHECK_FALSE(storage::list_live_reservations(disk, sku, 3, "x", 5));
}

TEST_CASE("gzip is sent to whoever has room for it", "[console]") {
  const auto accepts = [](const std::string& field) {
    http::head h;
    const auto bytes = "GET / HTTP/1.1\r\nHost: x\r\n" + field + "\r\n";
    REQUIRE_FALSE(http::check_head(bytes, h));
    return http::accepts_gzip(h);
  };
  CHECK_FALSE(accepts(""));
  CHECK(accepts("Accept-Encoding: gzip, deflate, br\r\n"));
  CHECK(accepts("Accept-Encoding: br;q=1.0, *;q=0.1\r\n"));
  CHECK_FALSE(accepts("Accept-Encoding: gzip;q=0, *\r\n"));
  CHECK_FALSE(accepts("Accept-Encoding: identity\r\n"));
}

TEST_CASE("an overview's figures are numbers, or null where nothing was measured", "[console]") {
  http::node_overview o;
  o.node = "n1", o.at_ms = 1'700'000'002'000;
  o.now.fill(unmeasured);
  o.now[0] = 12.345;
  o.history = {o.now, o.now, o.now};
  const auto json = nlohmann::json::parse(http::overview_json(o));
  CHECK(json.at("now").at("accepted") == 12.35);
  CHECK(json.at("now").at("settle_p99_ms").is_null());
  CHECK(json.at("history").at("accepted").size() == 3);
  CHECK(json.at("history").at("from") == "2023-11-14T22:13:20.000Z");
  o.history.clear();
  CHECK(nlohmann::json::parse(http::overview_json(o)).at("history").is_null());
}
