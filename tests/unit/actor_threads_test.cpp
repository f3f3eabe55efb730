#include "app/actor_threads.hpp"
#include "tests/catch.hpp"
#include <caf/all.hpp>
#include <future>
#include <optional>
#include <thread>

namespace {
using namespace jumun;

struct where_are_you {
  std::promise<std::thread::id>* into = nullptr;
};
} // namespace
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(where_are_you)

namespace {
caf::behavior here_i_am(caf::event_based_actor*) {
  return {[](where_are_you q) { q.into->set_value(std::this_thread::get_id()); }};
}
} // namespace

namespace {
struct stage {
  stage() {
    config.module_factories.push_back(app::actor_threads::factory(1));
    system.emplace(config);
    who = system->spawn(here_i_am);
  }
  app::actor_threads& threads() { return static_cast<app::actor_threads&>(system->scheduler()); }
  /// A new actor: one that has just answered may still be running, and takes the next as well.
  std::thread::id ask() {
    std::promise<std::thread::id> said;
    caf::anon_send(system->spawn(here_i_am), where_are_you{&said});
    return said.get_future().get();
  }
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
  caf::actor who;
};
} // namespace

TEST_CASE(
  "actors run on the edge's threads while it runs, before and after on others", "[actors]") {
  stage s;
  const auto own = s.ask();
  CHECK(own != std::this_thread::get_id());
  boost::asio::io_context edge;
  auto work = boost::asio::make_work_guard(edge);
  std::thread edge_thread{[&edge] { edge.run(); }};
  s.threads().share(edge);
  CHECK(s.ask() == edge_thread.get_id());
  s.threads().leave();
  CHECK(s.ask() == own);
  work.reset();
  edge_thread.join();
}

TEST_CASE("no job is lost while the edge comes and goes", "[actors]") {
  stage s;
  boost::asio::io_context edge;
  for (int round = 0; round < 50; ++round) {
    auto work = boost::asio::make_work_guard(edge);
    std::thread edge_thread{[&edge] { edge.run(); }};
    std::vector<std::promise<std::thread::id>> said(64);
    std::thread sender{[&] {
      for (auto& p : said) caf::anon_send(s.who, where_are_you{&p});
    }};
    s.threads().share(edge);
    s.threads().leave();
    work.reset();
    edge_thread.join(); // what it had been given has run
    sender.join();
    for (auto& p : said) CHECK_NOTHROW(p.get_future().get());
    edge.restart();
  }
}

TEST_CASE("delayed messages come by their time, and none after its actor's end", "[actors]") {
  stage s;
  std::promise<void> done;
  std::vector<int> heard;
  s.system->spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, std::chrono::milliseconds{30}, 2);
    self->delayed_send(self, std::chrono::milliseconds{1}, 1);
    self->delayed_send(self, std::chrono::hours{1}, 3);
    return {[&, self](int which) {
      heard.push_back(which);
      if (which == 2) {
        self->quit();
        done.set_value();
      }
    }};
  });
  done.get_future().get();
  CHECK(heard == std::vector<int>{1, 2});
}
