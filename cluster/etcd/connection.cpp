#include "cluster/etcd/connection.hpp"
#include "domain/limits.hpp"
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace jumun::cluster::etcd {
namespace {
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = net::ssl;
using boost::system::error_code;
using net::ip::tcp;
using steady = std::chrono::steady_clock;
constexpr auto as_value = net::as_tuple(net::use_awaitable);

failure failed(failure::kind why, const std::string& what, const error_code& because) {
  return {why, what + ": " + because.message()};
}

/// A name being looked up. Held by the look-up itself, too: getaddrinfo can't be broken off, so it
/// may outlive whoever asked.
struct lookup {
  explicit lookup(net::io_context& on) : resolver{on}, over{on} {}
  tcp::resolver resolver;
  net::steady_timer over;
  error_code why = net::error::timed_out;
  tcp::resolver::results_type found;
};

net::awaitable<result<std::vector<tcp::endpoint>>> addresses_of(
  net::io_context& on, const endpoint& e, steady::time_point due) {
  auto asked = std::make_shared<lookup>(on);
  asked->over.expires_at(due);
  asked->resolver.async_resolve(
    e.host, e.port, [asked](const error_code& why, tcp::resolver::results_type found) {
      asked->why = why, asked->found = std::move(found);
      asked->over.cancel();
    });
  co_await asked->over.async_wait(as_value);
  if (asked->why)
    co_return failed(failure::kind::unreachable, "can't look up " + e.host, asked->why);
  std::vector<tcp::endpoint> all;
  for (const auto& one : asked->found) all.push_back(one.endpoint());
  co_return all;
}

/// Reads the files: they may have been renewed since the last connection.
result<std::shared_ptr<ssl::context>> tls_context(const tls_files& with) {
  auto made = std::make_shared<ssl::context>(ssl::context::tls_client);
  error_code ec;
  const auto fault = [&](const char* what, const std::string& file) {
    return failed(failure::kind::setup, std::string{what} + " " + file, ec);
  };
  SSL_CTX_set_min_proto_version(made->native_handle(), TLS1_2_VERSION);
  made->set_verify_mode(ssl::verify_peer, ec);
  if (with.ca.empty()) {
    if (made->set_default_verify_paths(ec); ec) return fault("the system's authorities", "");
  } else if (made->load_verify_file(with.ca, ec); ec) {
    return fault("the authorities' file", with.ca);
  }
  if (with.certificate.empty()) return made;
  if (made->use_certificate_chain_file(with.certificate, ec); ec)
    return fault("the certificate", with.certificate);
  if (made->use_private_key_file(with.key, ssl::context::pem, ec); ec)
    return fault("the key", with.key);
  return made;
}

http::request<http::string_body> posting(
  const endpoint& e, std::string path, std::string body, const std::string& token) {
  http::request<http::string_body> q{http::verb::post, path, 11, std::move(body)};
  q.set(http::field::host, e.host + ":" + e.port);
  q.set(http::field::content_type, "application/json");
  if (!token.empty()) q.set(http::field::authorization, token);
  q.prepare_payload();
  return q;
}
} // namespace

std::optional<failure> fault_of(const tls_files& with) {
  auto made = tls_context(with);
  if (auto* why = std::get_if<failure>(&made)) return std::move(*why);
  return {};
}

std::string endpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (tls ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" + port;
}

std::optional<endpoint> endpoint::parse(std::string_view text) {
  endpoint e;
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme)) {
      e.tls = scheme.size() == 8;
      text.remove_prefix(scheme.size());
      const auto colon = text.rfind(':');
      if (colon == std::string_view::npos) return {};
      auto host = text.substr(0, colon);
      const auto port = text.substr(colon + 1);
      const bool digits = !port.empty() && port.size() <= 5
                          && port.find_first_not_of("0123456789") == std::string_view::npos;
      const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
      if (v6) host = host.substr(1, host.size() - 2);
      const auto alphabet = v6
                              ? "0123456789abcdefABCDEF:."
                              : "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
      if (!digits || host.empty() || host.find_first_not_of(alphabet) != std::string_view::npos)
        return {};
      if (const auto n = std::stoi(std::string{port}); n < 1 || n > 65535) return {};
      e.host = host, e.port = port;
      return e;
    }
  return {};
}

/// A connected stream, with TLS or without.
class connection::wire {
public:
  explicit wire(net::io_context& on) : plain_{on} {}
  wire(net::io_context& on, std::shared_ptr<ssl::context> how)
      : plain_{on}, context_{std::move(how)}, secure_{
                                                std::make_unique<ssl::stream<beast::tcp_stream&>>(
                                                  plain_, *context_)} {}

  [[nodiscard]] beast::tcp_stream& tcp_stream() { return plain_; }

  net::awaitable<error_code> shake_hands(const std::string& host) {
    if (!secure_) co_return error_code{};
    error_code is_name;
    net::ip::make_address(host, is_name);
    if (is_name) SSL_set_tlsext_host_name(secure_->native_handle(), host.c_str());
    secure_->set_verify_callback(ssl::host_name_verification{host});
    const auto [ec] = co_await secure_->async_handshake(ssl::stream_base::client, as_value);
    co_return ec;
  }
  net::awaitable<error_code> write(const http::request<http::string_body>& q) {
    return with_stream([&](auto& stream) { return http::async_write(stream, q, as_value); });
  }
  template <class Parser> net::awaitable<error_code> read(Parser& into) {
    return with_stream(
      [&](auto& stream) { return http::async_read(stream, held_, into, as_value); });
  }
  template <class Parser> net::awaitable<error_code> read_some(Parser& into) {
    return with_stream(
      [&](auto& stream) { return http::async_read_some(stream, held_, into, as_value); });
  }
  [[nodiscard]] bool used() const { return used_; }
  void mark_used() { used_ = true; }

private:
  template <class Does> net::awaitable<error_code> with_stream(Does does) {
    if (secure_) {
      const auto [ec, n] = co_await does(*secure_);
      co_return ec;
    }
    const auto [ec, n] = co_await does(plain_);
    co_return ec;
  }

  beast::tcp_stream plain_;
  std::shared_ptr<ssl::context> context_;
  std::unique_ptr<ssl::stream<beast::tcp_stream&>> secure_; // around plain_; null: no TLS
  beast::flat_buffer held_{limits::etcd_buffer_bytes_max};
  bool used_ = false; // a request has been answered on it
};

connection::connection(net::io_context& on, endpoint to, tls_files with)
    : on_{on}, to_{std::move(to)}, with_{std::move(with)} {}
connection::~connection() = default;

void connection::cut() {
  if (wire_) wire_->tcp_stream().close();
}

net::awaitable<result<connection::wire*>> connection::ready(steady::time_point due) {
  if (wire_) {
    wire_->tcp_stream().expires_at(due);
    co_return wire_.get();
  }
  const auto found = co_await addresses_of(on_, to_, due);
  if (const auto* why = std::get_if<failure>(&found)) co_return *why;
  std::unique_ptr<wire> made;
  if (to_.tls) {
    auto context = tls_context(with_);
    if (auto* why = std::get_if<failure>(&context)) co_return std::move(*why);
    made = std::make_unique<wire>(on_, std::get<0>(std::move(context)));
  } else {
    made = std::make_unique<wire>(on_);
  }
  made->tcp_stream().expires_at(due);
  wire_ = std::move(made); // from here on cut() finds it
  const auto [ec, at] = co_await wire_->tcp_stream().async_connect(std::get<0>(found), as_value);
  auto why = ec;
  const char* what = "can't connect";
  if (!why) {
    wire_->tcp_stream().socket().set_option(tcp::no_delay{true}, why);
    what = "TLS failed";
    why = co_await wire_->shake_hands(to_.host);
  }
  if (!why) co_return wire_.get();
  wire_.reset();
  co_return failed(failure::kind::unreachable, what, why);
}

net::awaitable<result<reply>> connection::call(
  std::string path, std::string body, std::string token, std::chrono::milliseconds deadline) {
  const auto due = steady::now() + deadline;
  const auto q = posting(to_, std::move(path), std::move(body), token);
  for (;;) {
    const auto at = co_await ready(due);
    if (const auto* why = std::get_if<failure>(&at)) co_return *why;
    auto& w = *std::get<wire*>(at);
    http::response_parser<http::string_body> answer;
    answer.header_limit(limits::etcd_head_bytes_max);
    answer.body_limit(limits::etcd_answer_bytes_max);
    auto ec = co_await w.write(q);
    if (!ec) ec = co_await w.read(answer);
    if (!ec) {
      w.mark_used();
      const auto whole = answer.release();
      if (!whole.keep_alive()) wire_.reset();
      co_return reply{whole.result_int(), whole.body()};
    }
    const bool was_kept = w.used() && !answer.got_some() && ec != beast::error::timeout
                          && ec != net::error::operation_aborted;
    wire_.reset();
    if (was_kept) continue; // it had been closed since
    const bool garbled = ec.category() == http::make_error_code(http::error::bad_version).category()
                         && ec != http::error::end_of_stream && ec != http::error::partial_message;
    co_return failed(garbled ? failure::kind::garbled : failure::kind::lost,
      garbled ? "what answers is no etcd" : "no answer", ec);
  }
}

net::awaitable<failure> connection::listen(std::string path, std::string body, std::string token,
  std::chrono::milliseconds silence, std::function<void()> heard) {
  const auto q = posting(to_, std::move(path), std::move(body), token);
  const auto at = co_await ready(steady::now() + limits::etcd_call_deadline);
  if (const auto* why = std::get_if<failure>(&at)) co_return *why;
  auto& w = *std::get<wire*>(at);
  http::response_parser<http::string_body> answer;
  answer.header_limit(limits::etcd_head_bytes_max);
  answer.body_limit(boost::none); // endless; what has come is dropped each time
  auto ec = co_await w.write(q);
  while (!ec && !answer.is_done()) {
    w.tcp_stream().expires_after(silence);
    ec = co_await w.read_some(answer);
    if (answer.is_header_done() && answer.get().result_int() != 200) break;
    if (answer.get().body().empty()) continue;
    answer.get().body().clear();
    heard();
  }
  wire_.reset();
  co_return failed(failure::kind::lost, "the watch has ended", ec);
}
} // namespace jumun::cluster::etcd
