#pragma once
#include "http/shop.hpp"

namespace jumun::http {
/// What is wrong with a hook.
enum class hook_fault : std::uint8_t { unknown_provider, bad_signature, malformed };

/// Port to the payment providers' hooks: each is proved by its own signature instead of by a key of
/// ours. Thread-safe, never blocks.
class payment_hooks {
public:
  virtual ~payment_hooks() = default;
  /// Of the order that the hook is about; nullopt: it is about none. Nothing is proved yet.
  [[nodiscard]] virtual std::optional<domain::shard_id> shard_of(std::string_view body) const {
    (void)body;
    return {};
  }
  struct call {
    std::string_view provider;                                                   // of the path
    std::function<std::optional<std::string_view>(std::string_view name)> field; // of the head
    std::string_view body; // as it came: signatures are over bytes
    const domain::request_context& from;
  };
  /// `reply` is called once, when it is durable; not at all when a fault comes back.
  [[nodiscard]] virtual std::optional<hook_fault> take(const call& c, done<outcome> reply) = 0;
};
} // namespace jumun::http
