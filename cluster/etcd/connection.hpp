#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace jumun::cluster::etcd {
namespace net = boost::asio;

/// One server of an etcd cluster: http or https, host:port.
struct endpoint {
  bool tls = false;
  std::string host, port;
  [[nodiscard]] std::string text() const; // as it was parsed
  /// `http://host:port` or `https://…`, an IPv6 address in brackets, nothing behind the port.
  [[nodiscard]] static std::optional<endpoint> parse(std::string_view text);
};

/// Files that a connection is made with, read again for each new one. Paths; empty: none.
struct tls_files {
  std::string ca;                 // PEM; empty: the system's
  std::string certificate, key{}; // PEM, for an etcd that asks for a client's certificate
};

/// Why a call has no result. `detail` is for people; it holds no secret, and no content of ours.
struct failure {
  enum class kind : std::uint8_t {
    setup = 1,   // a file of ours can't be read, or is no PEM
    unreachable, // no connection, TLS included; nothing was sent
    lost,        // the connection broke, or the deadline passed: it may have been carried out
    garbled,     // what answered is not an etcd of a version that we know, or too long
    refused,     // etcd said no
  } why = kind::unreachable;
  std::string detail;
  int code = 0; // of gRPC, where etcd said no
};
template <class T> using result = std::variant<T, failure>;
/// What is wrong with the files; nullopt: a connection could be made with them. Blocks.
[[nodiscard]] std::optional<failure> fault_of(const tls_files& with);

struct reply {
  unsigned status = 0;
  std::string body;
};

/// One HTTP/1.1 connection to one endpoint, made when it is needed, kept, and made again. For one
/// thread; one call at a time. Certificates are always verified, and by the endpoint's host.
class connection {
public:
  connection(net::io_context& on, endpoint to, tls_files with);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// POSTs JSON. A kept connection that proves to be closed is replaced, and `body` sent again: it
  /// must be harmless to repeat. `token`: for Authorization; empty: none.
  [[nodiscard]] net::awaitable<result<reply>> call(
    std::string path, std::string body, std::string token, std::chrono::milliseconds deadline);
  /// POSTs JSON, and calls `heard` whenever some of an endless answer has come; what it was is
  /// dropped. Ends when the answer does, or nothing came for `silence`, or by cut().
  [[nodiscard]] net::awaitable<failure> listen(std::string path, std::string body,
    std::string token, std::chrono::milliseconds silence, std::function<void()> heard);
  /// Breaks off what is under way. From the same thread.
  void cut();

private:
  class wire;
  [[nodiscard]] net::awaitable<result<wire*>> ready(std::chrono::steady_clock::time_point due);

  net::io_context& on_;
  const endpoint to_;
  const tls_files with_;
  std::unique_ptr<wire> wire_; // null: not connected
};
} // namespace jumun::cluster::etcd
