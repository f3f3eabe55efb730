#pragma once
#include "domain/limits.hpp"
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jumun::app {
struct outbound_request {
  std::string method; // GET, POST, PUT, DELETE, …
  std::string url;    // http or https, with a host; without user or password
  std::vector<std::pair<std::string, std::string>> headers; // may hold secrets
  std::string body;
  std::chrono::milliseconds deadline{0}; // for all of it, from send() to the answer's last byte
  std::size_t response_bytes_max = 0;    // of the body; a longer one is no answer
  /// False: only addresses of the open Internet are connected to. Judged when the name has been
  /// resolved, for each connection (a kept one too), so that a DNS answer that changes gets no
  /// further.
  bool allow_private = true;
};

struct outbound_response {
  int status = 0;                                           // 0: no whole answer came
  std::vector<std::pair<std::string, std::string>> headers; // names in lower case
  std::string body;
  std::string error; // with status 0: why. One of few fixed texts: no URL, address or content
  /// With status 0: no byte of the request has left. False: it may have been carried out.
  bool surely_not_sent = false;

  /// Value of the first such header (name in lower case); empty: none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

/// An HTTP/1.1 client (libcurl) on a thread of its own. Certificates are always verified (TLS 1.2
/// or newer). No redirects (a 3xx is an answer), no cookies, no decompression, no proxy: the
/// environment's http_proxy and ~/.netrc are not looked at. Connections are kept and used again. A
/// kept connection that the other side closes just as it is used again may make libcurl send the
/// same request a second time: what is sent must be idempotent, or bear a key that makes it so.
class outbound_client {
public:
  struct options {
    std::string ca_file; // PEM; empty: the system's
    std::string user_agent = "jumun";
    std::size_t connections_per_host = limits::outbound_connections_per_host; // more wait
  };
  explicit outbound_client(options how);
  /// Whoever still waits hears an error, on the client's thread. Blocks for that alone.
  ~outbound_client();
  outbound_client(const outbound_client&) = delete;
  outbound_client& operator=(const outbound_client&) = delete;

  /// Calls `then` exactly once, on the client's thread; it must neither block nor throw, and may
  /// send() again. Never blocks. What can't be sent (a bad URL, a line break in a header, more than
  /// limits::outbound_waiting_max at once) is an error like any other. Thread-safe.
  void send(outbound_request what, std::function<void(outbound_response)> then);

private:
  class worker;
  std::unique_ptr<worker> worker_;
};
} // namespace jumun::app
