#pragma once
#include "domain/webhook.hpp"
#include "http/problem.hpp"
#include "http/shop.hpp"
#include <variant>

namespace jumun::http {
/// What to set; absent: as it is (in a new one: description empty, on).
struct webhook_settings {
  std::optional<std::string> url, description;
  std::optional<std::vector<std::string>> topics;
  std::optional<std::vector<domain::event_type>> types;
  std::optional<bool> enabled;
  std::optional<std::uint64_t> if_version; // only this version; absent: whatever it is
};
/// An endpoint for the outside. Its row comes without the secrets.
struct webhook_view {
  domain::webhook row;
  std::uint64_t behind = 0;                // offsets of the feed that it has not passed yet
  std::int64_t old_secret_signs_until = 0; // unix ms; 0: only the present one signs
  std::string secret;                      // `whsec_…`; only from create() and rotate_secret()
};
struct webhook_outcome {
  std::optional<webhook_view> done;
  problem refused; // without `done`
};

/// Port to the outgoing webhooks of the shards that this node serves. Thread-safe. May block on a
/// cold read. What is `done` is durable.
class webhook_registry {
public:
  virtual ~webhook_registry() = default;
  /// @pre url, topics and types are set.
  virtual void create(webhook_settings s, done<webhook_outcome> reply) = 0;
  virtual void change(domain::order_id id, webhook_settings s, done<webhook_outcome> reply) = 0;
  virtual void remove(domain::order_id id, done<webhook_outcome> reply) = 0;
  virtual void rotate_secret(domain::order_id id, done<webhook_outcome> reply) = 0;
  /// Sends a message of type WebhookTest now, once, whether the endpoint is on or off.
  virtual void test(
    domain::order_id id, done<std::variant<domain::webhook_attempt, problem>> reply) = 0;
  /// `message`: an event's id, of the list below.
  virtual void redeliver(
    domain::order_id id, const std::string& message, done<webhook_outcome> reply) = 0;

  [[nodiscard]] virtual std::vector<webhook_view> list() = 0;
  [[nodiscard]] virtual std::optional<webhook_view> find(domain::order_id id) = 0;
  /// Newest first; `state` empty: all. nullopt: the cursor is not ours.
  [[nodiscard]] virtual std::optional<listed<domain::webhook_delivery>> deliveries(
    domain::order_id id, const std::string& state, std::size_t limit,
    const std::string& cursor) = 0;
};
} // namespace jumun::http
