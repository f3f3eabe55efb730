#include "bench/client/control.hpp"
#include "bench/client/response.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>

namespace jumun::bench {
namespace asio = boost::asio;
using asio::ip::tcp;

control::reply control::call(const std::string& method, const std::string& target,
  const std::string& body, std::chrono::seconds patience) const {
  const auto name = method + " " + target;
  try {
    asio::io_context context;
    tcp::socket socket{context};
    socket.connect(at_);
    const timeval limit{patience.count(), 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    auto text = name + " HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n";
    if (!body.empty()) text += "Content-Type: application/json\r\n";
    if (method != "GET") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    asio::write(socket, asio::buffer(text + "\r\n" + body));
    response_reader in{std::size_t{4} << 30};
    response answer;
    for (;;) {
      const auto state = in.next(answer);
      if (state == response_reader::state::broken) throw std::runtime_error("a broken answer");
      if (state == response_reader::state::whole) break;
      const auto room = in.room();
      // Not Asio's own: that one goes on past the socket's time limit.
      const auto got = ::recv(socket.native_handle(), room.data(), room.size(), 0);
      if (got <= 0)
        throw std::runtime_error(got == 0 ? "closed without an answer" : "no answer in time");
      in.took(static_cast<std::size_t>(got));
    }
    return {answer.status, std::string{answer.body}};
  } catch (const std::exception& e) {
    throw std::runtime_error(name + ": " + e.what());
  }
}

std::string control::get(const std::string& target) const {
  auto r = call("GET", target);
  if (r.status / 100 != 2)
    throw std::runtime_error(
      "GET " + target + ": " + std::to_string(r.status) + " " + r.body.substr(0, 300));
  return std::move(r.body);
}

endpoint endpoint_of(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  const auto wrong = [&url] { return std::runtime_error(url + ": must be http://HOST:PORT"); };
  if (!url.starts_with(scheme)) throw wrong();
  auto rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.pop_back();
  const auto colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0) throw wrong();
  auto host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  try {
    asio::io_context context;
    return *tcp::resolver{context}.resolve(host, rest.substr(colon + 1)).begin();
  } catch (const boost::system::system_error& e) {
    throw std::runtime_error(url + ": " + e.code().message());
  }
}
} // namespace jumun::bench
