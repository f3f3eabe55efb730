#pragma once
#include "http/console/overview_hub.hpp"
#include "http/strand_body.hpp"

namespace jumun::http {
/// The overview as text/event-stream: whole once, then what the hub tells each second. A client
/// that reads slowly misses seconds, and is told the newest. On its session's strand.
class overview_stream final : public strand_body<overview_stream> {
public:
  overview_stream(exchange_ptr ex, admission::permit seat)
      : strand_body{*ex->at}, ex_{std::move(ex)}, seat_{std::move(seat)} {}

  void begin(session& at) override;
  bool next(std::vector<boost::asio::const_buffer>& out) override;
  void closed() override;

private:
  void follow(std::string whole);
  void end();

  exchange_ptr ex_; // until closed()
  admission::permit seat_;
  std::uint64_t drain_ = 0, place_ = 0; // of drain_signal and hub; 0: none yet
  bool ended_ = false;
  std::string waiting_, writing_;
  overview_hub::frame newest_, being_written_;
};
} // namespace jumun::http
