#pragma once
#include "domain/event.hpp"
#include "domain/operator.hpp"
#include "domain/stock.hpp"
#include "http/shop.hpp"
#include <map>
#include <optional>

namespace jumun::http {
// -- actors ---------------------------------------------------------------------------------------

struct actor_query {
  std::string kind, state, name; // empty: any; name: how it begins
  std::optional<std::string> parent;
  std::optional<int> shard;
  /// The greatest first, and no cursor: mailbox_depth, messages_handled or restarts. Empty: by id.
  std::string sort;
};
/// One kind's actors of one node, added up; `handled` and `restarts` count those that are gone,
/// too.
struct actor_total {
  std::string kind;
  std::map<std::string, std::uint64_t> by_state;
  std::int64_t mailbox_depth = 0, mailbox_depth_max = 0;
  std::uint64_t handled = 0, restarts = 0;
};

// -- messages -------------------------------------------------------------------------------------

struct recorded_line {
  std::int64_t at_us = 0, wait_us = -1, took_us = 0; // wait_us: -1: not known
  std::string from, to, message;                     // from: empty: not known
  std::optional<domain::order_id> order;
};
struct recorded {
  std::string of;
  bool runs = false;
  std::int64_t began_us = 0, ends_us = 0;
  std::size_t limit = 0;
  std::uint64_t seen = 0;
  std::vector<recorded_line> messages;
};
struct recording_form {
  std::chrono::seconds lasts{0};
  std::size_t messages = 0;
};

// -- one order ------------------------------------------------------------------------------------

/// A line of an order whose shelf is on another node than the order.
struct shelf_line {
  std::uint16_t line = 0; // its place in the order
  std::string sku;
};
/// All rows that there are of one order, as of one moment, or nearly so.
struct order_rows {
  domain::order now;
  std::vector<domain::event> history; // oldest first, the first thousand
  std::optional<domain::payment_record> payment;
  std::optional<domain::delivery_record> delivery;
  std::vector<domain::reservation> held; // of those lines whose SKU is this node's
};

// -- what is found by an id -----------------------------------------------------------------------

struct found_thing {
  std::string kind; // order, payment, delivery, cancellation, event, trace, actor, sku or customer
  std::string id;   // what matched
  std::optional<domain::order_id> order;
  std::string actor, sku; // empty: none
  int shard = -1;         // -1: none
  std::string what;       // a short sentence
};

// -- what needs a person --------------------------------------------------------------------------

/// Blocked orders of one node that stand at the same place with the same error.
struct blocked_group {
  std::string phase, error;
  bool poisoned = false; // set aside after crashes
  std::uint64_t count = 0;
  std::vector<domain::money> at_risk;
  std::int64_t oldest_ms = 0;                   // when the first of them was accepted
  std::vector<domain::operator_action> actions; // that all of them allow
  std::vector<domain::order_id> orders;         // the first limits::group_orders_max
};

// -- stock ----------------------------------------------------------------------------------------

/// A SKU's figures, and what its rows add up to.
struct stock_check {
  domain::stock now;
  std::int64_t moved = 0, held = 0; // sums: of all movements, of live reservations
  std::uint64_t movements = 0, reservations = 0;
  bool complete = true; // false: there are more rows than are read
};

/// Port to the inside for the console, over this node alone; each concern's part is small. Thread-
/// safe. All of it but the recordings may wait for a disk: reader threads only.
class inspector {
public:
  virtual ~inspector() = default;
  /// nullopt: the cursor is not ours.
  [[nodiscard]] virtual std::optional<listed<actor_info>> list_actors(
    const actor_query& q, std::size_t limit, const std::string& cursor) = 0;
  [[nodiscard]] virtual std::vector<actor_total> actor_totals() = 0;

  /// Of an actor by its name or id, or of an order: from now on its messages are recorded. nullopt:
  /// there is none.
  [[nodiscard]] virtual std::optional<recorded> record_actor(
    const std::string& id, const recording_form& how) = 0;
  [[nodiscard]] virtual std::optional<recorded> record_order(
    domain::order_id id, const recording_form& how) = 0;
  /// Of an order of another node, what comes to the inventories of these lines here.
  [[nodiscard]] virtual recorded record_lines(
    domain::order_id id, const std::vector<shelf_line>& lines, const recording_form& how) = 0;
  /// What was recorded of it, an actor or an order by its text; nullopt: nothing.
  [[nodiscard]] virtual std::optional<recorded> recording_of(const std::string& what) = 0;
  /// False: none runs.
  [[nodiscard]] virtual bool stop_recording(const std::string& what) = 0;

  [[nodiscard]] virtual std::optional<order_rows> rows_of(domain::order_id id) = 0;
  /// The reservations of these lines that are this node's.
  [[nodiscard]] virtual std::vector<domain::reservation> reservations_of(
    domain::order_id id, const std::vector<shelf_line>& lines) = 0;
  /// Whatever this node knows by exactly this text.
  [[nodiscard]] virtual std::vector<found_thing> find(const std::string& text) = 0;
  [[nodiscard]] virtual std::vector<blocked_group> blocked_groups() = 0;
  /// Live ones of a SKU, by order; a page may be short. nullopt: the cursor is not ours.
  [[nodiscard]] virtual std::optional<listed<domain::reservation>> list_reservations(
    const std::string& sku, std::size_t limit, const std::string& cursor) = 0;
  /// nullopt: nobody has heard of the SKU.
  [[nodiscard]] virtual std::optional<stock_check> check_stock(const std::string& sku) = 0;
};
} // namespace jumun::http
