#pragma once
#include "cluster/peers.hpp"
#include <optional>

/// envelope.proto: what the link puts into CAF's one message type, and reads from it. Bytes of a
/// peer's are believed in nothing: each length and number is checked, nothing throws, nothing
/// allocates more than a few times what came in.
namespace jumun::cluster {
/// False: a field is out of its bounds (limits.hpp, "between nodes"); nobody would read it.
[[nodiscard]] bool sendable(const envelope& e);

enum class readable : std::uint8_t {
  yes,
  unsupported, // of a newer protocol
  malformed,
};

/// An envelope in a frame; see envelope.proto.
struct item {
  std::uint64_t ask = 0;       // 0: a tell
  asked how = asked::answered; // of a reply; without an envelope where it isn't `answered`
  envelope what;
  bool operator==(const item&) const = default;
};
[[nodiscard]] std::string encode(const item& i);
/// Where it is not `yes`, of `into` only `ask` holds, and only where that could be read, else 0.
[[nodiscard]] readable decode(std::string_view bytes, item& into);

struct hello {
  std::string cluster, node, to;
  std::uint64_t incarnation = 0;
  std::string release;
  std::uint32_t protocol = protocol_now, oldest = protocol_oldest;
  bool operator==(const hello&) const = default;
};
struct welcome {
  std::string node;
  std::uint64_t incarnation = 0;
  std::string release;
  std::uint32_t protocol = 0;
  std::uint64_t credit = 0, credit_bytes = 0;
  bool operator==(const welcome&) const = default;
};
struct frame {
  std::uint64_t session = 0;
  std::optional<hello> greeting;
  std::optional<welcome> greeted;
  std::string refused;
  std::vector<std::string> items; // each by encode(item)
  std::uint64_t handled = 0, handled_bytes = 0;
  std::uint64_t ping = 0, pong = 0;
  bool operator==(const frame&) const = default;
};
[[nodiscard]] std::string encode(frame f);
[[nodiscard]] std::optional<frame> decode_frame(std::string_view bytes);

/// The newest protocol that both speak; nullopt: there is none.
[[nodiscard]] std::optional<std::uint32_t> common_protocol(const hello& h);
} // namespace jumun::cluster
