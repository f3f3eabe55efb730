#pragma once
#include "domain/shard_set.hpp"
#include "http/problem.hpp"
#include "http/shop.hpp"
#include <string>
#include <string_view>
#include <vector>

/// Domain values as API.md names their fields. Pure functions; no token, no address ever passes
/// here.
namespace jumun::http {
[[nodiscard]] std::string order_json(const domain::order& o);
[[nodiscard]] std::string payment_json(const domain::order& o);
[[nodiscard]] std::string delivery_json(const domain::order& o);
/// @pre o.cancel_requested
[[nodiscard]] std::string cancellation_json(const domain::order& o);
/// True once nothing is left to be undone.
[[nodiscard]] bool cancellation_completed(const domain::order& o);
[[nodiscard]] std::string product_json(const domain::product& p, std::int64_t available);
/// What is between the quotes of a product's ETag: `available` changes without its version. A
/// write's If-Match looks at the product's version alone.
[[nodiscard]] std::string product_tag(std::uint64_t version, std::uint64_t stock_version);
[[nodiscard]] std::string stock_json(const domain::stock& s);
[[nodiscard]] std::string movement_json(const domain::movement& m);
[[nodiscard]] std::string adjustment_json(const domain::stock& s, const domain::movement& m);

/// `evt_…` of the fact that is number `sequence` of `key`: the same in the feed and in a history.
[[nodiscard]] std::string event_id(std::string_view key, std::uint64_t sequence);
/// CloudEvents 1.0, structured JSON. `offset` is its place in the feed, and as text its `cursor`.
[[nodiscard]] std::string event_json(const domain::event& e, std::uint64_t offset);
[[nodiscard]] std::string event_json(const domain::event& e, std::string_view cursor);
/// The same as one frame of text/event-stream: `id` is the cursor, `event` the bare name.
[[nodiscard]] std::string event_frame(const domain::event& e, std::uint64_t offset);
[[nodiscard]] std::string event_frame(const domain::event& e, std::string_view cursor);

/// What a webhook's test sends: an envelope like any other, about nothing that happened.
[[nodiscard]] std::string test_event_json(std::string_view id, std::int64_t time_ms);

/// `node` is the one that serves the saga's shard.
[[nodiscard]] std::string saga_json(const domain::order& o, std::string_view node);
[[nodiscard]] std::string actor_json(const actor_info& a);
/// Whose rows a list has.
struct coverage {
  domain::shard_set shards = domain::all_shards();
  bool all_nodes = true; // that were to be asked have answered
  [[nodiscard]] bool partial() const { return !all_nodes || !shards.all(); }
};
[[nodiscard]] std::vector<std::string> ledger_rows(const std::vector<ledger_entry>& entries);
/// One node's; `of` many says what is missing, too.
[[nodiscard]] std::string ledger_json(
  const std::vector<std::string>& rows, const std::optional<coverage>& of = {});
/// `ready` says what `status` reads; false for one failing check is enough.
[[nodiscard]] std::string readiness_json(const std::vector<readiness_check>& checks, bool ready);

/// A page: `data` holds one JSON value per row.
[[nodiscard]] std::string list_json(
  const std::vector<std::string>& data, std::string_view next_cursor, const coverage& of = {});

/// The exact bytes of an answer, for whoever stores them with the effect. Has the names and the
/// shapes of actors/presenter.hpp, which `http` may not see: `app` joins the two. Thread-safe.
class renderer {
public:
  [[nodiscard]] domain::stored_reply placed(const domain::order& o) const;       // 201
  [[nodiscard]] domain::stored_reply cancellation(const domain::order& o) const; // 202 | 200
  [[nodiscard]] domain::stored_reply delivery(const domain::order& o) const;     // 200
  [[nodiscard]] domain::stored_reply acted(const domain::order& o) const;        // 202
  [[nodiscard]] domain::stored_reply not_allowed(const domain::order& o, domain::operator_action a,
    const domain::request_context& from) const; // 409
  [[nodiscard]] domain::stored_reply adjusted(
    const domain::stock& s, const domain::movement& m) const;               // 201
  [[nodiscard]] domain::stored_reply counted(const domain::stock& s) const; // 200
  [[nodiscard]] domain::stored_reply product_put(
    const domain::product& p, const domain::stock& s, bool is_new) const; // 201 | 200
  [[nodiscard]] domain::stored_reply refused(domain::refusal why, std::string_view detail,
    std::string_view pointer, const domain::request_context& from) const;
};

/// `/v1/orders/ord_…`
[[nodiscard]] std::string order_path(domain::order_id id);
/// Percent-encoded, as one segment of a path or one value of a query.
[[nodiscard]] std::string percent_encoded(std::string_view s);
} // namespace jumun::http
