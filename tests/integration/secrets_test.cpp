#include "tests/catch.hpp"
#include "tests/support/make_jwt.hpp"
#include "tests/support/signed_hook.hpp"
#include "tests/support/stripe_like.hpp"
#include "tests/support/webhook_receiver.hpp"
#include <ctime>
#include <map>

// Secrets are planted wherever one may come in; then everything that the server writes is searched
// for them.
namespace {
using namespace jumun::tests;

/// What must never be seen again, by what it is.
const std::string hook_secret = "whsec_planted_hook_secret";
const std::string jwt_secret = "planted-jwt-secret-of-32-bytes-and-more";
std::map<std::string, std::string> planted() {
  return {{"the card's token", "pm_planted_4242424242424242"},
    {"an address line", "17 Planted Lane"}, {"an address's city", "Plantedville"},
    {"an Idempotency-Key", "planted-idempotency-key"}, {"a wrong key", "jk_planted_wrong_key"},
    {"a query's value", "planted-in-query-9876543"}, {"a query's name", "planted-query-name-98765"},
    {"a field's name", "planted_field_name_98765"}, {"a header's name", "X-Planted-98765"},
    {"a header's value", "planted-in-a-header-98765"}, {"a path", "planted-in-path-98765"},
    {"a method", "PLANTED"}, {"text of a body", "planted-in-a-body-98765"},
    {"the hooks' secret", hook_secret}, {"the tokens' secret", jwt_secret},
    {"the provider's key", stripe_like::key}};
}

/// A shop with everything in it that has a secret, and a log of everything.
struct planted_shop {
  temp_dir dir;
  std::map<std::string, std::string> secrets = planted();
  paid_shop all{args()};
  shop_client shop = all.client();
  planted_shop() { shop.api.bearer = shop.ops.bearer = secrets.at("a key"); }
  const std::string& of(const std::string& what) const { return secrets.at(what); }

private:
  std::string write(const std::string& name, const std::string& text) const {
    const auto path = dir.path() / name;
    std::ofstream{path} << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    return path.string();
  }
  texts args() {
    const auto keys = (dir.path() / "keys.json").string();
    const auto made =
      run_jumun({"keys", "add", "--file", keys, "--role", "admin", "--principal", "root"});
    const auto end = made.out.find_last_not_of(" \n");
    secrets["a key"] = made.out.substr(
      made.out.find_last_of(" \n", end) + 1, end - made.out.find_last_of(" \n", end));
    secrets["a token"] = make_jwt({{"alg", "HS256"}},
      {{"iss", "i"}, {"aud", "a"}, {"exp", std::time(nullptr) + 3'600}, {"sub", "jim"},
        {"role", "admin"}},
      hmac_signer(jwt_secret));
    secrets["a forged token"] = make_jwt({{"alg", "HS256"}}, {{"sub", "eve"}}, hmac_signer("no"));
    return {"--keys", keys, "--log-level", "debug", "--jwt-algorithm", "HS256", "--jwt-issuer", "i",
      "--jwt-audience", "a", "--jwt-key", write("jwt", jwt_secret), "--payment-hook-secret-file",
      write("hook", hook_secret + "\n"), "--webhooks-allow-private", "--webhooks-hurry=1000"};
  }
};

std::string text_of(const response& r) {
  auto all = std::to_string(r.status) + "\n";
  for (const auto& [name, value] : r.fields) all += name + ": " + value + "\n";
  return all + r.body;
}

json planted_order(const planted_shop& at) {
  auto body = order_body(at.of("the card's token"), {{"tea", 1}});
  body["shipping_address"] = {
    {"line1", at.of("an address line")}, {"city", at.of("an address's city")}, {"country", "KR"}};
  return body;
}

/// What goes well, with secrets in it: an order that is paid, a token, a webhook, a hook.
std::string do_business(planted_shop& at, const webhook_receiver& receiver) {
  auto& shop = at.shop;
  shop.sell("tea", 100, 50);
  for (const auto* url : {"/first", "/second"}) {
    const auto made =
      need(shop.ops.post("/admin/v1/webhooks", {{"url", receiver.url() + url}}), 201).json();
    const auto path = "/admin/v1/webhooks/" + made.at("id").get<std::string>();
    at.secrets[std::string{"the webhook's secret "} + url] = made.at("secret");
    const auto next = need(shop.ops.post(path + "/rotate-secret", json::object()), 200).json();
    at.secrets[std::string{"its next secret "} + url] = next.at("secret");
  }
  const auto o = need(shop.api.post("/v1/orders", planted_order(at),
                        {{"Idempotency-Key", at.of("an Idempotency-Key")}, {"Prefer", "wait=30"}}),
    201)
                   .json();
  const auto id = o.at("id").get<std::string>();
  shop.wait_for(id, "preparing");
  shop.api.bearer = at.of("a token");
  need(shop.api.get("/v1/orders/" + id), 200);
  shop.api.bearer = at.of("a key");
  const auto body = hook_body("evt_1", "charge.refunded",
    {{"id", "pi_1"}, {"refunded", true}, {"metadata", {{"order_id", id}}},
      {"note", at.of("text of a body")}});
  at.secrets["a hook's signature"] = hmac_hex(hook_secret, "1." + body);
  need(send_hook(shop.api, hook_secret, body, "stripe"), 202);
  shop.wait_for(id, "cancelled");
  return id;
}

/// Everything that goes wrong with secrets in it; all the answers.
texts make_mistakes(planted_shop& at) {
  auto& api = at.shop.api;
  auto& ops = at.shop.ops;
  texts seen;
  const auto ask = [&](client& c, const std::string& method, const std::string& path,
                     const std::string& body = {}, const headers& with = {}) {
    UNSCOPED_INFO(method << " " << path);
    const auto r = c.send(method, path, body, with);
    INFO(method << " " << path << " " << r.body);
    CHECK(r.status >= 400);
    seen.push_back(text_of(r));
  };
  auto refused = planted_order(at), unknown = planted_order(at), odd = planted_order(at);
  refused["payment"]["token"] = json::array({at.of("the card's token")});
  unknown[at.of("a field's name")] = at.of("text of a body");
  unknown["payment"][at.of("the card's token")] = 1;
  unknown["shipping_address"][at.of("the provider's key") + "_0123456789"] = 1;
  odd["lines"][0]["sku"] = at.of("text of a body");
  odd["currency"] = at.of("text of a body");
  const headers keyed{{"Idempotency-Key", at.of("an Idempotency-Key")}};
  for (const auto& body :
    {refused.dump(), unknown.dump(), odd.dump()}) // a key each: each is judged
    ask(api, "POST", "/v1/orders", body,
      {{"Idempotency-Key", at.of("a header's value") + std::to_string(body.size())}});
  ask(api, "POST", "/v1/orders", refused.dump(), keyed); // the key was used with another body
  const auto whole = planted_order(at).dump();
  for (std::size_t cut = 1; cut < whole.size(); cut += 7)
    ask(api, "POST", "/v1/orders", whole.substr(0, cut));
  ask(api, "POST", "/v1/orders", whole,
    {{"Idempotency-Key", at.of("an Idempotency-Key") + " with a space"}});
  ask(api, "POST", "/v1/orders", whole, {{"Content-Type", at.of("a header's value")}});
  ask(api, "GET", "/v1/orders", "", {{"Accept", at.of("a header's value") + "/x"}});
  ask(
    api, "PUT", "/v1/inventory/tea", R"({"on_hand":1})", {{"If-Match", at.of("a header's value")}});
  ask(api, "GET", "/v1/orders?cursor=" + at.of("a query's value"));
  ask(api, "GET", "/v1/orders?limit=" + at.of("a query's value"));
  ask(api, "GET", "/v1/events?after=" + at.of("a query's value"));
  ask(api, "GET", "/v1/events", "",
    {{"Accept", "text/event-stream"}, {"Last-Event-ID", at.of("a header's value")}});
  ask(api, "GET", "/v1/" + at.of("a path") + "?" + at.of("a query's name") + "=1");
  ask(api, "GET", "/v1/orders/" + at.of("a path"));
  ask(ops, "POST", "/admin/v1/webhooks", json{{"url", at.of("text of a body")}}.dump());
  ask(ops, "POST", "/admin/v1/webhooks/" + at.of("a path") + "/test", "{}");
  ask(ops, "PUT", "/admin/v1/log-level", json{{"level", at.of("text of a body")}}.dump());
  ask(ops, "POST", "/admin/v1/actors/" + at.of("a path") + "/restart", "{}");
  ask(ops, "GET", "/admin/v1/sagas?state=" + at.of("a query's value"));
  const headers forged{{"Stripe-Signature", "t=1,v1=" + at.of("a hook's signature")}};
  ask(api, "POST", "/v1/hooks/payments/stripe", whole, forged);
  ask(api, "POST", "/v1/hooks/payments/" + at.of("a path"), whole, forged);
  seen.push_back(text_of(send_hook(api, hook_secret, whole.substr(0, 90), "stripe")));
  for (const auto* wrong : {"a wrong key", "a forged token", "the card's token"})
    for (auto* c : {&api, &ops}) {
      c->bearer = at.of(wrong);
      ask(*c, "GET", c == &api ? "/v1/orders" : "/admin/v1/sagas");
      c->bearer = at.of("a key");
    }
  ask(
    api, "GET", "/v1/orders", "", {{at.of("a header's name"), "\x01" + at.of("a header's value")}});
  ask(api, at.of("a method"), "/v1/orders");
  return seen;
}

/// All that can be read of it.
texts read_all(planted_shop& at, const std::string& order) {
  auto& shop = at.shop;
  texts seen{shop.all_of("/v1/orders").dump(), shop.history(order).dump()};
  for (const auto* path : {"/v1/events?limit=200", "/v1/inventory", "/v1/products"})
    seen.push_back(text_of(need(shop.api.get(path), 200)));
  for (const auto* path : {"/admin/v1/actors", "/admin/v1/sagas", "/admin/v1/audit",
         "/admin/v1/config", "/admin/v1/storage", "/admin/v1/webhooks", "/admin/v1/breakers",
         "/admin/v1/cluster", "/metrics", "/readyz"})
    seen.push_back(text_of(need(shop.ops.get(path), 200)));
  const auto actors = need(shop.ops.get("/admin/v1/actors"), 200).json();
  for (const auto& actor : actors.at("data"))
    if (actor.at("id").get<std::string>().starts_with("saga"))
      seen.push_back(
        text_of(shop.ops.get("/admin/v1/actors/" + actor.at("id").get<std::string>())));
  const auto hooks = need(shop.ops.get("/admin/v1/webhooks"), 200).json();
  for (const auto& hook : hooks.at("data")) {
    const auto path = "/admin/v1/webhooks/" + hook.at("id").get<std::string>();
    seen.push_back(text_of(need(shop.ops.get(path), 200)));
    seen.push_back(text_of(need(shop.ops.get(path + "/deliveries"), 200)));
  }
  seen.push_back(text_of(need(shop.ops.get("/admin/v1/sagas/" + order), 200)));
  return seen;
}
} // namespace

TEST_CASE("no secret that comes in is ever seen again: in no log, event, error, admin answer",
  "[secrets]") {
  webhook_receiver receiver;
  planted_shop at;
  const auto order = do_business(at, receiver);
  auto seen = make_mistakes(at);
  for (auto& text : read_all(at, order)) seen.push_back(std::move(text));
  for (const auto& m : receiver.so_far()) seen.push_back(m.raw);
  REQUIRE(at.all.at.stop() == 0);
  seen.push_back(at.all.at.log());
  CHECK(seen.back().find("http.answered") != std::string::npos); // it is the log, at debug level
  CHECK(seen.back().find("saga.step") != std::string::npos);
  for (const auto& [what, secret] : at.secrets) {
    CAPTURE(what, secret);
    CHECK(secret.size() >= 7);
    for (const auto& text : seen) {
      const auto found = text.find(secret);
      if (found == std::string::npos) continue;
      FAIL_CHECK("… " << text.substr(found < 300 ? 0 : found - 300, 700));
    }
  }
}
