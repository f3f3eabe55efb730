#include "app/event_hub.hpp"
#include "domain/limits.hpp"
#include "http/render.hpp"
#include <algorithm>
#include <utility>

namespace jumun::app {
namespace {
using clock = std::chrono::steady_clock;

std::string group_key(std::string_view topic, std::string_view key) {
  return std::string{topic}.append(1, '\0').append(key);
}
} // namespace

event_hub::event_hub(std::uint64_t last) : seen_{last}, thread_{[this] { work(); }} {}

event_hub::~event_hub() {
  {
    const std::lock_guard lock{incoming_guard_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void event_hub::became_durable(std::vector<storage::durable_events> all) {
  {
    const std::lock_guard lock{incoming_guard_};
    seen_ = all.back().first + all.back().events.size() - 1;
    if (readers_ == 0) return;
    if (backlog_ > limits::event_backlog_max) {
      overrun_ = true;
      incoming_.clear();
      backlog_ = 0;
    }
    for (auto& one : all) {
      backlog_ += one.events.size();
      incoming_.push_back(std::move(one));
    }
  }
  wake_.notify_one();
}

event_hub::added event_hub::add(const http::feed_query& q, http::live_sink sink) {
  const std::lock_guard lock{readers_guard_};
  ++readers_; // before `since` is read: whatever comes behind that is kept
  auto key = group_key(q.topic, q.key);
  groups_[key].readers.emplace_back(++last_, std::move(sink));
  group_of_.emplace(last_, std::move(key));
  const std::lock_guard incoming{incoming_guard_};
  return {last_, seen_};
}

void event_hub::remove(id which) {
  const std::lock_guard lock{readers_guard_};
  const auto of = group_of_.extract(which);
  if (of.empty()) return;
  const auto found = groups_.find(of.mapped());
  auto& readers = found->second.readers;
  readers.erase(std::find_if(
    readers.begin(), readers.end(), [which](const auto& r) { return r.first == which; }));
  if (readers.empty()) groups_.erase(found);
  --readers_;
}

void event_hub::work() {
  auto not_before = clock::now();
  for (;;) {
    std::vector<storage::durable_events> all;
    bool overrun = false;
    {
      std::unique_lock lock{incoming_guard_};
      wake_.wait(lock, [this] { return stopping_ || !incoming_.empty(); });
      wake_.wait_until(lock, not_before, [this] { return stopping_; });
      if (stopping_) return;
      all.swap(incoming_);
      backlog_ = 0;
      overrun = std::exchange(overrun_, false);
    }
    hand_out(all, overrun);
    not_before = clock::now() + limits::event_gather;
  }
}

void event_hub::hand_out(const std::vector<storage::durable_events>& all, bool overrun) {
  const std::lock_guard lock{readers_guard_};
  if (overrun) {
    for (const auto& [key, g] : groups_)
      for (const auto& [which, sink] : g.readers) sink(nullptr);
    return; // all of them read this from the disk
  }
  for (const auto& one : all)
    for (std::size_t i = 0; i < one.events.size(); ++i) render(one.events[i], one.first + i);
  for (auto* g : touched_) {
    const std::shared_ptr<const http::live_frames> frames = std::move(g->frames);
    for (const auto& [which, sink] : g->readers) sink(frames);
  }
  touched_.clear();
}

/// Once, for every group that wants it.
void event_hub::render(const domain::event& e, std::uint64_t offset) {
  std::string frame;
  const auto topic = domain::topic_of(e.type);
  for (const auto& [by_topic, by_key] :
    {std::pair{std::string_view{}, std::string_view{}}, {topic, {}}, {{}, e.key}, {topic, e.key}}) {
    const auto found = groups_.find(group_key(by_topic, by_key));
    if (found == groups_.end()) continue;
    if (frame.empty()) frame = http::event_frame(e, offset);
    auto& g = found->second;
    if (!g.frames) {
      g.frames = std::make_shared<http::live_frames>();
      touched_.push_back(&g);
    }
    g.frames->text += frame;
    g.frames->marks.push_back({offset, g.frames->text.size()});
  }
}
} // namespace jumun::app
