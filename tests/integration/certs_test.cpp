#include "tests/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

// `jumun certs` as people call it; what it makes is judged by the openssl program.
namespace {
using namespace jumun::tests;
namespace fs = std::filesystem;

finished certs(const std::string& verb, const fs::path& dir, std::vector<std::string> more = {}) {
  std::vector<std::string> args{"certs", verb, "--dir", dir.string()};
  args.insert(args.end(), more.begin(), more.end());
  return run_jumun(args);
}
std::string text_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}
unsigned mode_of(const fs::path& path) {
  struct stat is {};
  return ::stat(path.c_str(), &is) == 0 ? is.st_mode & 0777U : 0;
}
std::string openssl(const std::string& args) {
  std::string out;
  auto* const pipe = ::popen(("openssl " + args + " 2>&1").c_str(), "r");
  char part[512];
  while (std::fgets(part, sizeof part, pipe) != nullptr) out += part;
  ::pclose(pipe);
  return out;
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
} // namespace

TEST_CASE("jumun certs makes an authority, and nodes whose names it vouches for", "[certs]") {
  temp_dir at;
  const auto dir = at.path() / "new" / "certs";
  const auto ca = certs("ca", dir, {"--cluster", "shop"});
  REQUIRE(ca.how.exit_code == 0);
  CHECK(has(ca.out, "the authority of cluster \"shop\", until "));
  const auto node = certs("node", dir,
    {"--cluster", "shop", "--node", "node-1", "--host", "10.0.0.7", "--host", "n1.example"});
  REQUIRE(node.how.exit_code == 0);
  CHECK(has(node.out, "jumun://shop/node-1"));
  CHECK(has(node.out, "--cluster-cert " + (dir / "node-1.pem").string()));
  CHECK(mode_of(dir / "ca.key") == 0600);
  CHECK(mode_of(dir / "node-1.key") == 0600);
  CHECK(mode_of(dir / "node-1.pem") == 0644);
  const auto ca_pem = (dir / "ca.pem").string(), pem = (dir / "node-1.pem").string();
  for (const std::string purpose : {"sslclient", "sslserver"})
    CHECK(has(openssl("verify -x509_strict -purpose " + purpose + " -CAfile " + ca_pem + " " + pem),
      ": OK"));
  const auto said = openssl("x509 -noout -text -in " + pem);
  CHECK(has(said, "URI:jumun://shop/node-1, IP Address:10.0.0.7, DNS:n1.example"));
  CHECK(has(said, "CA:FALSE"));
  CHECK(has(said, "prime256v1"));
  CHECK(has(openssl("x509 -noout -text -in " + ca_pem), "CA:TRUE, pathlen:0"));
  CHECK(openssl("x509 -noout -pubkey -in " + pem)
        == openssl("pkey -pubout -in " + (dir / "node-1.key").string()));
  const auto ends = [&](const std::string& days) {
    return openssl("x509 -noout -in " + pem + " -checkend " + days + "0000");
  };
  CHECK(has(ends("3150"), "will not expire")); // 364.6 days
  CHECK(has(ends("3160"), "will expire"));     // 365.7
  REQUIRE(
    certs("node", dir, {"--cluster", "shop", "--node", "b", "--days", "3650"}).how.exit_code == 0);
}

TEST_CASE("the authority may be in another folder than what it vouches for", "[certs]") {
  temp_dir at;
  const auto authority = at.path() / "authority", node = at.path() / "node";
  fs::create_directory(node);
  REQUIRE(certs("ca", authority, {"--cluster", "shop"}).how.exit_code == 0);
  const std::vector<std::string> a{"--cluster", "shop", "--node", "a"};
  CHECK(certs("node", node, a).how.exit_code == 2);
  auto there = a;
  there.insert(there.end(), {"--ca-dir", authority.string()});
  REQUIRE(certs("node", node, there).how.exit_code == 0);
  CHECK(has(
    openssl("verify -CAfile " + (authority / "ca.pem").string() + " " + (node / "a.pem").string()),
    ": OK"));
  CHECK_FALSE(fs::exists(node / "ca.key"));
}

TEST_CASE("jumun certs never overwrites unless it is told to", "[certs]") {
  temp_dir at;
  const std::vector<std::string> shop{"--cluster", "shop"}, a{"--cluster", "shop", "--node", "a"};
  REQUIRE(certs("ca", at.path(), shop).how.exit_code == 0);
  REQUIRE(certs("node", at.path(), a).how.exit_code == 0);
  for (const std::string name : {"ca.pem", "ca.key", "a.pem", "a.key"}) {
    const auto before = text_of(at.path() / name);
    const auto other = at.path()
                       / (name[0] == 'c' ? (name == "ca.pem" ? "ca.key" : "ca.pem")
                                         : (name == "a.pem" ? "a.key" : "a.pem"));
    fs::rename(other, at.path() / "aside"); // one of the two is enough
    const auto again = name[0] == 'c' ? certs("ca", at.path(), shop) : certs("node", at.path(), a);
    fs::rename(at.path() / "aside", other);
    CHECK(again.how.exit_code == 2);
    CHECK(has(again.err, "--force"));
    CHECK(text_of(at.path() / name) == before);
  }
  auto forced = a;
  forced.push_back("--force");
  const auto before = text_of(at.path() / "a.key");
  CHECK(certs("node", at.path(), forced).how.exit_code == 0);
  CHECK(text_of(at.path() / "a.key") != before);
  CHECK(mode_of(at.path() / "a.key") == 0600);
}

TEST_CASE("jumun certs names what is wrong, and what is allowed", "[certs]") {
  temp_dir at;
  const auto wrong = [&](const std::string& verb, std::vector<std::string> args,
                       const std::string& part) {
    const auto done = certs(verb, at.path(), std::move(args));
    CAPTURE(verb, part, done.err);
    CHECK(done.how.exit_code == 2);
    CHECK(has(done.err, part));
  };
  const std::string names = "allowed: 1..63 of a-z, 0-9 and -";
  wrong("node", {"--cluster", "shop", "--node", "a"}, "`jumun certs ca` makes an authority");
  for (const std::string bad : {"", "Shop", "a/b", "a b", "a.b", "ä"})
    wrong("ca", {"--cluster", bad}, names);
  wrong("ca", {"--cluster", std::string(64, 'x')}, names);
  for (const std::string days : {"0", "-1", "3651"})
    wrong("ca", {"--cluster", "shop", "--days", days}, "1..3650");
  wrong("ca", {"--cluster", "shop", "--days", "many"}, "--days");
  wrong("ca", {}, "--cluster");
  CHECK(certs("ca", at.path() / "long", {"--cluster", std::string(63, 'x')}).how.exit_code == 0);
  fs::remove_all(at.path() / "long");
  CHECK(fs::is_empty(at.path()));
  REQUIRE(certs("ca", at.path(), {"--cluster", "shop", "--days", "30"}).how.exit_code == 0);
  wrong("node", {"--cluster", "shop", "--node", "A"}, names);
  wrong("node", {"--cluster", "shop", "--node", "../x"}, names);
  wrong("node", {"--cluster", "shop", "--node", "ca"}, "any but \"ca\"");
  wrong("node", {"--cluster", "bank", "--node", "a"}, "is of cluster \"shop\"");
  wrong("node", {"--cluster", "shop", "--node", "a"}, "at most 30: the authority ends on");
  wrong("node",
    {"--cluster", "shop", "--node", "a", "--days", "5", "--host", "a,URI:jumun://shop/b"},
    "--host");
  CHECK_FALSE(fs::exists(at.path() / "a.pem"));
  std::ofstream{at.path() / "ca.key"} << "garbage";
  wrong("node", {"--cluster", "shop", "--node", "a", "--days", "5"}, "key is none in PEM");
  const auto help = run_jumun({"certs", "node", "--help"});
  CHECK(help.how.exit_code == 0);
  CHECK(has(help.out, "default 365"));
}
