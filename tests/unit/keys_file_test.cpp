#include "app/auth/keys_file.hpp"
#include "app/file_watch.hpp"
#include "tests/catch.hpp"
#include "tests/support/slowness.hpp"
#include "tests/support/temp_dir.hpp"
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sys/stat.h>
#include <thread>

using namespace jumun;
using namespace jumun::app;
namespace fs = std::filesystem;

namespace {
std::string text_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}
std::vector<api_key> keys_in(const std::string& text) {
  auto parsed = parse_keys(text);
  if (const auto* why = std::get_if<std::string>(&parsed)) FAIL(*why);
  return std::get<0>(std::move(parsed));
}
auto adding(const api_key& row) {
  return [row](std::vector<api_key>& keys) {
    keys.push_back(row);
    return std::optional<std::string>{};
  };
}
} // namespace

TEST_CASE("a key's secret opens the door it was made for, until it expires", "[auth]") {
  const auto mine = make_key(http::customer, "c-42", 1'000, 5'000);
  const auto other = make_key(http::admin, "root", 1'000, {});
  CHECK(mine.secret.size() == 68);
  CHECK(mine.secret.starts_with("jmn_"));
  CHECK(mine.secret != other.secret);
  const keyring ring{{mine.row, other.row}};
  const auto who = ring.find(mine.secret, 4'999);
  REQUIRE(who);
  CHECK(who->principal == "c-42");
  CHECK(who->roles == http::customer);
  CHECK_FALSE(ring.find(mine.secret, 5'000));
  CHECK(ring.find(other.secret, INT64_MAX - 1)->roles == http::admin);
  for (const auto& wrong : {mine.secret.substr(4), mine.secret + "0", mine.secret.substr(0, 67),
         mine.row.sha256, "jmn_" + mine.row.sha256, std::string{"jmn_"}, mine.row.id})
    CHECK_FALSE(ring.find(wrong, 2'000));
}

TEST_CASE("a keys file reads back, and has no secret in it", "[auth]") {
  const auto a = make_key(http::operator_, "김 \"op\"", 1'763'833'260'123, 1'800'000'000'000);
  const auto b = make_key(http::courier, "c", 0, {});
  const auto text = render_keys({a.row, b.row});
  CHECK(text.find(a.secret.substr(4)) == std::string::npos);
  const auto again = keys_in(text);
  REQUIRE(again.size() == 2);
  CHECK(again[0].id == a.row.id);
  CHECK(again[0].sha256 == a.row.sha256);
  CHECK(again[0].role == http::operator_);
  CHECK(again[0].principal == "김 \"op\"");
  CHECK(again[0].expires_ms == 1'800'000'000'000);
  CHECK_FALSE(again[1].expires_ms);
}

TEST_CASE("a damaged keys file is refused with the place, and without its values", "[auth]") {
  auto good = render_keys({make_key(http::viewer, "v", 0, {}).row});
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const auto row = good.substr(good.find("  {"), good.find("  }") + 3 - good.find("  {"));
  const std::vector<std::pair<std::string, std::string>> table{
    {"", "not JSON"},
    {good.substr(0, good.size() / 2), "not JSON"},
    {"[]", "\"format\" must be 1"},
    {with("\"format\": 1", "\"format\": 2"), "\"format\" must be 1"},
    {with("\"keys\"", "\"kees\""), "\"keys\" must be a list"},
    {with("\"viewer\"", "\"root\""), "keys[0]: \"role\" must be one of"},
    {with("\"v\"", "\"\""), "keys[0]: \"principal\" must be"},
    {with("\"v\"", "\"a\\nb\""), "keys[0]: \"principal\" must be"},
    {with("\"v\"", "\"" + std::string(65, 'p') + "\""), "keys[0]: \"principal\" must be"},
    {with("\"key_", "\"kee_"), "keys[0]: \"id\" must be"},
    {with("\"expires_at\": null", "\"expires_at\": 5"), "keys[0]: \"expires_at\" must be"},
    {with("\"expires_at\": null", "\"admin\": true"), "keys[0]: \"expires_at\" must be"},
    {with("1970-01-01", "1970-13-01"), "keys[0]: \"created_at\" must be"},
    {with("\"sha256\": \"", "\"sha256\": \"Z"), "keys[0]: \"sha256\" must be 64 hex digits"},
    {with(row, row + "," + row), "keys[1]: \"id\" and \"sha256\" must be there once"},
  };
  for (const auto& [text, said] : table) {
    CAPTURE(text, said);
    const auto parsed = parse_keys(text);
    REQUIRE(std::holds_alternative<std::string>(parsed));
    CHECK(std::get<std::string>(parsed).find(said) != std::string::npos);
  }
}

TEST_CASE("editors of a keys file take turns, and leave a whole file of mode 0600", "[auth]") {
  const tests::temp_dir dir;
  const auto file = dir.path() / "keys.json";
  constexpr int editors = 4, each = 8;
  std::atomic<int> failed = 0;
  std::vector<std::thread> crowd;
  for (int t = 0; t < editors; ++t)
    crowd.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        if (edit_keys_file(file, true, adding(make_key(http::viewer, "v", 0, {}).row))) ++failed;
    });
  for (auto& one : crowd) one.join();
  CHECK(failed == 0);
  CHECK(keys_in(text_of(file)).size() == editors * each);
  struct stat is {};
  REQUIRE(::stat(file.c_str(), &is) == 0);
  CHECK((is.st_mode & 0777) == 0600);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& f : fs::directory_iterator{dir.path()}) ++files;
  CHECK(files == 2); // the file and its lock: no halves stay behind
}

TEST_CASE("a keys file that is damaged, or is a link, is edited with care", "[auth]") {
  const tests::temp_dir dir;
  const auto file = dir.path() / "keys.json", link = dir.path() / "link";
  const auto key = make_key(http::viewer, "v", 0, {}).row;
  CHECK(edit_keys_file(file, /*create=*/false, adding(key))); // nothing there to be changed
  CHECK_FALSE(fs::exists(file));
  std::ofstream{file} << "{";
  CHECK(edit_keys_file(file, true, adding(key)).value().find("not JSON") != std::string::npos);
  CHECK(text_of(file) == "{");
  fs::remove(file);
  REQUIRE_FALSE(edit_keys_file(file, true, adding(key)));
  fs::create_symlink(file, link);
  REQUIRE_FALSE(edit_keys_file(link, true, adding(make_key(http::viewer, "v", 0, {}).row)));
  CHECK(fs::is_symlink(link));
  CHECK(keys_in(text_of(file)).size() == 2);
  CHECK(edit_keys_file(file, true, [](auto& keys) {
    keys.clear();
    return std::optional<std::string>{"no"};
  }) == "no");
  CHECK(keys_in(text_of(file)).size() == 2);
  CHECK(edit_keys_file(dir.path() / "none" / "keys.json", true, adding(key)));
}

TEST_CASE("a watched file is taken anew whenever it changes, and kept when it is bad", "[auth]") {
  const tests::temp_dir dir;
  const auto file = dir.path() / "f", next = dir.path() / "next";
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  const auto put = [&](const std::string& text) { // as an editor of ours does
    std::ofstream{next} << text;
    fs::rename(next, file);
  };
  const auto await = [&](const std::string& last) {
    std::unique_lock lock{mutex};
    REQUIRE(changed.wait_for(
      lock, std::chrono::seconds{60} * tests::slowness, [&] { return seen.back() == last; }));
  };
  put("a");
  file_watch watch{std::chrono::milliseconds{2}};
  CHECK(watch.add({(dir.path() / "gone").string()}, [](const auto&) { return std::nullopt; }));
  REQUIRE_FALSE(watch.add({file}, [&](const std::vector<std::string>& bytes) {
    const std::lock_guard lock{mutex};
    seen.push_back(bytes[0]);
    changed.notify_all();
    return bytes[0] == "bad" ? std::optional<std::string>{"it is bad"} : std::nullopt;
  }));
  watch.start();
  put("b"); // of the same size, within one tick of the clock
  await("b");
  put("bad");
  await("bad");
  fs::remove(file);
  put("c");
  await("c");
  std::ofstream{file} << "d"; // in place
  await("d");
  const std::lock_guard lock{mutex};
  // Between the truncation and the write of an edit in place there is nothing.
  std::erase(seen, std::string{});
  CHECK(seen == std::vector<std::string>{"a", "b", "bad", "c", "d"});
}
