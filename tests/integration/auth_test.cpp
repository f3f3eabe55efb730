#include "app/auth/bearer.hpp"
#include "http/routes.hpp"
#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/support/http_client.hpp"
#include <nlohmann/json.hpp>
#include <set>

// Who may do what: each role at each route of the table, over sockets.
namespace {
using namespace jumun;
using namespace jumun::tests;
using app::api_key;

const std::string roles[] = {"customer", "inventory", "courier", "viewer", "operator", "admin"};

/// A server whose keyring has one key for each role; `secrets` by role.
struct guarded_server {
  std::map<std::string, std::string> secrets;
  app::bearer guard{{}, [] { return std::int64_t{1'000}; }};
  running_server s{{}, [this](http::ports& to) {
                     std::vector<api_key> rows;
                     for (const auto& role : roles) {
                       auto made = app::make_key(*app::parse_role(role), "the-" + role, 0, {});
                       rows.push_back(made.row), secrets[role] = made.secret;
                     }
                     guard.take(std::make_shared<const app::keyring>(rows));
                     to.who = &guard;
                   }};
  client to(http::listener on, const std::string& bearer) {
    client c{on == http::listener::on_ops ? s.ops() : s.port()};
    c.bearer = bearer;
    return c;
  }
};

/// A path of the form, with things in its braces that do not exist.
std::string path_of(std::string_view form) {
  std::string path{form};
  for (auto at = path.find('{'); at != path.npos; at = path.find('{'))
    path.replace(at, path.find('}') - at + 1, "none");
  return path;
}
std::string code_of(const response& r) { return r.json().value("code", ""); }
} // namespace

TEST_CASE("the roles of API.md's table are those of the routes, and admin is in all", "[auth]") {
  // As API.md has them, with "Read it so": operators read what viewers read, admin does everything.
  const std::string read = "viewer operator admin";
  const std::map<std::string, std::string> table{
    {"GET /v1/products", "customer inventory courier viewer operator admin"},
    {"GET /v1/products/{sku}", "customer inventory courier viewer operator admin"},
    {"PUT /v1/products/{sku}", "inventory admin"},
    {"GET /v1/inventory", "inventory " + read},
    {"GET /v1/inventory/{sku}", "inventory " + read},
    {"POST /v1/inventory/{sku}/adjustments", "inventory admin"},
    {"PUT /v1/inventory/{sku}", "inventory admin"},
    {"GET /v1/inventory/{sku}/movements", "inventory " + read},
    {"POST /v1/orders", "customer admin"},
    {"GET /v1/orders/{id}", "customer " + read},
    {"GET /v1/orders", "customer " + read},
    {"GET /v1/orders/{id}/events", "customer " + read},
    {"POST /v1/orders/{id}/cancellations", "customer operator admin"},
    {"GET /v1/orders/{id}/cancellations", "customer " + read},
    {"GET /v1/orders/{id}/cancellations/{cxl}", "customer " + read},
    {"GET /v1/payments/{id}", "customer " + read},
    {"GET /v1/deliveries/{id}", "customer " + read},
    {"POST /v1/deliveries/{id}/updates", "courier admin"},
    {"GET /v1/events", read},
    {"GET /admin/v1/sagas", read},
    {"GET /admin/v1/sagas/{order}", read},
    {"POST /admin/v1/sagas/{order}/actions", "operator admin"},
    {"GET /admin/v1/actors", read},
    {"GET /admin/v1/actors/{id}", read},
    {"POST /admin/v1/actors/{id}/restart", "operator admin"},
    {"GET /admin/v1/simulator/ledger", read},
    {"GET /admin/v1/cluster", read},
    {"GET /admin/v1/shards", read},
    {"GET /admin/v1/storage", read},
    {"GET /admin/v1/audit", read},
    {"GET /admin/v1/config", read},
    {"POST /admin/v1/shards/{n}/move", "admin"},
    {"POST /admin/v1/nodes/{id}/drain", "admin"},
    {"POST /admin/v1/nodes/{id}/resume", "admin"},
    {"POST /admin/v1/backups", "admin"},
    {"PUT /admin/v1/log-level", "admin"},
    {"PUT /admin/v1/faults/{target}", "admin"},
    {"DELETE /admin/v1/faults/{target}", "admin"},
    {"GET /livez", ""},
    {"GET /readyz", ""},
    {"GET /startupz", ""},
    {"GET /metrics", ""},
  };
  for (const auto& r : http::all_routes()) {
    const auto name = std::string{r.method} + " " + std::string{r.path};
    CAPTURE(name);
    std::string may;
    for (const auto& role : roles)
      if (r.roles & *app::parse_role(role)) may += (may.empty() ? "" : " ") + role;
    if (const auto row = table.find(name); row != table.end()) CHECK(may == row->second);
    const bool is_hook = name.find("/hooks/") != name.npos; // it has a signature instead
    const bool is_page = r.path.starts_with("/docs") || r.path.starts_with("/problems/")
                         || r.path.starts_with("/console"); // static
    if (r.roles == http::open_to_all)
      CHECK((table.count(name) > 0 || is_hook || is_page));
    else
      CHECK((r.roles & http::admin) != 0);
    if (r.method != "GET" && name.find(" /admin/") != name.npos)
      CHECK((r.roles & ~unsigned{http::operator_ | http::admin}) == 0);
  }
}

TEST_CASE("each role at each route gets what the table says", "[auth]") {
  guarded_server at;
  std::size_t walked = 0;
  for (const auto& r : http::all_routes())
    for (const auto on : {http::listener::on_public, http::listener::on_ops}) {
      if (!http::serves(r.on, on)) continue;
      const auto path = path_of(r.path);
      const auto ask = [&](const std::string& bearer) {
        const bool writes = r.method == "POST" || r.method == "PUT";
        return at.to(on, bearer).send(r.method, path, writes ? "{}" : "");
      };
      CAPTURE(r.method, path);
      const bool open = r.roles == http::open_to_all;
      for (const std::string& bad : {std::string{}, "jmn_" + std::string(64, '0')}) {
        const auto refused = ask(bad);
        CHECK((refused.status == 401) == !open);
        if (open) continue;
        CHECK(code_of(refused) == "unauthenticated");
        CHECK(refused.field("www-authenticate")
              == (bad.empty() ? "Bearer" : "Bearer error=\"invalid_token\""));
      }
      for (const auto& role : roles) {
        CAPTURE(role);
        const auto answer = ask(at.secrets.at(role));
        const bool page = r.path.starts_with("/console/"); // its files turn these two away
        const bool may = page ? role != "customer" && role != "courier"
                              : open || (http::roles_of(r, on) & *app::parse_role(role)) != 0;
        CHECK(answer.status != 401);
        CHECK((answer.status == 403) == !may);
        if (!may) CHECK(code_of(answer) == "forbidden");
        ++walked;
      }
    }
  CHECK(walked >= http::all_routes().size() * std::size(roles));
}

TEST_CASE("a customer's key opens nothing of the shop on the ops listener", "[auth]") {
  guarded_server at;
  for (const auto* path : {"/v1/products", "/v1/orders", "/v1/orders/none", "/admin/v1/whoami"}) {
    CAPTURE(path);
    CHECK(at.to(http::listener::on_ops, at.secrets.at("customer")).get(path).status == 403);
    CHECK(at.to(http::listener::on_ops, at.secrets.at("viewer")).get(path).status != 403);
  }
  CHECK(
    at.to(http::listener::on_public, at.secrets.at("customer")).get("/v1/orders").status == 200);
}

TEST_CASE("who asks is told what they may do", "[auth]") {
  guarded_server at;
  const auto of = [&](const std::string& role) {
    const auto me =
      at.to(http::listener::on_ops, at.secrets.at(role)).get("/admin/v1/whoami").json();
    CHECK(me.at("principal") == "the-" + role);
    CHECK(me.at("roles") == role);
    CHECK(me.at("dev_mode") == false);
    CHECK(me.at("faults_enabled") == false);
    return me.at("may");
  };
  CHECK(of("viewer") == nlohmann::json::array({"look"}));
  CHECK(of("operator") == nlohmann::json{"look", "act", "restart", "record"});
  CHECK(of("inventory") == nlohmann::json::array({"adjust_stock"}));
  CHECK(of("admin")
        == nlohmann::json{"look", "act", "restart", "record", "move", "drain", "backup",
          "adjust_stock", "place_orders", "log_level", "webhooks"});
  for (const std::string& role : {std::string{"customer"}, std::string{"courier"}})
    CHECK(at.to(http::listener::on_ops, at.secrets.at(role)).get("/admin/v1/whoami").status == 403);
}

TEST_CASE("what is no route is 404 or 405 before anyone asks who it is", "[auth]") {
  guarded_server at;
  auto c = at.to(http::listener::on_public, "");
  CHECK(c.get("/v1/nothing").status == 404);
  CHECK(c.send("DELETE", "/v1/orders").status == 405);
  CHECK(c.send("OPTIONS", "/v1/orders").status == 204);
  CHECK(c.get("/livez").status == 404); // on the other listener
  CHECK(c.get("/v1/orders").status == 401);
}

TEST_CASE("an Authorization that is not one good bearer token is 401", "[auth]") {
  guarded_server at;
  const auto good = at.secrets.at("viewer");
  auto c = at.to(http::listener::on_public, "");
  const auto ask = [&](const std::string& value) {
    return c.get("/v1/orders", {{"Authorization", value}}).status;
  };
  CHECK(ask("Bearer " + good) == 200);
  CHECK(ask("bearer   " + good) == 200); // RFC 9110 §11.1: any case
  for (const std::string& bad :
    {std::string{"Bearer"}, std::string{"Bearer "}, good, "Basic " + good, "Bearer" + good,
      "Bearer " + good + " x", "Bearer " + good + "," + good, "Bearer " + good.substr(1),
      "Bearer " + std::string(4097, 'a'), std::string{"Bearer a.b.c"}}) {
    CAPTURE(bad);
    CHECK(ask(bad) == 401);
  }
  c.write("GET /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + good
          + "\r\nAuthorization: Bearer " + good + "\r\n\r\n");
  CHECK(c.read().status == 400); // two of them are no head at all
}
