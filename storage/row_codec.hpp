#pragma once
#include "storage/rows.hpp"

/// Private to storage: what every row's codec shares. Templates over the generated messages, so
/// that none of those is named in a header.
namespace jumun::storage::codec {
inline constexpr std::size_t header_bytes = 9;
inline constexpr std::size_t row_bytes_max =
  1 << 20; // the largest honest row, a stored reply, has < 100 KB

/// One message per thread and type: its strings keep their room from row to row.
template <class Message> Message& scratch() {
  thread_local Message m;
  m.Clear();
  return m;
}

/// Header and message in one string, in one allocation.
template <class Message> std::string seal(std::uint64_t version, Message& m) {
  m.set_whole(true);
  const auto size = m.ByteSizeLong();
  std::string out(header_bytes + size, '\0');
  out[0] = static_cast<char>(row_format);
  set_version(out, version);
  auto* body = reinterpret_cast<std::uint8_t*>(out.data() + header_bytes);
  m.SerializeWithCachedSizesToArray(body);
  return out;
}

/// The header's version, with `m` filled; nullopt for what seal() cannot have made.
template <class Message> std::optional<std::uint64_t> open(std::string_view row, Message& m) {
  const auto version = version_of(row);
  if (!version || row.size() > row_bytes_max) return {};
  row.remove_prefix(header_bytes);
  if (!m.ParseFromArray(row.data(), static_cast<int>(row.size())) || !m.whole()) return {};
  return version;
}

/// Moves a text out of a scratch message, which is ours and not const. An empty one may be
/// protobuf's shared default, so it is left alone.
inline std::string take(const std::string& text) {
  if (text.empty()) return {};
  return std::move(const_cast<std::string&>(text));
}

/// False: `from` is not one of lowest..highest.
template <class Enum> bool into(Enum& to, std::uint32_t from, Enum lowest, Enum highest) {
  if (from < static_cast<std::uint32_t>(lowest) || from > static_cast<std::uint32_t>(highest))
    return false;
  to = static_cast<Enum>(from);
  return true;
}
} // namespace jumun::storage::codec
