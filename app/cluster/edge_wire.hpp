#pragma once
#include "http/elsewhere.hpp"

/// What the edges of two nodes say to each other, as bytes of an envelope (edge_wire.proto). What a
/// peer sent is believed to be well meant, not to be well formed: each decode checks lengths and
/// ranges, and is nullopt for what its encode cannot have made.
namespace jumun::app::edge_wire {
/// Kinds of envelopes beside those of cluster/messages.hpp: append, never renumber.
enum class kind : std::uint16_t {
  request = 32, // an ask → answer
  answer = 33,
  find_products = 34, // an ask → products_found
  products_found = 35,
  record_audit = 36,   // an ask → audit_recorded; the entry as the audit log keeps it
  audit_recorded = 37, // "1": it is durable; nothing: it is not
};

[[nodiscard]] std::string encode(const http::forwarded_request& r);
[[nodiscard]] std::optional<http::forwarded_request> decode_request(std::string_view bytes);

/// A part of a list or of the feed that is longer than one envelope may be is cut: it then says
/// where it goes on.
[[nodiscard]] std::string encode(http::forwarded_answer a);
[[nodiscard]] std::optional<http::forwarded_answer> decode_answer(std::string_view bytes);

[[nodiscard]] std::string encode_skus(const std::vector<std::string>& skus);
[[nodiscard]] std::optional<std::vector<std::string>> decode_skus(std::string_view bytes);

/// nullopt: some of them are not served here.
[[nodiscard]] std::string encode_products(const http::elsewhere::products& found);
/// nullopt, too, for bytes that are none.
[[nodiscard]] http::elsewhere::products decode_products(std::string_view bytes);
} // namespace jumun::app::edge_wire
