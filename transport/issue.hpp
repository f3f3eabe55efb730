#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// Makes certificates for machines that know each other: EC keys (P-256), X.509 v3, PEM (RFC 5280).
namespace jumun::transport {
struct identity_pem {
  std::string certificate, key; // the key is PKCS #8, not encrypted
};
/// Unix seconds, both of them inside.
struct validity {
  std::int64_t from = 0, until = 0;
};

/// For people; at most 64 characters each (X.520). Nobody is known by them.
struct subject {
  std::string organization, name;
  bool operator==(const subject&) const = default;
};
/// An authority that signed itself; what it signs are ends, not authorities.
[[nodiscard]] identity_pem make_authority(const subject& who, validity when);

struct member_wish {
  subject who;
  std::vector<std::string> uris;  // subjectAltNames
  std::vector<std::string> hosts; // the same: addresses, or names for DNS
  validity when;
};
/// A certificate for both ends of TLS, signed by `authority`. @returns why not: the authority is
/// none, or ends before the wish does.
[[nodiscard]] std::variant<identity_pem, std::string> make_member(
  const identity_pem& authority, const member_wish& wish);

/// What a certificate in PEM says of itself.
struct certificate_facts {
  subject who;
  validity when;
};
[[nodiscard]] std::variant<certificate_facts, std::string> facts_of(const std::string& certificate);
} // namespace jumun::transport
