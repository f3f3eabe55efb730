#pragma once
#include "cluster/limits.hpp"
#include "cluster/peers.hpp"
#include "domain/hook.hpp"
#include "domain/limits.hpp"
#include "domain/request.hpp"
#include <optional>

/// The bytes of an envelope: the domain's own commands and answers, as protobuf (messages.proto).
/// Payments and deliveries are of their order's shard, so only stock commands go from shard to
/// shard; the edge's commands go to whoever owns theirs. A card token travels in place_order,
/// inside the tunnel; nothing here prints a message.
namespace jumun::cluster {
/// What kind of message an envelope has. On the wire: append, never renumber.
enum class message_kind : std::uint16_t {
  // between shards
  reserve_stock = 1, // told; then so is a stock_answered, or not_owner; the same for the next two
  commit_stock = 2,
  release_stock = 3,
  stock_answered = 4,
  not_owner = 5,       // the shard of that command is not served here: nothing was done. No bytes
  shard_reachable = 6, // ask again: the shard is served here now. No bytes
  // from the edge, each an ask → command_answered
  place_order = 16,
  cancel_order = 17,
  report_delivery = 18,
  act_on_saga = 19,
  adjust_stock = 20,
  count_stock = 21,
  put_product = 22,
  remember_reply = 23,
  take_hook = 24,
  command_answered = 25,
};

/// What an edge's command came to: the whole reply, or an order that its asker waits for.
struct command_answered {
  domain::stored_reply reply;
  domain::order_id
    to_settle; // not zero: accepted and durable, the reply is rendered once it settles
};

/// The kind of a message's type.
template <class Message> inline constexpr message_kind kind_of = {};
#define JUMUN_MESSAGE(type, name)                                                                  \
  template <> inline constexpr message_kind kind_of<type> = message_kind::name;                    \
  [[nodiscard]] std::string encode(const type& message);                                           \
  template <> [[nodiscard]] std::optional<type> decode(std::string_view bytes);

/// The inverse of encode(); nullopt for what it cannot have made: damaged, or with a value out of
/// its range. Fields of a later release are skipped. Never throws on account of what the bytes are.
template <class Message> [[nodiscard]] std::optional<Message> decode(std::string_view bytes);

JUMUN_MESSAGE(domain::reserve_stock, reserve_stock)
JUMUN_MESSAGE(domain::commit_stock, commit_stock)
JUMUN_MESSAGE(domain::release_stock, release_stock)
JUMUN_MESSAGE(domain::stock_answered, stock_answered)
JUMUN_MESSAGE(domain::place_order, place_order) // of its draft: what the edge has set
JUMUN_MESSAGE(domain::cancel_order, cancel_order)
JUMUN_MESSAGE(domain::report_delivery, report_delivery)
JUMUN_MESSAGE(domain::act_on_saga, act_on_saga)
JUMUN_MESSAGE(domain::adjust_stock, adjust_stock)
JUMUN_MESSAGE(domain::count_stock, count_stock)
JUMUN_MESSAGE(domain::put_product, put_product) // of its row: what the edge has set
JUMUN_MESSAGE(domain::remember_reply, remember_reply)
JUMUN_MESSAGE(domain::take_hook, take_hook)
JUMUN_MESSAGE(command_answered, command_answered)
#undef JUMUN_MESSAGE

/// Puts a message into an envelope whose other fields are set.
template <class Message> void pack(envelope& into, const Message& message) {
  into.kind = static_cast<std::uint16_t>(kind_of<Message>);
  into.bytes = encode(message);
}
/// The message of an envelope; nullopt: it is of another kind, or damaged.
template <class Message> [[nodiscard]] std::optional<Message> unpack(const envelope& from) {
  if (from.kind != static_cast<std::uint16_t>(kind_of<Message>)) return {};
  return decode<Message>(from.bytes);
}
} // namespace jumun::cluster
