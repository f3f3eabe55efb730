#include "storage/rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/sample_rows.hpp"
#include <random>

namespace {
using namespace jumun;
using namespace jumun::storage;

/// Calls `see(name, sample)` for a row of each type.
template <class See> void each_type(const See& see) {
  see("order", tests::sample_order());
  see("stock", tests::sample_stock());
  see("reservation", tests::sample_reservation());
  see("movement", tests::sample_movement());
  see("product", tests::sample_product());
  see("payment", tests::sample_payment());
  see("delivery", tests::sample_delivery());
  see("event", tests::sample_event());
  see("idempotency", tests::sample_idempotency());
  see("audit", tests::sample_audit());
  see("hook", tests::sample_hook());
  see("webhook", tests::sample_webhook());
  see("webhook_delivery", tests::sample_webhook_delivery());
}

/// Decodes as every type; what comes out doesn't matter, that it comes back does.
std::size_t decode_as_all(std::string_view bytes) {
  std::size_t accepted = 0;
  each_type([&](const char*, const auto& sample) {
    using row = std::decay_t<decltype(sample)>;
    accepted += decode<row>(bytes) ? 1 : 0;
  });
  return accepted;
}

template <class Row> void refused(Row damaged, const char* why) {
  CAPTURE(why);
  CHECK_FALSE(decode<Row>(encode(damaged)));
}
} // namespace

TEST_CASE("every type of row comes back from its bytes as it was", "[rows]") {
  each_type([](const char* name, const auto& sample) {
    using row = std::decay_t<decltype(sample)>;
    CAPTURE(name);
    const auto back = decode<row>(encode(sample));
    REQUIRE(back);
    CHECK((*back == sample)); // (( )): Catch takes domain::begin() for a range's
  });
}

TEST_CASE("rows with nothing optional set come back as they were", "[rows]") {
  domain::movement m;
  m.sku = "a";
  CHECK((decode<domain::movement>(encode(m)) == m));
  domain::idempotency_record r;
  const auto back = decode<domain::idempotency_record>(encode(r));
  REQUIRE(back);
  CHECK_FALSE(back->reply);
  CHECK_FALSE(back->order);
  domain::order o;
  o.id = tests::sample_id;
  CHECK((decode<domain::order>(encode(o)) == o));
}

TEST_CASE("a row decoded after a larger one has nothing of it", "[rows]") {
  domain::order small;
  small.id = tests::sample_id;
  const auto small_row = encode(small);
  const auto large_row = encode(tests::sample_order());
  REQUIRE(decode<domain::order>(large_row));
  CHECK((decode<domain::order>(small_row) == small));
  CHECK(encode(small) == small_row);
}

TEST_CASE("texts that are no UTF-8 are kept byte for byte", "[rows]") {
  auto e = tests::sample_event();
  e.detail = std::string("cut off: \xec\x95\0", 12);
  CHECK((decode<domain::event>(encode(e)) == e));
}

TEST_CASE("a row's version can be read without decoding it", "[rows]") {
  CHECK(version_of(encode(tests::sample_order())) == 9);
  CHECK(version_of(encode(tests::sample_event())) == 0);
  auto s = tests::sample_stock();
  s.version = 0xfedc'ba98'7654'3210;
  CHECK(version_of(encode(s)) == s.version);
  CHECK((decode<domain::stock>(encode(s)) == s));
  CHECK_FALSE(version_of(""));
  CHECK_FALSE(version_of("\x01short"));
  CHECK_FALSE(version_of("\x02........"));
}

TEST_CASE("a row of a newer format is refused, not misread", "[rows]") {
  each_type([](const char* name, const auto& sample) {
    using row = std::decay_t<decltype(sample)>;
    CAPTURE(name);
    auto bytes = encode(sample);
    bytes[0] = static_cast<char>(row_format + 1);
    CHECK_FALSE(decode<row>(bytes));
  });
}

TEST_CASE("a row cut off at any byte is refused", "[rows]") {
  each_type([](const char* name, const auto& sample) {
    using row = std::decay_t<decltype(sample)>;
    const auto bytes = encode(sample);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      CAPTURE(name, n);
      CHECK_FALSE(decode<row>(std::string_view{bytes}.substr(0, n)));
    }
  });
}

TEST_CASE("a field that this release doesn't know is skipped", "[rows]") {
  // Field 99, length-delimited, 3 bytes: before `whole`, as a newer release would write it.
  auto bytes = encode(tests::sample_stock());
  const std::string later("\x9a\x06\x03new", 6);
  bytes.insert(bytes.size() - 3, later);
  CHECK((decode<domain::stock>(bytes) == tests::sample_stock()));
}

TEST_CASE("values out of their range are refused", "[rows]") {
  using namespace domain;
  auto o = tests::sample_order();
  const auto broken = [&o](auto change) {
    auto copy = o;
    change(copy);
    return copy;
  };
  refused(broken([](order& x) { x.id = {}; }), "the zero id");
  refused(broken([](order& x) { x.at = phase{0}; }), "phase 0");
  refused(broken([](order& x) { x.at = phase{13}; }), "phase 13");
  refused(broken([](order& x) { x.why = ending{3}; }), "ending 3");
  refused(broken([](order& x) { x.payment = payment_status{8}; }), "payment 8");
  refused(broken([](order& x) { x.delivery = delivery_status{7}; }), "delivery 7");
  refused(broken([](order& x) { x.lines[0].state = line_state{6}; }), "line state 6");
  refused(broken([](order& x) { x.lines[0].quantity = -1; }), "negative quantity");
  refused(broken([](order& x) { x.lines[0].quantity = 1'000'001; }), "absurd quantity");
  refused(broken([](order& x) { x.lines[0].unit_price = -1; }), "negative price");
  refused(broken([](order& x) { x.total = -1; }), "negative total");
  refused(broken([](order& x) { x.captured = -1; }), "negative capture");
  refused(broken([](order& x) { x.lines.resize(101); }), "101 lines");
  refused(broken([](order& x) { x.token.assign(2 << 20, 'x'); }), "2 MiB");
  refused(stock{"a", -1, 0, 1, 0, 0, 0}, "negative stock");
  refused(stock{"a", 1, -1, 1, 0, 0, 0}, "negative reservation");
  auto r = tests::sample_reservation();
  r.state = reservation_state{5};
  refused(r, "reservation state 5");
  auto p = tests::sample_payment();
  p.state = charge_state{0};
  refused(p, "charge state 0");
  auto h = tests::sample_hook();
  h.news = hook_news{3};
  refused(h, "hook news 3");
  auto d = tests::sample_delivery();
  d.state = booking_state{4};
  refused(d, "booking state 4");
  auto e = tests::sample_event();
  e.type = event_type{21};
  refused(e, "event type 21");
  auto i = tests::sample_idempotency();
  i.reply->status = 7;
  refused(i, "status 7");
}

TEST_CASE("no bytes make decode fall over", "[rows]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 chance{seed};
  const auto byte = [&chance] { return static_cast<char>(chance() & 0xff); };
  std::vector<std::string> honest;
  each_type([&](const char*, const auto& sample) { honest.push_back(encode(sample)); });
  std::size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string noise(chance() % 200, '\0');
    for (auto& c : noise) c = byte();
    if (!noise.empty()) noise[0] = static_cast<char>(row_format);
    accepted += decode_as_all(noise);
    auto bent = honest[chance() % honest.size()];
    for (auto n = 1 + chance() % 3; n > 0; --n) bent[chance() % bent.size()] = byte();
    accepted += decode_as_all(bent);
  }
  CHECK(accepted > 0); // a bent byte inside a text is still a row: the loop did reach the decoder
}

TEST_CASE("what a person settled comes back, and older rows have none of it", "[rows]") {
  auto o = tests::sample_order();
  o.payment = domain::payment_status::resolved;
  o.settled_outside = 14'000;
  o.resolved = true;
  CHECK((decode<domain::order>(encode(o)) == o));
  const auto before = decode<domain::order>(encode(tests::sample_order()));
  REQUIRE(before);
  CHECK(before->settled_outside == 0);
  CHECK_FALSE(before->resolved);
}

TEST_CASE("keys sort as they count, and name their shard first", "[keys]") {
  const auto early = domain::make_order_id(7, 1'000, 0xff, ~0ULL);
  const auto late = domain::make_order_id(7, 1'001, 0, 0);
  CHECK(order_key(early) < order_key(late));
  CHECK(order_key(early)[0] == 7);
  CHECK(order_of_key(order_key(late)) == late);
  CHECK_FALSE(order_of_key("short"));
  CHECK(movement_key("a", 255) < movement_key("a", 256));
  CHECK(number_of_key(movement_key("a", 256)) == 256);
  CHECK(feed_key(3, 255) < feed_key(3, 256));
  CHECK(feed_key(3, 1).size() == 9);
  CHECK(static_cast<unsigned char>(sku_key("tea")[0]) == domain::shard_of("tea"));
  CHECK(reservation_key("a", early, 255) < reservation_key("a", early, 256));
  CHECK(reservation_key("a", early, 1).substr(1, 2) == std::string("a\0", 2));
  CHECK(idempotency_key(9, "0123456789abcdef").size() == 17);
}

TEST_CASE("an event's key in history is its order's, or its SKU's", "[keys]") {
  auto e = tests::sample_event();
  CHECK(history_key(e).starts_with(history_prefix(tests::sample_id)));
  CHECK(number_of_key(history_key(e)) == 3);
  e.type = domain::event_type::stock_adjusted; // a SKU may look like an order's id
  CHECK_FALSE(history_key(e).starts_with(history_prefix(tests::sample_id)));
  e.key = "tea";
  const auto shard = std::string(1, static_cast<char>(domain::shard_of("tea")));
  CHECK(history_key(e) == shard + "stea" + std::string("\0\0\0\0\0\0\0\0\x03", 9));
}

TEST_CASE("rows that past releases wrote are still read", "[golden]") {
  each_type([&](const char* name, const auto& sample) {
    using row = std::decay_t<decltype(sample)>;
    CAPTURE(name);
    const auto back =
      decode<row>(tests::of_past_release(std::string{"v1/"} + name, encode(sample)));
    REQUIRE(back);
    CHECK((*back == sample));
  });
}

TEST_CASE(
  "webhooks' rows are as ever where all shards share a place, and say more where not", "[golden]") {
  auto w = tests::sample_webhook();
  auto d = tests::sample_webhook_delivery();
  CHECK(encode(w) == tests::of_past_release("v1/webhook", encode(w)));
  CHECK(encode(d) == tests::of_past_release("v1/webhook_delivery", encode(d)));
  w.cursor.of[7] = 12, w.cursor.of[200] = domain::feed_position::latest;
  d.cursor = to_text(w.cursor);
  CHECK((decode<domain::webhook>(encode(w)) == w));
  CHECK((decode<domain::webhook_delivery>(encode(d)) == d));
  d.cursor = "vnothing";
  refused(d, "a cursor that is none");
}

TEST_CASE("after_prefix is the first key behind all with the prefix", "[store]") {
  CHECK(after_prefix("a") == "b");
  CHECK(after_prefix(std::string("a\xff", 2)) == "b");
  CHECK(after_prefix("\xff\xff").empty());
  CHECK(after_prefix("").empty());
}

TEST_CASE("a payment's row keeps the provider's own name for it", "[rows]") {
  auto p = tests::sample_payment();
  p.reference = "pi_3MtwBwLkdIwHu7ix28a3tqPa";
  CHECK(decode<domain::payment_record>(encode(p)) == p);
}
