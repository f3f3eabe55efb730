#include "tests/catch.hpp"
#include "tests/support/shop_of_nodes.hpp"
#include <fcntl.h>
#include <fstream>
#include <map>
#include <unistd.h>

// Events that grow old in a shop of several nodes, whose shards move meanwhile.
namespace {
using namespace jumun;
using namespace jumun::tests;

constexpr std::int64_t day_s = 24 * 60 * 60;

/// A wall clock that a test sets, of all nodes that run its program.
class shared_clock {
public:
  explicit shared_clock(std::int64_t ahead_s) {
    set(ahead_s);
    std::ofstream{program()} << "#!/bin/sh\nLD_PRELOAD=" JUMUN_CLOCK
                             << " JUMUN_CHAOS_CLOCK=" << file().native()
                             << " exec \"$JUMUN_BINARY\" \"$@\"\n";
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::string program() const { return dir_.path() / "jumun"; }
  /// At once, and while they run.
  void set(std::int64_t ahead_s) const {
    const int fd = ::open(file().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const auto written = ::pwrite(fd, &ahead_s, sizeof ahead_s, 0);
    ::close(fd);
    if (written != sizeof ahead_s) throw std::runtime_error{"the clock can't be set"};
  }

private:
  [[nodiscard]] std::filesystem::path file() const { return dir_.path() / "clock"; }
  temp_dir dir_;
};

const texts whole{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted"};

struct page {
  std::map<std::string, texts> of; // types of events, by what they are about, in their order
  std::string end;
};
page read_on(const shop_of_nodes& shop, std::size_t by, std::string after) {
  page all;
  auto api = shop.at(by).api();
  for (;;) {
    const auto r = need(api.get("/v1/events?limit=200&after=" + after), 200).json();
    for (const auto& e : r.at("data")) all.of[e.at("partitionkey")].push_back(e.at("type"));
    after = r.at("next_cursor");
    if (r.at("data").empty() && r.at("partial") == false) return all.end = after, all;
  }
}
bool expired(const shop_of_nodes& shop, std::size_t by, const std::string& after) {
  auto api = shop.at(by).api();
  return api.get("/v1/events?after=" + after).status == 410;
}
/// An order of that node's, settled.
std::string settled(shop_of_nodes& shop, std::size_t by, const std::string& sku) {
  std::string id;
  ask_until([&] { return shop.holds(by, id = shop.placed(by, {{sku, 1}})); });
  CHECK(shop.client(by).wait_settled(id).at("status") == "preparing");
  return id;
}
} // namespace

TEST_CASE("old events go from each shard, wherever it has been; who has read them misses nothing",
  "[cluster][retention]") {
  const shared_clock clock{-2 * day_s};
  shop_of_nodes shop{2, {"--events-keep-days", "1"}, clock.program()};
  const auto sku = shop.sku_of(0, "tea");
  shop.client(0).sell(sku, 100, 1'000);
  const texts old{settled(shop, 0, sku), settled(shop, 1, sku)};
  shop.move(shop_of_nodes::shard_of_order(old[0]), 1); // its events are the other node's by now
  const auto before = read_on(shop, 0, "0");
  for (const auto& id : old) CHECK(before.of.at(id) == whole);

  clock.set(0);
  for (std::size_t i = 0; i < shop.size(); ++i) {
    INFO("node " << i);
    ask_until([&] { return shop.at(i).log().find("events.trimmed") != std::string::npos; });
    CHECK(expired(shop, i, "0"));
    CHECK_FALSE(expired(shop, i, before.end));
  }
  const auto fresh = settled(shop, 0, sku);
  for (const std::size_t owner : {1, 0}) { // with the shard's mark, there and back
    shop.move(shop_of_nodes::shard_of_order(fresh), owner);
    for (std::size_t i = 0; i < shop.size(); ++i) {
      INFO("of node " << owner << ", by way of node " << i);
      const auto since = read_on(shop, i, before.end).of;
      CHECK(since.at(fresh) == whole);
      for (const auto& id : old) CHECK(since.count(id) == 0);
    }
  }
  CHECK(shop.books() == "");
}
