#pragma once
#include "cluster/limits.hpp"
#include <deque>
#include <string>
#include <vector>

namespace jumun::cluster::link {
/// Items on their way into frames. Not thread-safe.
class outbox {
public:
  void put(std::string item) { queue_.push_back(std::move(item)); }
  /// What goes into the next frame: all that waits, up to limits::frame_batch_bytes and one more.
  [[nodiscard]] std::vector<std::string> batch() {
    std::vector<std::string> out;
    for (std::size_t bytes = 0; !queue_.empty() && bytes < limits::frame_batch_bytes
                                && out.size() < limits::frame_items_max;) {
      bytes += queue_.front().size();
      out.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return out;
  }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  void clear() { queue_.clear(); }

private:
  std::deque<std::string> queue_;
};
} // namespace jumun::cluster::link
