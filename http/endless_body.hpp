#pragma once
#include <boost/asio/buffer.hpp>
#include <vector>

namespace jumun::http {
class session;

/// A body that comes bit by bit, for as long as it likes (an event stream). All of it runs on its
/// session's strand.
class endless_body {
public:
  virtual ~endless_body() = default;
  /// The head goes out; `at` is there until closed().
  virtual void begin(session& at) = 0;
  /// Appends what is to be written next: nothing when there is nothing now (session::go_on() asks
  /// again). The buffers stay valid until the next call. False: that was the last of it.
  virtual bool next(std::vector<boost::asio::const_buffer>& out) = 0;
  /// The last word: it was written to its end, or the client is gone.
  virtual void closed() = 0;
};
} // namespace jumun::http
