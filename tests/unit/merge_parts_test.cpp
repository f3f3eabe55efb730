#include "http/merge_parts.hpp"
#include "tests/catch.hpp"
#include <algorithm>
#include <map>
#include <random>

using namespace jumun;
using namespace jumun::http;

namespace {
using rows = std::vector<list_part::row>;

std::string key_of(int shard, int n) {
  char tail[16];
  std::snprintf(tail, sizeof tail, "%06d", n);
  return std::string(1, static_cast<char>(shard)) + tail;
}
/// The list's order: what is behind the first byte, then that byte.
bool earlier(const list_part::row& a, const list_part::row& b) {
  const auto of = [](const list_part::row& r) {
    return std::pair{r.key.substr(1), static_cast<unsigned char>(r.key.front())};
  };
  return of(a) < of(b);
}
std::vector<std::string> keys(const rows& all) {
  std::vector<std::string> out;
  for (const auto& r : all) out.push_back(r.key);
  return out;
}

/// A list that lies on some nodes: each has the shards that are its own.
struct spread_list {
  explicit spread_list(unsigned seed) : chance{seed} {
    nodes = 1 + chance() % 6;
    newest_first = chance() % 2 == 1;
    for (int s = 0; s < 256; ++s) owner[s] = static_cast<int>(chance() % nodes);
    const int n = static_cast<int>(chance() % 120);
    for (int i = 0; i < n; ++i)
      all.push_back(
        {key_of(static_cast<int>(chance() % 256), static_cast<int>(chance() % 60)), "1"});
    std::sort(all.begin(), all.end(), earlier);
    all.erase(std::unique(all.begin(), all.end(),
                [](const auto& a, const auto& b) { return a.key == b.key; }),
      all.end());
    if (newest_first) std::reverse(all.begin(), all.end());
  }

  /// As storage's fill() does it: `limit` rows, or fewer where it had looked at enough.
  list_part part(int node, const std::string& behind, std::size_t limit, std::size_t looks) {
    list_part p;
    p.newest_first = newest_first;
    for (int s = 0; s < 256; ++s) p.served.set(static_cast<std::size_t>(s), owner[s] == node);
    std::string last;
    std::size_t looked = 0;
    for (const auto& row : after(behind)) {
      if (owner[static_cast<unsigned char>(row.key.front())] != node) continue;
      if (looked++ == looks || p.rows.size() == limit) {
        p.end = last;
        break;
      }
      last = row.key;
      if (std::hash<std::string>{}(row.key) % 3 != 0) p.rows.push_back(row); // a filter
    }
    return p;
  }
  rows after(const std::string& behind) const {
    if (behind.empty()) return all;
    const auto at =
      std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.key == behind; });
    REQUIRE(at != all.end());
    return {at + 1, all.end()};
  }
  rows wanted() const {
    rows out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out),
      [](const auto& r) { return std::hash<std::string>{}(r.key) % 3 != 0; });
    return out;
  }

  std::mt19937 chance;
  int nodes = 1;
  bool newest_first = false;
  std::array<int, 256> owner{};
  rows all;
};
} // namespace

TEST_CASE("the pages of many nodes, merged, are those of one list", "[merge][cluster]") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    spread_list list{seed};
    rows got;
    std::string behind;
    int pages = 0;
    do {
      const std::size_t limit = 1 + list.chance() % 9;
      std::vector<list_part> parts;
      for (int n = 0; n < list.nodes; ++n)
        parts.push_back(list.part(n, behind, limit, 1 + list.chance() % 12));
      auto merged = merge_lists(std::move(parts), limit);
      CHECK(merged.rows.size() <= limit);
      CHECK(merged.served.all());
      std::move(merged.rows.begin(), merged.rows.end(), std::back_inserter(got));
      if (!merged.end.empty()) REQUIRE(merged.end != behind);
      behind = merged.end;
      REQUIRE(++pages < 1'000);
    } while (!behind.empty());
    REQUIRE(keys(got) == keys(list.wanted()));
  }
}

TEST_CASE("with a node missing the rest is whole, and says whose rows it has", "[merge][cluster]") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    spread_list list{seed};
    const auto missing = static_cast<int>(list.chance() % list.nodes);
    rows got, wanted;
    for (auto& r : list.wanted())
      if (list.owner[static_cast<unsigned char>(r.key.front())] != missing) wanted.push_back(r);
    std::string behind;
    do {
      std::vector<list_part> parts;
      for (int n = 0; n < list.nodes; ++n)
        if (n != missing) parts.push_back(list.part(n, behind, 5, 7));
      auto merged = merge_lists(std::move(parts), 5);
      for (int s = 0; s < 256; ++s)
        REQUIRE(merged.served.test(static_cast<std::size_t>(s)) == (list.owner[s] != missing));
      std::move(merged.rows.begin(), merged.rows.end(), std::back_inserter(got));
      behind = merged.end;
    } while (!behind.empty());
    REQUIRE(keys(got) == keys(wanted));
  }
}

TEST_CASE("a row that two nodes have comes once", "[merge][cluster]") {
  list_part a, b;
  a.rows = {{key_of(1, 1), "1"}, {key_of(2, 5), "2"}};
  b.rows = {{key_of(1, 1), "1"}, {key_of(1, 7), "3"}};
  CHECK(keys(merge_lists({a, b}, 0).rows)
        == keys({{key_of(1, 1), ""}, {key_of(2, 5), ""}, {key_of(1, 7), ""}}));
}

namespace {
/// Nodes that write events, each with a counter of its own, and hand shards over.
struct spread_feed {
  explicit spread_feed(unsigned seed) : chance{seed} {
    nodes.resize(1 + chance() % 4);
    for (auto& o : owner) o = chance() % nodes.size();
  }
  struct node {
    std::vector<feed_row> rows; // by offset
    std::uint64_t last = 0;
    bool away = false;
  };
  void write(int shard) {
    auto& n = nodes[owner[static_cast<std::size_t>(shard)]];
    if (n.away) return;
    feed_row r;
    r.offset = ++n.last;
    r.shard = static_cast<domain::shard_id>(shard);
    r.fact.sequence = ++written[shard];
    r.fact.time_ms = ++now / 3;
    n.rows.push_back(r);
  }
  void move(int shard) {
    const auto from = owner[static_cast<std::size_t>(shard)], to = chance() % nodes.size();
    auto &a = nodes[from], &b = nodes[to];
    if (from == to || a.away || b.away) return;
    for (const auto& r : a.rows)
      if (r.shard == shard) b.rows.push_back(r);
    std::erase_if(a.rows, [&](const auto& r) { return r.shard == shard; });
    std::stable_sort(b.rows.begin(), b.rows.end(),
      [](const auto& x, const auto& y) { return x.offset < y.offset; });
    b.last = std::max(b.last, a.last); // what the merge relies on
    owner[static_cast<std::size_t>(shard)] = to;
  }
  feed_part part(std::size_t which, const domain::feed_position& after, std::size_t limit) {
    feed_part p;
    auto& n = nodes[which];
    for (std::size_t s = 0; s < 256; ++s) p.served.set(s, owner[s] == which);
    p.next = p.last = n.last;
    std::uint64_t before = 0;
    for (const auto& r : n.rows) {
      if (r.offset <= after.of[r.shard]) continue;
      if (p.rows.size() >= limit && r.offset != before) {
        p.next = before, p.at_end = false;
        break;
      }
      before = r.offset;
      p.rows.push_back(r);
    }
    return p;
  }

  std::mt19937 chance;
  std::vector<node> nodes;
  std::array<std::size_t, 256> owner{};
  std::map<int, std::uint64_t> written; // by shard
  std::int64_t now = 0;
};
} // namespace

TEST_CASE("a reader of all nodes misses nothing and hears nothing twice", "[merge][cluster]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    spread_feed feed{seed};
    domain::feed_position at;
    std::map<int, std::uint64_t> heard;
    const auto read = [&] {
      std::vector<feed_part> parts;
      for (std::size_t n = 0; n < feed.nodes.size(); ++n)
        if (!feed.nodes[n].away) parts.push_back(feed.part(n, at, 1 + feed.chance() % 6));
      auto page = merge_feed(std::move(parts), at, 1 + feed.chance() % 8);
      for (const auto& row : page.rows)
        REQUIRE(
          row.event.fact.sequence == ++heard[row.event.shard]); // none is left out, none twice
      // A reader may stop behind any event, and go on with its cursor at another node.
      at = page.next;
      if (!page.rows.empty() && feed.chance() % 3 == 0) {
        const auto last = feed.chance() % page.rows.size();
        for (std::size_t i = page.rows.size(); i > last + 1; --i)
          --heard[page.rows[i - 1].event.shard];
        at = *domain::parse_feed_position(page.rows[last].cursor);
      }
      return page.rows.size();
    };
    for (int step = 0; step < 200; ++step) {
      const auto what = feed.chance() % 20;
      auto& some = feed.nodes[feed.chance() % feed.nodes.size()];
      if (what == 0)
        some.away = !some.away;
      else if (what < 3)
        feed.move(static_cast<int>(feed.chance() % 12));
      else if (what < 12)
        feed.write(static_cast<int>(feed.chance() % 12));
      else
        read();
    }
    for (auto& n : feed.nodes) n.away = false;
    for (int i = 0; i < 2'000 && heard != feed.written; ++i) read();
    REQUIRE(heard == feed.written);
  }
}

TEST_CASE("a shard that two nodes tell of, because it moved between them, is told once",
  "[merge][cluster]") {
  const auto part = [](std::uint64_t to, std::uint64_t next) {
    feed_part p;
    for (std::uint64_t n = 1; n <= to; ++n) {
      feed_row r;
      r.offset = r.fact.sequence = n, r.shard = 3;
      p.rows.push_back(r);
    }
    p.served.set(3);
    p.next = p.last = next;
    return p;
  };
  for (const bool newer_first : {false, true}) {
    auto older = part(2, 2), newer = part(4, 9);
    const auto page =
      newer_first ? merge_feed({newer, older}, {}, 10) : merge_feed({older, newer}, {}, 10);
    REQUIRE(page.rows.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(page.rows[i].event.offset == i + 1);
    CHECK(page.next.of[3] == 9); // also of a node that had nothing more
    domain::feed_position at;
    at.of[3] = 3; // an answer to a question that was asked before the last one was answered
    CHECK(merge_feed({newer}, at, 10).rows.size() == 1);
  }
  const auto quiet = merge_feed({part(0, 7)}, {}, 10);
  CHECK(quiet.next.of[3] == 7); // nothing was said: the place moves all the same, and stays short
  CHECK(quiet.next.of[4] == 0);
}

TEST_CASE("from now on means from where each node is when it is first heard", "[merge][cluster]") {
  feed_part a;
  a.last = a.next = 70;
  a.from_now = domain::shard_set{}.set(3);
  auto page = merge_feed({a}, domain::feed_position{domain::feed_position::latest}, 10);
  CHECK(page.next.of[3] == 70);
  CHECK(page.next.of[4] == domain::feed_position::latest); // nobody has said so yet
  CHECK(page.served.test(3));
}

TEST_CASE(
  "a position is one number where it can be, and short where it can't", "[merge][cluster]") {
  CHECK(to_text(domain::feed_position{17}) == "17");
  CHECK(domain::parse_feed_position("17") == domain::feed_position{17});
  std::mt19937_64 chance{7};
  for (const std::size_t groups : {2, 3, 4, 5, 100, 256}) {
    CAPTURE(groups);
    std::vector<std::uint64_t> offsets;
    for (std::size_t i = 0; i < groups; ++i)
      offsets.push_back(i * 1'000'003 + chance() % 1'000'000);
    if (groups == 4) offsets.back() = domain::feed_position::latest;
    domain::feed_position p;
    for (std::size_t s = 0; s < 256; ++s) p.of[s] = offsets[s % groups];
    const auto text = to_text(p);
    CHECK(domain::parse_feed_position(text) == p);
    CHECK(text.size() < (groups <= 3 ? 130 : groups <= 100 ? 1'100 : 1'700));
    CHECK(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
          == text.npos);
    for (int i = 0; i < 50; ++i) { // nothing else is taken for it
      auto other = text;
      other[1 + chance() % (other.size() - 1)] = 'A';
      const auto read = domain::parse_feed_position(other);
      CHECK((!read || to_text(*read) == other));
    }
  }
  for (const auto* bad : {"", "v", "vAA", "-1", "1x", "v1", "99999999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(domain::parse_feed_position(bad));
  }
}
