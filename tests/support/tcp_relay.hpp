#pragma once
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace jumun::tests {
/// A loopback port that leads to another one, for as long as the test likes: a tunnel without TLS.
class tcp_relay {
public:
  explicit tcp_relay(std::uint16_t to) : to_{to}, wake_{::eventfd(0, EFD_NONBLOCK)} {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    auto here = address(0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0
        || ::listen(listener_, 16) != 0)
      throw std::runtime_error{"tcp_relay: can't listen"};
    socklen_t size = sizeof here;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }
  ~tcp_relay() {
    ended_ = true;
    ring();
    thread_.join();
    ::close(listener_);
    ::close(wake_);
  }
  tcp_relay(const tcp_relay&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Frozen, nothing passes and nothing is closed: what a cut cable looks like from its ends. So
  /// from the moment that this returns.
  void freeze(bool yes) {
    frozen_ = yes;
    ring();
    obeyed_.wait(!yes);
  }
  /// Closes what is open.
  void cut() {
    cut_ = true;
    ring();
  }

private:
  struct pipe {
    int in = -1, out = -1;
  };
  static sockaddr_in address(std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
  }
  void ring() {
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
  }
  void accept() {
    pipe p;
    p.in = ::accept(listener_, nullptr, nullptr);
    p.out = ::socket(AF_INET, SOCK_STREAM, 0);
    auto there = address(to_);
    if (p.in >= 0 && ::connect(p.out, reinterpret_cast<sockaddr*>(&there), sizeof there) == 0)
      pipes_.push_back(p);
    else
      ::close(p.in), ::close(p.out);
  }
  /// False: one side has closed.
  static bool pass(int from, int to) {
    std::array<char, 65'536> buffer{};
    const auto n = ::recv(from, buffer.data(), buffer.size(), 0);
    for (ssize_t sent = 0; sent < n;) {
      const auto m =
        ::send(to, buffer.data() + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
      if (m <= 0) return false;
      sent += m;
    }
    return n > 0;
  }
  void run() {
    while (!ended_) {
      std::vector<pollfd> on{{wake_, POLLIN, 0}};
      const bool frozen = frozen_;
      obeyed_ = frozen;
      obeyed_.notify_all();
      if (!frozen) {
        on.push_back({listener_, POLLIN, 0});
        for (const auto& p : pipes_)
          on.push_back({p.in, POLLIN, 0}), on.push_back({p.out, POLLIN, 0});
      }
      ::poll(on.data(), on.size(), -1);
      std::uint64_t rung = 0;
      (void)!::read(wake_, &rung, sizeof rung);
      const bool all = cut_.exchange(false) || ended_;
      std::size_t i = 2;
      for (auto p = pipes_.begin(); p != pipes_.end(); i += 2) {
        const bool watched = i + 1 < on.size();
        const bool open = !all && (!watched || on[i].revents == 0 || pass(p->in, p->out))
                          && (!watched || on[i + 1].revents == 0 || pass(p->out, p->in));
        if (!open) ::close(p->in), ::close(p->out);
        p = open ? std::next(p) : pipes_.erase(p);
      }
      if (on.size() > 1 && on[1].revents != 0) accept();
    }
  }

  const std::uint16_t to_;
  const int wake_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::list<pipe> pipes_; // of the thread alone
  std::atomic<bool> ended_ = false, frozen_ = false, obeyed_ = false, cut_ = false;
  std::thread thread_;
};
} // namespace jumun::tests
