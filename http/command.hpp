#pragma once
#include "http/exchange.hpp"
#include "http/json.hpp"
#include <variant>

namespace jumun::http {
/// 128 bits of SHA-256, as 32 hex digits: a digest that no client can find a second body for.
[[nodiscard]] std::string digest(std::string_view bytes);

/// Puts the command to the inside; calls what it is given exactly once.
using asking = std::function<void(done<outcome>)>;

/// Asks, and sends what it comes to. While the first request with the same Idempotency-Key is still
/// running, asks again each 50 ms, up to server_options::running_key_wait_max. Whose actor was gone
/// begins anew where it may be repeated.
void command(const exchange_ptr& ex, asking ask);
/// The same, but hands the outcome on instead of sending it.
void command(const exchange_ptr& ex, asking ask, std::function<void(outcome)> then);

/// Sends an answer that the edge made. With an Idempotency-Key it is kept by `shard` first; where
/// an answer to the key is there already, that one is sent: a replay must not become another answer
/// because, say, a price has changed meanwhile.
void answer_once(const exchange_ptr& ex, domain::shard_id shard, domain::stored_reply reply,
  std::string more = {});
void refuse_once(const exchange_ptr& ex, domain::shard_id shard, const problem& p);
/// 422 with all that is wrong.
void refuse_once(const exchange_ptr& ex, domain::shard_id shard, std::vector<field_error> errors);

/// The body as JSON; or, malformed, the problem to refuse it with. `or_empty`: no body is as good
/// as {}.
[[nodiscard]] std::variant<json_value, problem> read_body(
  const exchange_ptr& ex, bool or_empty = false);
} // namespace jumun::http
