#include "cluster/etcd/records.hpp"
#include "cluster/etcd/wire.hpp"
#include "tests/catch.hpp"
#include <random>

using namespace jumun;
using namespace jumun::cluster;
using namespace std::chrono_literals;
namespace wire = jumun::cluster::etcd::wire;

namespace {
const std::string head =
  R"("header":{"cluster_id":"18446744073709551615","revision":"7","raft_term":"2"})";

etcd::row at(std::string key, std::string value, std::int64_t modified = 5) {
  return {std::move(key), std::move(value), 3, modified, 0};
}
member some_member(std::uint64_t map_version = 0) {
  member m;
  m.incarnation = "i1", m.role = "all", m.release = "1.0", m.protocol = 1;
  m.tunnel = "127.0.0.1:1", m.map_version = map_version;
  return m;
}
domain::shard_map map_of(const std::string& node) {
  auto map = domain::taken_by(node, {});
  map.lineage = "l1";
  return map;
}
} // namespace

TEST_CASE("base64 is RFC 4648's, and what is none is refused", "[etcd-wire]") {
  const std::vector<std::pair<std::string, std::string>> table{{"", ""}, {"f", "Zg=="},
    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {std::string("\0\xff", 2), "AP8="}};
  for (const auto& [plain, coded] : table) {
    CHECK(wire::base64(plain) == coded);
    CHECK(wire::unbase64(coded) == plain);
  }
  for (const auto* bad : {"Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm 9", "Z=9v", "Zm9_"})
    CHECK(!wire::unbase64(bad));
}

TEST_CASE("a prefix ends before the next one", "[etcd-wire]") {
  CHECK(wire::end_of("/jumun/a/") == "/jumun/a0");
  CHECK(wire::end_of("a\xff") == "b");
}

TEST_CASE("endpoints are http or https with a port, and nothing behind it", "[etcd-wire]") {
  for (const auto* good : {"http://127.0.0.1:2379", "https://etcd-0.etcd:2379", "http://[::1]:1"})
    CHECK(etcd::endpoint::parse(good).value().text() == good);
  for (const auto* bad : {"", "127.0.0.1:2379", "http://", "http://a", "http://a:", "http://a:0",
         "http://a:65536", "http://a:2379/", "http://u@a:2379", "ftp://a:1", "http://a b:1",
         "http://:2379", "http://a:1\r\nX: y", "http://a:+1"}) {
    CAPTURE(bad);
    CHECK(!etcd::endpoint::parse(bad));
  }
}

TEST_CASE("etcd's answers are read, and what has another form is none", "[etcd-wire]") {
  const auto range = wire::range_answer(
    "{" + head + R"(,"kvs":[{"key":"YQ==","value":"Yg==","create_revision":"3","mod_revision":"5",
        "version":"2","lease":"9"}],"count":"1","more":false,"unheard_of":[{}]})");
  REQUIRE(range);
  CHECK(range->at.revision == 7);
  CHECK(range->at.cluster == 18446744073709551615ULL);
  REQUIRE(range->rows.size() == 1);
  CHECK(range->rows[0].key == "a");
  CHECK(range->rows[0].value == "b");
  CHECK(range->rows[0].lease == 9);
  CHECK(range->rows[0].writes == 2);
  CHECK(wire::range_answer("{" + head + "}").value().rows.empty());
  CHECK(wire::txn_answer("{" + head + R"(,"succeeded":true})") == true);
  CHECK(wire::txn_answer("{" + head + "}") == false); // what is zero is left out
  CHECK(wire::grant_answer("{" + head + R"(,"ID":"77","TTL":"5"})") == 77);
  CHECK(
    wire::lease_answer(R"({"result":{)" + head + R"(,"ID":"7","TTL":"5"}})").value().left == 5s);
  CHECK(wire::lease_answer(R"({"result":{)" + head + R"(,"ID":"7"}})").value().left == 0s);
  CHECK(wire::lease_answer("{" + head + R"(,"TTL":"-1","grantedTTL":"5"})").value().granted == 5s);
  const auto refused =
    wire::error_answer(R"({"error":"no","message":"etcdserver: no\nway","code":5})");
  REQUIRE(refused);
  CHECK(refused->code == 5);
  CHECK(refused->detail == "etcd refused: etcdserver: no way");
  CHECK(wire::error_answer(R"({"error":{"grpc_code":16,"message":"m"}})").value().code == 16);

  const std::string deep =
    "{" + head + R"(,"x":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
  for (const std::string& bad :
    {std::string{}, std::string{"null"}, std::string{"[]"}, std::string{"{}"},
      std::string{R"({"header":{}})"}, std::string{R"({"header":[]})"}, "{" + head,
      "{" + head + "} x", "{" + head + R"(,"kvs":{}})", "{" + head + R"(,"kvs":[7],"count":"1"})",
      "{" + head + R"(,"kvs":[{"key":"?"}],"count":"1"})",
      "{" + head + R"(,"kvs":[{"key":"YQ==","create_revision":"x"}],"count":"1"})",
      "{" + head + R"(,"count":"-1"})", "{" + head + R"(,"count":1.5})", deep,
      std::string{"{\"header\":\"\xff\"}"}}) {
    CAPTURE(bad);
    CHECK(!wire::range_answer(bad));
  }
  CHECK(!wire::txn_answer("{" + head + R"(,"succeeded":"true"})"));
  CHECK(!wire::txn_answer(R"({"succeeded":true})"));
  CHECK(!wire::grant_answer("{" + head + "}"));
  CHECK(!wire::lease_answer("{}"));
  CHECK(!wire::login_answer(R"({"token":"a\r\nb"})"));
  CHECK(!wire::error_answer("<html>"));
}

TEST_CASE("a record and a map read back as they were written", "[etcd-wire]") {
  const auto m = some_member(7);
  CHECK(etcd::decode_member(etcd::encode(m)) == m);
  auto map = map_of("n1");
  map.shards[3].to = "n2", map.version = 1ULL << 63;
  map.shards[4] = {};
  CHECK(etcd::decode_map(etcd::encode(map)) == map);
  auto longer = etcd::encode(map); // a later release's
  longer.insert(1, R"("later":[1,2],)");
  CHECK(etcd::decode_map(longer) == map);
}

TEST_CASE("bytes that were changed make no other map unnoticed, nor an exception", "[etcd-wire]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 chance{seed};
  auto map = map_of("n1");
  map.shards[9].to = "n2";
  const auto whole = etcd::encode(map);
  for (int n = 0; n < 200; ++n) {
    auto bytes = whole;
    if (n % 2 == 0)
      bytes.resize(chance() % bytes.size());
    else
      bytes[chance() % 200] = static_cast<char>(chance());
    if (const auto read = etcd::decode_map(bytes))
      for (const auto& s : read->shards)
        CHECK(((s.epoch > 0 && etcd::is_name(s.node)) || s == domain::shard_owner{}));
    (void)etcd::decode_member(bytes);
    (void)wire::range_answer(bytes);
  }
}

TEST_CASE(
  "keys that can't be read are passed over, but never the map or the assigner", "[etcd-wire]") {
  const etcd::keys k{"c"};
  etcd::range r;
  r.rows = {at(k.node("n1"), etcd::encode(some_member())), at(k.node("N!"), "{}"),
    at(k.node("n2"), "garbage"), at(k.stored("n1"), "{}"), at(k.wish(7), "n1"),
    at(k.all + "wishes/256", "n1"), at(k.all + "wishes/x", "n1"), at(k.draining("n1"), ""),
    at(k.life("n1"), "12"), at(k.life("n2"), "12 or so"), at(k.all + "something/else", "")};
  const auto read = std::get<etcd::agreed>(etcd::read_agreed(k, r));
  CHECK(read.nodes.size() == 1);
  CHECK(read.wishes == std::vector<domain::move_wish>{{7, "n1"}});
  CHECK(read.draining.contains("n1"));
  CHECK(read.lives == std::map<std::string, std::uint64_t>{{"n1", 12}});
  CHECK(read.unread.size() == 7);
  for (const auto& key : {k.map, k.assigner}) {
    auto bad = r;
    bad.rows.push_back(at(key, "{}"));
    const auto why = std::get<etcd::failure>(etcd::read_agreed(k, bad));
    CHECK(why.why == etcd::failure::kind::garbled);
    CHECK(why.detail == "the value of " + key + " can't be read by this release");
  }
}

TEST_CASE("a config that counts otherwise does not fit", "[etcd-wire]") {
  CHECK(etcd::misfit(etcd::own_config()).empty());
  CHECK(!etcd::misfit(R"({"format":1,"shards":512,"hash":"fnv1a64-mix13"})").empty());
  CHECK(!etcd::misfit(R"({"format":1,"shards":256,"hash":"xxh3"})").empty());
  CHECK(!etcd::misfit(R"({"format":2,"shards":256,"hash":"fnv1a64-mix13"})").empty());
  CHECK(!etcd::misfit("").empty());
}

TEST_CASE("the first map is made of nothing only when nobody has one", "[etcd-wire]") {
  etcd::agreed now;
  now.nodes["n1"] = {some_member(0), 5, 9};
  now.nodes["n2"] = {some_member(0), 5, 9};
  CHECK(!etcd::decide(now, 1s, {}, "new").write); // not quiet yet
  const auto first = etcd::decide(now, 2s, {}, "new").write;
  REQUIRE(first);
  CHECK(first->lineage == "new");
  now.nodes["n3"] = {some_member(/*map_version=*/8), 5, 9};
  CHECK(!etcd::decide(now, 2s, {}, "new").write); // n3 says it has one, and has not shown it yet
  auto stored = map_of("n3");
  stored.version = 8;
  now.stored["n3"] = stored;
  CHECK(!etcd::decide(now, 1s, {}, "new").write); // another may have a newer one
  const auto again = etcd::decide(now, 2s, {}, "new");
  CHECK(again.rebuilt);
  REQUIRE(again.write);
  CHECK(again.write->shards == stored.shards);
  CHECK(again.write->version == 9);
  CHECK(again.write->lineage == "l1");
}

TEST_CASE("a map with more versions than writes was made again", "[etcd-wire]") {
  const etcd::keys at{"c"};
  auto map = map_of("n1");
  map.version = 9;
  for (const std::uint64_t writes : {1, 8, 9}) {
    etcd::range all;
    all.rows.push_back({at.map, etcd::encode(map), 5, 5, 0, writes});
    const auto read = etcd::read_agreed(at, all);
    REQUIRE(std::holds_alternative<etcd::agreed>(read));
    CHECK(std::get<etcd::agreed>(read).map_remade == (writes < 9));
  }
}

TEST_CASE("a map that was put back from a backup learns what the nodes know", "[etcd-wire]") {
  etcd::agreed now;
  now.nodes["n1"] = {some_member(9), 5, 9};
  now.map = map_of("n1"), now.map_modified = 5;
  CHECK(!etcd::decide(now, 2s, {}, "new").write); // all is well
  auto newer = domain::passed_on(*now.map, 3, "n2");
  newer.version = 9;
  now.stored["n1"] = newer;
  const auto next = etcd::decide(now, 0s, {}, "new");
  CHECK(next.rebuilt);
  REQUIRE(next.write);
  CHECK(next.write->shards == newer.shards);
  CHECK(next.write->version == 10);
  now.stored["n1"].lineage = "l2";
  CHECK(etcd::decide(now, 0s, {}, "new").trouble == "their lineages are l1 and l2");
}

TEST_CASE("who owns shards and is not there is away, as it was last seen", "[etcd-wire]") {
  etcd::agreed now;
  now.nodes["n1"] = {some_member(), 5, 9};
  now.nodes["n1"].says.node = "n1";
  now.nodes["n3"] = now.nodes["n1"];
  now.nodes["n3"].says.node = "n3";
  now.draining = {"n3"};
  auto known = some_member();
  known.node = "n2", known.http = "host:80", known.state = "up";
  const auto all = etcd::members_of(now, map_of("n2"), {known});
  REQUIRE(all.size() == 3);
  CHECK(all[0].state == "up");
  CHECK(all[1].state == "away");
  CHECK(all[1].http == "host:80");
  CHECK(all[2].state == "draining");
}
