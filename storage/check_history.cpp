#include "storage/check_pass.hpp"
#include "storage/feed_rows.hpp"
#include <array>
#include <unordered_set>

// Events: each order's and SKU's history is gapless, ends where its row says, and is in the feed
// once. What retention took is missing at the begin of a history, and of the feed.
namespace jumun::storage {
namespace {
/// Count and sum of hashes: equal for two multisets of keys, or (with odds of 2^-64) they differ.
struct fingerprint {
  std::uint64_t count = 0, sum = 0;
  void add(std::string_view key) {
    ++count;
    sum += domain::stable_hash(key);
  }
  bool operator==(const fingerprint&) const = default;
};
using by_shard = std::array<fingerprint, domain::shard_count>;
domain::shard_id shard_in(std::string_view key) {
  return static_cast<domain::shard_id>(key.front());
}

/// One order's or SKU's events, in the order of their keys.
struct story {
  std::string prefix; // of its keys in history
  domain::event last;
};

/// The sequence in the row that owns a story; nullopt: there is no such row, or it is damaged.
std::optional<std::uint64_t> sequence_in_row(check_pass& pass, const story& s) {
  if (s.prefix[1] == 'o') {
    const auto o = pass.find<domain::order>(table::orders, s.prefix.substr(2));
    return o ? std::optional{o->sequence} : std::nullopt;
  }
  const auto key = sku_key(s.last.key);
  const auto stock = pass.find<domain::stock>(table::stock, key);
  const auto product = pass.find<domain::product>(table::products, key);
  if (!stock && !product) return {};
  return std::max(stock ? stock->sequence : 0, product ? product->sequence : 0);
}

void finish(check_pass& pass, const story& s) {
  if (s.prefix.empty()) return;
  const auto in_row = sequence_in_row(pass, s);
  if (in_row == s.last.sequence) return;
  pass.add("history-gap", s.last.key,
    "its history ends with " + std::to_string(s.last.sequence)
      + (in_row ? ", its row with " + std::to_string(*in_row) : ", and it has no row"));
}

void walk_history(check_pass& pass, by_shard& seen) {
  story now;
  pass.each(table::history, [&](std::string_view key, std::string_view value) {
    ++pass.report.events;
    if (!key.empty()) seen[shard_in(key)].add(key);
    auto e = pass.read<domain::event>(table::history, key, value);
    if (!e) return;
    if (history_key(*e) != key)
      return pass.add("shard-mismatch", e->key, "an event of it lies under another key");
    const auto prefix = key.substr(0, key.size() - 8);
    if (prefix != now.prefix) {
      finish(pass, now);
      now = {std::string{prefix}, {}};
    }
    const bool trimmed = pass.low_water(shard_in(key)) > 0;
    const bool first_kept = trimmed && now.last.sequence == 0 && e->sequence > 0;
    if (e->sequence != now.last.sequence + 1 && !first_kept)
      pass.add("history-gap", e->key,
        "event " + std::to_string(e->sequence) + " follows " + std::to_string(now.last.sequence));
    now.last = std::move(*e);
  });
  pass.guarded([&] { finish(pass, now); });
}

void walk_feed(check_pass& pass, by_shard& seen) {
  const auto low_water = pass.low_water(0); // where there is one feed, it has one
  std::uint64_t greatest = 0, kept = 0;
  pass.each(table::feed, [&](std::string_view key, std::string_view value) {
    const auto run = read_feed_row(key, value);
    if (!run) return pass.undecodable(table::feed, key);
    for (const auto& [offset, in_history] : *run) {
      greatest = std::max(greatest, offset);
      kept += offset > low_water ? 1 : 0; // below: of orders that were open when it was trimmed
      if (shard_in(key) != shard_in(in_history))
        pass.add("shard-mismatch", "offset " + std::to_string(offset),
          "the feed's row lies in another shard than its event");
      seen[shard_in(in_history)].add(in_history);
    }
    for (const auto& [offset, in_history] : *run) // may come upon unreadable history, and end here
      if (!pass.has(table::history, in_history))
        pass.add("feed-dangling", "offset " + std::to_string(offset),
          "the feed points at an event that isn't there");
  });
  if (!pass.one_feed()) return;
  pass.guarded([&] {
    const auto last = pass.last_offset();
    if (low_water > last)
      pass.add("low-water", "meta",
        "trimmed up to offset " + std::to_string(low_water) + ", the last is "
          + std::to_string(last));
    else if (last >= greatest && kept != last - low_water && pass.saw_all(table::feed))
      pass.add("feed-gap", "feed",
        std::to_string(kept) + " offsets in the feed behind " + std::to_string(low_water)
          + ", the last is " + std::to_string(last));
    if (last < greatest)
      pass.add("last-offset", "meta",
        "the last offset is said to be " + std::to_string(last) + ", the feed has "
          + std::to_string(greatest));
  });
}

/// Names what the fingerprints only told apart. Needs memory for the feed of the shards that
/// differ.
void name_differences(check_pass& pass, const std::array<bool, domain::shard_count>& differs) {
  std::unordered_set<std::string> fed;
  pass.each(table::feed, [&](std::string_view key, std::string_view value) {
    const auto run = read_feed_row(key, value);
    if (!run) return;
    for (const auto& [offset, in_history] : *run)
      if (differs[shard_in(in_history)] && !fed.emplace(in_history).second)
        pass.add(
          "feed-duplicate", "offset " + std::to_string(offset), "the feed has this event twice");
  });
  pass.each(table::history, [&](std::string_view key, std::string_view value) {
    if (key.empty() || !differs[shard_in(key)] || fed.contains(std::string{key})) return;
    const auto e = decode<domain::event>(value);
    pass.add("history-without-feed", e ? e->key : "history",
      "event " + std::to_string(number_of_key(key).value_or(0)) + " is not in the feed");
  });
}
} // namespace

void check_history(check_pass& pass) {
  by_shard in_history, in_feed;
  walk_history(pass, in_history);
  walk_feed(pass, in_feed);
  std::array<bool, domain::shard_count> differs{};
  for (std::size_t s = 0; s < domain::shard_count; ++s) differs[s] = in_history[s] != in_feed[s];
  const bool compared = pass.saw_all(table::history) && pass.saw_all(table::feed);
  if (compared && in_history != in_feed) name_differences(pass, differs);
}
} // namespace jumun::storage
