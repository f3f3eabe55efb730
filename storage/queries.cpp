#include "storage/queries.hpp"
#include "domain/limits.hpp"
#include "storage/feed_rows.hpp"
#include "storage/journal.hpp"
#include "storage/merge.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::storage {
namespace {
constexpr std::size_t rows_examined_max = 10'000; // per page; then the page is short, with a cursor
constexpr std::int64_t clock_slack_ms =
  60'000; // an id's time against created_ms: the same, but who knows

// Which list a cursor belongs to. Another letter when what follows it changes.
constexpr char orders_kind = 'o', sagas_kind = 'g', stock_kind = 's', products_kind = 'p',
               movements_kind = 'm', audit_kind = 'a', webhook_deliveries_kind = 'w';

template <class Row> std::optional<Row> find(const store& disk, table in, std::string_view key) {
  const auto bytes = disk.get(in, key);
  return bytes ? decode<Row>(*bytes) : std::nullopt;
}

/// Fills a page from `at`, a cursor of any kind. `keep` turns (key, value) into a row, or nullopt.
template <class Row, class Cursor, class Keep>
page<Row> fill(Cursor& at, std::size_t limit, char kind, const Keep& keep) {
  limit = std::clamp<std::size_t>(limit, 1, limits::page_max);
  page<Row> out;
  out.kind = kind;
  std::string last; // kept or examined: where the next page goes on
  for (std::size_t examined = 0; at.valid(); at.next()) {
    if (examined++ == rows_examined_max) {
      out.next_cursor = cursor_text(kind, last);
      break;
    }
    auto row = keep(at.key(), at.value());
    if (row
        && out.rows.size() == limit) { // there is one more, so `last` stays at the last one kept
      out.next_cursor = cursor_text(kind, last);
      break;
    }
    if (row) {
      out.rows.push_back(std::move(*row));
      out.keys.emplace_back(at.key());
    }
    if (out.rows.size() < limit || row) last = at.key();
  }
  return out;
}

/// What list_… was given: empty for the first page, or the key where the last one ended.
template <class Check>
std::optional<std::string> start_of(char kind, std::string_view cursor, const Check& is_key) {
  if (cursor.empty()) return std::string{};
  auto key = parse_cursor(kind, cursor);
  if (!key || !is_key(*key)) return {};
  return key;
}
bool is_order_key(std::string_view key) { return key.size() == 16; }
bool is_sku_key(std::string_view key) {
  return key.size() > 1 && key.size() <= 1 + limits::sku_bytes_max && sku_key(key.substr(1)) == key;
}

/// What follows the shard in the smallest order id of a millisecond.
std::string order_tail(std::int64_t ms) {
  const auto most = std::int64_t{0xffff'ffff'ffff};
  return order_key(domain::make_order_id(0, std::clamp<std::int64_t>(ms, 0, most), 0, 0)).substr(1);
}

bool has_sku(const domain::order& o, const std::string& sku) {
  return std::any_of(
    o.lines.begin(), o.lines.end(), [&sku](const auto& line) { return line.sku == sku; });
}

bool matches(const order_filter& f, const domain::order& o) {
  return (f.customer.empty() || o.customer == f.customer)
         && (!f.created_after_ms || o.created_ms > *f.created_after_ms)
         && (!f.created_before_ms || o.created_ms < *f.created_before_ms)
         && (f.status.empty() || domain::status_of(o) == f.status)
         && (f.saga.empty() || domain::saga_state_of(o) == f.saga)
         && (f.sku.empty() || has_sku(o, f.sku))
         && (f.phases == 0 || (f.phases >> static_cast<unsigned>(o.at) & 1U) != 0);
}

/// What follows the shard in the keys that may be of the filter's time. Keys sort by time, so that
/// most of what it excludes is not even looked at. Empty: no bound.
std::pair<std::string, std::string> time_bounds(const order_filter& f) {
  std::string low, high;
  if (f.created_after_ms && *f.created_after_ms > clock_slack_ms)
    low = order_tail(*f.created_after_ms - clock_slack_ms);
  if (f.created_before_ms && *f.created_before_ms < INT64_MAX - clock_slack_ms)
    high = order_tail(*f.created_before_ms + clock_slack_ms);
  return {low, high};
}

/// Walks one customer's orders by their index, newest first; its keys are those of `orders`.
class customer_cursor {
public:
  /// `after`, `low` and `high` as for a merged_cursor over `orders`.
  customer_cursor(const store& disk, const std::string& customer, std::string_view after,
    const std::string& low, const std::string& high, const domain::shard_set& only)
      : prefix_(customer + '\0'),
        at_(disk, table::customer_orders, direction::backward, in_index(after), prefix_ + low,
          high.empty() ? after_prefix(prefix_) : prefix_ + high, only) {}
  [[nodiscard]] bool valid() const { return at_.valid(); }
  [[nodiscard]] std::string key() const {
    return std::string{at_.key().substr(0, 1)}.append(at_.key().substr(1 + prefix_.size()));
  }
  [[nodiscard]] std::string_view value() const { return at_.value(); }
  void next() { at_.next(); }

private:
  [[nodiscard]] std::string in_index(std::string_view order) const {
    if (order.empty()) return {};
    return std::string{order.substr(0, 1)} + prefix_ + std::string{order.substr(1)};
  }
  std::string prefix_;
  merged_cursor at_;
};

/// Where the history of a partitionkey lies: an order's, or else a SKU's (no SKU looks like an
/// order's id).
std::string history_of(std::string_view partition_key) {
  domain::event probe;
  probe.key = partition_key;
  if (!domain::parse_id(domain::id_kind::order, partition_key))
    probe.type = domain::event_type::stock_adjusted;
  auto key = history_key(probe);
  key.resize(key.size() - 8);
  return key;
}

bool is_of(const domain::event& fact, std::string_view topic, std::string_view key) {
  return (topic.empty() || domain::topic_of(fact.type) == topic)
         && (key.empty() || fact.key == key);
}

/// One key's events from its history. nullopt: rows that don't know their offset (written before
/// 0.2); the feed does.
std::optional<feed_page> read_story(const store& disk, std::string_view topic, std::string_view key,
  std::optional<std::uint64_t> after, std::size_t limit, const feed_bounds& bounds) {
  feed_page out;
  const auto prefix = history_of(key);
  const auto at = disk.scan(table::history, prefix, after_prefix(prefix), direction::forward);
  const bool whole = at->valid() && number_of_key(at->key()) == 1;
  const auto low = bounds.low.of[static_cast<unsigned char>(prefix.front())];
  out.expired = after && *after < low && !whole;
  out.next = std::max(bounds.last, after.value_or(0));
  for (; at->valid(); at->next()) {
    const auto offset = version_of(at->value()).value_or(0);
    if (offset == 0) return {};
    if (offset <= after.value_or(0) || offset > out.next) continue;
    auto fact = decode<domain::event>(at->value());
    if (!fact || !is_of(*fact, topic, key)) continue;
    if (out.rows.size() == limit) {
      out.next = out.rows.back().offset;
      out.at_end = false;
      break;
    }
    const auto shard = static_cast<domain::shard_id>(prefix.front());
    out.rows.push_back({std::move(*fact), shard, offset});
  }
  return out;
}

/// The events of a cursor over the feed that is behind `offset`.
feed_page fill_feed(const store& disk, feed_cursor& at, std::string_view topic,
  std::string_view key, std::uint64_t offset, std::uint64_t last, std::size_t limit) {
  feed_page out;
  out.next = last;
  for (std::size_t examined = 0; last > 0 && at.valid(); at.next(), ++examined) {
    const auto here = at.at().offset;
    const bool full = examined >= rows_examined_max || out.rows.size() >= limit;
    if (full && here != offset) { // never between two of one offset
      out.next = offset;
      out.at_end = false;
      break;
    }
    offset = here;
    auto fact = find<domain::event>(disk, table::history, at.at().in_history);
    if (fact && is_of(*fact, topic, key))
      out.rows.push_back({std::move(*fact), at.shard(), offset});
  }
  return out;
}

template <class Row> std::optional<page<Row>> list_by_sku(const store& disk, table in, char kind,
  std::size_t limit, std::string_view cursor, const domain::shard_set& only) {
  const auto start = start_of(kind, cursor, is_sku_key);
  if (!start) return {};
  merged_cursor at{disk, in, direction::forward, *start, {}, {}, only};
  return fill<Row>(
    at, limit, kind, [](std::string_view, std::string_view value) { return decode<Row>(value); });
}
} // namespace

std::optional<domain::order> find_order(const store& disk, domain::order_id id) {
  return find<domain::order>(disk, table::orders, order_key(id));
}
std::optional<domain::stock> find_stock(const store& disk, std::string_view sku) {
  return find<domain::stock>(disk, table::stock, sku_key(sku));
}
std::optional<domain::product> find_product(const store& disk, std::string_view sku) {
  return find<domain::product>(disk, table::products, sku_key(sku));
}

std::optional<page<domain::order>> list_orders(const store& disk, const order_filter& f,
  std::size_t limit, std::string_view cursor, const domain::shard_set& only) {
  const auto start = start_of(orders_kind, cursor, is_order_key);
  if (!start) return {};
  const auto [low, high] = time_bounds(f);
  if (!f.customer.empty()) {
    customer_cursor at{disk, f.customer, *start, low, high, only};
    return fill<domain::order>(at, limit, orders_kind, [&](std::string_view key, std::string_view) {
      auto o = find<domain::order>(disk, table::orders, key);
      return o && matches(f, *o) ? std::move(o) : std::nullopt;
    });
  }
  merged_cursor at{disk, table::orders, direction::backward, *start, low, high, only};
  return fill<domain::order>(
    at, limit, orders_kind, [&f](std::string_view, std::string_view value) {
      auto o = decode<domain::order>(value);
      return o && matches(f, *o) ? std::move(o) : std::nullopt;
    });
}

std::optional<page<domain::order>> list_sagas(const store& disk, const order_filter& f,
  std::size_t limit, std::string_view cursor, const domain::shard_set& only) {
  const auto start = start_of(sagas_kind, cursor, is_order_key);
  if (!start) return {};
  const auto [low, high] = time_bounds(f);
  const bool done = f.saga == "done";
  merged_cursor at{
    disk, done ? table::orders : table::open_sagas, direction::forward, *start, low, high, only};
  return fill<domain::order>(at, limit, sagas_kind,
    [&](std::string_view key, std::string_view) -> std::optional<domain::order> {
      auto o = find<domain::order>(disk, table::orders, key);
      // It may have come to rest since the index was opened.
      if (!o || domain::open(*o) == done || !matches(f, *o)) return {};
      return o;
    });
}

std::optional<page<domain::stock>> list_stock(
  const store& disk, std::size_t limit, std::string_view cursor, const domain::shard_set& only) {
  return list_by_sku<domain::stock>(disk, table::stock, stock_kind, limit, cursor, only);
}
std::optional<page<domain::product>> list_products(
  const store& disk, std::size_t limit, std::string_view cursor, const domain::shard_set& only) {
  return list_by_sku<domain::product>(disk, table::products, products_kind, limit, cursor, only);
}

std::optional<page<domain::movement>> list_movements(
  const store& disk, std::string_view sku, std::size_t limit, std::string_view cursor) {
  const auto first = movement_key(sku, 0);
  const auto start = start_of(movements_kind, cursor, [&](std::string_view key) {
    return key.size() == first.size()
           && key.substr(0, key.size() - 8) == first.substr(0, key.size() - 8);
  });
  if (!start) return {};
  const auto end = after_prefix(std::string_view{first}.substr(0, first.size() - 8));
  const auto at =
    disk.scan(table::movements, first, start->empty() ? end : *start, direction::backward);
  return fill<domain::movement>(*at, limit, movements_kind,
    [](std::string_view, std::string_view value) { return decode<domain::movement>(value); });
}

std::optional<page<domain::audit_entry>> list_audit(const store& disk, const audit_filter& f,
  std::size_t limit, std::string_view cursor, const domain::shard_set& only) {
  const auto is_key = [](std::string_view key) { return key.size() == audit_key(0, 0, 0).size(); };
  const auto start = start_of(audit_kind, cursor, is_key);
  if (!start) return {};
  merged_cursor at{disk, table::audit, direction::backward, *start, {}, {}, only};
  return fill<domain::audit_entry>(
    at, limit, audit_kind, [&f](std::string_view, std::string_view value) {
      auto e = decode<domain::audit_entry>(value);
      const bool wanted = e && (f.principal.empty() || e->principal == f.principal)
                          && (f.action.empty() || e->action == f.action)
                          && (f.target.empty() || e->target == f.target);
      return wanted ? std::move(e) : std::nullopt;
    });
}

feed_bounds read_feed_bounds(const store& disk) {
  auto low = read_low_water(disk); // first, so that it is never above `last`
  return {std::move(low), read_last_offset(disk)};
}

feed_page read_feed(const store& disk, std::string_view topic, std::string_view key,
  std::optional<std::uint64_t> after, std::size_t limit) {
  limit = std::clamp<std::size_t>(limit, 1, limits::feed_page_max);
  // The cursors below are opened one after the other while commits go on. What was committed before
  // this line is seen by all of them; what comes later is left for the next page, so none is
  // skipped.
  const auto bounds = read_feed_bounds(disk);
  if (!key.empty()) {
    if (auto story = read_story(disk, topic, key, after, limit, bounds)) {
      story->bounds = bounds;
      return *std::move(story);
    }
  }
  const auto offset = after.value_or(0);
  const auto last = std::max(bounds.last, offset);
  const auto first = [&](domain::shard_id s) {
    return std::optional{after.value_or(bounds.low.of[s]) + 1};
  };
  feed_cursor at{disk, first, last};
  auto out = fill_feed(disk, at, topic, key, offset, last, limit);
  // Only now: what retention took while we read is gone, too. (Without `after` it is no loss: what
  // one shard's cursor saw is still gapless for each key.)
  out.bounds = {read_low_water(disk), bounds.last};
  out.expired = after && *after < out.bounds.begins_after();
  return out;
}

feed_page read_feed(const store& disk, std::string_view topic, std::string_view key,
  const domain::feed_position& after, bool from_begin, std::size_t limit,
  const domain::shard_set& only) {
  limit = std::clamp<std::size_t>(limit, 1, limits::feed_page_max);
  const auto bounds = read_feed_bounds(disk);
  const auto asks = [&](domain::shard_id s) {
    return only.test(s) && after.of[s] != domain::feed_position::latest;
  };
  if (!key.empty()) {
    const auto shard = static_cast<domain::shard_id>(history_of(key).front());
    feed_page none;
    none.next = bounds.last, none.bounds = bounds;
    if (!asks(shard)) return none;
    const auto behind = after.of[shard];
    auto story = read_story(disk, topic, key,
      behind == 0 && from_begin ? std::nullopt : std::optional{behind}, limit, bounds);
    if (story) {
      story->bounds = bounds;
      return *std::move(story);
    }
  }
  const auto first = [&](domain::shard_id s) -> std::optional<std::uint64_t> {
    if (!asks(s)) return {};
    return (after.of[s] == 0 && from_begin ? bounds.low.of[s] : after.of[s]) + 1;
  };
  feed_cursor at{disk, first, bounds.last};
  auto out = fill_feed(disk, at, topic, key, 0, bounds.last, limit);
  out.bounds = {read_low_water(disk), bounds.last};
  for (std::size_t s = 0; s < domain::shard_count; ++s) {
    const auto behind = after.of[s];
    if (!asks(static_cast<domain::shard_id>(s)) || (behind == 0 && from_begin)) continue;
    out.expired = out.expired || behind < out.bounds.low.of[s];
  }
  return out;
}

std::vector<domain::order_id> open_orders(const store& disk, domain::shard_id shard) {
  std::vector<domain::order_id> out;
  const std::string prefix(1, static_cast<char>(shard));
  const auto at = disk.scan(table::open_sagas, prefix, after_prefix(prefix), direction::forward);
  for (; at->valid(); at->next())
    if (const auto id = order_of_key(at->key())) out.push_back(*id);
  return out;
}

std::optional<domain::event> find_event(
  const store& disk, domain::event_type type, std::string_view key, std::uint64_t sequence) {
  domain::event like;
  like.type = type, like.key = key, like.sequence = sequence;
  return find<domain::event>(disk, table::history, history_key(like));
}

std::vector<domain::webhook> all_webhooks(const store& disk, domain::shard_id shard) {
  std::vector<domain::webhook> out;
  const std::string prefix(1, static_cast<char>(shard));
  const auto at = disk.scan(table::webhooks, prefix, after_prefix(prefix), direction::forward);
  for (; at->valid(); at->next())
    if (auto w = decode<domain::webhook>(at->value())) out.push_back(std::move(*w));
  return out;
}

std::vector<domain::webhook_delivery> all_webhook_deliveries(
  const store& disk, domain::order_id webhook) {
  std::vector<domain::webhook_delivery> out;
  const auto prefix = webhook_key(webhook);
  const auto at =
    disk.scan(table::webhook_deliveries, prefix, after_prefix(prefix), direction::forward);
  for (; at->valid(); at->next())
    if (auto d = decode<domain::webhook_delivery>(at->value())) out.push_back(std::move(*d));
  return out;
}

std::optional<page<domain::webhook_delivery>> list_webhook_deliveries(const store& disk,
  domain::order_id webhook, std::string_view state, std::size_t limit, std::string_view cursor) {
  const auto prefix = webhook_key(webhook);
  const auto start = start_of(webhook_deliveries_kind, cursor, [&](std::string_view key) {
    return key.size() == prefix.size() + 8 && key.starts_with(prefix);
  });
  if (!start) return {};
  const auto at = disk.scan(table::webhook_deliveries, prefix,
    start->empty() ? after_prefix(prefix) : *start, direction::backward);
  return fill<domain::webhook_delivery>(*at, limit, webhook_deliveries_kind,
    [&](std::string_view, std::string_view value) -> std::optional<domain::webhook_delivery> {
      auto d = decode<domain::webhook_delivery>(value);
      if (!d || (!state.empty() && name_of(d->state) != state)) return {};
      return d;
    });
}
} // namespace jumun::storage
