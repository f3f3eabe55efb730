#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace jumun::http {
class exchange;

/// Tells all readers of the overview's stream of each second: it is gathered and rendered once,
/// however many they are, and not at all while there are none. Thread-safe.
class overview_hub {
public:
  using frame = std::shared_ptr<const std::string>;
  using sink = std::function<void(frame)>; // on any thread; must not block

  explicit overview_hub(boost::asio::io_context& io) : timer_{io} {}
  /// `as`: the reader's request, which other nodes are asked with. @returns for remove()
  std::uint64_t add(std::shared_ptr<exchange> as, sink to);
  void remove(std::uint64_t id);

private:
  struct reader {
    std::shared_ptr<exchange> as;
    sink to;
  };
  void wait(); // with the lock held
  void tick();
  void tell(const std::string& document);

  std::mutex guard_;
  boost::asio::steady_timer timer_;
  std::map<std::uint64_t, reader> readers_;
  std::uint64_t last_ = 0;
};
} // namespace jumun::http
