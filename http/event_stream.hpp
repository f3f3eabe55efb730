#pragma once
#include "http/exchange.hpp"
#include "http/strand_body.hpp"
#include <deque>

namespace jumun::http {
/// The events of a query as text/event-stream (WHATWG HTML §9.2), without gap or duplicate: first
/// from the disk, a page at a time as the client takes them; at the end of the disk it follows the
/// live feed, reads the disk once more up to where that begins, and goes on with the live frames.
/// A client that lets more than event_reader_bytes_max wait is cut off. On its session's strand.
class event_stream final : public strand_body<event_stream> {
public:
  /// Goes on behind `first`, which was read already.
  event_stream(exchange_ptr ex, feed_query q, feed_page first, admission::permit seat);

  void begin(session& at) override;
  bool next(std::vector<boost::asio::const_buffer>& out) override;
  void closed() override;

private:
  using shared_text = std::shared_ptr<const std::string>;
  struct piece {
    shared_text text;
    std::size_t from = 0;
  };
  /// A page without its rows, and their frames.
  struct part {
    feed_page page;
    std::string frames;
  };
  static part rendered(feed_page page);
  part read(std::uint64_t after);
  void add(piece p);
  void add(std::string text);
  void add(const std::shared_ptr<const live_frames>& frames);
  void read_on();
  void take(part read);
  void hear(std::shared_ptr<const live_frames> frames);
  void go_live();
  void beat();
  void end(std::string farewell);

  exchange_ptr ex_; // until closed()
  feed& feed_;
  const feed_query query_;
  part first_;
  admission::permit seat_;
  std::unique_ptr<boost::asio::basic_waitable_timer<std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>, socket_strand>>
    heart_;
  std::uint64_t drain_ = 0;

  std::uint64_t at_ = 0; // all wanted events up to this are in the pieces, or written
  bool reading_ = false; // from the disk
  bool more_ = false;    // the disk has more, for when the pieces are written
  bool live_ = false;
  bool ended_ = false;
  std::unique_ptr<feed::following> following_;
  std::vector<std::shared_ptr<const live_frames>> early_; // live ones, while the disk is read
  std::deque<piece> waiting_, writing_;
  std::size_t bytes_ = 0, writing_bytes_ = 0; // of waiting_, early_ and writing_; of writing_
};
} // namespace jumun::http
