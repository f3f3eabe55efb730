#include "cluster/etcd/records.hpp"
#include "cluster/etcd/fields.hpp"
#include "domain/json_writer.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::cluster::etcd {
namespace {
using domain::json_writer;
constexpr std::uint64_t format = 1; // of the map and the config; another is not read

/// What follows `before` in `text`.
std::optional<std::string> tail(const std::string& text, const std::string& before) {
  if (!text.starts_with(before)) return {};
  return text.substr(before.size());
}

failure garbled(const std::string& key) {
  return {failure::kind::garbled, "the value of " + key + " can't be read by this release", 0};
}

std::string short_text(fields& in, const char* name, bool& ok) {
  auto text = in.text(name);
  ok = ok && text.size() <= limits::member_text_bytes_max;
  return text;
}

/// Takes a row in that is neither the map nor the assigner; false: it can't be read.
bool take(const keys& at, const row& one, agreed& into) {
  if (one.key == at.config) return into.config = one.value, true;
  if (const auto id = tail(one.key, at.node(""))) {
    auto says = decode_member(one.value);
    if (!says || !is_name(*id) || into.nodes.size() >= limits::members_max) return false;
    says->node = *id;
    into.nodes[*id] = {*std::move(says), one.modified, one.lease};
    return true;
  }
  if (const auto id = tail(one.key, at.stored(""))) {
    auto map = decode_map(one.value);
    if (!map || into.stored.size() >= limits::members_max) return false;
    into.stored[*id] = *std::move(map);
    return true;
  }
  if (const auto id = tail(one.key, at.draining(""))) return into.draining.insert(*id), true;
  if (const auto id = tail(one.key, at.life(""))) {
    std::uint64_t life = 0;
    const auto* const end = one.value.data() + one.value.size();
    const auto [stop, error] = std::from_chars(one.value.data(), end, life);
    if (error != std::errc{} || stop != end || !is_name(*id)
        || into.lives.size() >= limits::members_max)
      return false;
    into.lives[*id] = life;
    return true;
  }
  const auto shard = tail(one.key, at.all + "wishes/");
  if (!shard || shard->empty() || shard->size() > 3
      || shard->find_first_not_of("0123456789") != std::string::npos || !is_name(one.value))
    return false;
  const auto n = std::stoul(*shard);
  if (n >= domain::shard_count) return false;
  into.wishes.push_back({static_cast<domain::shard_id>(n), one.value});
  return true;
}
} // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::node_id_bytes_max
         && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-")
              == std::string_view::npos;
}

keys::keys(const std::string& cluster)
    : all{"/jumun/" + cluster + "/"}, config{all + "config"}, map{all + "map"}, assigner{
                                                                                  all
                                                                                  + "assigner"} {}
std::string keys::node(const std::string& id) const { return all + "nodes/" + id; }
std::string keys::stored(const std::string& id) const { return all + "stored/" + id; }
std::string keys::draining(const std::string& id) const { return all + "draining/" + id; }
std::string keys::wish(domain::shard_id shard) const {
  return all + "wishes/" + std::to_string(shard);
}

std::string keys::life(const std::string& id) const { return all + "lives/" + id; }

result<agreed> read_agreed(const keys& at, const range& from) {
  agreed all;
  all.at = from.at;
  for (const auto& one : from.rows) {
    if (one.key == at.map) {
      all.map = decode_map(one.value);
      if (!all.map) return garbled(one.key);
      all.map_modified = one.modified;
      all.map_remade = all.map->version > one.writes;
    } else if (one.key == at.assigner) {
      if (!is_name(one.value)) return garbled(one.key);
      all.assigner = assigner_row{one.value, one.created, one.lease};
    } else if (!take(at, one, all)) {
      all.unread.push_back(one.key);
    }
  }
  return all;
}

std::vector<member> members_of(
  const agreed& now, const domain::shard_map& map, const std::vector<member>& before) {
  std::map<std::string, member> all;
  for (const auto& [id, at] : now.nodes) {
    all[id] = at.says;
    all[id].state = now.draining.contains(id) ? "draining" : "up";
  }
  const auto add_away = [&](const std::string& id) {
    if (id.empty() || all.contains(id)) return;
    const auto known =
      std::find_if(before.begin(), before.end(), [&](const member& m) { return m.node == id; });
    auto& m = all[id];
    if (known != before.end()) m = *known;
    m.node = id, m.state = "away";
  };
  for (const auto& s : map.shards) add_away(s.node);
  std::vector<member> sorted;
  for (auto& [id, m] : all) sorted.push_back(std::move(m));
  return sorted;
}

std::string encode(const domain::shard_map& map) {
  json_writer w{16 * 1024};
  w.open('{');
  w.count("format", format);
  w.count("version", map.version);
  w.text("lineage", map.lineage);
  w.open("shards", '[');
  for (const auto& s : map.shards) {
    w.open('{');
    w.text("owner", s.node);
    w.count("epoch", s.epoch);
    if (!s.to.empty()) w.text("to", s.to);
    w.close('}');
  }
  w.close(']');
  w.close('}');
  return w.take();
}

std::optional<domain::shard_map> decode_map(std::string_view json) {
  fields in{json};
  domain::shard_map map;
  bool ok = in.number<std::uint64_t>("format") == format;
  map.version = in.number<std::uint64_t>("version");
  map.lineage = short_text(in, "lineage", ok);
  const auto& shards = in.part("shards");
  if (!ok || !in.ok() || !shards.is_array() || shards.size() != map.shards.size()) return {};
  for (std::size_t i = 0; i < map.shards.size(); ++i) {
    fields of{shards[i]};
    auto& s = map.shards[i];
    s = {of.text("owner"), of.number<std::uint64_t>("epoch"), of.text("to")};
    const bool owned = is_name(s.node) && s.epoch > 0;
    const bool fresh = s.node.empty() && s.epoch == 0 && s.to.empty();
    if (!of.ok() || (!owned && !fresh) || (!s.to.empty() && !is_name(s.to))) return {};
  }
  return map;
}

std::string encode(const member& m) {
  json_writer w;
  w.open('{');
  w.text("incarnation", m.incarnation);
  w.text("role", m.role);
  w.text("release", m.release);
  w.count("protocol", m.protocol);
  w.text("tunnel", m.tunnel);
  w.text("http", m.http);
  w.text("ops", m.ops);
  w.count("map_version", m.map_version);
  w.close('}');
  return w.take();
}

std::optional<member> decode_member(std::string_view json) {
  fields in{json};
  member m;
  bool ok = true;
  m.incarnation = short_text(in, "incarnation", ok);
  m.role = short_text(in, "role", ok);
  m.release = short_text(in, "release", ok);
  m.protocol = in.number<std::uint32_t>("protocol");
  m.tunnel = short_text(in, "tunnel", ok);
  m.http = short_text(in, "http", ok);
  m.ops = short_text(in, "ops", ok);
  m.map_version = in.number<std::uint64_t>("map_version");
  if (!ok || !in.ok() || m.incarnation.empty() || m.role.empty()) return {};
  return m;
}

std::string own_config() {
  json_writer w;
  w.open('{');
  w.count("format", format);
  w.count("shards", domain::shard_count);
  w.text("hash", domain::shard_hash_name);
  w.close('}');
  return w.take();
}

std::string misfit(std::string_view config) {
  fields in{config};
  const auto of = in.number<std::uint64_t>("format");
  const auto shards = in.number<std::uint64_t>("shards");
  const auto hash = in.text("hash");
  if (!in.ok() || of != format) return "its config is of another format than this release reads";
  if (shards != domain::shard_count || hash != domain::shard_hash_name)
    return "it spreads keys over its shards in another way than this release";
  return {};
}

next_map decide(const agreed& now, std::chrono::milliseconds quiet_for,
  const domain::assignment_rules& rules, const std::string& lineage) {
  next_map next;
  std::vector<domain::shard_map> known;
  if (now.map) known.push_back(*now.map);
  for (const auto& [id, map] : now.stored)
    if (!now.map || !domain::covers(*now.map, map)) known.push_back(map);
  next.rebuilt = known.size() > (now.map ? 1 : 0);
  if (!now.map) {
    for (const auto& [id, at] : now.nodes)
      if (at.says.map_version > 0 && !now.stored.contains(id)) return next; // it will show it soon
    if (next.rebuilt && quiet_for < rules.first_quiet) return next; // others may have newer ones
  }
  auto base = now.map.value_or(domain::shard_map{});
  if (next.rebuilt) {
    auto one = domain::merged(known);
    if (auto* why = std::get_if<std::string>(&one)) return {{}, {}, false, std::move(*why)};
    base = std::get<domain::shard_map>(std::move(one));
  }
  std::vector<domain::candidate> present;
  for (const auto& [id, at] : now.nodes)
    present.push_back({id, at.says.release, at.says.role != "gateway", now.draining.contains(id)});
  auto plan = domain::assign(base, present, now.wishes, quiet_for, rules);
  next.answered = std::move(plan.answered);
  if (plan.next.lineage.empty() && plan.next.version > 0) plan.next.lineage = lineage;
  if (plan.next != now.map.value_or(domain::shard_map{})) {
    if (now.map && plan.next.version == now.map->version) ++plan.next.version; // a lineage alone
    next.write = std::move(plan.next);
  }
  return next;
}
} // namespace jumun::cluster::etcd
