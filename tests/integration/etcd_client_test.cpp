#include "cluster/etcd/client.hpp"
#include "tests/catch.hpp"
#include "tests/support/etcd_node.hpp"
#include "tests/support/etcd_server.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/tls_identity.hpp"
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>

// The client of etcd's gateway: against Debian's etcd, and against servers that are none.
using namespace jumun;
using namespace jumun::tests;
using namespace std::chrono_literals;
namespace etcd = jumun::cluster::etcd;
using kind = etcd::failure::kind;

namespace {
/// A client whose calls block.
class blocking_client {
public:
  explicit blocking_client(etcd::options how) : client_{io_, std::move(how)} {}
  explicit blocking_client(const std::vector<std::string>& urls)
      : blocking_client{options_for(urls)} {}
  static etcd::options options_for(const std::vector<std::string>& urls) {
    etcd::options o;
    for (const auto& url : urls) o.endpoints.push_back(etcd::endpoint::parse(url).value());
    o.deadline = 500ms * slowness;
    return o;
  }
  template <class T> T run(etcd::net::awaitable<T> call) {
    auto result = etcd::net::co_spawn(io_, std::move(call), etcd::net::use_future);
    io_.restart();
    io_.run();
    return result.get();
  }
  etcd::result<etcd::range> read(const std::string& prefix) {
    return run(client_.read(prefix, false));
  }
  bool commit(std::vector<etcd::condition> if_all, std::vector<etcd::change_of_key> then) {
    return std::get<bool>(run(client_.commit(std::move(if_all), std::move(then))));
  }
  etcd::failure failed_read() { return std::get<etcd::failure>(read("a")); }
  etcd::client& at() { return client_; }

private:
  etcd::net::io_context io_;
  etcd::client client_;
};

constexpr auto created = etcd::condition::of::created;
constexpr auto modified = etcd::condition::of::modified;
} // namespace

TEST_CASE("keys are read, written under conditions, and deleted", "[etcd]") {
  const etcd_servers server;
  blocking_client c{{server.url()}};
  const std::string odd{"/k\0\xff\"", 5};
  CHECK(c.commit({{created, odd, 0}}, {{odd, std::string{"v\0\n", 3}}, {"/l", ""}}));
  CHECK(!c.commit({{created, odd, 0}}, {{odd, "other"}}));
  auto all = std::get<etcd::range>(c.read("/"));
  REQUIRE(all.rows.size() == 2);
  CHECK(all.rows[0].key == odd);
  CHECK(all.rows[0].value == std::string{"v\0\n", 3});
  CHECK(all.at.count == 2);
  const auto first = all.rows[0];
  CHECK(c.commit({{modified, odd, first.modified}}, {{odd, "next"}, {"/l", std::nullopt}}));
  CHECK(!c.commit({{modified, odd, first.modified}}, {{odd, "late"}}));
  all = std::get<etcd::range>(c.read("/"));
  REQUIRE(all.rows.size() == 1);
  CHECK(all.rows[0].value == "next");
  CHECK(all.rows[0].created == first.created);
  CHECK(all.rows[0].modified == all.at.revision);
  CHECK(std::get<etcd::range>(c.run(c.at().read("/", true))).at == all.at);
}

TEST_CASE("what is leased is gone with its lease", "[etcd]") {
  const etcd_servers server;
  blocking_client c{{server.url()}};
  const auto lease = std::get<std::int64_t>(c.run(c.at().grant(60s)));
  CHECK(c.commit({}, {{"/a", "x", lease}}));
  CHECK(std::get<etcd::range>(c.read("/")).rows.at(0).lease == lease);
  CHECK(std::get<etcd::lease_left>(c.run(c.at().keep_alive(lease))).left == 60s);
  CHECK(std::get<etcd::lease_left>(c.run(c.at().time_left(lease))).granted == 60s);
  CHECK(std::holds_alternative<std::monostate>(c.run(c.at().revoke(lease))));
  CHECK(std::get<etcd::range>(c.read("/")).rows.empty());
  CHECK(std::get<etcd::lease_left>(c.run(c.at().keep_alive(lease))).left == 0s);
  CHECK(std::get<etcd::lease_left>(c.run(c.at().time_left(lease))).left < 0s);
  const auto why = std::get<etcd::failure>(c.run(c.at().revoke(lease)));
  CHECK(why.why == kind::refused);
  CHECK(why.detail == "etcd refused: etcdserver: requested lease not found (" + server.url() + ")");
}

TEST_CASE("what is no etcd gets a clear error", "[etcd]") {
  struct sample {
    const char* what;
    std::string answer; // empty: it keeps silent
    kind why;
    std::string detail;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<sample> table{
    {"bytes", "\x16\x03\x01\x02 garbage\r\n\r\n", kind::garbled, "what answers is no etcd: "},
    {"a web page", "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", kind::garbled,
      "what answers is no etcd of version 3.4 or later: HTTP 404"},
    {"other JSON", ok + "Content-Length: 2\r\n\r\n{}", kind::garbled,
      "what answers is no etcd: its JSON has another form"},
    {"no JSON", ok + "Content-Length: 2\r\n\r\n{]", kind::garbled,
      "what answers is no etcd: its JSON has another form"},
    {"a body without bounds", ok + "Content-Length: 99999999\r\n\r\n{", kind::garbled,
      "what answers is no etcd: body limit exceeded"},
    {"a head without bounds", ok + "X: " + std::string(32 * 1024, 'x'), kind::garbled,
      "what answers is no etcd: "},
    {"a chunk's extension without bounds",
      ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(256 * 1024, 'x'), kind::garbled,
      "what answers is no etcd: "},
    {"half an answer", ok + "Content-Length: 9\r\n\r\n{", kind::lost, "no answer: "},
    {"silence", "", kind::lost, "no answer: "},
  };
  for (const auto& t : table) {
    const raw_server server{[&](raw_peer& peer) {
      if (peer.read_request().empty()) return;
      peer.write(t.answer);
      if (t.answer.empty()) peer.wait_closed();
    }};
    blocking_client c{{server.url("")}};
    const auto why = c.failed_read();
    CAPTURE(t.what, why.detail);
    CHECK(why.why == t.why);
    CHECK(why.detail.starts_with(t.detail));
    CHECK(why.detail.ends_with(" (" + server.url("") + ")"));
  }
  const auto closed = "http://127.0.0.1:" + std::to_string(free_ports(1).front());
  const auto refused = blocking_client{{closed}}.failed_read();
  CHECK(refused.why == kind::unreachable);
  CHECK(refused.detail == "can't connect: Connection refused (" + closed + ")");
  const auto nowhere = blocking_client{{"http://no-such-host.invalid:1"}}.failed_read();
  CHECK(nowhere.why == kind::unreachable);
  CHECK(nowhere.detail.starts_with("can't look up no-such-host.invalid: "));
}

TEST_CASE("a node that finds no etcd says what it found instead, and tries on", "[etcd]") {
  const raw_server server{[](raw_peer& peer) {
    while (!peer.read_request().empty()) peer.answer(200, "<html>");
  }};
  etcd_node n{{"n1", {server.url("")}}};
  n.until("it says so", [&] {
    return n.at().link().error
           == "what answers is no etcd: its JSON has another form (" + server.url("") + ")";
  });
  n.until("it tries on", [&] { return n.at().link().failures > 3; });
  CHECK(!n.has_refusal());
  CHECK(!n.now()->joined);
  CHECK(n.at().drain("n1") == cluster::change::unavailable);
}

TEST_CASE("the next endpoint is asked when one fails, and then first", "[etcd]") {
  const etcd_servers server;
  std::atomic<int> asked = 0;
  const raw_server silent{[&](raw_peer& peer) {
    while (!peer.read_request().empty()) ++asked;
  }};
  const auto closed = "http://127.0.0.1:" + std::to_string(free_ports(1).front());
  blocking_client c{{closed, silent.url(""), server.url()}};
  CHECK(c.commit({}, {{"/a", "x"}}));
  CHECK(asked == 1);
  CHECK(c.at().failures() == 2);
  CHECK(c.at().asked_last().text() == server.url());
  CHECK(std::get<etcd::range>(c.read("/")).rows.size() == 1);
  CHECK(asked == 1);
}

TEST_CASE("a kept connection that was closed meanwhile is replaced unnoticed", "[etcd]") {
  const raw_server server{[](raw_peer& peer) {
    peer.read_request();
    peer.answer(200, R"({"header":{"cluster_id":"1","revision":"1","raft_term":"1"}})");
  }};
  blocking_client c{{server.url("")}};
  for (int n = 0; n < 3; ++n) CHECK(std::holds_alternative<etcd::range>(c.read("/")));
  CHECK(c.at().failures() == 0);
  CHECK(server.connections() == 3);
}

TEST_CASE("a watch rings for each change, and ends with its server", "[etcd]") {
  etcd_servers server;
  blocking_client c{{server.url()}}, writer{{server.url()}};
  REQUIRE(std::holds_alternative<etcd::range>(c.read("/"))); // it has found its endpoint
  int rings = 0;
  const auto why = c.run(c.at().watch("/jumun/", [&] {
    if (++rings < 3)
      writer.commit({}, {{"/jumun/" + std::to_string(rings), "x"}});
    else
      server.kill();
  }));
  CHECK(rings == 3); // one for its begin
  CHECK(why.why == kind::lost);
}

TEST_CASE("settings that can't work are named before the start", "[etcd]") {
  const temp_dir dir;
  const auto file = [&](const std::string& name, const std::string& text) {
    std::ofstream{dir.path() / name} << text;
    return (dir.path() / name).string();
  };
  const auto me = make_tls_identity("localhost");
  auto o = blocking_client::options_for({"https://localhost:1"});
  o.tls.ca = file("ca", me.certificate);
  CHECK(etcd::fault_of(o) == "");
  o.tls.certificate = file("cert", me.certificate), o.tls.key = file("key", me.key);
  o.user = "root", o.password_file = file("password", "secret\n");
  CHECK(etcd::fault_of(o) == "");
  const auto fault = [&](auto spoil) {
    auto bad = o;
    spoil(bad);
    return etcd::fault_of(bad);
  };
  CHECK(fault([](auto& b) { b.endpoints.clear(); }) == "no endpoint is named");
  CHECK(fault([](auto& b) { b.tls.key.clear(); }) == "a certificate and its key go together");
  CHECK(fault([](auto& b) { b.user.clear(); }) == "a user and a password go together");
  CHECK(fault([](auto& b) { b.password_file = "/nowhere"; })
        == "can't read a password from the first line of /nowhere");
  CHECK(
    fault([](auto& b) { b.tls.ca = "/nowhere"; }).starts_with("the authorities' file /nowhere: "));
  const auto junk = file("junk", "junk");
  CHECK(fault([&](auto& b) { b.tls.certificate = junk; }).starts_with("the certificate " + junk));
  CHECK(fault([&](auto& b) { b.tls.key = junk; }).starts_with("the key " + junk));
}

TEST_CASE("etcd is asked over TLS, with a certificate on both sides", "[etcd]") {
  const temp_dir dir;
  const auto server_id = make_tls_identity("localhost"), client_id = make_tls_identity("client");
  const auto file = [&](const std::string& name, const std::string& text) {
    std::ofstream{dir.path() / name} << text;
    return (dir.path() / name).string();
  };
  const auto server_cert = file("server.pem", server_id.certificate);
  const auto client_cert = file("client.pem", client_id.certificate);
  const auto client_key = file("client.key", client_id.key);
  etcd_servers::options how;
  how.site = "https://localhost";
  how.more = {"--cert-file", server_cert, "--key-file", file("server.key", server_id.key),
    // etcd's gateway is a client of etcd's own, with the server's certificate.
    "--client-cert-auth", "--trusted-ca-file",
    file("trusted.pem", client_id.certificate + server_id.certificate)};
  how.ctl_more = {"--cacert", server_cert, "--cert", client_cert, "--key", client_key};
  const etcd_servers server{how};
  auto o = blocking_client::options_for({server.url()});
  o.tls = {server_cert, client_cert, client_key};
  CHECK(blocking_client{o}.commit({}, {{"/a", "x"}}));
  const auto fault = [&](auto spoil) {
    auto bad = o;
    spoil(bad);
    return blocking_client{bad}.failed_read();
  };
  const auto unknown_ca = fault([&](auto& b) { b.tls.ca = client_cert; });
  CHECK(unknown_ca.why == kind::unreachable);
  CHECK(unknown_ca.detail.starts_with("TLS failed: "));
  const auto other_name = fault([&](auto& b) { b.endpoints[0].host = "127.0.0.1"; });
  CHECK(other_name.detail.starts_with("TLS failed: certificate verify failed"));
  CHECK(fault([&](auto& b) { b.tls.certificate = b.tls.key = ""; }).why != kind::garbled);
  CHECK(fault([&](auto& b) { b.tls.key = "/nowhere"; }).why == kind::setup);
  CHECK(fault([&](auto& b) { b.endpoints[0].tls = false; }).why != kind::refused);
  etcd_node::options node{"n1", {server.url()}};
  node.tls = o.tls;
  etcd_node n{node};
  n.until_joined();
}

TEST_CASE("etcd is asked as a user, and again when it has forgotten the log-in", "[etcd]") {
  const temp_dir dir;
  const auto password = (dir.path() / "password").string();
  std::ofstream{password} << "open sesame\n";
  etcd_servers::options how;
  how.ctl_more = {"--user", "root:open sesame"};
  how.more = {"--bcrypt-cost", "4"};
  etcd_servers server{how};
  server.ctl({"user", "add", "root:open sesame"});
  server.ctl({"user", "grant-role", "root", "root"});
  server.ctl({"auth", "enable"});
  auto o = blocking_client::options_for({server.url()});
  CHECK(blocking_client{o}.failed_read().detail.starts_with("etcd refused: etcdserver: user name"));
  o.user = "root", o.password_file = password, o.deadline = patience;
  blocking_client c{o};
  CHECK(c.commit({}, {{"/a", "x"}}));
  server.kill();
  CHECK(c.failed_read().why != kind::refused);
  server.restart();
  CHECK(std::get<etcd::range>(c.read("/")).rows.size() == 1); // its token was of the last life
  std::ofstream{password} << "wrong";
  const auto why = blocking_client{o}.failed_read();
  CHECK(why.why == kind::refused);
  CHECK(why.detail.find("invalid user ID or password") != std::string::npos);
  CHECK(why.detail.find("wrong") == std::string::npos);
}
