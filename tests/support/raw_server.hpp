#pragma once
#include "tests/support/process.hpp"
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

/// A server that answers whatever its test wants, byte for byte; for clients of ours.
namespace jumun::tests {
/// One accepted connection. Blocking; every call ends when the server is destroyed.
class raw_peer {
public:
  explicit raw_peer(int fd) : fd_(fd) {}
  /// The next request, head and body (by its Content-Length); empty: the other side has closed.
  std::string read_request() {
    std::size_t end = 0;
    while ((end = held_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return {};
    const auto at = held_.find("Content-Length: ");
    const auto body = at < end ? std::stoul(held_.substr(at + 16)) : 0;
    while (held_.size() < end + 4 + body)
      if (!receive()) return {};
    auto all = held_.substr(0, end + 4 + body);
    held_.erase(0, all.size());
    return all;
  }
  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void answer(int status, std::string_view body = {}, std::string_view fields = {}) const {
    write("HTTP/1.1 " + std::to_string(status)
          + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string{fields}
          + "\r\n" + std::string{body});
  }
  /// Ends it by RST instead of FIN.
  void reset() const {
    const linger none{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  void wait_closed() {
    while (receive()) {}
  }
  [[nodiscard]] int fd() const { return fd_; }

private:
  bool receive() {
    std::array<char, 4096> part;
    const auto n = ::recv(fd_, part.data(), part.size(), 0);
    if (n <= 0) return false;
    held_.append(part.data(), static_cast<std::size_t>(n));
    return true;
  }
  int fd_;
  std::string held_;
};

/// Listens on a free port of 127.0.0.1. `talk` has each connection on a thread of its own; the
/// connection ends when it returns.
class raw_server {
public:
  explicit raw_server(std::function<void(raw_peer&)> talk) : talk_(std::move(talk)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET, at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0
        || ::listen(listener_, 128) != 0
        || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error{"raw_server can't listen"};
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
  }
  ~raw_server() {
    stop_listening();
    {
      const std::lock_guard held{guard_};
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& t : talks_) t.join();
  }
  raw_server(const raw_server&) = delete;
  raw_server& operator=(const raw_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path = "/", const char* host = "127.0.0.1",
    const char* scheme = "http://") const {
    return scheme + std::string{host} + ":" + std::to_string(port_) + std::string{path};
  }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int most_at_once() const { return most_; }
  /// From now on a connection is refused. Not from `talk`.
  void stop_listening() {
    if (listener_ < 0) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(std::exchange(listener_, -1));
  }

private:
  void accept_all() {
    for (int fd = 0; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      ++connections_;
      const std::lock_guard held{guard_};
      open_.push_back(fd);
      most_ = std::max(most_.load(), static_cast<int>(open_.size()));
      talks_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    raw_peer peer{fd};
    talk_(peer);
    const std::lock_guard held{guard_};
    std::erase(open_, fd);
    ::close(fd);
  }

  std::function<void(raw_peer&)> talk_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0}, most_{0};
  std::mutex guard_;
  std::vector<int> open_;
  std::vector<std::thread> talks_; // the acceptor's until it has ended
  std::thread acceptor_;
};
} // namespace jumun::tests
