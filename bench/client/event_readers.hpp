#pragma once
#include "bench/client/load.hpp"
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace jumun::bench {
/// Readers of the event stream, as many as asked for, on a thread of their own: each reads all that
/// comes from now on, counts it, and comes again where it was when it is cut off.
class event_readers {
public:
  /// Begins, and waits until each has its stream. Throws std::runtime_error.
  event_readers(endpoint shop, unsigned count, const std::string& target);
  ~event_readers();
  event_readers(const event_readers&) = delete;
  event_readers& operator=(const event_readers&) = delete;

  struct figures {
    std::uint64_t least = 0, most = 0; // events of one reader
    std::uint64_t all = 0;
    std::uint64_t bytes = 0;
    std::uint64_t cut_off = 0; // times
  };
  [[nodiscard]] figures so_far() const;

private:
  class reader;
  boost::asio::io_context context_;
  std::vector<std::unique_ptr<reader>> readers_;
  std::jthread thread_;
};
} // namespace jumun::bench
