#include "http/event_stream.hpp"
#include "http/render.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace jumun::http {
namespace asio = boost::asio;

event_stream::event_stream(exchange_ptr ex, feed_query q, feed_page first, admission::permit seat)
    : strand_body{*ex->at}, ex_{std::move(ex)}, feed_{*edge_.to.events}, query_{std::move(q)},
      first_{rendered(std::move(first))}, seat_{std::move(seat)} {}

void event_stream::begin(session& at) {
  to_ = &at;
  heart_ = std::make_unique<decltype(heart_)::element_type>(at.strand());
  const auto retry = std::chrono::milliseconds{limits::event_retry}.count();
  add(": jumun events\nretry: " + std::to_string(retry) + "\n\n");
  drain_ = edge_.drain.add(on_strand([](event_stream& self) {
    self.end("event: drain\ndata: {\"detail\":\"The server goes down; come again with "
             "Last-Event-ID.\"}\n\n");
  }));
  beat();
  take(std::move(first_));
}

void event_stream::beat() {
  heart_->expires_after(edge_.options.event_heartbeat);
  heart_->async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    const auto self = weak.lock();
    if (ec || !self || !self->to_) return;
    self->guard([&] {
      if (self->waiting_.empty()) self->add(": heartbeat\n\n");
      self->beat();
      self->to_->go_on();
    });
  });
}

void event_stream::add(piece p) {
  bytes_ += p.text->size() - p.from;
  waiting_.push_back(std::move(p));
}

void event_stream::add(std::string text) {
  if (!text.empty()) add(piece{std::make_shared<const std::string>(std::move(text)), 0});
}

/// What of it is new.
void event_stream::add(const std::shared_ptr<const live_frames>& frames) {
  const auto& marks = frames->marks;
  const auto fresh = std::find_if(
    marks.begin(), marks.end(), [this](const live_frames::mark& m) { return m.offset > at_; });
  if (fresh == marks.end()) return;
  const auto from = fresh == marks.begin() ? 0 : std::prev(fresh)->end;
  add(piece{shared_text{frames, &frames->text}, from});
  at_ = marks.back().offset;
}

bool event_stream::next(std::vector<asio::const_buffer>& out) {
  bytes_ -= std::exchange(writing_bytes_, 0);
  writing_.clear();
  writing_.swap(waiting_);
  for (const auto& p : writing_) {
    out.push_back(asio::buffer(std::string_view{*p.text}.substr(p.from)));
    writing_bytes_ += out.back().size();
  }
  if (writing_.empty() && std::exchange(more_, false)) read_on();
  return !ended_;
}

void event_stream::read_on() {
  if (reading_ || ended_) return;
  reading_ = true;
  auto done = on_strand([](event_stream& self, part read) {
    self.reading_ = false;
    self.take(std::move(read));
  });
  asio::post(edge_.readers,
    [this, self = shared_from_this(), at = ex_->at, after = at_, done] { done(read(after)); });
}

/// On a reader thread. What can't be read ends the stream: whoever comes again is told why.
event_stream::part event_stream::read(std::uint64_t after) {
  try {
    return rendered(feed_.read(query_, after, limits::feed_page_max));
  } catch (...) {
    ++edge_.counts.exceptions;
    part none;
    none.page.expired = true;
    return none;
  }
}

event_stream::part event_stream::rendered(feed_page page) {
  part out;
  for (const auto& row : page.rows) out.frames += event_frame(row.fact, row.offset);
  page.rows.clear();
  out.page = std::move(page);
  return out;
}

void event_stream::take(part read) {
  if (ended_) return;
  if (read.page.expired) return end("");
  add(std::move(read.frames));
  at_ = read.page.next;
  if (!read.page.at_end) {
    more_ = true;
  } else {
    if (!following_)
      following_ = feed_.follow(
        query_, on_strand([](event_stream& self, std::shared_ptr<const live_frames> f) {
          self.hear(std::move(f));
        }));
    at_ < following_->since ? read_on() : go_live();
  }
  to_->go_on();
}

void event_stream::hear(std::shared_ptr<const live_frames> frames) {
  if (ended_) return;
  if (!frames) { // some were left out: as at the start
    following_.reset();
    live_ = false;
    return read_on();
  }
  if (live_) {
    add(frames);
  } else {
    bytes_ += frames->text.size();
    early_.push_back(std::move(frames));
  }
  if (bytes_ > edge_.options.event_reader_bytes_max) {
    ++edge_.counts.event_readers_cut;
    return to_->cut();
  }
  to_->go_on();
}

void event_stream::go_live() {
  live_ = true;
  for (const auto& frames : std::exchange(early_, {})) {
    bytes_ -= frames->text.size();
    add(frames);
  }
}

void event_stream::end(std::string farewell) {
  if (std::exchange(ended_, true)) return;
  following_.reset();
  add(std::move(farewell));
  to_->go_on();
}

/// What is being written stays: the socket may still look at it.
void event_stream::closed() {
  to_ = nullptr;
  following_.reset();
  if (heart_) heart_->cancel();
  edge_.drain.remove(drain_);
  seat_ = {};
  waiting_.clear();
  early_.clear();
  ex_ = nullptr;
}
} // namespace jumun::http
