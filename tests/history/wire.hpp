#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace jumun::tests::history {
/// What is read of an answer; the rest of its head is passed over.
struct answer {
  int status = 0;
  std::int64_t version = -1;       // the ETag's number
  std::int64_t stock_version = -1; // its second, of "product-stock"
  bool replayed = false;
  std::string body;
};

/// A lean HTTP/1.1 connection to 127.0.0.1, for load: several requests may be written before their
/// answers are read. Blocking, not thread-safe, throws nothing.
class wire {
public:
  wire() = default;
  ~wire() { close(); }
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  [[nodiscard]] bool open(std::uint16_t port);
  void close();
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// False: the connection broke, and is closed.
  [[nodiscard]] bool write(std::string_view bytes);
  /// The next answer in turn. False: the connection broke, or was silent for 30 s; it is closed.
  [[nodiscard]] bool read(answer& into);

private:
  bool fill();
  int fd_ = -1;
  std::string held_;
  std::size_t used_ = 0; // of held_
};

/// The number behind `"name":`, or -1.
[[nodiscard]] std::int64_t number_in(std::string_view body, std::string_view name);
/// The text behind `"name":"`, without escapes; empty: none.
[[nodiscard]] std::string_view text_in(std::string_view body, std::string_view name);
/// FNV-1a, never 0.
[[nodiscard]] std::uint64_t digest_of(std::string_view bytes, std::uint64_t seed = 0);
} // namespace jumun::tests::history
