#pragma once
#include "tests/support/http_client.hpp"
#include <optional>
#include <vector>

/// A reader of text/event-stream that shares no code with the server. Every call blocks, and throws
/// std::runtime_error after 60 s of silence (times `slowness`).
namespace jumun::tests {
/// What lies between two empty lines.
struct sse_frame {
  std::string id, event, data, retry;
  std::vector<std::string> comments;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(data); }
  [[nodiscard]] std::uint64_t cursor() const { return std::stoull(id); }
};

class sse_client {
public:
  /// Asks for `target` and reads the head. `receive_buffer`: SO_RCVBUF, 0: as it is.
  sse_client(std::uint16_t port, std::string_view target, const headers& with = {},
    int receive_buffer = 0, std::string_view method = "GET", std::string_view version = "HTTP/1.1");
  ~sse_client();
  sse_client(sse_client&& other) noexcept;
  sse_client& operator=(sse_client&&) = delete;

  int status = 0;
  headers fields;
  /// The next frame, of whatever kind; nullopt: the stream has ended (see ended_well).
  std::optional<sse_frame> next();
  /// The next one with data.
  std::optional<sse_frame> next_event();
  /// Frames with data, until there are `n`, or the end.
  std::vector<sse_frame> take(std::size_t n);
  /// Everything that is still to come.
  std::vector<sse_frame> rest();
  /// After the end: by its last chunk, and not in the middle.
  [[nodiscard]] bool ended_well() const { return ended_well_; }
  /// What is left of the connection's bytes, up to its end.
  std::string raw();

private:
  bool fill();
  bool decode();

  int fd_ = -1;
  bool chunked_ = false, ended_well_ = false, last_chunk_ = false;
  std::string bytes_, text_; // not yet decoded; decoded, not yet read
};
} // namespace jumun::tests
