#include "cluster/etcd/wire.hpp"
#include "cluster/etcd/fields.hpp"
#include "domain/json_writer.hpp"
#include "domain/limits.hpp"
#include <openssl/evp.h>

namespace jumun::cluster::etcd::wire {
namespace {
using domain::json_writer;

/// Where history stands; an answer without it is not etcd's.
moment moment_of(fields& answer, bool& ok) {
  fields head{answer.part("header")};
  moment m;
  m.revision = head.number<std::int64_t>("revision");
  m.term = head.number<std::uint64_t>("raft_term");
  m.cluster = head.number<std::uint64_t>("cluster_id");
  ok = ok && head.ok() && answer.ok() && m.term > 0;
  return m;
}
bool has_header(fields& answer) {
  bool ok = true;
  moment_of(answer, ok);
  return ok;
}
} // namespace

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const auto n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
    reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::optional<std::string> unbase64(std::string_view text) {
  constexpr auto alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return {};
  auto padding = text.size() - (text.find_last_not_of('=') + 1); // npos + 1 is 0
  if (text.empty()) padding = 0;
  if (padding > 2) return {};
  if (text.substr(0, text.size() - padding).find_first_not_of(alphabet) != std::string_view::npos)
    return {};
  std::string out(text.size() / 4 * 3, '\0');
  const auto n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return {};
  out.resize(static_cast<std::size_t>(n) - padding);
  return out;
}

std::string end_of(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

std::string range_request(const std::string& prefix, bool count_only) {
  json_writer w;
  w.open('{');
  w.text("key", base64(prefix));
  w.text("range_end", base64(end_of(prefix)));
  if (count_only) w.flag("count_only", true);
  w.close('}');
  return w.take();
}

std::string txn_request(
  const std::vector<condition>& if_all, const std::vector<change_of_key>& then) {
  json_writer w;
  w.open('{');
  w.open("compare", '[');
  for (const auto& c : if_all) {
    const bool created = c.what == condition::of::created;
    w.open('{');
    w.text("result", "EQUAL");
    w.text("target", created ? "CREATE" : "MOD");
    w.text("key", base64(c.key));
    w.text(created ? "create_revision" : "mod_revision", std::to_string(c.revision));
    w.close('}');
  }
  w.close(']');
  w.open("success", '[');
  for (const auto& c : then) {
    w.open('{');
    w.open(c.value ? "request_put" : "request_delete_range", '{');
    w.text("key", base64(c.key));
    if (c.value) w.text("value", base64(*c.value));
    if (c.value && c.lease != 0) w.text("lease", std::to_string(c.lease));
    w.close('}');
    w.close('}');
  }
  w.close(']');
  w.close('}');
  return w.take();
}

std::string watch_request(const std::string& prefix) {
  json_writer w;
  w.open('{');
  w.raw("create_request", range_request(prefix, false));
  w.close('}');
  return w.take();
}

std::string lease_request(std::int64_t lease, std::chrono::seconds ttl) {
  json_writer w;
  w.open('{');
  w.text("ID", std::to_string(lease));
  if (ttl.count() > 0) w.text("TTL", std::to_string(ttl.count()));
  w.close('}');
  return w.take();
}

std::string login_request(const std::string& user, const std::string& password) {
  json_writer w;
  w.open('{');
  w.text("name", user);
  w.text("password", password);
  w.close('}');
  return w.take();
}

std::optional<range> range_answer(std::string_view text) {
  fields answer{text};
  bool ok = true;
  range r{moment_of(answer, ok), {}};
  r.at.count = answer.number<std::uint64_t>("count");
  if (const auto* kvs = answer.find("kvs")) {
    if (!kvs->is_array()) return {};
    for (const auto& kv : *kvs) {
      fields f{kv};
      row one;
      one.key = f.bytes("key"), one.value = f.bytes("value");
      one.created = f.number<std::int64_t>("create_revision");
      one.modified = f.number<std::int64_t>("mod_revision");
      one.lease = f.number<std::int64_t>("lease");
      one.writes = f.number<std::uint64_t>("version");
      if (!f.ok() || one.created <= 0 || one.modified < one.created) return {};
      r.rows.push_back(std::move(one));
    }
  }
  if (!ok || !answer.ok() || r.rows.size() > r.at.count) return {};
  return r;
}

std::optional<bool> txn_answer(std::string_view text) {
  fields answer{text};
  const bool held = answer.flag("succeeded");
  if (!has_header(answer) || !answer.ok()) return {};
  return held;
}

std::optional<std::int64_t> grant_answer(std::string_view text) {
  fields answer{text};
  const auto id = answer.number<std::int64_t>("ID");
  if (!has_header(answer) || !answer.ok() || id == 0) return {};
  return id;
}

std::optional<lease_left> lease_answer(std::string_view text) {
  fields outer{text};
  const auto* streamed = outer.find("result"); // keep-alive's answer is the first of a stream
  fields answer{streamed != nullptr ? *streamed : outer.whole()};
  const auto left = answer.number<std::int64_t>("TTL");
  const auto granted = answer.number<std::int64_t>("grantedTTL");
  bool ok = true;
  const auto at = moment_of(answer, ok);
  if (!outer.ok() || !ok) return {};
  return lease_left{std::chrono::seconds{left}, std::chrono::seconds{granted}, at.term};
}

std::optional<std::monostate> empty_answer(std::string_view text) {
  fields answer{text};
  if (!has_header(answer)) return {};
  return std::monostate{};
}

std::optional<std::string> login_answer(std::string_view text) {
  fields answer{text};
  auto token = answer.text("token");
  const bool one_line = token.find_first_of("\r\n") == std::string::npos;
  if (!answer.ok() || token.empty() || !one_line) return {};
  return token;
}

std::optional<failure> error_answer(std::string_view text) {
  fields outer{text};
  const auto* nested = outer.find("error"); // of a stream: an object; else: a text
  const bool inside = nested != nullptr && nested->is_object();
  fields answer{inside ? *nested : outer.whole()};
  auto message = answer.text("message");
  const auto code = answer.number<int>(inside ? "grpc_code" : "code");
  if (!answer.ok() || message.empty()) return {};
  for (auto& c : message)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  message.resize(std::min(message.size(), limits::etcd_message_bytes_max));
  return failure{failure::kind::refused, "etcd refused: " + message, code};
}
} // namespace jumun::cluster::etcd::wire
