#include "tests/history/history.hpp"
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_map>

namespace jumun::tests::history {
namespace {
constexpr std::array<std::string_view, 16> actions{"start", "adjust", "count", "read_stock",
  "read_menu", "reserve", "refuse", "commit", "release", "restock", "place", "read_order", "cancel",
  "report", "events", "attempt"};
constexpr std::array<std::string_view, 11> standings{"none", "pending", "reserving", "paying",
  "paid", "preparing", "shipped", "delivered", "rejected", "cancelling", "cancelled"};

template <std::size_t n> std::size_t place_in(
  const std::array<std::string_view, n>& names, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i)
    if (names[i] == name) return i;
  throw std::runtime_error("unknown word: " + std::string{name});
}

void add(std::string& line, std::string_view name, std::int64_t value) {
  line.append(",\"").append(name).append("\":").append(std::to_string(value));
}
void add_text(std::string& line, std::string_view name, std::string_view value) {
  line.append(",\"").append(name).append("\":\"").append(value).append("\"");
}
std::string hex(std::uint64_t n) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(n));
  return text.data();
}

call call_of(const nlohmann::json& j) {
  call c;
  c.what = static_cast<action>(place_in(actions, j.at("op").get<std::string>()));
  c.client = j.value("client", std::uint16_t{0});
  c.status = j.value("status", std::uint16_t{0});
  c.group = j.value("group", std::uint32_t{0});
  c.replayed = j.value("replayed", false);
  c.invoked = j.at("invoke").get<std::int64_t>();
  const auto& end = j.at("return");
  c.returned = end.is_null() ? never : end.get<std::int64_t>();
  c.quantity = j.value("quantity", std::int64_t{0});
  c.if_version = j.value("if_version", unseen);
  c.version = j.value("version", unseen);
  c.on_hand = j.value("on_hand", unseen);
  c.reserved = j.value("reserved", unseen);
  c.available = j.value("available", unseen);
  if (j.contains("seen"))
    c.seen = static_cast<standing>(place_in(standings, j.at("seen").get<std::string>()));
  if (j.contains("digest"))
    c.digest = std::stoull(j.at("digest").get<std::string>(), nullptr, 16);
  if (c.returned < c.invoked) throw std::runtime_error("an answer before its question");
  return c;
}
} // namespace

std::string_view name_of(action a) { return actions[static_cast<std::size_t>(a)]; }
std::string_view name_of(standing s) { return standings[static_cast<std::size_t>(s)]; }
standing standing_of(std::string_view word) {
  for (std::size_t i = 0; i < standings.size(); ++i)
    if (standings[i] == word) return static_cast<standing>(i);
  return standing::none;
}

std::string line_of(const call& c, const std::string& key) {
  std::string line = R"({"key":")" + key + '"';
  add_text(line, "op", name_of(c.what));
  add(line, "client", c.client);
  add(line, "invoke", c.invoked);
  if (c.returned == never)
    line += ",\"return\":null";
  else
    add(line, "return", c.returned);
  add(line, "status", c.status);
  if (c.group != 0) add(line, "group", c.group);
  if (c.quantity != 0) add(line, "quantity", c.quantity);
  if (c.if_version != unseen) add(line, "if_version", c.if_version);
  if (c.version != unseen) add(line, "version", c.version);
  if (c.on_hand != unseen) add(line, "on_hand", c.on_hand);
  if (c.reserved != unseen) add(line, "reserved", c.reserved);
  if (c.available != unseen) add(line, "available", c.available);
  if (c.seen != standing::none) add_text(line, "seen", name_of(c.seen));
  if (c.digest != 0) add_text(line, "digest", hex(c.digest));
  if (c.replayed) line += ",\"replayed\":true";
  return line + '}';
}

void write(const story& s, const std::filesystem::path& to) {
  std::ofstream out{to, std::ios::binary};
  for (const auto& c : s.calls) out << line_of(c, s.keys[c.key]) << '\n';
  if (!out.flush()) throw std::runtime_error("can't write " + to.string());
}

story parse(std::string_view lines) {
  story s;
  std::unordered_map<std::string, std::uint32_t> known;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const auto line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    try {
      const auto j = nlohmann::json::parse(line);
      auto c = call_of(j);
      const auto key = j.at("key").get<std::string>();
      const auto [at, fresh] = known.emplace(key, static_cast<std::uint32_t>(s.keys.size()));
      if (fresh) s.keys.push_back(key);
      c.key = at->second;
      s.calls.push_back(c);
    } catch (const std::exception& why) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + why.what());
    }
  }
  return s;
}

story read(const std::filesystem::path& from) {
  std::ifstream in{from, std::ios::binary};
  if (!in) throw std::runtime_error("can't read " + from.string());
  return parse(std::string{std::istreambuf_iterator<char>{in}, {}});
}
} // namespace jumun::tests::history
