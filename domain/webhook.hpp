#pragma once
#include "domain/event.hpp"
#include "domain/feed_position.hpp"
#include "domain/ids.hpp"
#include <vector>

/// Outgoing webhooks after Standard Webhooks 1.0 (standardwebhooks.com): what an endpoint is, and
/// what each answer of a receiver means. Pure.
namespace jumun::domain {
/// Why an endpoint gets nothing. Stored on disk: append, never renumber.
enum class webhook_off : std::uint8_t {
  none = 0, // it is on
  asked,    // switched off over HTTP
  gone,     // it answered 410
  failing,  // limits::webhook_given_up_max messages in a row used up their schedule
};

struct webhook_secret {
  std::string bytes;               // the key of the HMAC
  std::int64_t signs_until_ms = 0; // 0: the present one
  bool operator==(const webhook_secret&) const = default;
};

/// One endpoint, and how far it has come in the feed.
struct webhook {
  order_id id; // `whk_…`
  std::string url, description;
  std::vector<std::string> topics; // an event goes out when its topic is here,
  std::vector<event_type> types;   // or its type here
  webhook_off off = webhook_off::none;
  std::vector<webhook_secret> secrets; // the present one first
  feed_position cursor;                // all of the feed up to this is settled for it
  std::uint64_t lost = 0;              // offsets that the feed had forgotten before they were read
  std::uint32_t given_up_in_row = 0;
  std::int64_t failing_since_ms = 0; // 0: the last attempt was answered 2xx, or there was none
  std::int64_t created_ms = 0, updated_ms = 0;
  std::uint64_t version = 0; // of the settings, off among them; not of the progress
  bool operator==(const webhook&) const = default;
};

/// One try to hand a message over.
struct webhook_attempt {
  std::int64_t time_ms = 0, duration_ms = 0;
  std::uint32_t status = 0; // of HTTP; 0: no whole answer came
  std::string error;        // empty with a status
  bool by_hand = false;
  bool operator==(const webhook_attempt&) const = default;
};

/// Stored on disk: append, never renumber.
enum class webhook_state : std::uint8_t { retrying = 1, delivered, failed };

/// One message: an event on its way to one endpoint. The message's id is the event's.
struct webhook_delivery {
  order_id endpoint;
  std::uint64_t number = 0; // rises from one to the next; where a node is alone, the offset
  std::string cursor;       // what the endpoint has of the feed with this event: to_text()
  event_type type = event_type::order_placed;
  std::string key;            // the event's partitionkey
  std::uint64_t sequence = 0; // and sequence
  webhook_state state = webhook_state::retrying;
  std::vector<webhook_attempt> attempts; // the last limits::webhook_attempts_kept
  std::uint32_t tries = 0;               // of the schedule that are used up
  std::int64_t next_attempt_ms = 0;      // while it is retrying; 0: at once
  bool redeliver = false;                // somebody asked for it, and it has not been tried yet
  bool operator==(const webhook_delivery&) const = default;
};

/// What a receiver said.
struct webhook_answer {
  std::uint32_t status = 0; // 0: nothing, because of `error`
  std::string error;
  std::int64_t duration_ms = 0;
  std::int64_t retry_after_ms = 0; // Retry-After; 0: none
};

/// `asked`, `gone`, `failing`; empty for none.
[[nodiscard]] std::string_view name_of(webhook_off why);
[[nodiscard]] std::string_view name_of(webhook_state state);

[[nodiscard]] bool wants(const webhook& to, event_type type);
/// 2xx. A redirect is none.
[[nodiscard]] bool accepted(const webhook_answer& got);

/// The wait before try number `tries` (0: the first) by limits::webhook_schedule, ±10 % by
/// `random`. `hurry` divides it; 1 but in tests. @pre tries < the schedule's length
[[nodiscard]] std::int64_t webhook_wait_ms(
  std::uint32_t tries, std::uint64_t random, std::int64_t hurry);

/// A try of the schedule was answered: notes it in both. `what` is then delivered, failed (its
/// schedule is used up), or has its next time; `to` may have gone off.
void take_answer(webhook& to, webhook_delivery& what, const webhook_answer& got,
  std::int64_t now_ms, std::uint64_t random, std::int64_t hurry);
/// A try by hand was answered: that says nothing of the endpoint, and never makes it worse.
void take_answer_by_hand(webhook_delivery& what, const webhook_answer& got, std::int64_t now_ms);

/// Puts `bytes` in front; the one before signs on for limits::webhook_secret_overlap.
void rotate_secret(webhook& to, std::string bytes, std::int64_t now_ms);
/// Those that sign now, the present one first.
[[nodiscard]] std::vector<std::string_view> signing_secrets(const webhook& to, std::int64_t now_ms);
} // namespace jumun::domain
