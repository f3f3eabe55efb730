#include "app/console/actor_lookup.hpp"
#include "app/console/inspector.hpp"
#include "domain/page_cursor.hpp"
#include <algorithm>

namespace jumun::app {
namespace {
constexpr char actors_kind = 'c';

void append_number(std::string& to, std::uint64_t n) {
  for (int shift = 56; shift >= 0; shift -= 8) to += static_cast<char>(n >> shift & 0xff);
}
std::uint64_t number_at(std::string_view s) {
  std::uint64_t n = 0;
  for (const char c : s.substr(0, 8)) n = n << 8 | static_cast<unsigned char>(c);
  return n;
}

actors::actor_order order_by(std::string_view sort) {
  if (sort == "mailbox_depth") return actors::actor_order::mailbox_depth;
  if (sort == "messages_handled") return actors::actor_order::handled;
  return sort == "restarts" ? actors::actor_order::restarts : actors::actor_order::id;
}

/// By this the pages of many nodes are merged (see http/part.hpp): the place, the id, the node.
std::string key_of(const actors::actor_record& r, const std::string& node, std::uint64_t place) {
  std::string key(1, '\0');
  append_number(key, place);
  append_number(key, r.id);
  return key + node;
}

std::uint64_t place_of(const actors::actor_record& r, actors::actor_order by) {
  switch (by) {
    case actors::actor_order::id: break;
    case actors::actor_order::mailbox_depth: return ~static_cast<std::uint64_t>(r.mailbox_depth());
    case actors::actor_order::handled: return ~r.handled();
    case actors::actor_order::restarts: return ~r.restarts;
  }
  return 0;
}

/// Behind which id this node goes on; nullopt: the cursor is not ours.
std::optional<std::uint64_t> after(const std::string& cursor, const std::string& node) {
  if (cursor.empty()) return 0;
  constexpr std::size_t numbers = 1 + 2 * 8;
  const auto key = domain::parse_cursor(actors_kind, cursor);
  if (!key || key->size() < numbers) return {};
  const auto id = number_at(std::string_view{*key}.substr(1 + 8));
  return node <= key->substr(numbers) || id == 0 ? id : id - 1;
}
} // namespace

std::optional<http::listed<http::actor_info>> inspector::list_actors(
  const http::actor_query& q, std::size_t limit, const std::string& cursor) {
  const auto& node = node_.coordinator().self();
  const auto from = after(cursor, node);
  if (!from) return {};
  const auto by = order_by(q.sort);
  const auto found =
    node_.env().registry.page({q.kind, q.state, q.name, q.parent, q.shard}, by, *from, limit + 1);
  http::listed<http::actor_info> out;
  out.kind = actors_kind;
  for (std::size_t i = 0; i < std::min(limit, found.size()); ++i) {
    out.rows.push_back(info_of(node_, found[i]));
    out.keys.push_back(key_of(found[i], node, place_of(found[i], by)));
  }
  if (found.size() > limit && q.sort.empty())
    out.next_cursor = domain::cursor_text(actors_kind, out.keys.back());
  return out;
}

std::vector<http::actor_total> inspector::actor_totals() {
  std::vector<http::actor_total> out;
  for (auto& [kind, of] : node_.env().registry.by_kind())
    out.push_back({kind, std::move(of.by_state), of.mailbox_depth, of.mailbox_depth_max, of.handled,
      of.restarts});
  return out;
}
} // namespace jumun::app
