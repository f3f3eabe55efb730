#include "tests/history/wire.hpp"
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace jumun::tests::history {
namespace {
constexpr ::timeval patience{30, 0};

std::int64_t number_at(std::string_view text) {
  std::int64_t n = -1;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  return r.ec == std::errc{} ? n : -1;
}
/// What is behind `name` in a head; our own server spells its fields so.
std::string_view behind(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  return at == std::string_view::npos ? std::string_view{} : head.substr(at + name.size());
}
} // namespace

bool wire::open(std::uint16_t port) {
  close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) != 0)
    return close(), false;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return true;
}

void wire::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  held_.clear();
  used_ = 0;
}

bool wire::write(std::string_view bytes) {
  while (is_open() && !bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return close(), false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return is_open();
}

bool wire::fill() {
  if (used_ > 0) held_.erase(0, used_), used_ = 0;
  std::array<char, 16 * 1024> block;
  const auto n = is_open() ? ::recv(fd_, block.data(), block.size(), 0) : 0;
  if (n <= 0) return close(), false;
  held_.append(block.data(), static_cast<std::size_t>(n));
  return true;
}

bool wire::read(answer& into) {
  std::size_t stop = 0;
  while ((stop = held_.find("\r\n\r\n", used_)) == std::string::npos)
    if (!fill()) return false;
  const auto head = std::string_view{held_}.substr(used_, stop - used_);
  into.status = static_cast<int>(number_at(head.substr(std::min<std::size_t>(head.size(), 9))));
  const auto tag = behind(head, "ETag: \"");
  into.version = number_at(tag);
  const auto dash = tag.substr(0, tag.find('"')).find('-');
  into.stock_version = dash == std::string_view::npos ? -1 : number_at(tag.substr(dash + 1));
  into.replayed = head.find("Idempotency-Replayed: true") != std::string_view::npos;
  const auto length = number_at(behind(head, "Content-Length: "));
  const bool last = head.find("Connection: close") != std::string_view::npos;
  const auto bytes = static_cast<std::size_t>(length < 0 ? 0 : length);
  used_ = stop + 4;
  while (held_.size() - used_ < bytes)
    if (!fill()) return false;
  into.body.assign(held_, used_, bytes);
  used_ += bytes;
  if (last) close();
  return true;
}

std::int64_t number_in(std::string_view body, std::string_view name) {
  return number_at(behind(body, '"' + std::string{name} + "\":"));
}
std::string_view text_in(std::string_view body, std::string_view name) {
  const auto text = behind(body, '"' + std::string{name} + "\":\"");
  return text.substr(0, text.find('"'));
}
std::uint64_t digest_of(std::string_view bytes, std::uint64_t seed) {
  auto h = 0xcbf29ce484222325U ^ seed;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return h == 0 ? 1 : h;
}
} // namespace jumun::tests::history
