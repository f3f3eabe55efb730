#pragma once
#include "http/exchange.hpp"
#include "http/merge_parts.hpp"
#include "http/strand_body.hpp"
#include <deque>

namespace jumun::http {
/// The events of all nodes as text/event-stream, without gap or duplicate. Each node that owns
/// shards is asked for what lies behind the reader's position, one question to each at a time; it
/// answers once it has something, and is asked again while the client takes what came. A node that
/// is away is asked again once it is back: its shards' places in the position have not moved. On
/// its session's strand.
class merged_stream final : public strand_body<merged_stream> {
public:
  /// Goes on behind `first`.
  merged_stream(exchange_ptr ex, feed_query q, domain::shard_set shards, merged_feed first,
    admission::permit seat);

  void begin(session& at) override;
  bool next(std::vector<boost::asio::const_buffer>& out) override;
  void closed() override;

private:
  using clock = std::chrono::steady_clock;
  struct source {
    bool asked = false;
    clock::time_point since{}; // when it was asked last
    clock::time_point not_before{};
  };
  void tick();
  void ask();
  void ask(const member& m);
  void hear(const std::string& node, forwarded_answer a);
  void add(const merged_feed& what);
  void add(std::string text);
  void end(std::string farewell);

  exchange_ptr ex_; // until closed()
  const domain::shard_set shards_;
  forwarded_request like_; // with the position that is asked for next
  admission::permit seat_;
  std::unique_ptr<boost::asio::basic_waitable_timer<std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>, socket_strand>>
    timer_;
  clock::time_point heartbeat_at_{};
  std::uint64_t drain_ = 0;

  std::map<std::string, source> sources_; // by node
  domain::feed_position at_; // all wanted events up to this are in the pieces, or written
  bool ended_ = false;
  std::deque<std::string> waiting_, writing_;
  std::size_t bytes_ = 0; // of waiting_
};
} // namespace jumun::http
