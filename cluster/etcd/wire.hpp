#pragma once
#include "cluster/etcd/client.hpp"

/// The words of etcd's HTTP/JSON gateway: bytes are base64, 64-bit numbers are texts, what is zero
/// is left out. Pure. Source: etcd 3.4 rpc.proto, and what its grpc-gateway makes of it.
namespace jumun::cluster::etcd::wire {
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> unbase64(std::string_view text); // RFC 4648 §4, padded

/// The first key that does not begin with `prefix` any more. @pre it is not all 0xff
[[nodiscard]] std::string end_of(std::string prefix);

[[nodiscard]] std::string range_request(const std::string& prefix, bool count_only);
[[nodiscard]] std::string txn_request(
  const std::vector<condition>& if_all, const std::vector<change_of_key>& then);
[[nodiscard]] std::string watch_request(const std::string& prefix);
[[nodiscard]] std::string lease_request(std::int64_t lease, std::chrono::seconds ttl);
[[nodiscard]] std::string login_request(const std::string& user, const std::string& password);

// nullopt: not an answer to that
[[nodiscard]] std::optional<range> range_answer(std::string_view json);
[[nodiscard]] std::optional<bool> txn_answer(std::string_view json);
[[nodiscard]] std::optional<std::int64_t> grant_answer(std::string_view json);
[[nodiscard]] std::optional<lease_left> lease_answer(std::string_view json);
[[nodiscard]] std::optional<std::monostate> empty_answer(std::string_view json);
[[nodiscard]] std::optional<std::string> login_answer(std::string_view json);
/// What etcd says of a failed call: its message, cut to a line's length, and its gRPC code.
[[nodiscard]] std::optional<failure> error_answer(std::string_view json);
} // namespace jumun::cluster::etcd::wire
