#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/integration/raw_client.hpp"
#include "tests/support/shop_client.hpp"
#include "tests/support/tls_identity.hpp"
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

// HTTPS over real sockets, with OpenSSL's client side.
namespace {
using namespace jumun;
using namespace jumun::tests;
namespace asio = boost::asio;
namespace ssl = asio::ssl;
namespace fs = std::filesystem;
using boost::system::error_code;

struct wants {
  std::string trusts;    // PEM of the authority; empty: anybody
  int version_max = 0;   // 0: the newest
  std::string alpn = {}; // wire form; empty: none offered
};
/// A connection with its handshake done; throws when there is none.
class tls_client {
public:
  explicit tls_client(std::uint16_t port, const wants& how = {}) {
    if (!how.trusts.empty()) {
      context_.add_certificate_authority(asio::buffer(how.trusts));
      stream_.emplace(io_, context_);
      stream_->set_verify_mode(ssl::verify_peer);
      stream_->set_verify_callback(ssl::host_name_verification("shop.example"));
    } else {
      stream_.emplace(io_, context_);
    }
    auto* raw = stream_->native_handle();
    if (how.version_max) SSL_set_max_proto_version(raw, how.version_max);
    if (how.version_max) SSL_set_security_level(raw, 0), SSL_set_cipher_list(raw, "ALL");
    if (!how.alpn.empty())
      SSL_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(how.alpn.data()),
        static_cast<unsigned>(how.alpn.size()));
    stream_->next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream_->handshake(ssl::stream_base::client);
  }
  void send(const std::string& bytes) { asio::write(*stream_, asio::buffer(bytes)); }
  std::string last_head; // of the answer that status() has read
  /// Status of the next answer; its body is dropped. 0: the connection has ended.
  int status() {
    std::size_t head = 0;
    while ((head = held_.find("\r\n\r\n")) == std::string::npos)
      if (!fill()) return 0;
    const auto at = held_.find("Content-Length: ");
    const auto body = at < head ? std::stoul(held_.substr(at + 16)) : 0;
    while (held_.size() < head + 4 + body)
      if (!fill()) return 0;
    const auto code = std::stoi(held_.substr(9, 3));
    last_head = held_.substr(0, head);
    held_.erase(0, head + 4 + body);
    return code;
  }
  int get(const std::string& path) {
    send(get_request(path));
    return status();
  }
  /// True: the server said that it ends, rather than just to be gone.
  bool ends_orderly() {
    while (fill()) {}
    return ended_ == asio::error::eof;
  }
  [[nodiscard]] std::string version() { return SSL_get_version(stream_->native_handle()); }
  [[nodiscard]] std::string protocol() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream_->native_handle(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

private:
  bool fill() {
    char part[4096];
    const auto n = stream_->read_some(asio::buffer(part), ended_);
    held_.append(part, n);
    return !ended_;
  }
  asio::io_context io_;
  ssl::context context_{ssl::context::tls_client};
  std::optional<ssl::stream<asio::ip::tcp::socket>> stream_;
  std::string held_;
  error_code ended_;
};
bool connects(std::uint16_t port, const wants& how) {
  try {
    tls_client c{port, how};
    return c.get("/v1/products") == 200;
  } catch (const boost::system::system_error&) {
    return false;
  }
}

/// A fake shop behind TLS on both listeners.
struct tls_server {
  tls_identity name = make_tls_identity("shop.example");
  http::tls_slot slot;
  running_server s;
  explicit tls_server(http::server_options options = {})
      : s{std::move(options), [this](http::ports& to) {
            if (const auto why = slot.take(name.certificate, name.key))
              throw std::runtime_error{*why};
            to.public_tls = to.ops_tls = &slot;
          }} {}
};
} // namespace

TEST_CASE("HTTPS serves what HTTP serves, on both listeners", "[tls]") {
  tls_server at;
  const wants ours{at.name.certificate};
  tls_client c{at.s.port(), ours};
  CHECK(c.version() == "TLSv1.3");
  CHECK(c.get("/v1/products/americano") == 200);
  CHECK(c.get("/v1/products/none") == 404);
  CHECK(c.last_head.find("\r\nStrict-Transport-Security: max-age=31536000\r\n") < 1'000);
  std::string many;
  for (int i = 0; i < 50; ++i) many += get_request("/v1/products");
  c.send(many); // pipelined
  for (int i = 0; i < 50; ++i) CHECK(c.status() == 200);
  at.s.shop.figures = "{\"x\":\"" + std::string(3'000'000, 'x') + "\"}"; // more than sockets hold
  tls_client ops{at.s.ops(), ours};
  CHECK(ops.get("/readyz") == 200);
  CHECK(ops.get("/admin/v1/storage") == 200);
  CHECK(ops.get("/livez") == 200);
  // The end is said: a client can tell an answer cut short from a whole one.
  c.send(get_request("/v1/products", "Connection: close\r\n"));
  CHECK(c.status() == 200);
  CHECK(c.ends_orderly());
  tls_client bad{at.s.port(), ours};
  bad.send("POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"
           + std::string(50'000, 'x'));
  CHECK(bad.status() == 413); // though its body was still on the way
}

TEST_CASE("only TLS 1.2 and later is spoken, and only HTTP/1.1 in it", "[tls]") {
  tls_server at;
  const auto port = at.s.port();
  CHECK(connects(port, {{}, TLS1_2_VERSION}));
  CHECK_FALSE(connects(port, {{}, TLS1_1_VERSION}));
  CHECK_FALSE(connects(port, {{}, TLS1_VERSION}));
  CHECK(tls_client{port, {{}, 0, std::string{"\x02h2\x08http/1.1"}}}.protocol() == "http/1.1");
  CHECK(tls_client{port, {}}.protocol().empty());
  CHECK_FALSE(connects(port, {{}, 0, std::string{"\x02h2"}}));
  CHECK_FALSE(connects(port, {make_tls_identity("shop.example").certificate})); // not that one
}

TEST_CASE("plain HTTP at a TLS port, and a handshake that stalls, are closed", "[tls]") {
  http::server_options quick;
  quick.head_read_max = std::chrono::milliseconds{100};
  tls_server at{quick};
  raw_client plain{at.s.port()};
  plain.send(get_request("/v1/products"));
  CHECK(plain.rest().find("HTTP/") == std::string::npos);
  raw_client silent{at.s.port()};
  CHECK(silent.rest().empty()); // or it throws after 10 s
  raw_client slow{at.s.port()};
  slow.send("\x16\x03\x01"); // a record begins, and never ends
  CHECK(slow.rest().empty());
  tls_client idle_head{at.s.port()};
  idle_head.send("GET /v1/products HTT");
  CHECK(idle_head.status() == 408);
  CHECK(connects(at.s.port(), {}));
}

TEST_CASE("a new certificate serves new connections, and a bad one changes nothing", "[tls]") {
  const temp_dir dir;
  const auto cert = dir.path() / "cert.pem", key = dir.path() / "key.pem";
  const auto put = [](const fs::path& path, const std::string& text) {
    std::ofstream{path.string() + ".next"} << text;
    fs::rename(path.string() + ".next", path);
  };
  const auto first = make_tls_identity("shop.example"), second = make_tls_identity("shop.example");
  put(cert, first.certificate), put(key, first.key);
  const server at{
    dir.path() / "data", {"--tls-cert", cert.string(), "--tls-key", key.string(), "--ops-tls-cert",
                           cert.string(), "--ops-tls-key", key.string()}};
  const auto port = at.public_port();
  const wants by_first{first.certificate}, by_second{second.certificate};
  tls_client old{port, by_first};
  CHECK(old.get("/v1/products") == 200);
  CHECK_FALSE(connects(port, by_second));
  put(key, second.key); // the two do not fit each other
  ask_until([&] { return at.log().find("the key is") != std::string::npos; });
  CHECK(connects(port, by_first));
  put(cert, second.certificate);
  ask_until([&] { return connects(port, by_second); });
  CHECK_FALSE(connects(port, by_first));
  CHECK(old.get("/v1/products") == 200); // goes on with what it began with
  ask_until([&] {                        // the ops listener has its own
    try {
      return tls_client{at.ops_port(), by_second}.get("/readyz") == 200;
    } catch (const boost::system::system_error&) {
      return false;
    }
  });
}
