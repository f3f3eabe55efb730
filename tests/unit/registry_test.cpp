#include "actors/registry.hpp"
#include "tests/catch.hpp"

using namespace jumun::actors;

namespace {
std::shared_ptr<vital_signs> enter(
  actor_registry& all, const std::string& name, std::uint64_t received, std::uint64_t handled) {
  actor_record r;
  r.name = name;
  r.kind = name.substr(0, name.find('/'));
  r.signs = std::make_shared<vital_signs>();
  r.signs->received = received;
  r.signs->handled = handled;
  const auto signs = r.signs;
  all.enter(std::move(r));
  return signs;
}
} // namespace

TEST_CASE("the figures of a kind add up its actors, those that have left too", "[registry]") {
  actor_registry all;
  enter(all, "saga/a", 10, 7);
  const auto b = enter(all, "saga/b", 25, 20);
  enter(all, "payment/1", 4, 4);
  auto now = all.by_kind();
  CHECK(now.at("saga").by_state == std::map<std::string, std::uint64_t>{{"running", 2}});
  CHECK(now.at("saga").mailbox_depth == 8);
  CHECK(now.at("saga").mailbox_depth_max == 5);
  CHECK(now.at("saga").handled == 27);
  CHECK(now.at("payment").handled == 4);

  all.leave("saga/a"); // its mailbox goes, what it has handled was handled
  now = all.by_kind();
  CHECK(now.at("saga").by_state.at("running") == 1);
  CHECK(now.at("saga").mailbox_depth == 5);
  CHECK(now.at("saga").handled == 27);

  all.fell("saga/b", "it threw", "restarting");
  CHECK(
    all.by_kind().at("saga").by_state == std::map<std::string, std::uint64_t>{{"restarting", 1}});
  enter(all, "saga/b", 3, 1); // its next life begins with a mailbox of its own
  now = all.by_kind();
  CHECK(now.at("saga").restarts == 1);
  CHECK(now.at("saga").handled == 28);
  CHECK(now.at("saga").mailbox_depth == 2);
  all.leave("saga/b");
  now = all.by_kind();
  CHECK(now.at("saga").handled == 28);
  CHECK(now.at("saga").restarts == 1);
  CHECK(now.at("saga").by_state.empty());
}

TEST_CASE("a saga that sleeps stays listed, under its number", "[registry]") {
  actor_registry all;
  const auto record = [](std::uint64_t handled) {
    actor_record r;
    r.order = {std::uint64_t{7} << 56, 1};
    r.name = saga_name(r.order);
    r.kind = "saga";
    r.signs = std::make_shared<vital_signs>();
    r.signs->received = r.signs->handled = handled;
    return r;
  };
  const auto one = record(5);
  const auto id = all.enter(one);
  all.falls_asleep(one.name);
  const auto listed = all.all();
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].id == id);
  CHECK(listed[0].name == one.name);
  CHECK(listed[0].state == "dormant");
  CHECK(listed[0].parent == "supervisor/7");
  CHECK(listed[0].handled() == 5);
  CHECK(all.find(id)->order == one.order);
  CHECK(all.find(one.name)->id == id);
  CHECK(all.by_kind().at("saga").by_state == std::map<std::string, std::uint64_t>{{"dormant", 1}});
  CHECK(all.by_kind().at("saga").handled == 5);

  CHECK(all.enter(record(2)) == id);
  CHECK(all.find(id)->state == "running");
  CHECK(all.by_kind().at("saga").handled == 7);
  all.fell(one.name, "it threw", "restarting");
  all.falls_asleep(one.name); // what it has been through is not forgotten
  CHECK(all.find(id)->restarts == 1);
  CHECK(all.find(id)->state == "dormant");
  CHECK(all.all().size() == 1);
  CHECK(all.enter(record(1)) == id);
  all.falls_asleep(one.name);
  all.leave(one.name, one.order);
  CHECK(all.all().empty());
  CHECK(all.by_kind().at("saga").handled == 8);
}
