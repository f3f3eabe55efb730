#include "app/cluster/edge_wire.hpp"
#include "cluster/limits.hpp"
#include "tests/catch.hpp"
#include "tests/support/golden.hpp"
#include <random>

using namespace jumun;
using namespace jumun::app;
using kind = http::forwarded_answer::kind;

namespace {
http::forwarded_request some_request() {
  http::forwarded_request r;
  r.on = http::listener::on_ops;
  r.head = "GET /v1/events HTTP/1.1\r\nHost: jumun\r\n\r\n";
  r.body = std::string{"{\0}", 3};
  r.who = {"c-42", http::customer};
  r.from = {"c-42", "00-a-b-01", "a", true, "key", "print"};
  r.part = true, r.part_after = "k";
  domain::feed_position after{7};
  after.of[9] = domain::feed_position::latest;
  r.feed = http::feed_ask{{"orders", "tea"}, after, true, 200, std::chrono::milliseconds{1'500}};
  return r;
}
http::feed_row happened(std::uint64_t offset, domain::shard_id shard, std::size_t padding = 0) {
  http::feed_row r;
  r.fact.key = "tea", r.fact.type = domain::event_type::stock_adjusted, r.fact.sequence = offset;
  r.fact.detail = std::string(padding, 'x');
  r.offset = offset, r.shard = shard;
  return r;
}
http::forwarded_answer some_answer() {
  http::forwarded_answer a;
  a.what.status = 409, a.what.content_type = "application/problem+json", a.what.body = "{}";
  a.what.etag = "\"7\"", a.what.location = "/v1/x", a.what.more = "Retry-After: 1\r\n";
  a.what.last = true;
  a.rows.emplace();
  a.rows->kind = 'o', a.rows->newest_first = true, a.rows->end = "e";
  a.rows->rows = {{"k1", "{}"}, {std::string{"\0k", 2}, "[]"}};
  a.rows->served.set(0).set(255);
  a.events.emplace();
  a.events->rows = {happened(4, 255)};
  a.events->next = 9, a.events->last = 11, a.events->begin = domain::feed_position{2},
  a.events->at_end = false;
  a.events->served.set(3), a.events->from_now.set(8);
  return a;
}
} // namespace

TEST_CASE("a request comes over as it was sent", "[wire][cluster]") {
  const auto sent = some_request();
  const auto got = edge_wire::decode_request(edge_wire::encode(sent));
  REQUIRE(got);
  CHECK(got->on == sent.on);
  CHECK(got->head == sent.head);
  CHECK(got->body == sent.body);
  CHECK(got->who.principal == sent.who.principal);
  CHECK(got->who.roles == sent.who.roles);
  CHECK(got->from.traceparent == sent.from.traceparent);
  CHECK(got->from.trace_id == sent.from.trace_id);
  CHECK(got->from.traced);
  CHECK(got->from.key == sent.from.key);
  CHECK(got->from.fingerprint == sent.from.fingerprint);
  CHECK(got->part);
  CHECK(got->part_after == "k");
  REQUIRE(got->feed);
  CHECK(got->feed->after == sent.feed->after);
  CHECK(got->feed->what.key == "tea");
  CHECK(got->feed->from_begin);
  CHECK(got->feed->limit == 200);
  CHECK(got->feed->wait == sent.feed->wait);
}

TEST_CASE("an answer comes over as it was given", "[wire][cluster]") {
  const auto a = some_answer();
  const auto got = edge_wire::decode_answer(edge_wire::encode(a));
  REQUIRE(got);
  CHECK(got->is == kind::answered);
  CHECK(got->what.status == 409);
  CHECK(got->what.body == "{}");
  CHECK(got->what.etag == a.what.etag);
  CHECK(got->what.location == a.what.location);
  CHECK(got->what.more == a.what.more);
  CHECK(got->what.last);
  REQUIRE(got->rows);
  CHECK(got->rows->kind == 'o');
  CHECK(got->rows->newest_first);
  CHECK(got->rows->end == "e");
  CHECK(got->rows->rows[1].key == a.rows->rows[1].key);
  CHECK(got->rows->served == a.rows->served);
  REQUIRE(got->events);
  CHECK(got->events->rows[0].fact.sequence == 4);
  CHECK(got->events->rows[0].shard == 255);
  CHECK(got->events->next == 9);
  CHECK(got->events->last == 11);
  CHECK_FALSE(got->events->at_end);
  CHECK(got->events->served == a.events->served);
  CHECK(got->events->from_now == a.events->from_now);
  http::forwarded_answer elsewhere;
  elsewhere.is = kind::not_here;
  CHECK(edge_wire::decode_answer(edge_wire::encode(elsewhere))->is == kind::not_here);
}

TEST_CASE("what is longer than an envelope is cut, and says where", "[wire][cluster]") {
  http::forwarded_answer a;
  a.rows.emplace();
  for (int i = 0; i < 300; ++i)
    a.rows->rows.push_back({"k" + std::to_string(1'000 + i), std::string(10'000, '1')});
  auto bytes = edge_wire::encode(a);
  CHECK(bytes.size() <= limits::envelope_bytes_max);
  const auto list = edge_wire::decode_answer(bytes)->rows.value();
  CHECK(list.rows.size() > 50);
  CHECK(list.end == list.rows.back().key);

  http::forwarded_answer e;
  e.events.emplace();
  e.events->next = e.events->last = 400;
  for (std::uint64_t n = 1; n <= 400; ++n)
    e.events->rows.push_back(happened((n + 1) / 2, 7, 10'000));
  bytes = edge_wire::encode(e);
  CHECK(bytes.size() <= limits::envelope_bytes_max);
  const auto feed = edge_wire::decode_answer(bytes)->events.value();
  CHECK_FALSE(feed.at_end);
  CHECK(feed.next == feed.rows.back().offset);
  CHECK(feed.rows.size() % 2 == 0); // both of an offset, or none
}

TEST_CASE("bytes that are none are refused, whatever they are", "[wire][cluster]") {
  std::mt19937 chance{11};
  const auto request = edge_wire::encode(some_request());
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto bytes = request;
    for (int n = 0; n < 4; ++n) bytes[chance() % bytes.size()] = static_cast<char>(chance());
    bytes.resize(chance() % (bytes.size() + 1));
    refused += !edge_wire::decode_request(bytes);
    (void)edge_wire::decode_answer(bytes);
    (void)edge_wire::decode_products(bytes);
    (void)edge_wire::decode_skus(bytes);
  }
  CHECK(refused > 1'000);
  auto god = some_request();
  god.who.roles = 64; // no such role
  CHECK_FALSE(edge_wire::decode_request(edge_wire::encode(god)));
}

TEST_CASE("products come over, or that they are another node's", "[wire][cluster]") {
  const domain::product tea{"tea", "Tea", {300, "USD"}, 4, 1, 0};
  const auto got = edge_wire::decode_products(edge_wire::encode_products({{tea}}));
  REQUIRE(got);
  CHECK(got->at(0).unit_price == tea.unit_price);
  CHECK(got->at(0).name == "Tea");
  CHECK_FALSE(edge_wire::decode_products(edge_wire::encode_products(std::nullopt)));
  CHECK(edge_wire::decode_skus(edge_wire::encode_skus({"a", "b"}))
        == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what the edges of past releases sent is still read", "[golden]") {
  const auto same = [](
                      const std::string& name, const std::string& now, const auto& read_and_write) {
    CAPTURE(name);
    CHECK(tests::hex(read_and_write(tests::of_past_release("wire/edge_" + name, now)))
          == tests::hex(now));
  };
  same("request", edge_wire::encode(some_request()),
    [](const std::string& b) { return edge_wire::encode(edge_wire::decode_request(b).value()); });
  auto answer = some_answer();
  answer.what.last = false; // no field 10 in releases before it: their connections go on
  same("answer", edge_wire::encode(answer),
    [](const std::string& b) { return edge_wire::encode(edge_wire::decode_answer(b).value()); });
  same("skus", edge_wire::encode_skus({"a", "b"}),
    [](const std::string& b) { return edge_wire::encode_skus(edge_wire::decode_skus(b).value()); });
  same("products", edge_wire::encode_products({{{"tea", "Tea", {300, "USD"}, 4, 1, 0}}}),
    [](const std::string& b) {
      return edge_wire::encode_products(edge_wire::decode_products(b).value());
    });
}
