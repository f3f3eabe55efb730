#pragma once
#include "tests/support/slowness.hpp"
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace jumun::tests {
/// Names in lower case; a name that comes twice has its values joined by ", ".
using headers = std::map<std::string, std::string>;

struct response {
  int status = 0;
  headers fields;
  std::string body;
  /// The body parsed; throws when it is no JSON.
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body); }
  [[nodiscard]] std::string field(const std::string& name) const; // empty: not there
};

/// An answer that the server's description does not have: never what a broken connection is.
struct unlike_contract : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A blocking HTTP/1.1 client on one connection to 127.0.0.1: connects when it must, keeps the
/// connection while the server does, and shares no code with the server. Not thread-safe. Throws
/// std::runtime_error on a connection that breaks, an answer that is none, or a server that is
/// silent; unlike_contract, see send().
class client {
public:
  explicit client(std::uint16_t port) : port_(port) {}
  ~client() { close(); }
  client(client&& other) noexcept;
  client& operator=(client&&) = delete;

  /// Host and Content-Length are added; a body brings Content-Type: application/json. Throws
  /// unlike_contract on an answer that the server's description does not have: see
  /// support/contract.hpp.
  response send(std::string_view method, std::string_view target, const std::string& body = {},
    const headers& with = {});
  response get(std::string_view target, const headers& with = {}) {
    return send("GET", target, {}, with);
  }
  /// A POST with an Idempotency-Key: `key`, or one of its own.
  response post(std::string_view target, const nlohmann::json& body, headers with = {});
  response put(std::string_view target, const nlohmann::json& body, const headers& with = {}) {
    return send("PUT", target, body.dump(), with);
  }

  /// Asks for `target` (an order) again and again by long poll until `enough` says so. @returns the
  /// last answer; throws when `within` is over.
  response wait_until(const std::string& target,
    const std::function<bool(const nlohmann::json&)>& enough,
    std::chrono::seconds within = std::chrono::seconds{60} * slowness);

  /// Sent with each request as `Authorization: Bearer …`; empty: none. Nobody's without a key.
  std::string bearer;

  // For what no well-behaved client sends.
  void write(std::string_view bytes);
  /// Reads one answer to what was written; `head`: it answers a HEAD, and has no body.
  response read(bool head = false);
  /// True once the server has closed; what it sent before is dropped. Throws when it does not
  /// close.
  bool closed_by_peer();
  void close();

private:
  void connect();
  bool fill(); // more bytes into held_; false: the server closed
  response exchange(const std::string& bytes, bool head);

  std::uint16_t port_;
  int fd_ = -1;
  std::string held_;
};
} // namespace jumun::tests
