#pragma once
#include "cluster/tunnel/big_endian.hpp"
#include "cluster/tunnel/frames.hpp"
#include "cluster/tunnel/peer_name.hpp"
#include "cluster/tunnel/tunnel.hpp"
#include "tests/support/slowness.hpp"
#include "transport/issue.hpp"
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <ctime>
#include <filesystem>
#include <future>
#include <map>
#include <thread>

/// Tunnels with real sockets in the test's own process, what they carry, and peers that misbehave.
namespace jumun::tests {
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
inline const tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

/// Turns until it is so. False: it is not, long after it should be.
template <class Predicate> bool eventually(Predicate so) {
  const auto until = std::chrono::steady_clock::now() + 20s * slowness;
  while (!so()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}
inline std::size_t open_files() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator{"/proc/self/fd"}) ++n;
  return n;
}

/// An authority and what it signs; good since a minute, for an hour.
struct authority {
  transport::validity when{std::time(nullptr) - 60, std::time(nullptr) + 3600};
  transport::identity_pem pem = transport::make_authority({"test", "authority"}, when);
  [[nodiscard]] transport::identity_pem sign(
    const std::string& cluster, const std::string& node, transport::validity good) const {
    return std::get<0>(transport::make_member(
      pem, {{cluster, node}, {cluster::peer_uri(cluster, node)}, {"127.0.0.1"}, good}));
  }
  [[nodiscard]] transport::identity_pem sign(
    const std::string& cluster, const std::string& node) const {
    return sign(cluster, node, when);
  }
};

/// What stands for CAF: gives back what it is sent, on a thread of its own, to one at a time or
/// many. `reads` false: it accepts, and reads nothing until it is true.
class echo_server {
public:
  explicit echo_server(bool reads = true) : reads_{reads} {
    accept();
    thread_ = std::thread{[this] { io_.run(); }};
  }
  ~echo_server() {
    io_.stop();
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void begin_to_read() {
    asio::post(io_, [this] {
      reads_ = true;
      for (const auto& one : all_) one->read();
    });
  }

private:
  struct session : std::enable_shared_from_this<session> {
    explicit session(tcp::socket from) : socket{std::move(from)} {}
    void read() {
      socket.async_read_some(asio::buffer(bytes), [self = shared_from_this()](
                                                    error_code ec, std::size_t n) {
        if (ec) return self->socket.close();
        asio::async_write(self->socket, asio::buffer(self->bytes, n),
          [self](error_code failed, std::size_t) { failed ? self->socket.close() : self->read(); });
      });
    }
    tcp::socket socket;
    std::array<char, 65'536> bytes;
  };
  void accept() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (ec) return;
      all_.push_back(std::make_shared<session>(std::move(socket)));
      if (reads_) all_.back()->read();
      accept();
    });
  }
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, loopback(0)};
  std::vector<std::shared_ptr<session>> all_;
  bool reads_;
  std::thread thread_;
};

/// For tests that are not about time: a machine that stands still for seconds cuts nobody.
inline cluster::tunnel_limits patient() {
  cluster::tunnel_limits within;
  within.first_byte_max = within.greeting_max = within.silence_max = 60s;
  return within;
}

/// A node: its tunnel, and the two threads that run it.
class tunnel_node {
public:
  explicit tunnel_node(std::string name, cluster::tunnel_limits within = patient(),
    bool plain = false, std::string cluster = "shop")
      : name_{name}, tunnel_{std::make_unique<cluster::tunnel>(io_,
                       cluster::tunnel_options{cluster, name, "127.0.0.1", 0, plain, within},
                       neighbours())} {}
  ~tunnel_node() { stop(); }

  void start(const authority& by, std::uint16_t caf_port) {
    const auto own = by.sign("shop", name_);
    if (auto why = tunnel_->take(own.certificate, own.key, by.pem.certificate))
      throw std::runtime_error{*why};
    start(caf_port);
  }
  void start(std::uint16_t caf_port) {
    if (auto why = tunnel_->start(caf_port)) throw std::runtime_error{*why};
    for (auto& thread : threads_) thread = std::thread{[this] { io_.run(); }};
  }
  /// Returns once the tunnel has no more work: by itself, nobody stops `io_`.
  void stop() {
    tunnel_->stop();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  /// Both ways.
  void meet(tunnel_node& other) {
    know(other.name_, other->port());
    other.know(name_, tunnel_->port());
  }
  void know(const std::string& node, std::uint16_t port) {
    const std::lock_guard lock{mutex_};
    known_[node] = port;
  }
  cluster::tunnel* operator->() { return tunnel_.get(); }
  [[nodiscard]] cluster::tunnel_peer_figures peer(const std::string& node) const {
    const auto all = tunnel_->figures();
    for (const auto& p : all.peers)
      if (p.node == node) return p;
    return {};
  }
  [[nodiscard]] std::uint64_t refused(cluster::tunnel_refusal why) const {
    return tunnel_->figures().refused[static_cast<std::size_t>(why)];
  }
  /// Lines of the log that start with `event`.
  [[nodiscard]] std::vector<std::string> said(const std::string& event) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> found;
    for (const auto& line : lines_)
      if (line.compare(0, event.size(), event) == 0) found.push_back(line);
    return found;
  }

private:
  cluster::tunnel_neighbours neighbours() {
    cluster::tunnel_neighbours n;
    n.expected = [this](const std::string& node) -> std::optional<cluster::peer_address> {
      const std::lock_guard lock{mutex_};
      const auto found = known_.find(node);
      if (found == known_.end()) return {};
      return cluster::peer_address{"127.0.0.1", found->second};
    };
    n.may_connect = [this](const std::string& node) {
      const std::lock_guard lock{mutex_};
      return known_.count(node) > 0;
    };
    n.say = [this](std::string_view event, const cluster::tunnel_neighbours::fields& with) {
      std::string line{event};
      for (const auto& [key, value] : with) line += " " + key + "=" + value;
      const std::lock_guard lock{mutex_};
      lines_.push_back(line);
    };
    return n;
  }
  const std::string name_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint16_t> known_;
  std::vector<std::string> lines_;
  asio::io_context io_;
  std::unique_ptr<cluster::tunnel> tunnel_;
  std::array<std::thread, 2> threads_;
};

/// Our CAF's end of a way; blocks.
class way_client {
public:
  explicit way_client(std::uint16_t way) { socket_.connect(loopback(way)); }
  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  /// Up to so many bytes; fewer: the connection has ended.
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    error_code ec;
    bytes.resize(asio::read(socket_, asio::buffer(bytes), ec));
    return bytes;
  }
  bool echoes(const std::string& bytes) {
    error_code ec;
    asio::write(socket_, asio::buffer(bytes), ec);
    return !ec && receive(bytes.size()) == bytes;
  }
  bool has_ended() { return receive(1).empty(); }
  void close() { socket_.close(); }
  tcp::socket& raw() { return socket_; }

private:
  asio::io_context io_;
  tcp::socket socket_{io_};
};

/// A stranger at a tunnel's listener, by OpenSSL's client side; says what it is told to.
class stranger {
public:
  /// `own` null: it shows no certificate. Believes whatever the tunnel shows.
  stranger(std::uint16_t port, const transport::identity_pem* own, int version_max = 0) {
    if (own != nullptr) {
      context_.use_certificate_chain(asio::buffer(own->certificate));
      context_.use_private_key(asio::buffer(own->key), asio::ssl::context::pem);
    }
    stream_.emplace(io_, context_);
    if (version_max) SSL_set_max_proto_version(stream_->native_handle(), version_max);
    stream_->next_layer().connect(loopback(port));
    stream_->handshake(asio::ssl::stream_base::client, failed_);
  }
  void say(cluster::frame_kind kind, const std::string& payload) {
    std::string bytes;
    cluster::append_frame(bytes, kind, payload);
    asio::write(*stream_, asio::buffer(bytes), failed_);
  }
  void greet(const std::string& from, const std::string& to, const std::string& cluster = "shop") {
    say(cluster::frame_kind::hello, cluster::render({1, 1 << 20, cluster, from, to}));
  }
  /// The next frame's kind and payload; nullopt: the connection has ended.
  std::optional<std::pair<cluster::frame_kind, std::string>> hear() {
    char head[cluster::frame_head_bytes];
    asio::read(*stream_, asio::buffer(head), failed_);
    if (failed_) return {};
    const auto word = cluster::get_big_endian<std::uint32_t>(head);
    std::string payload(word & 0xFF'FFFF, '\0');
    asio::read(*stream_, asio::buffer(payload), failed_);
    return std::pair{static_cast<cluster::frame_kind>(word >> 24), payload};
  }
  /// Why the tunnel ended it; `none` also where it did not say.
  cluster::tunnel_refusal end() {
    while (const auto frame = hear())
      if (frame->first == cluster::frame_kind::end)
        return static_cast<cluster::tunnel_refusal>(frame->second[0]);
    return cluster::tunnel_refusal::none;
  }
  /// What the tunnel showed, in a form that can be compared.
  std::string shown() {
    auto* const it = SSL_get0_peer_certificate(stream_->native_handle());
    std::string bytes(static_cast<std::size_t>(i2d_X509(it, nullptr)), '\0');
    auto* to = reinterpret_cast<unsigned char*>(bytes.data());
    i2d_X509(it, &to);
    return bytes;
  }
  [[nodiscard]] const error_code& failed() const { return failed_; }

private:
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_client};
  std::optional<asio::ssl::stream<tcp::socket>> stream_;
  error_code failed_;
};
} // namespace jumun::tests
