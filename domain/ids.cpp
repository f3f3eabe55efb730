#include "domain/ids.hpp"
#include <array>

namespace jumun::domain {
namespace {
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // no I L O U
constexpr std::size_t digits = 26;                                        // 130 bits for 128

constexpr std::string_view prefix_of(id_kind kind) {
  switch (kind) {
    case id_kind::order: return "ord_";
    case id_kind::payment: return "pay_";
    case id_kind::delivery: return "dlv_";
    case id_kind::cancellation: return "cxl_";
    case id_kind::event: return "evt_";
    case id_kind::webhook: return "whk_";
  }
  return "";
}

int value_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const auto at = alphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}
} // namespace

order_id make_order_id(
  shard_id shard, std::int64_t unix_ms, std::uint64_t ms_256th, std::uint64_t random) {
  const auto ms = static_cast<std::uint64_t>(unix_ms) & 0xffff'ffff'ffffULL;
  return {(std::uint64_t{shard} << 56) | (ms << 8) | (ms_256th & 0xff), random};
}

std::uint64_t stable_hash(std::string_view bytes) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const unsigned char c : bytes) h = (h ^ c) * 0x100000001b3ULL;
  h ^= h >> 30; // FNV's high bits are weak for short keys: David Stafford's Mix13
  h *= 0xbf58476d1ce4e5b9ULL;
  h ^= h >> 27;
  h *= 0x94d049bb133111ebULL;
  return h ^ (h >> 31);
}

std::string to_text(id_kind kind, order_id id) {
  std::string out{prefix_of(kind)};
  const auto start = out.size();
  out.resize(start + digits);
  auto hi = id.hi, lo = id.lo;
  for (std::size_t i = digits; i-- > 0;) {
    out[start + i] = alphabet[lo & 31];
    lo = (lo >> 5) | (hi << 59);
    hi >>= 5;
  }
  return out;
}

std::optional<order_id> parse_id(id_kind kind, std::string_view text) {
  const auto prefix = prefix_of(kind);
  if (text.size() != prefix.size() + digits || !text.starts_with(prefix)) return {};
  text.remove_prefix(prefix.size());
  if (value_of(text[0]) > 7) return {}; // 26 digits hold 130 bits, an id has 128
  order_id id;
  for (const char c : text) {
    const auto v = value_of(c);
    if (v < 0) return {};
    id.hi = (id.hi << 5) | (id.lo >> 59);
    id.lo = (id.lo << 5) | static_cast<std::uint64_t>(v);
  }
  if (id == order_id{}) return {};
  return id;
}
} // namespace jumun::domain
