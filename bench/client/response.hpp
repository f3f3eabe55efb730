#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace jumun::bench {
/// An answer; the views hold until its reader's next `drop` or `took`.
struct response {
  unsigned status = 0;
  std::string_view head; // status line and fields, with their line ends
  std::string_view body;
  bool keeps = true; // false: the server closes the connection

  /// Value of the first such field (`name` in lower case); empty: none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

/// Takes answers out of a stream of bytes, however that is cut: those of an HTTP/1.1 server that
/// sends Content-Length. Chunked ones are broken.
class response_reader {
public:
  explicit response_reader(std::size_t bytes_max = 1 << 20) : bytes_max_(bytes_max) {}

  /// Where the next bytes go. Read into it, then say how many came.
  [[nodiscard]] std::span<char> room();
  void took(std::size_t bytes) { end_ += bytes; }

  enum class state { more, whole, broken };
  /// whole: `out` is the first answer; `drop` it, and there may be another.
  [[nodiscard]] state next(response& out);
  void drop();
  /// For another connection.
  void clear();

private:
  [[nodiscard]] state read_head();
  std::string bytes_;
  std::size_t begin_ = 0, end_ = 0, scanned_ = 0;
  std::size_t head_bytes_ = 0; // 0: its end has not been seen
  std::size_t body_bytes_ = 0;
  unsigned status_ = 0;
  bool keeps_ = true;
  std::size_t bytes_max_;
};
} // namespace jumun::bench
