#include "bench/client/event_readers.hpp"
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

namespace jumun::bench {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr std::size_t read_bytes = 64 * 1024;
constexpr auto come_again = std::chrono::milliseconds{50};
constexpr auto begin_max = std::chrono::seconds{30};
} // namespace

/// One stream. Of its text only the lines `id: …` count, one an event; chunks' frames are between
/// whole events, so that a line is never cut by one.
class event_readers::reader {
public:
  reader(asio::io_context& on, endpoint at, std::string target)
      : socket_(on), pause_(on), at_(at), target_(std::move(target)), buffer_(read_bytes) {}

  void open() {
    reading = false, line_.clear();
    socket_.async_connect(at_, [this](error_code ec) {
      if (ec) return again();
      request_ = "GET " + target_ + " HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n";
      if (!last_.empty()) request_ += "Last-Event-ID: " + last_ + "\r\n";
      request_ += "\r\n";
      asio::async_write(socket_, asio::buffer(request_),
        [this](error_code failed, std::size_t) { failed ? again() : read(); });
    });
  }

  std::atomic<bool> reading{false};
  std::atomic<std::uint64_t> events{0}, bytes{0}, cut_off{0};

private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [this](error_code ec, std::size_t got) {
      if (ec == asio::error::operation_aborted) return;
      if (ec) {
        ++cut_off;
        return again();
      }
      bytes.fetch_add(got, std::memory_order_relaxed);
      reading = true;
      take({buffer_.data(), got});
      read();
    });
  }
  void again() {
    error_code ignored;
    socket_.close(ignored);
    pause_.expires_after(come_again);
    pause_.async_wait([this](error_code ec) {
      if (!ec) open();
    });
  }
  void take(std::string_view text) {
    std::uint64_t found = 0;
    while (!text.empty()) {
      const auto end = text.find('\n');
      // The begin of a line is all that is looked at, and an id is short.
      if (line_.size() < 40) line_.append(text.substr(0, std::min<std::size_t>(end, 40)));
      if (end == std::string_view::npos) break;
      if (line_.starts_with("id:")) {
        last_ = line_.substr(3);
        last_.erase(0, last_.find_first_not_of(' '));
        while (!last_.empty() && last_.back() == '\r') last_.pop_back();
        ++found;
      }
      line_.clear();
      text.remove_prefix(end + 1);
    }
    events.fetch_add(found, std::memory_order_relaxed);
  }

  asio::ip::tcp::socket socket_;
  asio::steady_timer pause_;
  endpoint at_;
  std::string target_, request_, line_, last_;
  std::vector<char> buffer_;
};

event_readers::event_readers(endpoint shop, unsigned count, const std::string& target) {
  for (unsigned i = 0; i < count; ++i) {
    readers_.push_back(std::make_unique<reader>(context_, shop, target));
    readers_.back()->open();
  }
  thread_ = std::jthread{[this] { context_.run(); }};
  const auto deadline = clock::now() + begin_max;
  const auto reading = [](const auto& r) { return r->reading.load(); };
  while (!std::all_of(readers_.begin(), readers_.end(), reading)) {
    if (clock::now() > deadline) {
      context_.stop();
      throw std::runtime_error("not every reader has its stream");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

event_readers::~event_readers() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

event_readers::figures event_readers::so_far() const {
  figures f;
  f.least = ~std::uint64_t{0};
  for (const auto& r : readers_) {
    const auto events = r->events.load();
    f.least = std::min(f.least, events), f.most = std::max(f.most, events);
    f.all += events;
    f.bytes += r->bytes.load();
    f.cut_off += r->cut_off.load();
  }
  return f;
}
} // namespace jumun::bench
