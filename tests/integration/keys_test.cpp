#include "tests/catch.hpp"
#include "tests/support/make_jwt.hpp"
#include "tests/support/shop_client.hpp"
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

// Keys and tokens against the real binary: how they are made, whose orders they show, when they
// die.
namespace {
using namespace jumun::tests;
namespace fs = std::filesystem;

std::string last_word(const std::string& text) {
  const auto end = text.find_last_not_of(" \n");
  const auto begin = text.find_last_of(" \n", end);
  return text.substr(begin + 1, end - begin);
}
std::string first_word(const std::string& text) { return text.substr(0, text.find(':')); }

finished keys(const std::string& verb, const fs::path& file, std::vector<std::string> more = {}) {
  std::vector<std::string> args{"keys", verb, "--file", file.string()};
  args.insert(args.end(), more.begin(), more.end());
  return run_jumun(args);
}
struct added {
  std::string id, secret;
};
added add(const fs::path& file, const std::string& role, const std::string& principal,
  std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--role", role, "--principal", principal});
  const auto done = keys("add", file, more);
  if (done.how.exit_code != 0) throw std::runtime_error(done.err);
  return {first_word(done.out), last_word(done.out)};
}

/// A shop behind keys; its address is one that others can reach.
struct guarded_shop {
  temp_dir dir;
  fs::path file = dir.path() / "keys.json";
  added admin = add(file, "admin", "root");
  server at;
  explicit guarded_shop(std::vector<std::string> more = {}) : at(dir.path() / "data", args(more)) {}
  [[nodiscard]] shop_client as(const std::string& secret) const {
    shop_client c{at};
    c.api.bearer = c.ops.bearer = secret;
    return c;
  }

private:
  std::vector<std::string> args(std::vector<std::string> more) const {
    more.insert(
      more.end(), {"--keys", file.string(), "--bind", "0.0.0.0", "--ops-bind", "0.0.0.0"});
    return more;
  }
};
} // namespace

TEST_CASE("to a customer another's order does not exist, in any route that names it", "[keys]") {
  guarded_shop shop;
  const auto mine = add(shop.file, "customer", "c-1"), other = add(shop.file, "customer", "c-2");
  auto root = shop.as(shop.admin.secret), one = shop.as(mine.secret), two = shop.as(other.secret);
  ask_until([&] { return two.api.get("/v1/orders").status == 200; }); // the keys are in force
  root.sell("tea", 100, 100);
  placing by_one{"c-1"};
  by_one.wait_s = 30;
  by_one.key = "same-key";
  const auto o = need(one.place("tok_approve", {{"tea", 1}}, by_one), 201).json();
  const auto id = o.at("id").get<std::string>();
  const auto cxl = "cxl_" + id.substr(4);
  const std::vector<std::string> reads{"/v1/orders/" + id, "/v1/orders/" + id + "/events",
    "/v1/orders/" + id + "/cancellations", "/v1/orders/" + id + "/cancellations/" + cxl,
    "/v1/payments/" + o.at("payment").at("id").get<std::string>(),
    "/v1/deliveries/" + o.at("delivery").at("id").get<std::string>()};
  const auto no_order = two.api.get("/v1/orders/ord_none").json();

  const auto check_reads = [&](bool cancelled) {
    for (const auto& path : reads) {
      CAPTURE(path);
      const bool there = cancelled || path.find(cxl) == path.npos;
      CHECK(one.api.get(path).status == (there ? 200 : 404));
      CHECK(root.api.get(path).status == (there ? 200 : 404));
      CHECK(two.api.get(path).status == 404);
      CHECK(two.api.get(path, {{"If-None-Match", "*"}, {"Prefer", "wait=1"}}).status == 404);
    }
  };
  check_reads(false);
  const auto theirs = two.api.get(reads[0]);
  CHECK(
    theirs.json().at("detail") == no_order.at("detail")); // nor does the refusal tell them apart

  const auto listed = [](shop_client& c, const std::string& query) {
    return need(c.api.get("/v1/orders" + query), 200).json().at("data").size();
  };
  CHECK(listed(one, "") == 1);
  CHECK(listed(one, "?customer_id=c-1") == 1);
  CHECK(listed(one, "?customer_id=c-2") == 0);
  CHECK(listed(root, "?customer_id=c-1") == 1);
  for (const std::string query : {"", "?customer_id=c-1", "?customer_id=c-1&customer_id=c-2",
         "?sku=tea", "?status=preparing", "?created_after=2020-01-01T00:00:00Z", "?customer_id="}) {
    CAPTURE(query);
    CHECK(listed(two, query) == 0);
  }

  // A key of the same name is another key: nothing is replayed, and nothing tells that there is
  // one.
  CHECK(one.place("tok_approve", {{"tea", 1}}, by_one).field("idempotency-replayed") == "true");
  const auto stolen = two.place("tok_approve", {{"tea", 1}}, by_one);
  CHECK(stolen.status == 403);
  CHECK(stolen.body.find(id) == stolen.body.npos);
  CHECK(stolen.json().at("errors").at(0).at("pointer") == "/customer_id");

  CHECK(two.cancel(id).status == 404);
  CHECK(one.order(id).at("status") == "preparing");
  CHECK(two.api.post(reads[5] + "/updates", {{"status", "picked_up"}}).status == 403);
  CHECK(need(one.cancel(id, "c"), 202).status == 202);
  CHECK(two.cancel(id, "c").status == 404); // nor by the first one's Idempotency-Key
  one.wait_for(id, "cancelled");
  check_reads(true);
  // An admin orders for anyone, and the order is the customer's.
  const auto gift = root.placed("tok_approve", {{"tea", 1}}, {"c-2"});
  CHECK(two.api.get("/v1/orders/" + gift).status == 200);
  CHECK(one.api.get("/v1/orders/" + gift).status == 404);
}

TEST_CASE("a revoked key, an expired and a damaged file, all without a restart", "[keys]") {
  guarded_shop shop;
  auto root = shop.as(shop.admin.secret);
  CHECK(root.api.get("/v1/orders").status == 200);
  CHECK(shop.as("").api.get("/v1/orders").status == 401);
  CHECK(shop.as("").ops.get("/admin/v1/actors").status == 401);
  CHECK(shop.as("").ops.get("/readyz").status == 200);

  const auto later = add(shop.file, "viewer", "v");
  auto viewer = shop.as(later.secret);
  ask_until([&] { return viewer.api.get("/v1/orders").status == 200; });
  std::ofstream{shop.file} << "{ damaged";
  ask_until([&] { return shop.at.log().find("file.refused") != std::string::npos; });
  CHECK(viewer.api.get("/v1/orders").status == 200); // the version before it stays
  CHECK(keys("list", shop.file).err.find("it is not JSON") != std::string::npos);
  CHECK(keys("revoke", shop.file, {later.id}).how.exit_code == 2);

  fs::remove(shop.file);
  const auto fresh = add(shop.file, "admin", "root2");
  ask_until([&] { return root.api.get("/v1/orders").status == 401; });
  auto root2 = shop.as(fresh.secret);
  CHECK(root2.api.get("/v1/orders").status == 200);
  CHECK(viewer.api.get("/v1/orders").status == 401);
  const auto again = add(shop.file, "viewer", "v");
  auto second = shop.as(again.secret);
  ask_until([&] { return second.api.get("/v1/orders").status == 200; });
  const auto revoked = keys("revoke", shop.file, {again.id});
  CHECK(revoked.how.exit_code == 0);
  const auto began = std::chrono::steady_clock::now();
  ask_until([&] { return second.api.get("/v1/orders").status == 401; });
  CHECK(std::chrono::steady_clock::now() - began < patience); // promised: 1 s, on a machine at rest
  CHECK(root2.api.get("/v1/orders").status == 200);
  // Nobody's secret is in the log, in the configuration that is served, or in the file.
  const auto config = root2.ops.get("/admin/v1/config").body;
  CHECK(config.find(shop.file.string()) != std::string::npos);
  std::ifstream in{shop.file};
  const std::string file{std::istreambuf_iterator<char>{in}, {}};
  for (const auto& key : {shop.admin, later, fresh, again})
    for (const auto& text : {shop.at.log(), config, file})
      CHECK(text.find(key.secret.substr(4)) == std::string::npos);
  CHECK(shop.at.log().find("server.dev_mode") == std::string::npos);
}

TEST_CASE("jumun keys makes, lists and revokes, and says what is wrong", "[keys]") {
  const temp_dir dir;
  const auto file = dir.path() / "keys.json";
  const auto a = add(file, "customer", "c-1", {"--expires", "30d"});
  const auto b = add(file, "operator", "김", {"--expires", "2035-01-01T00:00:00+09:00"});
  CHECK(a.secret.starts_with("jmn_"));
  const auto listed = keys("list", file);
  CHECK(listed.how.exit_code == 0);
  for (const auto& part : {a.id, b.id, std::string{"customer"}, std::string{"operator"},
         std::string{"c-1"}, std::string{"김"}, std::string{"2034-12-31T15:00:00.000Z"}})
    CHECK(listed.out.find(part) != std::string::npos);
  CHECK(listed.out.find(a.secret) == std::string::npos);
  CHECK(keys("revoke", file, {a.id}).how.exit_code == 0);
  CHECK(keys("list", file).out.find(a.id) == std::string::npos);

  struct mistake {
    std::string verb;
    std::vector<std::string> more;
    std::string said;
  };
  const auto table = std::vector<mistake>{
    {"revoke", {a.id}, "no key has this id"},
    {"add", {"--role", "root", "--principal", "p"}, "allowed: one of customer, inventory"},
    {"add", {"--role", "viewer"}, "--principal"},
    {"add", {"--role", "viewer", "--role", "admin", "--principal", "p"}, "--role"},
    {"add", {"--role", "viewer", "--principal", std::string(65, 'p')}, "1..64 bytes"},
    {"add", {"--role", "viewer", "--principal", "p", "--expires", "0d"}, "30d, 12h"},
    {"add", {"--role", "viewer", "--principal", "p", "--expires", "30"}, "30d, 12h"},
    {"add", {"--role", "viewer", "--principal", "p", "--expires", "99999999999d"}, "30d, 12h"},
    {"add", {"--role", "viewer", "--principal", "p", "--expires", "2020-01-01T00:00:00Z"}, "30d"},
  };
  for (const auto& [verb, more, said] : table) {
    const auto refused = keys(verb, file, more);
    CAPTURE(verb, more, refused.err);
    CHECK(refused.how.exit_code == 2);
    CHECK(refused.err.find(said) != std::string::npos);
    CHECK(refused.out.empty());
  }
  CHECK(keys("list", dir.path() / "none").err.find("cannot be read") != std::string::npos);
}

TEST_CASE("a server that cannot read what guards it does not start", "[keys]") {
  const temp_dir dir;
  const auto data = dir.path() / "data", file = dir.path() / "keys.json";
  const auto start = [&](std::vector<std::string> more) {
    more.insert(
      more.begin(), {"serve", "--data-dir", data.string(), "--port", "0", "--ops-port", "0"});
    return run_jumun(more);
  };
  std::ofstream{file} << "{}";
  const auto jwt = [&](const std::string& path) {
    return std::vector<std::string>{
      "--jwt-algorithm", "ES256", "--jwt-issuer", "i", "--jwt-audience", "a", "--jwt-key", path};
  };
  const std::vector<std::pair<std::vector<std::string>, std::string>> table{
    {{"--keys", (dir.path() / "none").string()}, "jumun keys add --file " + dir.path().string()},
    {{"--keys", file.string()}, "\"format\" must be 1"},
    {{"--keys", dir.path().string()}, "it is not a file"},
    {jwt(file.string()), "it holds no public key in PEM"},
    {jwt("/nowhere"), "jwt-key: \"/nowhere\": it cannot be read"},
    {{"--tls-cert", file.string(), "--tls-key", file.string()}, "the certificate is none in PEM"},
  };
  for (const auto& [more, said] : table) {
    const auto refused = start(more);
    CAPTURE(more, refused.err);
    CHECK(refused.how.exit_code == 2);
    CHECK(refused.err.find(said) != std::string::npos);
    CHECK_FALSE(fs::exists(data));
  }
}

TEST_CASE("tokens of an identity provider open the same doors, and its keys rotate", "[keys]") {
  const temp_dir dir;
  const auto file = dir.path() / "jwks.json";
  const signing_key first{"P-256"}, second{"P-256"};
  const auto publish = [&](const json& set) {
    std::ofstream{dir.path() / "next"} << json{{"keys", set}};
    fs::rename(dir.path() / "next", file);
  };
  publish(json::array({first.jwk("first")}));
  const server at{
    dir.path() / "data", {"--jwt-algorithm", "ES256", "--jwt-jwks", file.string(), "--jwt-issuer",
                           "https://id.example", "--jwt-audience", "jumun", "--bind", "0.0.0.0"}};
  const auto token = [](const signing_key& by, const std::string& kid, const std::string& role,
                       std::int64_t life_s = 3600) {
    return make_jwt({{"alg", "ES256"}, {"kid", kid}},
      {{"iss", "https://id.example"}, {"aud", {"jumun"}}, {"exp", std::time(nullptr) + life_s},
        {"sub", "c-7"}, {"role", role}},
      by.signer());
  };
  const auto asks = [&](const std::string& bearer, const std::string& path) {
    auto c = at.api();
    c.bearer = bearer;
    return c.get(path).status;
  };
  CHECK(asks(token(first, "first", "customer"), "/v1/orders") == 200);
  CHECK(asks(token(first, "first", "customer"), "/v1/events") == 403);
  CHECK(asks(token(first, "first", "viewer"), "/v1/events") == 200);
  CHECK(asks(token(first, "first", "viewer", -31), "/v1/events") == 401);
  CHECK(asks(token(second, "first", "viewer"), "/v1/events") == 401);
  CHECK(asks(token(second, "second", "viewer"), "/v1/events") == 401);
  CHECK(asks("", "/v1/events") == 401);
  publish(json::array({second.jwk("second")}));
  ask_until([&] { return asks(token(second, "second", "viewer"), "/v1/events") == 200; });
  CHECK(asks(token(first, "first", "viewer"), "/v1/events") == 401);
}
