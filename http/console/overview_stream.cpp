#include "http/console/overview_stream.hpp"
#include "http/console/overview_parts.hpp"

namespace jumun::http {
void overview_stream::begin(session& at) {
  to_ = &at;
  const auto retry = std::chrono::milliseconds{limits::event_retry}.count();
  waiting_ = ": jumun overview\nretry: " + std::to_string(retry) + "\n\n";
  drain_ = edge_.drain.add(on_strand([](overview_stream& self) { self.end(); }));
  gather_overview(ex_, /*with_history=*/true,
    on_strand([](overview_stream& self, std::string all) { self.follow(std::move(all)); }));
  to_->go_on();
}

void overview_stream::follow(std::string whole) {
  if (ended_) return;
  waiting_ += "event: overview\ndata: " + whole + "\n\n";
  place_ = edge_.overview_readers.add(
    ex_, on_strand([](overview_stream& self, overview_hub::frame newest) {
      self.newest_ = std::move(newest);
      self.to_->go_on();
    }));
  to_->go_on();
}

bool overview_stream::next(std::vector<boost::asio::const_buffer>& out) {
  writing_ = std::exchange(waiting_, {});
  being_written_ = std::exchange(newest_, nullptr);
  if (!writing_.empty()) out.push_back(boost::asio::buffer(writing_));
  if (being_written_) out.push_back(boost::asio::buffer(*being_written_));
  return !ended_;
}

void overview_stream::end() {
  if (std::exchange(ended_, true)) return;
  waiting_ += "event: drain\ndata: {\"detail\":\"The server goes down; come again.\"}\n\n";
  to_->go_on();
}

void overview_stream::closed() {
  to_ = nullptr;
  edge_.drain.remove(drain_);
  edge_.overview_readers.remove(place_);
  seat_ = {};
  ex_ = nullptr;
}
} // namespace jumun::http
