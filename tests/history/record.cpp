#include "tests/history/record.hpp"
#include "tests/history/audit.hpp"
#include "tests/support/process.hpp"
#include "tests/support/shop_client.hpp"
#include <thread>

namespace jumun::tests::history {
namespace {
std::vector<std::string> skus(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back((i < 4 ? "hot-" : "cold-") + std::to_string(i));
  return all;
}

/// What each shelf holds before anybody comes.
std::vector<call> fill(const server& at, const floor_of_shop& floor) {
  shop_client shop{at};
  std::vector<call> starts;
  for (std::uint32_t i = 0; i < floor.skus().size(); ++i) {
    shop.sell(floor.skus()[i], 100, 20);
    const auto s = shop.stock(floor.skus()[i]);
    call c;
    c.key = i, c.what = action::start, c.status = 200, c.client = 999;
    c.invoked = c.returned = now_ns();
    c.version = s.at("version"), c.on_hand = s.at("on_hand"), c.reserved = s.at("reserved");
    starts.push_back(c);
  }
  return starts;
}

/// What `jumun check` has to say against the folder; empty: nothing. A large one takes a while.
std::string check_offline(const server& at, const std::filesystem::path& place) {
  constexpr std::chrono::minutes long_enough{20};
  process child{{{"check", at.data_dir().string()}, place / "check.log", {}, {}}};
  std::string said;
  while (const auto line = child.read_line(long_enough)) said += *line + '\n';
  return child.wait().exit_code == 0 ? std::string{} : said + "it failed";
}

/// Ends the server's lives while the crowd shops, then the day.
unsigned reign(server& at, floor_of_shop& floor, const recording_options& how) {
  std::mt19937_64 chance{how.seed};
  unsigned kills = 0;
  const auto stopped = [&] { return how.stop != nullptr && *how.stop; };
  for (auto shown = now_ns(); floor.sent < how.operations && !stopped();) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5}); // looks again; decides nothing
    if (how.progress && now_ns() - shown > 1'000'000'000) {
      shown = now_ns();
      how.progress(floor.sent, kills);
    }
    if (!at.child().running()) throw std::runtime_error("the server ended by itself:\n" + at.log());
    const auto due = how.operations * (kills + 1) / (how.kills + 1);
    if (kills >= how.kills || floor.sent < due) continue;
    std::this_thread::sleep_for(std::chrono::microseconds{chance() % 5'000}); // picks the moment
    floor.shut();
    at.kill9();
    at.restart();
    floor.open(at.public_port());
    ++kills;
  }
  floor.end_day();
  return kills;
}
} // namespace

recording record(const recording_options& how, const std::filesystem::path& place) {
  server at{place / "data"};
  floor_of_shop floor{skus(how.shelves), how.operations / 10 + 4'000};
  const auto starts = fill(at, floor);
  std::vector<recording_client> crowd;
  for (unsigned i = 0; i < how.clients; ++i)
    crowd.emplace_back(floor, static_cast<std::uint16_t>(i + 1), how.seed);
  floor.open(at.public_port());
  const auto begin = now_ns();
  std::vector<std::thread> threads;
  for (auto& who : crowd) threads.emplace_back([&who] { who.shop(); });
  recording done;
  try {
    done.kills = reign(at, floor, how);
  } catch (...) {
    floor.end_day();
    for (auto& t : threads) t.join();
    throw;
  }
  for (auto& t : threads) t.join();
  done.seconds = static_cast<double>(now_ns() - begin) / 1e9;
  for (auto& who : crowd) who.finish();
  auditor audited{floor, at.public_port()};
  audited.look();
  done.what = tell(floor, starts, crowd, audited);
  done.requests = floor.sent, done.answered = floor.answered, done.cut = floor.cut;
  done.orders = floor.orders();
  done.complaints = floor.complaints();
  if (const auto code = at.stop(); code != 0)
    done.complaints.push_back("the server ended with code " + std::to_string(code));
  if (auto said = check_offline(at, place); !said.empty())
    done.complaints.push_back("jumun check: " + said);
  return done;
}
} // namespace jumun::tests::history
