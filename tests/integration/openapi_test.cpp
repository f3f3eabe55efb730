#include "tests/catch.hpp"
#include "tests/support/contract.hpp"
#include "tests/support/shop_client.hpp"
#include <regex>

/// The description's examples, sent to a live server as they stand. That each answer fits the
/// schema of its route and status is the client's own check: see tests/support/contract.hpp.
using namespace jumun::tests;

namespace {
struct example {
  std::string method, path;
  json op, parameters;
  std::string title;
  json body; // null: none
};

const json& followed(const json& maybe) {
  if (!maybe.contains("$ref")) return maybe;
  return api_description().at(json::json_pointer{maybe.at("$ref").get<std::string>().substr(1)});
}

std::vector<example> all_examples() {
  std::vector<example> all;
  for (const auto& [path, item] : api_description().at("paths").items())
    for (const auto& [method, op] : item.items()) {
      if (!op.is_object()) continue;
      auto parameters = item.value("parameters", json::array());
      for (const auto& p : op.value("parameters", json::array())) parameters.push_back(p);
      example one{method, path, op, parameters, "", nullptr};
      for (char& c : one.method) c = static_cast<char>(c & ~0x20);
      if (!op.contains("requestBody")) {
        all.push_back(one);
        continue;
      }
      for (const auto& [title, given] :
        op.at("requestBody").at("content").at("application/json").at("examples").items()) {
        one.title = title, one.body = given.at("value");
        all.push_back(one);
      }
    }
  return all;
}

/// An order (or a webhook) of its own for each example, in the state that its path speaks of.
std::string living_suffix(shop_client& c, const example& e) {
  if (e.path.starts_with("/admin/v1/webhooks/")) {
    const json hook{{"url", "http://127.0.0.1:9/"}, {"topics", {"deliveries"}}};
    const auto id = need(c.ops.post("/admin/v1/webhooks", hook), 201).json().at("id");
    return id.get<std::string>().substr(3);
  }
  const auto id = c.placed("tok_approve", {{"americano", 1}}, {.wait_s = 20});
  if (e.path.find("{cxl}") != std::string::npos) {
    c.cancel(id);
    c.wait_for(id, "cancelled");
  }
  return id.substr(id.find('_'));
}

response ask(shop_client& c, const example& e) {
  static int last = 0;
  auto target = e.path;
  headers with;
  std::string query, living;
  const std::regex sample_id{"_5C06H09ZD4PWCWZG1QP0WNRBTM"};
  for (const auto& reference : e.parameters) {
    const auto& p = followed(reference);
    const auto name = p.at("name").get<std::string>(), in = p.at("in").get<std::string>();
    if (in == "path") REQUIRE(p.contains("example"));
    if (!p.contains("example")) continue;
    auto value =
      p.at("example").is_string() ? p.at("example").get<std::string>() : p.at("example").dump();
    if (std::regex_search(value, sample_id)) {
      if (living.empty()) living = living_suffix(c, e);
      value = std::regex_replace(value, sample_id, living);
    }
    if (in == "header") with[name] = value;
    if (in == "path") target.replace(target.find("{" + name + "}"), name.size() + 2, value);
    if (in == "query") query.append(query.empty() ? "?" : "&").append(name + "=" + value);
  }
  if (e.method == "POST") with["Idempotency-Key"] = "example-" + std::to_string(++last);
  auto& listener = e.op.at("x-listener").at(0) == "ops" ? c.ops : c.api;
  // Nobody outside of this machine is asked for anything.
  const auto body = std::regex_replace(e.body.is_null() ? "" : e.body.dump(),
    std::regex{"https://shop.example/"}, "http://127.0.0.1:9/");
  return listener.send(e.method, target + query, body, with);
}
} // namespace

namespace {
/// What a server on its own can't do: operationId, the status that says so.
const std::map<std::string, int> answered_otherwise{{"drainNode", 409}, // it is alone
  {"takePaymentHook", 404},                                             // the simulator sends none
  {"getConsoleAddress", 308}, {"getOrderRecording", 404},               // nothing is recorded
  {"stopOrderRecording", 404}, {"getActorRecording", 404}, {"stopActorRecording", 404},
  {"redeliverWebhook", 404}}; // nothing was sent yet
} // namespace

TEST_CASE("every example of the description is answered 2xx, as it says", "[openapi]") {
  open_shop shop{{"--enable-faults", "--webhooks-allow-private"}};
  auto c = shop.client();
  c.sell("americano", 4'500, 1'000);
  for (const auto& e : all_examples()) {
    if (e.path.find("/hooks/") != e.path.npos) continue; // it needs a signature of the moment
    INFO(e.method << ' ' << e.path << ' ' << e.title);
    const auto r = ask(c, e);
    INFO(r.body.substr(0, 500));
    const auto other = answered_otherwise.find(e.op.at("operationId"));
    CHECK((other == answered_otherwise.end() ? r.status / 100 == 2 : r.status == other->second));
  }
}

TEST_CASE("both listeners serve the description, with its version", "[openapi]") {
  open_shop shop;
  auto c = shop.client();
  const auto r = need(c.api.get("/openapi.json"), 200);
  CHECK(r.field("content-type") == "application/json");
  CHECK(r.json().at("openapi") == "3.1.0");
  CHECK(r.json() == api_description());
  CHECK(c.ops.get("/openapi.json").body == r.body);
  const auto again = c.api.get("/openapi.json", {{"If-None-Match", r.field("etag")}});
  CHECK(again.status == 304);
  const auto placing = r.json().at("paths").at("/v1/orders").at("post");
  CHECK(placing.at("x-roles") == json{"customer", "admin"});
  CHECK(placing.at("responses").contains("409"));
}

TEST_CASE("the page of /docs has its parts here, and nothing inline", "[openapi]") {
  open_shop shop;
  auto c = shop.client();
  const auto page = need(c.api.get("/docs", {{"Accept", "text/html"}}), 200);
  CHECK(page.field("content-type") == "text/html; charset=utf-8");
  const auto policy = page.field("content-security-policy");
  CHECK(policy.find("default-src 'none'; script-src 'self'; style-src 'self'") == 0);
  CHECK(policy.find("unsafe") == std::string::npos);
  CHECK(page.body.find("//") == std::string::npos); // no address of another server
  CHECK_FALSE(std::regex_search(page.body, std::regex{"<script(?! src=)|<style| on[a-z]+="}));
  const std::regex part{"(?:src|href)=\"(/[^\"]+)\""};
  for (std::sregex_iterator it{page.body.begin(), page.body.end(), part}, end; it != end; ++it) {
    INFO((*it)[1]);
    const auto r = need(c.api.get((*it)[1].str()), 200);
    CHECK_FALSE(r.body.empty());
    CHECK(c.api.get((*it)[1].str(), {{"If-None-Match", r.field("etag")}}).status == 304);
  }
  CHECK(c.api.get("/docs/nothing.js").status == 404);
}

TEST_CASE("a problem's type leads to its page", "[openapi]") {
  open_shop shop;
  auto c = shop.client();
  for (const auto& r : {c.api.get("/v1/orders/ord_1"), c.api.get("/v1/orders?limit=0")}) {
    const auto page = need(c.api.get(r.json().at("type").get<std::string>()), 200);
    CHECK(page.body.starts_with("## " + r.json().at("code").get<std::string>() + "\n"));
    CHECK(page.body.find("\n## ") == std::string::npos);
  }
  CHECK(c.api.get("/problems/none").status == 404);
}
