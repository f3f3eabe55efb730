#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <filesystem>
#include <fstream>

// The file of --config while a server runs, as Kubernetes mounts it: by links that are turned.
using namespace jumun::tests;
namespace fs = std::filesystem;

namespace {
class mounted_file {
public:
  explicit mounted_file(fs::path dir) : dir_{std::move(dir)} {}
  void write(const std::string& text) {
    const auto version = dir_ / ("..v" + std::to_string(++versions_));
    fs::create_directories(version);
    std::ofstream{version / "jumun.conf"} << text;
    fs::create_symlink(version, dir_ / "..turning");
    fs::rename(dir_ / "..turning", dir_ / "..data");
    if (!fs::exists(path())) fs::create_symlink("..data/jumun.conf", path());
  }
  [[nodiscard]] fs::path path() const { return dir_ / "jumun.conf"; }

private:
  fs::path dir_;
  int versions_ = 0;
};
json setting(client& ops, const std::string& key) {
  const auto all = need(ops.get("/admin/v1/config"), 200).json();
  for (const auto& s : all.at("data"))
    if (s.at("key") == key) return s;
  throw std::runtime_error("no setting " + key);
}
} // namespace

TEST_CASE("a running server takes what is safe from its file, and tells what needs a restart",
  "[settings]") {
  temp_dir dir;
  mounted_file file{dir.path() / "mount"};
  file.write("rate-limit = 50\nlog-level = info\n");
  server at{dir.path() / "data", {"--config", file.path().string(), "--max-requests", "100"}};
  auto ops = at.ops(), shop = at.api();
  CHECK(setting(ops, "rate-limit").at("value") == 50);
  CHECK(setting(ops, "rate-limit").at("source") == "file");

  file.write("rate-limit = 70\nlog-level = debug\nmemory-mb = 128\nmax-requests = 7\n");
  ask_until([&] { return setting(ops, "rate-limit").at("value") == 70; });
  CHECK(need(shop.get("/v1/products"), 200).field("ratelimit-policy").find("q=70;")
        != std::string::npos);
  CHECK(need(ops.get("/admin/v1/log-level"), 200).json().at("level") == "debug");
  const auto memory = setting(ops, "memory-mb");
  CHECK(memory.at("value") == 256);
  CHECK(memory.at("after_restart") == 128);
  CHECK(memory.at("live") == false);
  CHECK_FALSE(setting(ops, "max-requests").contains("after_restart")); // the flag goes before it
  CHECK(at.log().find(R"("event":"config.needs_restart","key":"memory-mb","value":"128")")
        != std::string::npos);

  // A file that would not start is not followed, and says why.
  file.write("rate-limit = 90\nlog-levle = debug\n");
  ask_until([&] { return at.log().find("unknown key \\\"log-levle\\\"") != std::string::npos; });
  CHECK(setting(ops, "rate-limit").at("value") == 70);

  file.write("memory-mb = 128\n");
  ask_until([&] { return setting(ops, "rate-limit").at("value") == 0; });
  CHECK(setting(ops, "rate-limit").at("source") == "default");
  at.kill9();
  at.restart();
  auto again = at.ops();
  CHECK(setting(again, "memory-mb").at("value") == 128);
}
