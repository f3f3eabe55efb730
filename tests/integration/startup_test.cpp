#include "storage/rocks_store.hpp"
#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <arpa/inet.h>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// A start that must not be: one message that says what to do, the exit code of README.md's table,
// and nothing touched.
namespace {
using namespace jumun::tests;
namespace storage = jumun::storage;
namespace fs = std::filesystem;

finished start_on(const fs::path& dir, std::vector<std::string> more = {}) {
  std::vector<std::string> args{
    "serve", "--data-dir", dir.string(), "--port", "0", "--ops-port", "0"};
  args.insert(args.end(), more.begin(), more.end());
  return run_jumun(args);
}
bool says(const finished& f, const std::string& what) {
  return f.err.find(what) != std::string::npos;
}

/// A folder in which one order was paid, and its server stopped. @returns the order's id
std::string fill(const fs::path& dir) {
  server at{dir};
  shop_client shop{at};
  shop.sell("tea", 100, 10);
  const auto id = shop.placed("tok_approve", {{"tea", 3}});
  shop.wait_settled(id);
  if (at.stop() != 0) throw std::runtime_error("the server did not stop well:\n" + at.log());
  return id;
}
/// Throws unless the folder still serves what fill() put there.
void check_filled(const fs::path& dir, const std::string& id) {
  server at{dir};
  shop_client shop{at};
  CHECK(shop.order(id).at("status") == "preparing");
  CHECK(shop.figures("tea") == "7/0/7");
  CHECK(shop.complaints() == texts{});
  CHECK(at.stop() == 0);
}

void write_meta(const fs::path& dir, const std::string& key, const std::string& value) {
  auto opened = storage::open_rocks({dir.string(), 16 << 20, /*create=*/false});
  REQUIRE(std::holds_alternative<std::shared_ptr<storage::store>>(opened));
  REQUIRE_FALSE(std::get<0>(opened)->apply({{storage::table::meta, key, value}}));
}

/// A port of 127.0.0.1 that somebody else listens on.
class occupied_port {
public:
  occupied_port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof here;
    auto* at = reinterpret_cast<::sockaddr*>(&here);
    if (fd_ < 0 || ::bind(fd_, at, size) != 0 || ::listen(fd_, 1) != 0
        || ::getsockname(fd_, at, &size) != 0)
      throw std::runtime_error("cannot occupy a port");
    number = std::to_string(ntohs(here.sin_port));
  }
  ~occupied_port() { ::close(fd_); }
  occupied_port(const occupied_port&) = delete;
  occupied_port& operator=(const occupied_port&) = delete;
  std::string number;

private:
  int fd_;
};
} // namespace

TEST_CASE("a folder that a running server holds is refused, and that server goes on", "[startup]") {
  open_shop at;
  auto shop = at.client();
  shop.sell("tea", 100, 10);
  const auto dir = at.at.data_dir();
  const auto second = start_on(dir);
  CAPTURE(second.err);
  CHECK(second.how.exit_code == 3);
  CHECK(says(second, dir.string()));
  CHECK(says(second, "process " + std::to_string(at.at.child().pid())));
  const auto check = run_jumun({"check", dir.string()});
  CHECK(check.how.exit_code == 3);
  CHECK(says(check, dir.string()));
  CHECK(shop.wait_settled(shop.placed("tok_approve", {{"tea", 3}})).at("status") == "preparing");
  CHECK(at.at.stop() == 0);
}

TEST_CASE("a folder of a newer format is refused and left as it is", "[startup]") {
  const temp_dir tmp;
  const auto dir = tmp.path() / "data";
  const auto id = fill(dir);
  const auto kept = tmp.path() / "kept";
  fs::copy(dir, kept, fs::copy_options::recursive);
  write_meta(dir, "format", "99");
  for (int i = 0; i < 2; ++i) { // also the second time: the first has changed nothing
    const auto refused = start_on(dir);
    CAPTURE(refused.err);
    CHECK(refused.how.exit_code == 4);
    CHECK(says(refused, dir.string()));
    CHECK(says(refused, "data format 99"));
    CHECK(run_jumun({"check", dir.string()}).how.exit_code == 4);
  }
  check_filled(kept, id); // the same rows, as they were before the newer release came by
}

TEST_CASE("a folder that holds something else is refused and left as it is", "[startup]") {
  const temp_dir tmp;
  std::ofstream{tmp.path() / "thesis.txt"} << "years of work";
  const auto refused = start_on(tmp.path());
  CAPTURE(refused.err);
  CHECK(refused.how.exit_code == 8);
  CHECK(says(refused, tmp.path().string()));
  CHECK(std::distance(fs::directory_iterator{tmp.path()}, fs::directory_iterator{}) == 1);
  const auto file = start_on(tmp.path() / "thesis.txt");
  CHECK(file.how.exit_code == 8);
  CHECK(fs::file_size(tmp.path() / "thesis.txt") == 13);
  CHECK(run_jumun({"check", (tmp.path() / "missing").string()}).how.exit_code == 8);
  CHECK_FALSE(fs::exists(tmp.path() / "missing"));
}

TEST_CASE("a damaged database is refused as damage, and a damaged ledger too", "[startup]") {
  const temp_dir tmp;
  const auto dir = tmp.path() / "data";
  fill(dir);
  SECTION("the ledger's first line") {
    std::fstream bytes{dir / "simulator" / "ledger.jsonl", std::ios::in | std::ios::out};
    bytes.seekp(3);
    bytes << "rust";
    bytes.close();
    const auto check = run_jumun({"check", dir.string()});
    CHECK(check.how.exit_code == 7);
    CHECK(says(check, "ledger.jsonl"));
  }
  SECTION("the manifest") {
    for (const auto& file : fs::directory_iterator{dir})
      if (file.path().filename().string().starts_with("MANIFEST-")) {
        std::fstream bytes{file.path(), std::ios::in | std::ios::out | std::ios::binary};
        bytes.seekp(20);
        bytes << "rust";
      }
    CHECK(run_jumun({"check", dir.string()}).how.exit_code == 7);
  }
  const auto refused = start_on(dir);
  CAPTURE(refused.err);
  CHECK(refused.how.exit_code == 7);
  CHECK(says(refused, dir.string()));
}

TEST_CASE("a port that somebody has is refused, and the folder is as before", "[startup]") {
  const temp_dir tmp;
  const auto dir = tmp.path() / "data";
  const auto id = fill(dir);
  const occupied_port taken;
  const bool of_ops = GENERATE(false, true);
  std::vector<std::string> args{
    "serve", "--data-dir", dir.string(), "--port", "0", "--ops-port", "0"};
  args[of_ops ? 6 : 4] = taken.number;
  const auto refused = run_jumun(args);
  CAPTURE(refused.err);
  CHECK(refused.how.exit_code == 9);
  CHECK(says(refused, "127.0.0.1:" + taken.number));
  CHECK(refused.out.empty());
  check_filled(dir, id);
}

TEST_CASE("an address that others could reach is refused without auth", "[startup]") {
  const temp_dir tmp;
  const auto dir = tmp.path() / "data";
  const std::string flag = GENERATE("bind", "ops-bind");
  const std::string address = GENERATE("0.0.0.0", "::", "192.0.2.7");
  const auto refused = start_on(dir, {"--" + flag, address});
  CAPTURE(flag, address, refused.err);
  CHECK(refused.how.exit_code == 2);
  CHECK(says(refused, "no auth is configured"));
  CHECK(says(refused, flag + ": \"" + address + "\""));
  CHECK(says(refused, "allowed: a loopback address"));
  CHECK(says(refused, "jumun keys add --file keys.json --role admin"));
  CHECK_FALSE(fs::exists(dir)); // nothing was touched
}

TEST_CASE("a wrong flag is refused with what is allowed, before anything is touched", "[startup]") {
  struct mistake {
    std::vector<std::string> args;
    std::string said;
  };
  const auto table = std::vector<mistake>{
    {{"--max-requests", "0"}, "--max-requests: \"0\" is not allowed; allowed: 1.."},
    {{"--memory-mb", "lots"}, "--memory-mb: \"lots\" is not allowed; allowed: 64.."},
    {{"--drain-grace-ms", "-1"}, "--drain-grace-ms: \"-1\" is not allowed; allowed: 0.."},
    {{"--disk-free-min-pct", "51"}, "allowed: 0..50 %"},
    {{"--bind", "localhost"}, "--bind: \"localhost\" is not allowed; allowed: an IPv4 or IPv6"},
    {{"--log-level", "loud"}, "allowed: debug, info, warn, error"},
    {{"--delivery-countries", "kr"}, "ISO 3166"},
    {{"--config", "/nowhere/jumun.conf"}, "/nowhere/jumun.conf"},
    {{"--frobnicate"}, "--frobnicate"},
    {{"--port"}, "--port"},
  };
  for (const auto& [args, said] : table) {
    const temp_dir tmp;
    const auto dir = tmp.path() / "data";
    const auto refused = start_on(dir, args);
    CAPTURE(args, refused.err, said);
    CHECK(refused.how.exit_code == 2);
    CHECK(says(refused, said));
    CHECK(refused.out.empty());
    CHECK_FALSE(fs::exists(dir));
  }
}

TEST_CASE("commands that only tell something tell it and end", "[startup]") {
  const auto version = run_jumun({"version"});
  CHECK(version.how.exit_code == 0);
  CHECK(version.out.starts_with("jumun "));
  const std::vector<std::vector<std::string>> helps{
    {"--help"}, {"serve", "--help"}, {"check", "--help"}, {"bench", "--help"}};
  for (const auto& args : helps) {
    const auto help = run_jumun(args);
    CAPTURE(args);
    CHECK(help.how.exit_code == 0);
    CHECK(help.out.find("Usage") != std::string::npos);
  }
  CHECK(run_jumun({}).how.exit_code == 2);
  CHECK(run_jumun({"fly"}).how.exit_code == 2);
}
