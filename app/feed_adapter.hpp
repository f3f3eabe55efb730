#pragma once
#include "app/event_hub.hpp"

namespace jumun::app {
/// The edge's port to the events, plugged into a store and the hub of what becomes durable.
class feed_adapter final : public http::feed {
public:
  /// `disk` outlives this.
  feed_adapter(const storage::store& disk, std::shared_ptr<event_hub> hub)
      : disk_(disk), hub_(std::move(hub)) {}

  http::feed_page read(
    const http::feed_query& q, std::optional<std::uint64_t> after, std::size_t limit) override;
  http::feed_page read(const http::feed_query& q, const domain::feed_position& after,
    bool from_begin, std::size_t limit, const domain::shard_set& only) override;
  std::uint64_t last() override;
  std::unique_ptr<following> follow(const http::feed_query& q, http::live_sink sink) override;

private:
  const storage::store& disk_;
  const std::shared_ptr<event_hub> hub_;
};
} // namespace jumun::app
