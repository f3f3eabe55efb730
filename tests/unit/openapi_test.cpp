#include "http/openapi.hpp"
#include "http/problem.hpp"
#include "tests/catch.hpp"
#include "tests/support/contract.hpp"
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace jumun;
using namespace jumun::tests;
using nlohmann::json;

namespace {
std::string file_text(const std::string& name) {
  std::ifstream in{std::string{JUMUN_TEST_ROOT} + "/../" + name};
  REQUIRE(in);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}
} // namespace

TEST_CASE("every route is described, and every description has a route", "[openapi]") {
  for (const auto& fault : http::description().faults) FAIL_CHECK(fault);
  CHECK(api_description().at("paths").size() > 20);
}

TEST_CASE("every example of the description fits its schema", "[openapi]") {
  std::size_t examples = 0;
  for (const auto& [name, schema] : api_description().at("components").at("schemas").items())
    for (const auto& example : schema.value("examples", json::array())) {
      INFO("schema " << name);
      CHECK(schema_fault(whole_schema(schema, true), example) == "");
      ++examples;
    }
  for (const auto& [path, item] : api_description().at("paths").items())
    for (const auto& [method, op] : item.items()) {
      if (!op.is_object() || !op.contains("requestBody")) continue;
      const auto& form = op.at("requestBody").at("content").at("application/json");
      for (const auto& [title, example] : form.at("examples").items()) {
        INFO(method << ' ' << path << ": " << title);
        CHECK(schema_fault(whole_schema(form.at("schema"), false), example.at("value")) == "");
        ++examples;
      }
    }
  CHECK(examples > 20);
}

TEST_CASE("a value that does not fit its schema is told where", "[openapi]") {
  const auto schema =
    whole_schema(api_description().at("components").at("schemas").at("order_form"), false);
  const auto& placing = api_description().at("paths").at("/v1/orders").at("post");
  const auto& form = placing.at("requestBody").at("content").at("application/json");
  auto order = form.at("examples").at("two coffees").at("value");
  CHECK(schema_fault(schema, order) == "");
  order["lines"][0]["quantity"] = "2";
  CHECK(schema_fault(schema, order).find("/lines/0/quantity") != std::string::npos);
  order["lines"][0]["quantity"] = 2;
  order["coupon"] = 1;
  CHECK(schema_fault(schema, order) != "");
  response r;
  r.status = 200, r.fields["content-type"] = "application/json";
  r.body = R"({"status":"live"})";
  CHECK(reply_fault("GET", "/livez", r) == "");
  r.body = R"({"status":"live","mood":"fine"})";
  CHECK(reply_fault("GET", "/livez", r) != "");
  r.status = 418;
  CHECK(reply_fault("GET", "/livez", r) != "");
}

TEST_CASE("every problem has its section in docs/problems.md", "[openapi]") {
  const auto header = file_text("http/problem.hpp"), page = file_text("docs/problems.md");
  std::set<std::string> declared, listed;
  const std::regex kind{R"-(problem_kind \w+\{\s*\d+,\s*"([a-z-]+)")-"};
  for (std::sregex_iterator it{header.begin(), header.end(), kind}, end; it != end; ++it)
    declared.insert((*it)[1]);
  for (const auto* k : http::all_problems()) {
    listed.insert(std::string{k->code});
    INFO("write its section: ## " << k->code);
    const auto from = page.find("\n## " + std::string{k->code} + "\n");
    REQUIRE(from != std::string::npos);
    const auto section = page.substr(from + 1, page.find("\n## ", from + 1) - from - 1);
    CHECK(
      section.find(std::to_string(k->status) + ". " + std::string{k->title}) != std::string::npos);
    CHECK(section.find("**When:**") != std::string::npos);
    CHECK(section.find("**What to do:**") != std::string::npos);
    const std::regex block{"```json\n(.*)\n```"};
    std::smatch example;
    REQUIRE(std::regex_search(section, example, block));
    const auto p = json::parse(example[1].str());
    CHECK(p.at("code") == std::string{k->code});
    CHECK(p.at("status") == k->status);
    CHECK(schema_fault(whole_schema({{"$ref", "#/components/schemas/problem"}}, true), p) == "");
  }
  INFO("a kind that is missing from `kinds` in http/problem.cpp");
  CHECK(declared == listed);
}
