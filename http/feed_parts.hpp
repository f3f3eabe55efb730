#pragma once
#include "http/exchange.hpp"
#include "http/merge_parts.hpp"

/// The feed of many nodes: what each of them adds, and how a page or a stream is made of it.
namespace jumun::http {
/// The shard that all events of this partitionkey are of.
[[nodiscard]] domain::shard_id shard_of_key(std::string_view partition_key);
/// The shards that a query may find events in.
[[nodiscard]] domain::shard_set shards_of(const feed_query& q);

/// This node's events, for the node that asked (ex->wants_events); where there are none yet, once
/// there are, or once the asker has waited long enough. Blocks: on a reader thread.
void send_feed_part(const exchange_ptr& ex, const feed_query& q);

/// A page of all nodes' events behind `after` (nullopt: from the begin), or a stream of them.
void answer_merged_events(const exchange_ptr& ex, feed_query q,
  std::optional<domain::feed_position> after, std::size_t limit, bool of_one_order);

/// Answers with a stream, if there is a seat for one more reader: else 429 or 503. `make` is given
/// the seat. HEAD: the fields alone.
void open_stream(const exchange_ptr& ex,
  const std::function<std::shared_ptr<endless_body>(admission::permit)>& make);
} // namespace jumun::http
