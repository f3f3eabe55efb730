#include "storage/backup.hpp"
#include "storage/manifest_end.hpp"
#include "storage/checksum.hpp"
#include "storage/rocks_store.hpp"
#include "tests/catch.hpp"
#include "tests/power/image_check.hpp"

// The disk itself: what it forgets, what it keeps, and what it says.
using namespace jumun;
using namespace jumun::tests;

namespace {
power_disk::file made(power_disk& disk, const std::string& path, std::string_view text) {
  power_disk::file f;
  REQUIRE(disk.create(path, f) == disk_says::ok);
  REQUIRE(disk.append(f, text) == disk_says::ok);
  return f;
}
std::string lost(const power_disk& disk, const std::string& path) {
  return disk.after_cut(cut_kind::lost, 0)->content(path);
}
} // namespace

TEST_CASE("a cut leaves what was synced, under a name whose folder was synced", "[disk]") {
  power_disk disk;
  REQUIRE(disk.make_folder("/d") == disk_says::ok);
  const auto f = made(disk, "/d/a", "one");
  REQUIRE(disk.sync(f, "/d/a") == disk_says::ok);
  CHECK(lost(disk, "/d/a").empty()); // its name is not durable, nor its folder's
  REQUIRE(disk.sync_folder("/d") == disk_says::ok);
  CHECK(lost(disk, "/d/a").empty());
  REQUIRE(disk.sync_folder("/") == disk_says::ok);
  CHECK(lost(disk, "/d/a") == "one");
  REQUIRE(disk.append(f, " two") == disk_says::ok);
  CHECK(lost(disk, "/d/a") == "one");
  CHECK(disk.after_cut(cut_kind::kept, 0)->content("/d/a") == "one two");
  REQUIRE(disk.rename("/d/a", "/d/b") == disk_says::ok);
  CHECK(lost(disk, "/d/a") == "one"); // the old entry is back
  CHECK(lost(disk, "/d/b").empty());
  REQUIRE(disk.sync_folder("/d") == disk_says::ok);
  CHECK(lost(disk, "/d/b") == "one");
  REQUIRE(disk.remove("/d/b") == disk_says::ok);
  CHECK(lost(disk, "/d/b") == "one");
}

TEST_CASE("a cut by chance keeps the durable part, and the same seed leaves the same", "[disk]") {
  power_disk disk;
  const auto f = made(disk, "/a", std::string(5'000, 'a'));
  REQUIRE(disk.sync(f, "/a") == disk_says::ok);
  REQUIRE(disk.sync_folder("/") == disk_says::ok);
  REQUIRE(disk.append(f, std::string(9'000, 'b')) == disk_says::ok);
  std::set<std::string> kinds;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto left = disk.after_cut(cut_kind::chance, seed)->content("/a");
    CHECK(left == disk.after_cut(cut_kind::chance, seed)->content("/a"));
    REQUIRE(left.size() >= 5'000);
    CHECK(left.substr(0, 5'000) == std::string(5'000, 'a'));
    const auto tail = left.substr(5'000);
    if (tail.empty()) kinds.insert("gone");
    else if (tail == std::string(9'000, 'b')) kinds.insert("whole");
    else if (tail == std::string(tail.size(), 'b')) kinds.insert("cut off");
    else if (tail == std::string(tail.size(), '\0')) kinds.insert("zeros");
    else if (tail.find_first_not_of(std::string{"b\0", 2}) == tail.npos) kinds.insert("holes");
    else kinds.insert("noise");
  }
  CHECK(kinds.size() == 6);
}

TEST_CASE("what a failed sync lost is saved by no later one, though it says ok", "[disk]") {
  bool landed = false, was_lost = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    power_disk disk;
    const auto f = made(disk, "/a", "one");
    REQUIRE(disk.sync_folder("/") == disk_says::ok);
    disk.fail(0, disk_fault::io_error, false, seed);
    CHECK(disk.sync(f, "/a") == disk_says::io_error);
    CHECK(disk.sync(f, "/a") == disk_says::ok);
    CHECK(disk.content("/a") == "one"); // a reader sees it all the time
    REQUIRE(disk.append(f, " two") == disk_says::ok);
    CHECK(disk.sync(f, "/a") == disk_says::ok);
    const auto left = lost(disk, "/a");
    landed = landed || left == "one two";
    was_lost = was_lost || left == std::string(3, '\0') + " two";
  }
  CHECK(landed);
  CHECK(was_lost);
}

TEST_CASE("a short write leaves a part, a full disk nothing", "[disk]") {
  power_disk disk;
  const auto f = made(disk, "/a", "");
  disk.fail(0, disk_fault::no_space, false, 1);
  CHECK(disk.append(f, "0123456789") == disk_says::no_space);
  CHECK(disk.content("/a").empty());
  disk.fail(0, disk_fault::short_write, false, 3);
  CHECK(disk.append(f, "0123456789") == disk_says::no_space);
  CHECK(disk.content("/a").size() < 10);
  CHECK(disk.append(f, "!") == disk_says::ok); // it was that one call
}

TEST_CASE("crc32c is the one that the world knows, in one go or in parts", "[disk]") {
  CHECK(storage::crc32c("123456789") == 0xe3069283);
  CHECK(storage::crc32c(std::string(32, '\0')) == 0x8a9136aa); // RFC 3720, B.4
  CHECK(storage::crc32c("456789", storage::crc32c("123")) == 0xe3069283);
}

TEST_CASE("the whole records of a real manifest end with it, and before what is broken", "[disk]") {
  const auto disk = std::make_shared<power_disk>();
  {
    power_env env{disk};
    storage::rocks_options how;
    how.dir = data_dir;
    how.env = &env;
    const auto opened = storage::open_rocks(how);
    REQUIRE(std::holds_alternative<std::shared_ptr<storage::store>>(opened));
  }
  std::string log;
  for (const auto& [path, bytes] : disk->files())
    if (path.find("/MANIFEST-") != std::string::npos) log = disk->content(path);
  REQUIRE(log.size() > 200);
  CHECK(storage::whole_records_end(log) == log.size());
  auto end = log.size();
  for (auto cut = log.size() - 1; cut > 0; --cut) { // at whatever byte it is cut off
    const auto found = storage::whole_records_end(std::string_view{log}.substr(0, cut));
    REQUIRE(found);
    REQUIRE(*found <= cut);
    REQUIRE(*found <= end);
    end = *found;
  }
  CHECK(end == 0);
  CHECK(*storage::whole_records_end(log + std::string(3'000, '\0')) == log.size());
  CHECK(*storage::whole_records_end(log + "noise and more noise") == log.size());
}
