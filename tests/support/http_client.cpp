#include "tests/support/http_client.hpp"
#include "tests/support/contract.hpp"
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace jumun::tests {
namespace {
/// How long a server may say nothing: a minute, or $JUMUN_TEST_SILENCE_MS, for people who would
/// rather ask somebody else.
int silence_ms_max() {
  static const char* const told = std::getenv("JUMUN_TEST_SILENCE_MS");
  static const int ms = told != nullptr ? std::atoi(told) : 60'000;
  return ms * slowness;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::system_category().message(errno));
}
std::string lower(std::string_view text) {
  std::string all{text};
  for (char& c : all) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return all;
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}
std::size_t number(std::string_view text, int base) {
  std::size_t n = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (error != std::errc{} || stop != text.data() + text.size())
    throw std::runtime_error("no number: " + std::string{text});
  return n;
}

/// `HTTP/1.1 201 Created` and the fields, without the empty line behind them.
response parse_head(std::string_view head) {
  response r;
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12)
    throw std::runtime_error("no HTTP/1.1 answer: " + std::string{head.substr(0, 80)});
  r.status = static_cast<int>(number(head.substr(9, 3), 10));
  while (!head.empty()) {
    const auto stop = head.find("\r\n");
    head.remove_prefix(stop == std::string_view::npos ? head.size() : stop + 2);
    const auto line = head.substr(0, head.find("\r\n"));
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) throw std::runtime_error("no field: " + std::string{line});
    auto& value = r.fields[lower(line.substr(0, colon))];
    value += (value.empty() ? "" : ", ") + std::string{trimmed(line.substr(colon + 1))};
  }
  return r;
}
} // namespace

std::string response::field(const std::string& name) const {
  const auto found = fields.find(lower(name));
  return found == fields.end() ? std::string{} : found->second;
}

client::client(client&& other) noexcept
    : bearer(std::move(other.bearer)), port_(other.port_), fd_(std::exchange(other.fd_, -1)),
      held_(std::move(other.held_)) {}

void client::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  held_.clear();
}

void client::connect() {
  if (fd_ >= 0) return;
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port_);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const ::timeval patience{silence_ms_max() / 1'000, silence_ms_max() % 1'000 * 1'000};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); // connect() heeds it
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) != 0) {
    const int why = errno;
    close();
    errno = why;
    fail("connect to port " + std::to_string(port_));
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void client::write(std::string_view bytes) {
  connect();
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool client::fill() {
  ::pollfd wait{fd_, POLLIN, 0};
  int ready = 0;
  do ready = ::poll(&wait, 1, silence_ms_max());
  while (ready < 0 && errno == EINTR);
  if (ready == 0) throw std::runtime_error("the server has been silent for too long");
  char block[16 * 1024];
  const auto got = ::recv(fd_, block, sizeof block, 0);
  if (got < 0 && errno == ECONNRESET) return false;
  if (got < 0) fail("recv");
  held_.append(block, static_cast<std::size_t>(got));
  return got > 0;
}

response client::read(bool head) {
  const auto need = [this](bool enough) {
    if (!enough && !fill()) throw std::runtime_error("closed before the answer was whole");
    return !enough;
  };
  while (need(held_.find("\r\n\r\n") != std::string::npos)) {}
  const auto stop = held_.find("\r\n\r\n");
  auto r = parse_head(std::string_view{held_}.substr(0, stop));
  held_.erase(0, stop + 4);
  if (r.status == 100) return read(head);
  const bool bodiless = head || r.status == 204 || r.status == 304;
  if (const auto length = r.field("content-length"); !bodiless && !length.empty()) {
    const auto bytes = number(length, 10);
    while (need(held_.size() >= bytes)) {}
    r.body = held_.substr(0, bytes);
    held_.erase(0, bytes);
  } else if (!bodiless && r.field("transfer-encoding") == "chunked") {
    for (std::size_t size = 1; size != 0;) {
      while (need(held_.find("\r\n") != std::string::npos)) {}
      const auto line = held_.find("\r\n");
      size = number(std::string_view{held_}.substr(0, line), 16);
      while (need(held_.size() >= line + 2 + size + 2)) {}
      r.body += held_.substr(line + 2, size);
      held_.erase(0, line + 2 + size + 2);
    }
  } else if (!bodiless) {
    while (fill()) {}
    r.body = std::exchange(held_, {});
  }
  if (lower(r.field("connection")) == "close") close();
  return r;
}

bool client::closed_by_peer() {
  if (fd_ < 0) return true;
  while (fill()) held_.clear();
  close();
  return true;
}

response client::exchange(const std::string& bytes, bool head) {
  // A server may close an idle connection; one that did is left before a request is lost on it.
  char next = 0;
  if (fd_ >= 0 && held_.empty() && ::recv(fd_, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0) close();
  write(bytes);
  return read(head);
}

response client::send(
  std::string_view method, std::string_view target, const std::string& body, const headers& with) {
  std::string bytes{method};
  bytes.append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_));
  bytes += "\r\n";
  for (const auto& [name, value] : with) bytes += name + ": " + value + "\r\n";
  if (!bearer.empty()) bytes += "Authorization: Bearer " + bearer + "\r\n";
  if (!body.empty() && with.count("Content-Type") == 0)
    bytes += "Content-Type: application/json\r\n";
  if (!body.empty() || method == "POST" || method == "PUT")
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  auto r = exchange(bytes + "\r\n" + body, method == "HEAD");
  if (const auto why = reply_fault(method, target, r); !why.empty()) throw unlike_contract(why);
  return r;
}

response client::post(std::string_view target, const nlohmann::json& body, headers with) {
  static std::atomic<std::uint64_t> last{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  with.emplace("Idempotency-Key", "test-" + std::to_string(now) + "-" + std::to_string(++last));
  return send("POST", target, body.dump(), with);
}

response client::wait_until(const std::string& target,
  const std::function<bool(const nlohmann::json&)>& enough, std::chrono::seconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  auto r = get(target);
  for (;;) {
    if (r.status == 200 && enough(r.json())) return r;
    const auto left =
      std::chrono::duration_cast<std::chrono::seconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      throw std::runtime_error(target + " did not come to what was waited for: " + r.body);
    const auto wait = std::min<std::int64_t>(left.count(), 10);
    // 304: nothing new within the wait; the answer at hand is still the newest.
    auto next =
      get(target, {{"If-None-Match", r.field("etag")}, {"Prefer", "wait=" + std::to_string(wait)}});
    if (next.status != 304) r = std::move(next);
    if (r.status != 200)
      throw std::runtime_error(target + ": " + std::to_string(r.status) + r.body);
  }
}
} // namespace jumun::tests
