#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Disks that fill up and writes that fail, for real: a small tmpfs of this test's own (needs root),
// and a limit on the size of the server's files.
namespace {
using namespace jumun::tests;
namespace fs = std::filesystem;

/// A data folder that is a disk of `megabytes`, unmounted with this object; its server's log is
/// beside it, on another disk. Not mounted: `why_not` says it.
class small_disk {
public:
  explicit small_disk(int megabytes) {
    const auto size = "size=" + std::to_string(megabytes) + "m";
    fs::create_directory(data());
    if (::mount("tmpfs", data().c_str(), "tmpfs", 0, size.c_str()) != 0)
      why_not = std::strerror(errno);
  }
  ~small_disk() {
    if (why_not.empty()) ::umount2(data().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] fs::path data() const { return dir_.path() / "data"; }
  [[nodiscard]] fs::path filler() const { return data() / "filler"; }

  [[nodiscard]] std::uint64_t free_bytes() const {
    struct ::statvfs now {};
    if (::statvfs(data().c_str(), &now) != 0) throw std::runtime_error("statvfs");
    return now.f_bavail * now.f_bsize;
  }
  /// Leaves `bytes` free at most, by a file that free() removes.
  void fill_up_to(std::uint64_t bytes) const {
    const int fd = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string block(64 << 10, 'x');
    while (free_bytes() > bytes) {
      const auto want = std::min<std::uint64_t>(block.size(), free_bytes() - bytes);
      if (::write(fd, block.data(), want) <= 0) break;
    }
    ::close(fd);
  }
  void free() const { fs::remove(filler()); }

  std::string why_not;

private:
  temp_dir dir_;
};

/// True: this test can't be, and has said so.
bool cannot_mount(const small_disk& disk) {
  if (disk.why_not.empty()) return false;
  WARN("skipped: a tmpfs of our own can't be mounted (" << disk.why_not << "); run it as root");
  return true;
}

bool nearly_full(shop_client& shop) {
  return shop.ops.get("/admin/v1/storage").json().at("disk_nearly_full") == 1;
}
void wait_until_nearly_full(shop_client& shop, bool wanted) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (nearly_full(shop) != wanted)
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the guard sleeps");
}

std::size_t count_in(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

/// What was acknowledged before the disk gave up.
struct acknowledged {
  std::vector<std::string> orders;
  std::int64_t received = 0;
};
/// Orders and goods in by turns, until the server is gone.
acknowledged work_until_it_ends(server& at, bool with_orders) {
  acknowledged sure;
  shop_client shop{at};
  const std::string reason(250, 'r');
  try {
    for (;;) {
      const auto r = shop.api.post(
        "/v1/inventory/tea/adjustments", {{"delta", 1}, {"reason", reason}, {"reference", reason}});
      if (r.status == 201) ++sure.received;
      if (!with_orders) continue;
      const auto placed = shop.place("tok_approve", {{"tea", 1}});
      if (placed.status == 201) sure.orders.push_back(placed.json().at("id"));
    }
  } catch (const std::runtime_error&) {
    // The connection broke: it has ended, or its end will be waited for in vain.
  }
  return sure;
}

/// It runs again, and has all that was answered (and perhaps the one write that nobody heard of).
void check_nothing_is_lost(server& at, const acknowledged& sure, std::int64_t received_before) {
  shop_client shop{at};
  std::int64_t sold = 0;
  for (const auto& id : sure.orders) {
    CAPTURE(id);
    REQUIRE(shop.wait_settled(id).at("status") == "preparing");
  }
  for (const auto& o : shop.all_of("/v1/orders")) {
    shop.wait_settled(o.at("id"));
    ++sold;
  }
  const auto unheard =
    shop.stock("tea").at("on_hand").get<std::int64_t>() + sold - received_before - sure.received;
  CHECK((unheard == 0 || unheard == 1));
  CHECK(shop.complaints() == texts{});
  CHECK(at.stop() == 0);
  const auto check = run_jumun({"check", at.data_dir().string()});
  CAPTURE(check.out, check.err);
  CHECK(check.how.exit_code == 0);
}

std::uint64_t largest_file(const fs::path& dir) { // but for the reserve, which nobody writes to
  std::uint64_t most = 0;
  for (const auto& each : fs::recursive_directory_iterator{dir})
    if (each.is_regular_file() && each.path().filename() != "reserve")
      most = std::max<std::uint64_t>(most, each.file_size());
  return most;
}
} // namespace

TEST_CASE("on a nearly full disk new orders wait outside, and all else goes on", "[disk]") {
  const small_disk disk{192};
  if (cannot_mount(disk)) return;
  server at{disk.data(), {"--memory-mb", "64"}};
  shop_client shop{at};
  shop.sell("tea", 100, 10);
  const auto id = shop.placed("tok_approve", {{"tea", 2}});
  shop.wait_settled(id);
  REQUIRE_FALSE(nearly_full(shop));
  disk.fill_up_to(9'000'000); // 4.5 %
  wait_until_nearly_full(shop, true);
  const auto refused = shop.place("tok_approve", {{"tea", 1}});
  CAPTURE(refused.body);
  CHECK(refused.status == 503);
  CHECK(refused.json().at("code") == "overloaded");
  CHECK(refused.json().at("detail") == "the disk is nearly full: no new orders are taken");
  CHECK_FALSE(refused.field("retry-after").empty());
  CHECK(shop.order(id).at("status") == "preparing");
  CHECK(shop.ops.get("/readyz").status == 200); // it can do all but that
  need(shop.cancel(id), 202);
  CHECK(shop.wait_for(id, "cancelled").at("payment").at("status") == "refunded");
  CHECK(shop.figures("tea") == "10/0/10");
  disk.free();
  wait_until_nearly_full(shop, false);
  CHECK(shop.wait_settled(shop.placed("tok_approve", {{"tea", 1}})).at("status") == "preparing");
  CHECK(count_in(at.log(), "disk.nearly_full") == 1);
  CHECK(count_in(at.log(), "disk.has_room") == 1);
  CHECK(at.stop() == 0);
}

TEST_CASE(
  "the reserve lets what is in flight go on, and a server start, on a full disk", "[disk]") {
  const small_disk disk{160};
  if (cannot_mount(disk)) return;
  server at{disk.data(), {"--memory-mb", "64", "--payment-timeout-ms", "10000"}};
  const auto reserve = disk.data() / "reserve";
  REQUIRE(fs::file_size(reserve) == 16 * 1024 * 1024);
  std::string slow, paid;
  {
    shop_client shop{at};
    shop.sell("tea", 100, 10);
    paid = shop.placed("tok_approve", {{"tea", 1}});
    shop.wait_settled(paid);
    slow = shop.placed("tok_slow_2500", {{"tea", 2}});
    shop.wait_for(slow, "paying");
  }
  disk.fill_up_to(0);
  const bool killed = GENERATE(true, false);
  if (killed) {
    at.kill9();
    at.restart();
  }
  disk.fill_up_to(20 << 20); // a start gives back the old log's room: 9 MiB, till the next write
  shop_client shop{at};
  wait_until_nearly_full(shop, true);
  CHECK_FALSE(fs::exists(reserve));
  CHECK(count_in(at.log(), "disk.reserve_given_up") == 1);
  CHECK(shop.place("tok_approve", {{"tea", 1}}).status == 503);
  CHECK(shop.wait_settled(slow).at("status") == "preparing");
  need(shop.cancel(paid), 202);
  CHECK(shop.wait_for(paid, "cancelled").at("payment").at("status") == "refunded");
  need(shop.report(slow, "picked_up"), 200);
  CHECK(shop.complaints() == texts{});
  disk.free();
  wait_until_nearly_full(shop, false);
  CHECK(fs::file_size(reserve) == 16 * 1024 * 1024); // and it is kept again
  CHECK(at.stop() == 0);
  CHECK(run_jumun({"check", at.data_dir().string()}).how.exit_code == 0);
}

TEST_CASE(
  "a disk without any room ends the server with a clear word, and loses nothing", "[disk]") {
  const bool with_orders = GENERATE(false, true); // the log's writes fail, or the ledger's before
  const small_disk disk{48};                      // too small for a reserve
  if (cannot_mount(disk)) return;
  server at{disk.data(), {"--memory-mb", "64", "--disk-free-min-pct", "0"}};
  shop_client{at}.sell("tea", 100, 1'000'000);
  disk.fill_up_to(0);
  const auto sure = work_until_it_ends(at, with_orders);
  CAPTURE(with_orders, sure.received, sure.orders.size(), at.log());
  CHECK(at.child().wait().exit_code == 5);
  CHECK(count_in(at.log(), "\"level\":\"error\"") == 1); // one line, not a flood
  CHECK(count_in(at.log(), "storage.failed") == 1);
  CHECK(at.log().find("o space left on ") != std::string::npos);
  CHECK(at.log().find(disk.data().string()) != std::string::npos);
  // There is no room to start either, and that is said as well.
  disk.fill_up_to(0);
  const auto early = run_jumun({"serve", "--data-dir", disk.data().string(), "--port", "0",
    "--ops-port", "0", "--memory-mb", "64", "--disk-free-min-pct", "0"});
  CAPTURE(early.err);
  CHECK(early.how.exit_code == 5);
  disk.free();
  at.restart();
  check_nothing_is_lost(at, sure, 1'000'000);
}

TEST_CASE("a write that fails ends the server with a clear word, and loses nothing", "[disk]") {
  const temp_dir tmp;
  server at{tmp.path() / "data", {"--memory-mb", "64"}};
  shop_client{at}.sell("tea", 100, 1'000'000);
  // Files may not grow beyond this: write(2) fails with EFBIG, which is no lack of space.
  const auto size = largest_file(at.data_dir()) + 64 * 1024;
  const ::rlimit limit{size, size};
  REQUIRE(::prlimit(at.child().pid(), RLIMIT_FSIZE, &limit, nullptr) == 0);
  const auto sure = work_until_it_ends(at, /*with_orders=*/true);
  CAPTURE(sure.received, sure.orders.size(), at.log());
  const auto how = at.child().wait();
  CHECK(how.signal == 0);
  CHECK(how.exit_code == 6);
  CHECK(sure.received > 0);
  CHECK(count_in(at.log(), "storage.failed") == 1);
  CHECK(at.log().find("File too large") != std::string::npos);
  CHECK(at.log().find(at.data_dir().string()) != std::string::npos);
  at.restart();
  check_nothing_is_lost(at, sure, 1'000'000);
}
