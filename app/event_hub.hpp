#pragma once
#include "http/feed.hpp"
#include "storage/journal.hpp"
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace jumun::app {
/// From the committer to all who follow the feed. A thread of its own renders each event once, for
/// all of them together, at once when it was quiet and otherwise every event_gather. The committer
/// never waits for it, and while nobody follows pays for one lock a commit. Thread-safe.
class event_hub {
public:
  /// `last`: the last durable offset.
  explicit event_hub(std::uint64_t last);
  ~event_hub(); // what has not been handed out yet is dropped
  event_hub(const event_hub&) = delete;
  event_hub& operator=(const event_hub&) = delete;

  /// journal::options::on_events
  void became_durable(std::vector<storage::durable_events> all);

  using id = std::uint64_t;
  struct added {
    id which = 0;
    std::uint64_t since = 0; // the sink hears of all wanted events behind this
  };
  added add(const http::feed_query& q, http::live_sink sink);
  /// When this returns, the sink is not called any more.
  void remove(id which);

private:
  /// Readers who want the same.
  struct group {
    std::vector<std::pair<id, http::live_sink>> readers;
    std::shared_ptr<http::live_frames> frames; // of the events that are handed out now
  };
  void work();
  void hand_out(const std::vector<storage::durable_events>& all, bool overrun);
  void render(const domain::event& e, std::uint64_t offset);

  std::mutex incoming_guard_;
  std::condition_variable wake_;
  std::vector<storage::durable_events> incoming_;
  std::size_t backlog_ = 0; // events in incoming_
  std::uint64_t seen_;      // the last offset that the committer told
  bool overrun_ = false, stopping_ = false;
  std::atomic<std::size_t> readers_{0};

  std::mutex readers_guard_; // taken before incoming_guard_, never the other way round
  std::unordered_map<std::string, group> groups_; // by topic, 0, key
  std::unordered_map<id, std::string> group_of_;
  std::vector<group*> touched_; // while rendering
  id last_ = 0;
  std::thread thread_;
};
} // namespace jumun::app
