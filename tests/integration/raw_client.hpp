#pragma once
#include "http/head_check.hpp"
#include "tests/support/slowness.hpp"
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace jumun::tests {
struct raw_reply {
  int status = 0;
  std::string head;
  std::string body;

  /// Value of the first such field; empty: none.
  [[nodiscard]] std::string field(std::string_view name) const {
    for (std::size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
      const auto end = head.find("\r\n", at + 2);
      const std::string_view line{head.data() + at + 2, end - at - 2};
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || !http::same_text(line.substr(0, colon), name))
        continue;
      return std::string{http::trimmed(line.substr(colon + 1))};
    }
    return {};
  }
};

/// A client that sends what no decent one would. Blocking; gives up with an exception after 10 s.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, int receive_buffer = 0)
      : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
    const timeval patience{10 * slowness, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET, to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error{"connect failed"};
  }
  ~raw_client() {
    if (fd_ >= 0) ::close(fd_);
  }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// False: the other side does not take any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void shut_down() { ::shutdown(fd_, SHUT_WR); }
  void close() { ::close(std::exchange(fd_, -1)); }

  /// The next answer. `head_only`: it answers a HEAD, so it has no body.
  raw_reply read(bool head_only = false) {
    raw_reply r;
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) throw std::runtime_error{"closed before an answer: " + unread_};
    r.head = unread_.substr(0, end + 2);
    unread_.erase(0, end + 4);
    r.status = std::stoi(r.head.substr(9, 3));
    const auto length = r.field("content-length");
    const auto bytes = length.empty() || head_only ? 0 : std::stoul(length);
    while (unread_.size() < bytes)
      if (!receive()) throw std::runtime_error{"closed inside of a body"};
    r.body = unread_.substr(0, bytes);
    unread_.erase(0, bytes);
    return r;
  }
  raw_reply ask(std::string_view request) {
    send(request);
    return read();
  }
  /// Reads up to the end of the connection. True: by FIN; a reset may cost a client its answer.
  bool ends_orderly() {
    shut_down();
    while (receive()) {}
    return orderly_;
  }
  /// Everything up to the end of the connection, be it orderly or not.
  std::string rest() {
    while (receive()) {}
    return std::exchange(unread_, {});
  }

private:
  bool receive() {
    std::array<char, 16 * 1024> part;
    const auto n = ::recv(fd_, part.data(), part.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      throw std::runtime_error{"nothing came for 10 s"};
    orderly_ = n == 0;
    if (n <= 0) return false;
    unread_.append(part.data(), static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  std::string unread_;
  bool orderly_ = false;
};

[[nodiscard]] inline std::string get_request(
  std::string_view target, std::string_view fields = "", std::string_view method = "GET") {
  return std::string{method}
    .append(" ")
    .append(target)
    .append(" HTTP/1.1\r\nHost: test\r\n")
    .append(fields)
    .append("\r\n");
}
[[nodiscard]] inline std::string post_request(std::string_view target, std::string_view body,
  std::string_view fields = "", std::string_view method = "POST") {
  return std::string{method}
    .append(" ")
    .append(target)
    .append(" HTTP/1.1\r\nHost: test\r\n")
    .append("Content-Type: application/json\r\nContent-Length: ")
    .append(std::to_string(body.size()))
    .append("\r\n")
    .append(fields)
    .append("\r\n")
    .append(body);
}
} // namespace jumun::tests
