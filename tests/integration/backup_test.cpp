#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <atomic>

using namespace jumun::tests;

namespace {
json newest(client& ops) {
  json found;
  ask_until([&] {
    found = need(ops.get("/admin/v1/backups"), 200).json().at("data").at(0);
    return found.at("state") != "running";
  });
  return found;
}
std::size_t orders_in(shop_client& people) { return people.all_of("/v1/orders").size(); }
} // namespace

TEST_CASE("a backup made under load restores to a whole shop without what came later", "[backup]") {
  temp_dir dir;
  const auto backups = (dir.path() / "backups").string();
  std::vector<std::string> before;
  {
    server at{dir.path() / "data", {"--backup-dir", backups}};
    shop_client people{at};
    people.sell("tea", 100, 100'000);
    for (int i = 0; i < 20; ++i)
      before.push_back(people.placed("tok_approve", {{"tea", 1}})),
        people.wait_settled(before.back());
    auto ops = at.ops();
    CHECK(need(ops.get("/admin/v1/backups"), 200).json().at("data").empty());
    std::atomic<bool> enough{false};
    std::thread crowd{[&] { // orders go on while it is made
      shop_client each{at};
      while (!enough) each.place("tok_approve", {{"tea", 1}});
    }};
    const auto begun = ops.send("POST", "/admin/v1/backups");
    const auto made = newest(ops);
    enough = true;
    crowd.join();
    CHECK(begun.status == 202);
    CHECK(made.at("state") == "done");
    CHECK(made.at("id") == begun.json().at("id"));
    CHECK(made.at("bytes").get<int>() > 0);
    for (int i = 0; i < 20; ++i) people.wait_settled(people.placed("tok_approve", {{"tea", 1}}));
  }
  // The provider's books are outside of us: they go on, whatever we restore.
  const auto restored = dir.path() / "restored";
  std::filesystem::create_directories(restored);
  std::filesystem::copy(dir.path() / "data" / "simulator", restored / "simulator",
    std::filesystem::copy_options::recursive);
  server again{restored, {"--restore-from", backups}};
  shop_client people{again};
  for (const auto& id : before) CHECK(people.order(id).at("status") == "preparing");
  for (const auto& o : people.all_of("/v1/orders")) people.wait_settled(o.at("id"));
  CHECK(people.complaints() == texts{});
  CHECK(orders_in(people) >= before.size());
  CHECK(
    people.wait_settled(people.placed("tok_approve", {{"tea", 1}})).at("status") == "preparing");
}

TEST_CASE("only so many backups are kept, the newest first", "[backup]") {
  open_shop shop{{"--backups-keep", "2"}};
  auto ops = shop.at.ops();
  for (int i = 1; i <= 3; ++i) {
    need(ops.send("POST", "/admin/v1/backups"), 202);
    CHECK(newest(ops).at("id") == std::to_string(i));
  }
  const auto kept = need(ops.get("/admin/v1/backups"), 200).json().at("data");
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].at("id") == "3");
  CHECK(kept[1].at("id") == "2");
}

TEST_CASE("a backup is not restored over a database, nor from nothing", "[backup]") {
  temp_dir dir;
  const auto data = (dir.path() / "data").string(), backups = (dir.path() / "backups").string();
  {
    server at{data, {"--backup-dir", backups}};
    auto ops = at.ops();
    need(ops.send("POST", "/admin/v1/backups"), 202);
    CHECK(newest(ops).at("state") == "done");
    CHECK(at.stop() == 0);
  }
  const auto start = [&](const std::string& from, const std::string& into) {
    return run_jumun(
      {"serve", "--port", "0", "--ops-port", "0", "--restore-from", from, "--data-dir", into});
  };
  const auto over = start(backups, data);
  CHECK(over.how.exit_code == 8);
  CHECK(over.err.find("holds a database") != std::string::npos);
  const auto nothing = start((dir.path() / "none").string(), (dir.path() / "new").string());
  CHECK(nothing.how.exit_code == 6);
  CHECK(nothing.err.find("no such folder") != std::string::npos);
}
