#include "app/feed_adapter.hpp"
#include "storage/queries.hpp"

namespace jumun::app {
namespace {
struct in_hub final : http::feed::following {
  in_hub(std::shared_ptr<event_hub> of, const http::feed_query& q, http::live_sink sink)
      : hub(std::move(of)) {
    const auto added = hub->add(q, std::move(sink));
    which = added.which, since = added.since;
  }
  ~in_hub() override { hub->remove(which); }
  std::shared_ptr<event_hub> hub; // a stream may end after the node that it follows
  event_hub::id which = 0;
};
} // namespace

namespace {
http::feed_page page_of(storage::feed_page found) {
  http::feed_page out;
  out.next = found.next, out.at_end = found.at_end, out.expired = found.expired;
  out.begin = found.bounds.low, out.last = found.bounds.last;
  out.rows.reserve(found.rows.size());
  for (auto& row : found.rows) out.rows.push_back({std::move(row.fact), row.offset, row.shard});
  return out;
}
} // namespace

http::feed_page feed_adapter::read(
  const http::feed_query& q, std::optional<std::uint64_t> after, std::size_t limit) {
  return page_of(storage::read_feed(disk_, q.topic, q.key, after, limit));
}

http::feed_page feed_adapter::read(const http::feed_query& q, const domain::feed_position& after,
  bool from_begin, std::size_t limit, const domain::shard_set& only) {
  return page_of(storage::read_feed(disk_, q.topic, q.key, after, from_begin, limit, only));
}

std::uint64_t feed_adapter::last() { return storage::read_last_offset(disk_); }

std::unique_ptr<http::feed::following> feed_adapter::follow(
  const http::feed_query& q, http::live_sink sink) {
  return std::make_unique<in_hub>(hub_, q, std::move(sink));
}
} // namespace jumun::app
