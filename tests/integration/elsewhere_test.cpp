#include "tests/catch.hpp"
#include "tests/integration/fake_cluster.hpp"
#include "tests/integration/raw_client.hpp"
#include "tests/support/process.hpp"
#include "tests/support/sse_client.hpp"
#include <future>
#include <nlohmann/json.hpp>

using namespace jumun;
using namespace jumun::tests;
using nlohmann::json;

// The edges of some nodes, without actors and disks: what goes where, and what comes back.
namespace {
struct public_client : raw_client {
  explicit public_client(fake_cluster::node& n) : raw_client{n.server.port()} {}
};
json order_of(const std::vector<std::string>& skus) {
  json body = json::parse(R"({"customer_id":"c-42","lines":[],
    "payment":{"method":"card","token":"tok_approve"},
    "shipping_address":{"line1":"1 Street","city":"Seoul","country":"KR"}})");
  for (const auto& sku : skus) body["lines"].push_back({{"sku", sku}, {"quantity", 1}});
  return body;
}
void sell(fake_cluster::node& at, const std::string& sku, std::int64_t amount) {
  const std::lock_guard lock{at.shop().mutex};
  at.shop().products[sku] = {sku, sku, {amount, "KRW"}, 1, 1, 0};
}
void put_order(fake_cluster::node& at, domain::order_id id, const std::string& customer = "c-42") {
  domain::order o;
  o.id = id, o.version = 4, o.currency = "KRW", o.customer = customer;
  const std::lock_guard lock{at.shop().mutex};
  at.shop().orders[id] = o;
}
/// Once somebody has looked so often at who owns a shard; false: nobody did.
bool is_looked_up(fake_cluster& c, std::size_t times) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;; std::this_thread::yield()) {
    const std::lock_guard lock{c.guard};
    if (c.looked >= times) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
  }
}
/// An answer without what differs from second to second and from request to request.
std::string lasting(const raw_reply& r) {
  auto head = r.head;
  const auto date = head.find("Date: ");
  return head.erase(date, head.find("\r\n", date) - date) + r.body;
}
json page(fake_cluster::node& at, const std::string& target, bool ops = false) {
  raw_client c{ops ? at.server.ops() : at.server.port()};
  const auto r = c.ask(get_request(target));
  INFO(target << "\n" << r.head << r.body);
  REQUIRE(r.status == 200);
  return json::parse(r.body);
}
} // namespace

TEST_CASE("any node answers for the owner, byte for byte", "[cluster][edge]") {
  fake_cluster c{3};
  const auto id = c.id_at(1);
  put_order(c[1], id);
  sell(c[2], c.name_at(2, "sku-"), 900);
  for (const auto& target : {http::order_path(id), http::order_path(id) + "/cancellations",
         "/v1/products/" + c.name_at(2, "sku-"),
         "/v1/payments/" + to_text(domain::id_kind::payment, id)}) {
    INFO(target);
    const auto owner = target.starts_with("/v1/products") ? 2U : 1U;
    const auto fields = std::string{"Authorization: Bearer secret\r\nCookie: a=b\r\n"};
    const auto there = public_client{c[owner]}.ask(get_request(target, fields));
    CHECK(there.status == 200);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(lasting(public_client{c[i]}.ask(get_request(target, fields))) == lasting(there));
    auto known = public_client{c[0]}.ask(get_request(target, "If-None-Match: *\r\n"));
    CHECK(known.status == (there.field("etag").empty() ? 200 : 304));
  }
  CHECK(public_client{c[0]}.ask(get_request("/v1/orders/nothing")).status == 404);
  const std::lock_guard lock{c.guard};
  CHECK(c.heads.size() >= 8);
  for (const auto& head : c.heads) { // who asks was found before; the credential goes no further
    CHECK(head.find("secret") == std::string::npos);
    CHECK(head.find("a=b") == std::string::npos);
  }
}

TEST_CASE("behind a body beyond the limits any node ends the connection", "[cluster][edge]") {
  fake_cluster c{2};
  const auto target = "/v1/inventory/" + c.name_at(1, "sku-") + "/adjustments";
  for (auto i : {0U, 1U}) { // the other node, then the owner itself
    CAPTURE(i);
    public_client client{c[i]};
    const auto r = client.ask(post_request(target, R"({"delta":1,"delta":2,"reason":"r"})"));
    CHECK(r.status == 400);
    CHECK(r.field("connection") == "close");
    CHECK(client.rest().empty());
  }
}

TEST_CASE("an order lies in its key's shard, whoever takes it", "[cluster][edge]") {
  fake_cluster c{3};
  const auto sku = c.name_at(0, "sku-");
  sell(c[0], sku, 4'500);
  std::map<std::size_t, int> placed;
  for (int i = 0; i < 12; ++i) {
    const auto key = "Idempotency-Key: key-" + std::to_string(i) + "\r\n";
    const auto request = post_request("/v1/orders", order_of({sku}).dump(), key);
    const auto first = public_client{c[i % 3]}.ask(request);
    REQUIRE(first.status == 201);
    const auto id =
      domain::parse_id(domain::id_kind::order, json::parse(first.body).at("id").get<std::string>());
    const auto owner = c.owners[domain::shard_of(*id)];
    CHECK(c[owner].shop().find_order(*id));
    ++placed[owner];
    for (std::size_t n = 0; n < 3; ++n) {
      const auto again = public_client{c[n]}.ask(request);
      CHECK(again.status == 201);
      CHECK(again.body == first.body);
      CHECK(again.field("idempotency-replayed") == "true");
      CHECK(public_client{c[n]}.ask(get_request(first.field("location"))).status == 200);
    }
  }
  CHECK(placed.size() == 3);
}

TEST_CASE("a node without shards has orders placed by one that has some", "[cluster][edge]") {
  fake_cluster c{3};
  for (auto& o : c.owners) o = 1 + o % 2; // n1 is a gateway
  const auto sku = c.name_at(2, "sku-");
  sell(c[2], sku, 4'500);
  CHECK(public_client{c[0]}.ask(post_request("/v1/orders", order_of({sku}).dump())).status == 201);
  CHECK(c[1].shop().placed.size() + c[2].shop().placed.size() == 1);
}

TEST_CASE(
  "an order has the prices that its products have now, wherever they are sold", "[cluster][edge]") {
  fake_cluster c{3};
  const std::vector<std::string> skus{
    c.name_at(0, "sku-"), c.name_at(1, "sku-"), c.name_at(2, "sku-"), c.name_at(2, "sku-", 1)};
  for (std::size_t i = 0; i < skus.size(); ++i)
    sell(c[std::min<std::size_t>(i, 2)], skus[i], 1'000);
  const auto key = "Idempotency-Key: " + c.name_at(0, "k") + "\r\n";
  const auto total = [&](std::size_t at) {
    const auto r = public_client{c[at]}.ask(post_request("/v1/orders", order_of(skus).dump()));
    INFO(r.body);
    REQUIRE(r.status == 201);
    return json::parse(r.body).at("total").at("amount").get<int>();
  };
  CHECK(total(0) == 4'000);
  CHECK(c.prices_asked == 2); // one question to each of the others
  sell(c[2], skus[3], 1'500);
  for (std::size_t i = 0; i < 3; ++i) CHECK(total(i) == 4'500);

  const auto none = public_client{c[0]}.ask(
    post_request("/v1/orders", order_of({skus[0], c.name_at(1, "no-")}).dump()));
  CHECK(none.status == 422);
  CHECK(json::parse(none.body).at("errors")[0].at("pointer") == "/lines/1/sku");
  {
    const std::lock_guard lock{c.guard};
    c.away.insert(2);
  }
  const auto away =
    public_client{c[0]}.ask(post_request("/v1/orders", order_of({skus[0], skus[2]}).dump()));
  CHECK(away.status == 503);
  CHECK(away.field("retry-after") == "1");
  const auto why = json::parse(away.body);
  CHECK(why.at("code") == "shard-unavailable");
  CHECK(why.at("errors")[0].at("pointer") == "/lines/1/sku");
}

TEST_CASE(
  "an owner that is away is said to be, at once; others are not touched", "[cluster][edge]") {
  fake_cluster c{3};
  c.away.insert(1);
  const auto r = public_client{c[0]}.ask(get_request(http::order_path(c.id_at(1))));
  CHECK(r.status == 503);
  CHECK(r.field("retry-after") == "1");
  CHECK(json::parse(r.body).at("code") == "shard-unavailable");
  CHECK(json::parse(r.body).at("detail").get<std::string>().find("n2") != std::string::npos);
  put_order(c[2], c.id_at(2));
  CHECK(public_client{c[0]}.ask(get_request(http::order_path(c.id_at(2)))).status == 200);
}

TEST_CASE(
  "an answer that is lost is asked for again where that is safe, and else said to be unknown",
  "[cluster][edge]") {
  fake_cluster c{2};
  const auto sku = c.name_at(1, "sku-");
  sell(c[1], sku, 4'500);
  c.mute[1] = 2;
  std::string key; // of a shard of n2
  for (int i = 0; key.empty(); ++i) {
    const auto k = "k-" + std::to_string(i);
    const auto before = c[1].shop().placed.size();
    const auto r = public_client{c[0]}.ask(
      post_request("/v1/orders", order_of({sku}).dump(), "Idempotency-Key: " + k + "\r\n"));
    REQUIRE(r.status == 201);
    if (c[1].shop().placed.size() == before) continue; // the key is n1's
    CHECK(c[1].shop().placed.size() == before + 1);    // asked three times, placed once
    CHECK(r.field("idempotency-replayed") == "true");
    key = k;
  }
  const auto adjust = [&](const std::string& fields) {
    return public_client{c[0]}.ask(post_request(
      "/v1/inventory/" + sku + "/adjustments", R"({"delta":5,"reason":"found"})", fields));
  };
  c.mute[1] = 1;
  const auto unknown = adjust("");
  CHECK(unknown.status == 504);
  CHECK(json::parse(unknown.body).at("code") == "outcome-unknown");
  c.mute[1] = 1;
  CHECK(adjust("Idempotency-Key: a\r\n").status == 201);
  // A cancellation asked for twice is one.
  put_order(c[1], c.id_at(1));
  c.mute[1] = 1;
  CHECK(public_client{c[0]}
          .ask(post_request(http::order_path(c.id_at(1)) + "/cancellations", "{}"))
          .status
        == 202);
  // If-Match: done once, the second try would be refused for what the first one did.
  c.mute[1] = 1;
  CHECK(
    public_client{c[0]}
      .ask(post_request("/v1/inventory/" + sku, R"({"on_hand":5})", "If-Match: \"0\"\r\n", "PUT"))
      .status
    == 504);
}

TEST_CASE("a request follows a shard that has moved", "[cluster][edge]") {
  fake_cluster c{3};
  const auto id = c.id_at(2);
  put_order(c[2], id);
  c.believed[domain::shard_of(id)] = 1; // n1's map is old: n2 had it before
  CHECK(public_client{c[0]}.ask(get_request(http::order_path(id))).status == 200);
  CHECK(c.heads.size() == 2);
}

TEST_CASE("who asks while an actor falls, or its shard leaves, hears what came of it all the same",
  "[cluster][edge]") {
  const auto moves = GENERATE(false, true);
  const auto asked = GENERATE(0U, 1U); // the owner itself, or who sends it on
  CAPTURE(moves, asked);
  fake_cluster c{2};
  c.owners.fill(0);
  sell(c[0], "tea", 4'500), sell(c[1], "tea", 4'500);
  const auto lose = [&](int times) {
    c[0].shop().lost_answers = times;
    c[0].shop().when_lost = [&] {
      const std::lock_guard lock{c.guard};
      if (moves) c.owners.fill(1);
    };
  };
  const auto place = [&](const std::string& fields) {
    return public_client{c[asked]}.ask(
      post_request("/v1/orders", order_of({"tea"}).dump(), fields));
  };
  lose(2);
  CHECK(place("Idempotency-Key: a\r\n").status == 201);
  CHECK(c[moves ? 1 : 0].shop().placed.size() == 1);
  CHECK(c[moves ? 0 : 1].shop().placed.empty());

  c.owners.fill(0);
  const auto id = c.id_at(0);
  put_order(c[0], id), put_order(c[1], id);
  lose(1);
  const auto cancelled =
    public_client{c[asked]}.ask(post_request(http::order_path(id) + "/cancellations", "{}"));
  CHECK(cancelled.status == 202);

  c.owners.fill(0);
  lose(1);
  const auto once = place(""); // it may have been done: nobody does it twice
  CHECK(once.status == 503);
  CHECK(json::parse(once.body).at("code") == "shard-unavailable");
}

TEST_CASE("a node that is alone asks again, too, when an actor falls", "[edge]") {
  running_server s;
  s.shop.lost_answers = 3;
  raw_client c{s.port()};
  const auto order =
    post_request("/v1/orders", order_of({"americano"}).dump(), "Idempotency-Key: a\r\n");
  CHECK(c.ask(order).status == 201);
  CHECK(s.shop.placed.size() == 1);
}

TEST_CASE("what is read of a shard while it leaves is read at its next owner", "[cluster][edge]") {
  const auto asked = GENERATE(0U, 1U);
  fake_cluster c{2};
  const auto id = c.id_at(0);
  put_order(c[0], id), put_order(c[1], id);
  c[0].shop().before_find = [&] {
    const std::scoped_lock lock{c.guard, c[0].shop().mutex};
    c.owners.fill(1);
    c[0].shop().orders.clear(); // given away means gone
  };
  CHECK(public_client{c[asked]}.ask(get_request(http::order_path(id))).status == 200);
}

TEST_CASE("an owner that is being restarted is waited for, by so many as leave room for others",
  "[cluster][edge]") {
  auto options = fake_cluster::waiting_for(std::chrono::minutes{1});
  options.requests_waiting_max = 2 * limits::owner_waiters_share;
  fake_cluster c{2, options};
  const auto id = c.id_at(1);
  const auto sku = c.name_at(1, "sku-");
  put_order(c[1], id), sell(c[1], sku, 4'500);
  c.away.insert(1);
  std::promise<void> refused;
  std::vector<std::future<int>> readers;
  for (int i = 0; i < 3; ++i)
    readers.push_back(std::async(std::launch::async, [&] {
      const auto status = public_client{c[0]}.ask(get_request(http::order_path(id))).status;
      if (status == 503) refused.set_value();
      return status;
    }));
  REQUIRE(refused.get_future().wait_for(patience) == std::future_status::ready);
  {
    const std::lock_guard lock{c.guard};
    c.away.clear();
  }
  std::multiset<int> heard;
  for (auto& r : readers) heard.insert(r.get());
  CHECK(heard == std::multiset<int>{200, 200, 503});

  {
    const std::lock_guard lock{c.guard};
    c.away.insert(1);
    c.looked = 0;
  }
  auto placed = std::async(std::launch::async, [&] { // what it sells has a price over there
    return public_client{c[0]}.ask(post_request("/v1/orders", order_of({sku}).dump())).status;
  });
  CHECK(is_looked_up(c, 10));
  {
    const std::lock_guard lock{c.guard};
    c.away.clear();
  }
  CHECK(placed.get() == 201);
}

TEST_CASE("a server that ends lets go of who waits for another node", "[cluster][edge]") {
  fake_cluster c{2, fake_cluster::waiting_for(std::chrono::hours{1})};
  const auto id = c.id_at(0);
  c.away.insert(0);
  public_client asker{c[1]};
  REQUIRE(asker.send(get_request(http::order_path(id))));
  REQUIRE(is_looked_up(c, 3)); // it is tried again and again
  auto ended = std::async(std::launch::async, [of = std::move(c.nodes.back())]() mutable {
    of.reset(); // waits for its threads
  });
  c.nodes.pop_back();
  const bool lets_go = ended.wait_for(patience) == std::future_status::ready;
  const std::lock_guard lock{c.guard};
  c.away.clear(); // or this test would wait for an hour, too
  CHECK(lets_go);
}

TEST_CASE("a long poll waits at the owner", "[cluster][edge]") {
  fake_cluster c{2};
  const auto id = c.id_at(1);
  put_order(c[1], id);
  auto answer = std::async(std::launch::async, [&] {
    return public_client{c[0]}.ask(
      get_request(http::order_path(id), "If-None-Match: \"4\"\r\nPrefer: wait=20\r\n"));
  });
  c[1].shop().await_watched(1);
  c[1].shop().change(id, fake_shop::fulfil);
  const auto r = answer.get();
  CHECK(r.status == 200);
  CHECK(r.field("etag") == "\"5\"");
  CHECK(r.field("preference-applied") == "wait=20");
}

TEST_CASE("a list has all nodes' rows, and its cursor goes on at any node", "[cluster][edge]") {
  fake_cluster c{3};
  std::vector<std::string> skus;
  for (std::size_t n = 0; n < 3; ++n)
    for (int i = 0; i < 7; ++i) {
      skus.push_back(c.name_at(n, "sku-", i));
      c[n].shop().stocks[skus.back()] = {skus.back(), 10, 2, 7, 1, 1, 0};
    }
  std::sort(skus.begin(), skus.end());
  std::vector<std::string> got;
  std::string cursor;
  for (std::size_t at = 0;; at = (at + 1) % 3) {
    const auto p =
      page(c[at], "/v1/inventory?limit=4" + (cursor.empty() ? "" : "&cursor=" + cursor));
    CHECK(p.at("partial") == false);
    CHECK(p.at("data").size() <= 4);
    for (const auto& row : p.at("data")) got.push_back(row.at("sku"));
    if (p.at("next_cursor").is_null()) break;
    cursor = p.at("next_cursor");
  }
  CHECK(got == skus);
  CHECK(public_client{c[1]}.ask(get_request("/v1/inventory?limit=0")).status == 422);

  for (const bool seems_there : {false, true}) {
    (seems_there ? c.cut : c.away).insert(2);
    const auto p = page(c[0], "/v1/inventory");
    CHECK(p.at("partial") == true);
    CHECK(p.at("data").size() == 14);
    CHECK(p.at("missing_shards").size() == c.shards_of(2).count());
    for (const int s : p.at("missing_shards")) CHECK(c.owners[static_cast<std::size_t>(s)] == 2);
    c.away.clear();
  }
}

TEST_CASE("the simulators of all nodes have one ledger", "[cluster][edge]") {
  fake_cluster c{3};
  for (std::size_t n = 0; n < 3; ++n)
    for (std::int64_t i = 0; i < 3; ++i)
      c[n].shop().books.push_back({"charge", "ord", "pay", "KRW",
        static_cast<std::int64_t>(n) + 10 * i, i * 1'000 + static_cast<std::int64_t>(n)});
  std::vector<int> amounts;
  const auto books = page(c[1], "/admin/v1/simulator/ledger");
  for (const auto& line : books.at("data")) amounts.push_back(line.at("amount"));
  CHECK(amounts == std::vector<int>{0, 1, 2, 10, 11, 12, 20, 21, 22});
  CHECK(books.at("partial") == false);
}

TEST_CASE(
  "a node that has not joined yet tells of itself what is no list of shards'", "[cluster][edge]") {
  fake_cluster c{2};
  c[1].shop().books = {{"charge", "ord_1", "pay_1", "KRW", 500, 0}};
  {
    const std::lock_guard lock{c.guard};
    c.strangers = {1};
  }
  const auto books = page(c[1], "/admin/v1/simulator/ledger");
  CHECK(books.at("data").size() == 1);
  CHECK_FALSE(books.contains("next_cursor")); // it is no page
}

namespace {
std::map<std::string, std::vector<int>> by_key(const json& events) {
  std::map<std::string, std::vector<int>> out;
  for (const auto& e : events) out[e.at("partitionkey")].push_back(e.at("sequence"));
  return out;
}
} // namespace

TEST_CASE(
  "the feed's cursor resumes through any node, and none is skipped for a node that was away",
  "[cluster][edge][events]") {
  fake_cluster c{3};
  std::map<std::string, std::vector<int>> wanted;
  const auto commit = [&](std::size_t n, int i) {
    const auto key = c.name_at(n, "sku-", i % 2);
    wanted[key].push_back(static_cast<int>(wanted[key].size()) + 1);
    c[n].feed.commit(key, wanted[key].size());
  };
  for (std::size_t n = 0; n < 3; ++n)
    for (int i = 0; i < 5 + static_cast<int>(n) * 4; ++i) commit(n, i);
  json got = json::array();
  std::string after;
  const auto read = [&](std::size_t at, int limit) {
    const auto p = page(c[at],
      "/v1/events?limit=" + std::to_string(limit) + (after.empty() ? "" : "&after=" + after));
    for (const auto& e : p.at("data")) got.push_back(e);
    after = p.at("next_cursor");
    return p;
  };
  for (std::size_t i = 0; i < 3; ++i) CHECK(read(i, 3).at("partial") == false);
  c.away.insert(2);
  const auto partial = read(0, 200);
  CHECK(partial.at("partial") == true);
  CHECK(partial.at("missing_shards").size() == c.shards_of(2).count());
  commit(0, 1), commit(2, 0);
  c.away.clear();
  // A shard moves with its events.
  const auto moved = domain::shard_of(c.name_at(1, "sku-"));
  c.owners[moved] = 2;
  c[2].feed.take_from(c[1].feed, moved);
  for (std::size_t i = 0; i < 3; ++i) read(i, 200);
  CHECK(by_key(got) == wanted);
  // Behind any event the rest follows.
  after = got.at(4).at("cursor");
  json rest = json::array();
  for (std::size_t i = 0; i < 5; ++i) rest.push_back(got.at(i));
  std::swap(rest, got);
  read(1, 200);
  CHECK(by_key(got) == wanted);
  c[1].feed.trimmed = 3;
  const auto gone = public_client{c[0]}.ask(get_request("/v1/events?after=1"));
  CHECK(gone.status == 410);
  CHECK(public_client{c[0]}.ask(get_request("/v1/events?after=999999")).status == 400);
}

TEST_CASE("a stream hears all nodes live, and goes on at another", "[cluster][edge][events]") {
  fake_cluster c{3};
  const auto key = [&](std::size_t n) { return c.name_at(n, "sku-"); };
  c[1].feed.commit(key(1), 1);
  sse_client first{c[0].server.port(), "/v1/events"};
  REQUIRE(first.status == 200);
  CHECK(first.take(1).at(0).json().at("partitionkey") == key(1));
  for (std::size_t n = 0; n < 3; ++n) c[n].feed.await_followers(1);
  for (std::size_t n = 0; n < 3; ++n) c[n].feed.commit(key(n), n == 1 ? 2 : 1);
  auto frames = first.take(3);
  std::set<std::string> from;
  for (const auto& f : frames) from.insert(f.json().at("partitionkey"));
  CHECK(from == std::set<std::string>{key(0), key(1), key(2)});
  for (const auto& f : frames) CHECK(f.json().at("cursor") == f.id);

  sse_client second{c[2].server.port(), "/v1/events", {{"Last-Event-ID", frames[1].id}}};
  CHECK(second.take(1).at(0).data.substr(0, 60) == frames[2].data.substr(0, 60));
  c[0].feed.commit(key(0), 2);
  CHECK(second.take(1).at(0).json().at("sequence") == 2);
  CHECK(first.take(1).at(0).json().at("sequence") == 2);

  sse_client now{c[1].server.port(), "/v1/events?after=latest"};
  for (std::size_t n = 0; n < 3; ++n) c[n].feed.await_followers(3);
  c[2].feed.commit(key(2), 2);
  const auto event = now.take(1).at(0).json();
  CHECK(event.at("partitionkey") == key(2));
  CHECK(event.at("sequence") == 2);
}

TEST_CASE("a node that comes back is heard again by who was listening", "[cluster][edge][events]") {
  fake_cluster c{2};
  const auto key = c.name_at(1, "sku-");
  {
    const std::lock_guard lock{c.guard};
    c.cut.insert(1);
  }
  sse_client stream{c[0].server.port(), "/v1/events"};
  c[0].feed.commit(c.name_at(0, "sku-"), 1);
  CHECK(stream.take(1).size() == 1); // the others are not waited for
  c[1].feed.commit(key, 1);
  {
    const std::lock_guard lock{c.guard};
    c.cut.clear();
  }
  CHECK(stream.take(1).at(0).json().at("partitionkey") == key);
}

TEST_CASE("one order's events come from its owner", "[cluster][edge][events]") {
  fake_cluster c{2};
  const auto id = c.id_at(1);
  const auto path = http::order_path(id) + "/events", key = to_text(domain::id_kind::order, id);
  CHECK(sse_client(c[0].server.port(), path).status == 404);
  put_order(c[1], id);
  c[1].feed.commit(key, 1), c[1].feed.commit(c.name_at(1, "sku-"), 1), c[1].feed.commit(key, 2);
  const auto history = page(c[0], path);
  REQUIRE(history.at("data").size() == 2);
  CHECK(history.at("next_cursor").is_null());
  // Its cursors are places in the feed, too, where nothing of other shards is skipped.
  c[0].feed.commit(c.name_at(0, "sku-"), 1);
  const std::string behind = history.at("data")[0].at("cursor");
  CHECK(by_key(page(c[0], "/v1/events?after=" + behind).at("data")).size() == 3);
  CHECK(page(c[1], path + "?after=" + behind).at("data").size() == 1);
  sse_client stream{c[0].server.port(), path, {{"Last-Event-ID", behind}}};
  CHECK(stream.take(1).at(0).json().at("sequence") == 2);
  c[1].feed.await_followers(1);
  c[1].feed.commit(key, 3);
  CHECK(stream.take(1).at(0).json().at("sequence") == 3);
  c.away.insert(1);
  CHECK(sse_client(c[0].server.port(), path).status == 503);
}
