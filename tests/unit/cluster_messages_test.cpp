#include "tests/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/sample_messages.hpp"
#include <random>

namespace {
using namespace jumun;
using namespace jumun::cluster;

template <class Message> void refused(const Message& damaged, const char* why) {
  CAPTURE(why);
  CHECK_FALSE(cluster::decode<Message>(encode(damaged)));
}

/// What a chance makes of a text, up to a length.
struct chance {
  std::mt19937_64 bits;
  std::string text(std::size_t most, std::size_t least = 0) {
    std::string s(least + bits() % (most - least + 1), '\0');
    for (auto& c : s) c = static_cast<char>(bits());
    return s;
  }
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool coin() { return bits() % 2 == 0; }
  domain::order_id id() { return {bits() | 1, bits()}; }
  domain::request_context context() {
    return {text(64), text(55), text(32), coin(), text(32), text(32)};
  }
  domain::stored_reply reply() {
    return {static_cast<std::uint16_t>(number(100, 599)), text(40), text(20), text(200),
      text(coin() ? 100'000 : 100), coin()};
  }
};

/// Without an operator== of their own: two messages are the same when all that is written is.
template <class Message> void comes_back(const Message& m) {
  const auto bytes = encode(m);
  const auto back = cluster::decode<Message>(bytes);
  REQUIRE(back);
  CHECK(encode(*back) == bytes);
}
} // namespace

TEST_CASE("every message between nodes comes back from its bytes as it was", "[wire]") {
  tests::each_message([](const char* name, const auto& sample) {
    using message = std::decay_t<decltype(sample)>;
    CAPTURE(name);
    comes_back(sample);
    envelope e;
    pack(e, sample);
    CHECK(e.kind == static_cast<std::uint16_t>(kind_of<message>));
    CHECK(unpack<message>(e));
    e.kind = 999;
    CHECK_FALSE(unpack<message>(e));
  });
  const auto r = cluster::decode<domain::reserve_stock>(encode(tests::sample_reserve()));
  REQUIRE(r);
  CHECK(r->order == tests::sample_message_order);
  CHECK(r->line == 99);
  CHECK(r->sku == "라떼");
  CHECK(r->quantity == 3);
  const auto p = cluster::decode<domain::place_order>(encode(tests::sample_place()));
  REQUIRE(p);
  CHECK((p->draft == tests::sample_place().draft));
  CHECK(p->from.key == tests::sample_context().key);
  CHECK(p->from.fingerprint == tests::sample_context().fingerprint);
  CHECK(p->from.traced);
  CHECK(p->wants_settled);
  const auto a = cluster::decode<command_answered>(encode(tests::sample_answered()));
  REQUIRE(a);
  CHECK(a->reply == tests::sample_reply());
  CHECK(a->to_settle == tests::sample_message_order);
  const auto act = cluster::decode<domain::act_on_saga>(encode(tests::sample_act()));
  REQUIRE(act);
  CHECK(act->if_version == 0); // and not: none
  CHECK(act->what.reason == "paid back by hand");
}

TEST_CASE("every kind of message has a number of its own", "[wire]") {
  std::vector<std::uint16_t> numbers;
  tests::each_message([&](const char*, const auto& sample) {
    numbers.push_back(static_cast<std::uint16_t>(kind_of<std::decay_t<decltype(sample)>>));
  });
  std::sort(numbers.begin(), numbers.end());
  CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
  CHECK(numbers.front() > 0);
}

TEST_CASE("messages of random values come back as they were", "[wire]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  chance c{std::mt19937_64{seed}};
  using namespace domain;
  for (int i = 0; i < 300; ++i) {
    const auto line = static_cast<std::uint16_t>(c.number(0, 99));
    comes_back(reserve_stock{c.id(), line, c.text(64, 1), c.number(1, limits::quantity_max)});
    comes_back(commit_stock{c.id(), line, c.text(64, 1)});
    comes_back(release_stock{c.id(), line, c.text(64, 1)});
    comes_back(stock_answered{c.id(), static_cast<phase>(c.number(1, 12)), line,
      static_cast<answer>(c.number(1, 3)), c.coin(), c.text(256)});
    place_order p;
    p.from = c.context();
    p.draft.customer = c.text(64);
    p.draft.principal = c.text(64);
    for (auto n = c.number(1, 100); n > 0; --n)
      p.draft.lines.push_back({c.text(64, 1), c.text(256), c.number(1, limits::quantity_max),
        c.number(0, limits::unit_price_max), {}});
    p.draft.currency = c.text(3);
    p.draft.total = c.number(0, INT64_MAX - 1);
    p.draft.token = c.text(128);
    p.draft.ship_to = {c.text(256), c.text(256), c.text(256), c.text(256), c.text(2)};
    p.wants_settled = c.coin();
    comes_back(p);
    comes_back(cancel_order{c.context(), c.id(), c.text(256)});
    comes_back(report_delivery{c.context(), c.id(),
      {static_cast<delivery_status>(c.number(2, 4)), c.text(256), c.text(55)}});
    act_on_saga act{c.context(), c.text(64), c.id(),
      {static_cast<operator_action>(c.number(1, 5)), c.text(256)}, {}};
    if (c.coin()) act.if_version = c.bits();
    comes_back(act);
    comes_back(adjust_stock{c.context(), c.text(64, 1),
      {c.number(-limits::stock_max, limits::stock_max), c.text(256), c.text(256)}});
    comes_back(count_stock{c.context(), c.text(64, 1), c.number(0, limits::stock_max), c.bits()});
    comes_back(remember_reply{c.context(), static_cast<shard_id>(c.number(0, 255)), c.reply()});
    comes_back(take_hook{c.context(), {c.id(), static_cast<hook_news>(c.number(1, 2)), c.text(64),
                                        c.text(64), c.number(0, INT64_MAX - 1), c.coin()}});
    comes_back(command_answered{c.reply(), c.coin() ? c.id() : order_id{}});
  }
}

TEST_CASE("a message with a value out of its range is refused", "[wire]") {
  using namespace domain;
  const auto with = [](auto message, auto change) {
    change(message);
    return message;
  };
  refused(with(tests::sample_reserve(), [](auto& m) { m.order = {}; }), "the zero id");
  refused(with(tests::sample_reserve(), [](auto& m) { m.line = 100; }), "line 100");
  refused(with(tests::sample_reserve(), [](auto& m) { m.quantity = 0; }), "no quantity");
  refused(with(tests::sample_reserve(), [](auto& m) { m.quantity = 1'000'001; }), "quantity");
  refused(with(tests::sample_reserve(), [](auto& m) { m.sku.clear(); }), "no SKU");
  refused(with(tests::sample_commit(), [](auto& m) { m.sku.assign(65, 'x'); }), "a long SKU");
  refused(with(tests::sample_release(), [](auto& m) { m.order = {}; }), "the zero id");
  refused(with(tests::sample_stock_answered(), [](auto& m) { m.said = answer{4}; }), "answer 4");
  refused(with(tests::sample_stock_answered(), [](auto& m) { m.about = phase{0}; }), "phase 0");
  refused(with(tests::sample_place(), [](auto& m) { m.draft.lines.clear(); }), "no lines");
  refused(with(tests::sample_place(), [](auto& m) { m.draft.lines.resize(101); }), "101 lines");
  refused(with(tests::sample_place(), [](auto& m) { m.draft.lines[1].quantity = -1; }), "-1");
  refused(with(tests::sample_place(), [](auto& m) { m.draft.total = -1; }), "total -1");
  refused(with(tests::sample_place(), [](auto& m) { m.draft.token.assign(5'000, 'x'); }), "token");
  refused(with(tests::sample_report(), [](auto& m) { m.report.status = delivery_status::started; }),
    "no courier says started");
  refused(with(tests::sample_act(), [](auto& m) { m.what.action = operator_action{6}; }), "action");
  refused(with(tests::sample_adjust(), [](auto& m) { m.change.delta = INT64_MIN; }), "delta");
  refused(with(tests::sample_count(), [](auto& m) { m.on_hand = -1; }), "on_hand -1");
  refused(with(tests::sample_put(), [](auto& m) { m.row.unit_price.amount = -1; }), "price -1");
  refused(with(tests::sample_remember(), [](auto& m) { m.reply.status = 99; }), "status 99");
  refused(with(tests::sample_take_hook(), [](auto& m) { m.what.news = hook_news{3}; }), "news 3");
  refused(with(tests::sample_answered(), [](auto& m) { m.reply.status = 600; }), "status 600");
  refused(move_offer{"", 1}, "no name of the move");
  refused(move_offer{std::string(129, 'x'), 1}, "a long name of the move");
  refused(
    with(tests::sample_provider_ask(), [](auto& m) { m.what = provider_ask::call{4}; }), "call 4");
  refused(provider_told{payment_said{0}, 0, ""}, "said 0");
}

TEST_CASE("an envelope, an item and a frame come back from their bytes as they were", "[wire]") {
  item i;
  REQUIRE(decode(encode(tests::sample_item()), i) == readable::yes);
  CHECK(i == tests::sample_item());
  CHECK(unpack<domain::reserve_stock>(i.what));
  const auto f = decode_frame(encode(tests::sample_frame()));
  REQUIRE(f);
  CHECK(*f == tests::sample_frame());
  REQUIRE(decode_frame(encode(frame{})));
  CHECK(*decode_frame(encode(frame{})) == frame{});
}

TEST_CASE("an envelope of a newer protocol is unsupported, and its ask is known", "[wire]") {
  auto newer = tests::sample_item();
  newer.what.protocol = protocol_now + 1;
  item i;
  CHECK(decode(encode(newer), i) == readable::unsupported);
  CHECK(i.ask == newer.ask);
  newer.what.protocol = 0;
  CHECK(decode(encode(newer), i) == readable::malformed);
  CHECK(i.ask == newer.ask);
}

TEST_CASE("fields that this release doesn't know are skipped", "[wire]") {
  const std::string later("\xfa\x06\x03new", 6); // field 111, length-delimited
  tests::each_message([&](const char* name, const auto& sample) {
    using message = std::decay_t<decltype(sample)>;
    CAPTURE(name);
    const auto back = cluster::decode<message>(encode(sample) + later);
    REQUIRE(back);
    CHECK(encode(*back) == encode(sample));
  });
  item i;
  CHECK(decode(encode(tests::sample_item()) + later, i) == readable::yes);
  CHECK(i == tests::sample_item());
  const auto f = decode_frame(encode(tests::sample_frame()) + later);
  REQUIRE(f);
  CHECK(*f == tests::sample_frame());
}

TEST_CASE("what is out of an envelope's bounds is neither sent nor read", "[wire]") {
  const auto bad = [](auto change) {
    auto i = tests::sample_item();
    change(i.what);
    CHECK_FALSE(sendable(i.what));
    item back;
    CHECK(decode(encode(i), back) == readable::malformed);
  };
  CHECK(sendable(tests::sample_envelope()));
  bad([](envelope& e) { e.kind = 0; });
  bad([](envelope& e) { e.deadline_ms = -1; });
  bad([](envelope& e) { e.command_id.assign(129, 'x'); });
  bad([](envelope& e) { e.traceparent.assign(257, 'x'); });
  bad([](envelope& e) { e.bytes.assign((1 << 20) + 1, 'x'); });
  auto largest = tests::sample_item();
  largest.what.bytes.assign(1 << 20, 'x');
  item back;
  CHECK(decode(encode(largest), back) == readable::yes);
  CHECK(back == largest);

  frame f;
  f.items.resize(limits::frame_items_max + 1);
  CHECK_FALSE(decode_frame(encode(f)));
  f.items.assign(3, std::string(1 << 20, 'x'));
  CHECK_FALSE(decode_frame(encode(f)));
  auto named = tests::sample_frame();
  named.greeting->node.assign(64, 'n');
  CHECK_FALSE(decode_frame(encode(named)));
}

TEST_CASE("two releases agree on the newest protocol that both speak", "[wire]") {
  hello h;
  h.protocol = protocol_now, h.oldest = protocol_oldest;
  CHECK(common_protocol(h) == protocol_now);
  h.protocol = protocol_now + 1; // the next release, which still speaks this one's
  CHECK(common_protocol(h) == protocol_now);
  h.oldest = protocol_now + 1;
  CHECK_FALSE(common_protocol(h));
  h.protocol = h.oldest = protocol_oldest - 1;
  CHECK_FALSE(common_protocol(h));
}

TEST_CASE("no bytes of a peer's make the codecs fall over", "[wire]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  chance c{std::mt19937_64{seed}};
  std::vector<std::string> honest{encode(tests::sample_frame()), encode(tests::sample_item())};
  tests::each_message([&](const char*, const auto& m) { honest.push_back(encode(m)); });
  std::size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = honest[c.bits() % honest.size()];
    for (auto n = c.number(1, 4); n > 0 && !bytes.empty(); --n) switch (c.bits() % 4) {
        case 0: bytes[c.bits() % bytes.size()] = static_cast<char>(c.bits()); break;
        case 1: bytes.resize(c.bits() % bytes.size()); break;
        case 2: bytes.insert(c.bits() % bytes.size(), c.text(8)); break;
        case 3: bytes += bytes.substr(c.bits() % bytes.size()); break;
      }
    // What is read must be writable and the same again: nothing of it is out of range.
    tests::each_message([&](const char* name, const auto& sample) {
      using message = std::decay_t<decltype(sample)>;
      CAPTURE(name);
      const auto m = cluster::decode<message>(bytes);
      if (!m) return;
      ++read;
      const auto again = cluster::decode<message>(encode(*m));
      if (!again || encode(*again) != encode(*m))
        FAIL_CHECK("not the same again: " << tests::hex(bytes));
    });
    item it;
    if (decode(bytes, it) == readable::yes && it.how == asked::answered && !sendable(it.what))
      FAIL_CHECK("out of bounds: " << tests::hex(bytes));
    if (const auto f = decode_frame(bytes)) {
      ++read;
      if (f->items.size() > bytes.size()) FAIL_CHECK("out of nothing: " << tests::hex(bytes));
    }
  }
  CHECK(read > 1'000); // the mutations are gentle enough to get somewhere
}

TEST_CASE("messages that past releases sent are still read", "[golden]") {
  tests::each_message([&](const char* name, const auto& sample) {
    using message = std::decay_t<decltype(sample)>;
    const auto back =
      cluster::decode<message>(tests::of_past_release(std::string{"wire/"} + name, encode(sample)));
    REQUIRE(back);
    CHECK(encode(*back) == encode(sample));
  });
  item i;
  REQUIRE(
    decode(tests::of_past_release("wire/item", encode(tests::sample_item())), i) == readable::yes);
  CHECK(i == tests::sample_item());
  const auto f = decode_frame(tests::of_past_release("wire/frame", encode(tests::sample_frame())));
  REQUIRE(f);
  CHECK(*f == tests::sample_frame());
}
