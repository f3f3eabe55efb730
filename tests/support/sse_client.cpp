#include "tests/support/sse_client.hpp"
#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace jumun::tests {
namespace {
constexpr int silence_ms_max = 60'000 * slowness;

int connected(std::uint16_t port, int receive_buffer) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  ::sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) == 0) return fd;
  ::close(fd);
  throw std::runtime_error("an event stream's connection was refused");
}

/// `name: value` of a frame (WHATWG HTML §9.2.6).
void take_line(sse_frame& into, std::string_view line) {
  const auto colon = std::min(line.find(':'), line.size());
  const auto name = line.substr(0, colon);
  auto value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name.empty()) into.comments.emplace_back(value);
  if (name == "id") into.id = value;
  if (name == "event") into.event = value;
  if (name == "retry") into.retry = value;
  if (name == "data") into.data += (into.data.empty() ? "" : "\n") + std::string{value};
}
} // namespace

sse_client::sse_client(std::uint16_t port, std::string_view target, const headers& with,
  int receive_buffer, std::string_view method, std::string_view version)
    : fd_(connected(port, receive_buffer)) {
  std::string head{method};
  head.append(" ").append(target).append(" ").append(version).append("\r\nHost: localhost\r\n");
  if (with.count("Accept") == 0) head += "Accept: text/event-stream\r\n";
  for (const auto& [name, value] : with) head += name + ": " + value + "\r\n";
  head += "\r\n";
  if (::send(fd_, head.data(), head.size(), MSG_NOSIGNAL) != static_cast<::ssize_t>(head.size()))
    throw std::runtime_error("an event stream's request was not taken");
  while (bytes_.find("\r\n\r\n") == std::string::npos)
    if (!fill()) throw std::runtime_error("closed before an answer");
  const auto end = bytes_.find("\r\n\r\n") + 2;
  status = std::stoi(bytes_.substr(9, 3));
  for (auto at = bytes_.find("\r\n") + 2; at < end;) {
    const auto stop = bytes_.find("\r\n", at);
    const auto colon = bytes_.find(':', at);
    auto name = bytes_.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(),
      [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    fields[name] = bytes_.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  bytes_.erase(0, end + 2);
  const auto coding = fields.find("transfer-encoding");
  chunked_ = coding != fields.end() && coding->second == "chunked";
}

sse_client::~sse_client() {
  if (fd_ >= 0) ::close(fd_);
}

sse_client::sse_client(sse_client&& other) noexcept
    : status(other.status), fields(std::move(other.fields)), fd_(std::exchange(other.fd_, -1)),
      chunked_(other.chunked_), ended_well_(other.ended_well_), last_chunk_(other.last_chunk_),
      bytes_(std::move(other.bytes_)), text_(std::move(other.text_)) {}

bool sse_client::fill() {
  ::pollfd wait{fd_, POLLIN, 0};
  if (::poll(&wait, 1, silence_ms_max) == 0)
    throw std::runtime_error("an event stream has been silent for too long");
  char block[64 * 1024];
  const auto got = ::recv(fd_, block, sizeof block, 0);
  if (got > 0) bytes_.append(block, static_cast<std::size_t>(got));
  return got > 0;
}

/// Moves whole chunks from bytes_ to text_. False: nothing more will come.
bool sse_client::decode() {
  if (!chunked_) {
    text_ += std::exchange(bytes_, {});
    return true;
  }
  for (;;) {
    const auto line = bytes_.find("\r\n");
    if (line == std::string::npos) return true;
    const auto size = std::stoul(bytes_.substr(0, line), nullptr, 16);
    if (bytes_.size() < line + 2 + size + 2) return true;
    text_ += bytes_.substr(line + 2, size);
    bytes_.erase(0, line + 2 + size + 2);
    if (size == 0) return !(last_chunk_ = true);
  }
}

std::optional<sse_frame> sse_client::next() {
  for (;;) {
    if (const auto end = text_.find("\n\n"); end != std::string::npos) {
      sse_frame f;
      for (std::size_t at = 0; at <= end;) {
        const auto stop = text_.find('\n', at);
        take_line(f, std::string_view{text_}.substr(at, stop - at));
        at = stop + 1;
      }
      text_.erase(0, end + 2);
      return f;
    }
    if (last_chunk_ || !decode() || (text_.find("\n\n") == std::string::npos && !fill())) {
      if (text_.find("\n\n") != std::string::npos) continue;
      ended_well_ = text_.empty() && (chunked_ ? last_chunk_ : true);
      return std::nullopt;
    }
  }
}

std::optional<sse_frame> sse_client::next_event() {
  for (;;) {
    auto f = next();
    if (!f || !f->data.empty()) return f;
  }
}

std::vector<sse_frame> sse_client::take(std::size_t n) {
  std::vector<sse_frame> all;
  while (all.size() < n) {
    auto f = next_event();
    if (!f) break;
    all.push_back(*std::move(f));
  }
  return all;
}

std::vector<sse_frame> sse_client::rest() { return take(SIZE_MAX); }

std::string sse_client::raw() {
  while (fill()) {}
  return text_ + bytes_;
}
} // namespace jumun::tests
