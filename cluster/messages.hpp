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
  // from a shard's owner to the node that it is to move to, each an ask → move_answered
  move_offer = 48,
  move_rows = 49,
  move_complete = 50,
  move_answered = 51,
  // to the node whose payment simulator the cluster shares, an ask → provider_told
  provider_ask = 64,
  provider_told = 65,
};

/// What an edge's command came to: the whole reply, or an order that its asker waits for.
struct command_answered {
  domain::stored_reply reply;
  domain::order_id
    to_settle; // not zero: accepted and durable, the reply is rendered once it settles
};

/// Will you take the envelope's shard? What you have of it is deleted first.
struct move_offer {
  std::string move;           // tells one try from the next
  domain::epoch_id epoch = 0; // at which you will own it
};
/// Rows to write behind the pieces before; answered once they are durable.
struct move_rows {
  std::string move;
  std::uint64_t piece = 0; // counted from 0
  std::string rows;        // storage::encode_rows
};
/// That was all of it. Answered once it is durable that the copy is whole.
struct move_complete {
  std::string move;
  std::uint64_t pieces = 0;
  /// The giver's last offset in its feed, and the one up to which it has forgotten the shard's
  /// events: readers' places in the shard go up to the one, and are too old below the other.
  std::uint64_t last_offset = 0, low_water = 0;
};
struct move_answered {
  std::string refused; // why this move can't go on; empty: done
};

/// A call to a payment provider: actors::payment_provider.
struct provider_ask {
  enum class call : std::uint8_t { charge = 1, inquire, cancel };
  call what = call::inquire;
  domain::order_id order;
  std::string payment_id;
  std::int64_t amount = 0; // minor units
  std::string currency;
  std::string token; // secret
};
struct provider_told {
  domain::payment_said said = domain::payment_said::unknown;
  std::int64_t amount = 0;
  std::string reason;
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
JUMUN_MESSAGE(move_offer, move_offer)
JUMUN_MESSAGE(move_rows, move_rows)
JUMUN_MESSAGE(move_complete, move_complete)
JUMUN_MESSAGE(move_answered, move_answered)
JUMUN_MESSAGE(provider_ask, provider_ask)
JUMUN_MESSAGE(provider_told, provider_told)
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
