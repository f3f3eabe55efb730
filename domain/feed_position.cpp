#include "domain/feed_position.hpp"
#include "domain/page_cursor.hpp"
#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>
#include <vector>

namespace jumun::domain {
namespace {
constexpr char format = 1;

void put_varint(std::string& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7) out.push_back(static_cast<char>(n | 0x80));
  out.push_back(static_cast<char>(n));
}
std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t n = 0;
  for (int shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    n |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return n;
  }
  return {};
}

std::optional<feed_position> parse_groups(std::string_view in) {
  if (in.empty() || in.front() != format) return {};
  in.remove_prefix(1);
  const auto count = take_varint(in);
  if (!count || *count < 2 || *count > shard_count) return {};
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto more = take_varint(in);
    if (!more) return {};
    offsets.push_back((offsets.empty() ? 0 : offsets.back()) + *more);
  }
  const auto width = static_cast<unsigned>(std::bit_width(*count - 1));
  if (in.size() != shard_count * width / 8) return {};
  feed_position p;
  std::uint32_t bits = 0;
  unsigned waiting = 0;
  for (auto& offset : p.of) {
    for (; waiting < width; waiting += 8) {
      bits = (bits << 8) | static_cast<unsigned char>(in.front());
      in.remove_prefix(1);
    }
    waiting -= width;
    const auto group = (bits >> waiting) & ((1U << width) - 1);
    if (group >= offsets.size()) return {};
    offset = offsets[group];
  }
  return p;
}
} // namespace

std::optional<std::uint64_t> feed_position::one() const {
  const bool same = std::all_of(of.begin(), of.end(), [&](auto o) { return o == of.front(); });
  return same ? std::optional{of.front()} : std::nullopt;
}

std::uint64_t feed_position::greatest() const { return *std::max_element(of.begin(), of.end()); }

void feed_position::advance(const shard_set& which, std::uint64_t offset) {
  for (std::size_t s = 0; s < shard_count; ++s)
    if (which.test(s)) of[s] = std::max(of[s], offset);
}

std::string to_text(const feed_position& p) {
  if (const auto n = p.one()) return std::to_string(*n);
  std::vector<std::uint64_t> offsets(p.of.begin(), p.of.end());
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  std::string out(1, format);
  put_varint(out, offsets.size());
  std::uint64_t before = 0;
  for (const auto o : offsets) put_varint(out, o - std::exchange(before, o));
  const auto width = static_cast<unsigned>(std::bit_width(offsets.size() - 1));
  std::uint32_t bits = 0;
  unsigned waiting = 0;
  for (const auto offset : p.of) {
    const auto group = std::lower_bound(offsets.begin(), offsets.end(), offset) - offsets.begin();
    bits = (bits << width) | static_cast<std::uint32_t>(group);
    for (waiting += width; waiting >= 8; waiting -= 8)
      out.push_back(static_cast<char>(bits >> (waiting - 8)));
  }
  return 'v' + base64url(out);
}

std::optional<feed_position> parse_feed_position(std::string_view text) {
  if (!text.starts_with('v')) {
    std::uint64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return {};
    return feed_position{n};
  }
  const auto bytes = parse_base64url(text.substr(1));
  auto p = bytes ? parse_groups(*bytes) : std::nullopt;
  if (!p || to_text(*p) != text) return {}; // one position has one text
  return p;
}
} // namespace jumun::domain
