#include "app/console/actor_lookup.hpp"
#include <charconv>

namespace jumun::app {
namespace {
std::optional<std::uint64_t> number_of(const node& at, std::string_view text) {
  const auto prefix = at.coordinator().self() + '.';
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  std::uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end) return {};
  return value;
}
} // namespace

std::optional<actors::actor_record> find_record(node& at, std::string_view text) {
  const auto& all = at.env().registry;
  const auto number = number_of(at, text);
  return number ? all.find(*number) : all.find(text);
}

http::actor_info info_of(const node& at, const actors::actor_record& r) {
  const auto& name = at.coordinator().self();
  http::actor_info a;
  a.id = (at.alone() ? "" : name + '.') + std::to_string(r.id);
  a.name = r.name;
  a.kind = r.kind;
  a.parent = r.parent;
  a.state = r.state;
  a.shard = r.shard;
  a.mailbox_depth = r.mailbox_depth();
  a.handled = r.handled();
  a.restarts = r.restarts;
  a.last_error = r.last_error;
  a.node = name;
  return a;
}
} // namespace jumun::app
