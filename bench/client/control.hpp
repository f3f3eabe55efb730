#pragma once
#include "bench/client/load.hpp"
#include <string>

namespace jumun::bench {
/// Asks one thing at a time, blocking, on a connection of its own for each: for preparations and
/// the books, not for load. Answers of up to 4 GiB.
class control {
public:
  explicit control(endpoint at) : at_(at) {}

  struct reply {
    unsigned status = 0;
    std::string body;
  };
  /// Throws std::runtime_error when there is no answer within `patience`.
  [[nodiscard]] reply call(const std::string& method, const std::string& target,
    const std::string& body = {}, std::chrono::seconds patience = std::chrono::seconds{60}) const;
  /// The body of an answer of 2xx; anything else throws.
  [[nodiscard]] std::string get(const std::string& target) const;

private:
  endpoint at_;
};

/// The address in `http://HOST:PORT`; a HOST that is no address is looked up. Throws
/// std::runtime_error.
[[nodiscard]] endpoint endpoint_of(const std::string& url);
} // namespace jumun::bench
