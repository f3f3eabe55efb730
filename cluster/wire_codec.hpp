#pragma once
#include <cstdint>
#include <string>
#include <string_view>

/// Private to cluster: what the codecs of envelopes, frames and messages share.
namespace jumun::cluster::codec {
/// One message per thread and type: its strings keep their room from one to the next.
template <class Wire> Wire& scratch() {
  thread_local Wire m;
  m.Clear();
  return m;
}

template <class Wire> bool parse(Wire& m, std::string_view bytes, std::size_t bytes_max) {
  return bytes.size() <= bytes_max
         && m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

/// Moves a text out of a scratch message, which is ours and not const; false: it is too long. An
/// empty one may be protobuf's shared default, so it is left alone.
inline bool take(std::string& to, const std::string& from, std::size_t bytes_max) {
  if (from.size() > bytes_max) return false;
  if (from.empty())
    to.clear();
  else
    to = std::move(const_cast<std::string&>(from));
  return true;
}

template <class Number> bool within(Number n, Number lowest, Number highest) {
  return n >= lowest && n <= highest;
}

/// False: `from` is not one of lowest..highest.
template <class Enum> bool into(Enum& to, std::uint32_t from, Enum lowest, Enum highest) {
  if (!within(from, static_cast<std::uint32_t>(lowest), static_cast<std::uint32_t>(highest)))
    return false;
  to = static_cast<Enum>(from);
  return true;
}
} // namespace jumun::cluster::codec
