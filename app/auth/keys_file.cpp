#include "app/auth/keys_file.hpp"
#include "app/log.hpp"
#include "app/open_file.hpp"
#include "app/read_file.hpp"
#include "app/replace_file.hpp"
#include "domain/limits.hpp"
#include "http/json.hpp"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <set>
#include <stdexcept>
#include <sys/file.h>
#include <system_error>
#include <thread>

namespace jumun::app {
namespace {
using json = nlohmann::ordered_json;
constexpr std::array<std::pair<http::role, std::string_view>, 6> roles{
  {{http::customer, "customer"}, {http::inventory, "inventory"}, {http::courier, "courier"},
    {http::viewer, "viewer"}, {http::operator_, "operator"}, {http::admin, "admin"}}};
constexpr std::string_view secret_prefix = "jmn_", id_prefix = "key_";
constexpr auto never = std::numeric_limits<std::int64_t>::max();

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string out;
  out.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}
template <std::size_t Bytes> std::string random_hex() {
  std::array<unsigned char, Bytes> bytes{};
  if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("the system has no randomness for a key");
  return hex(bytes.data(), bytes.size());
}
std::string sha256_of(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return hex(hash.data(), hash.size());
}
bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// -- reading --------------------------------------------------------------------------------------

/// Takes the fields of one key; `why` gets what is wrong with the first that is.
class key_reader {
public:
  key_reader(const json& row, std::string& why) : row_{row}, why_{why} {}
  std::string text(const char* name, bool (*fits)(std::string_view), const char* allowed) {
    const auto* value = find(name);
    if (value && value->is_string() && fits(value->get_ref<const std::string&>())) return *value;
    return wrong(name, allowed), std::string{};
  }
  std::optional<std::int64_t> time(const char* name, bool optional) {
    const auto* value = find(name);
    if (optional && value && value->is_null()) return {};
    if (value && value->is_string())
      if (const auto ms = parse_rfc3339(value->get_ref<const std::string&>())) return ms;
    return wrong(name, "a time such as 2026-01-31T00:00:00.000Z"), std::nullopt;
  }

private:
  const json* find(const char* name) const {
    const auto at = row_.find(name);
    return at == row_.end() ? nullptr : &*at;
  }
  void wrong(const char* name, const char* allowed) {
    if (why_.empty()) why_ = std::string{"\""} + name + "\" must be " + allowed;
  }
  const json& row_;
  std::string& why_;
};

std::string read_key(const json& row, api_key& into) {
  if (!row.is_object() || row.size() != 6) return "must be an object of six fields";
  std::string why;
  key_reader in{row, why};
  into.id = in.text(
    "id", [](std::string_view t) { return t.starts_with(id_prefix) && is_hex(t.substr(4), 16); },
    "key_ and 16 hex digits");
  into.sha256 = in.text(
    "sha256", [](std::string_view t) { return is_hex(t, 64); }, "64 hex digits");
  const auto role = in.text(
    "role", [](std::string_view t) { return parse_role(t).has_value(); }, "one of the six roles");
  into.role = parse_role(role).value_or(http::viewer);
  into.principal = in.text("principal", is_principal, "1..64 bytes without control characters");
  into.created_ms = in.time("created_at", false).value_or(0);
  into.expires_ms = in.time("expires_at", true);
  return why;
}
} // namespace

std::string_view name_of(http::role one) {
  for (const auto& [role, name] : roles)
    if (role == one) return name;
  return "";
}
std::optional<http::role> parse_role(std::string_view name) {
  for (const auto& [role, known] : roles)
    if (known == name) return role;
  return {};
}
bool is_principal(std::string_view text) {
  return !text.empty() && text.size() <= limits::principal_bytes_max && http::is_utf8(text)
         && http::is_clean_text(text);
}

std::variant<std::vector<api_key>, std::string> parse_keys(std::string_view text) {
  const auto all = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (all.is_discarded()) return "it is not JSON";
  if (!all.is_object() || all.value("format", json{}) != 1)
    return R"(it is no keys file of this release: "format" must be 1)";
  const auto rows = all.value("keys", json{});
  if (all.size() != 2 || !rows.is_array()) return R"("keys" must be a list, beside "format" alone)";
  if (rows.size() > limits::api_keys_max)
    return "it has more than " + std::to_string(limits::api_keys_max) + " keys";
  std::vector<api_key> keys(rows.size());
  std::set<std::string> seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto why = read_key(rows[i], keys[i]);
    if (why.empty() && !(seen.insert(keys[i].id).second && seen.insert(keys[i].sha256).second))
      why = "\"id\" and \"sha256\" must be there once";
    if (!why.empty()) return "keys[" + std::to_string(i) + "]: " + why;
  }
  return keys;
}

std::string render_keys(const std::vector<api_key>& keys) {
  auto rows = json::array();
  for (const auto& k : keys) {
    const json expires = k.expires_ms ? json(rfc3339(*k.expires_ms)) : json(nullptr);
    rows.push_back({{"id", k.id}, {"sha256", k.sha256}, {"role", name_of(k.role)},
      {"principal", k.principal}, {"created_at", rfc3339(k.created_ms)}, {"expires_at", expires}});
  }
  return json{{"format", 1}, {"keys", std::move(rows)}}.dump(1) + "\n";
}

made_key make_key(http::role as, std::string principal, std::int64_t now_ms,
  std::optional<std::int64_t> expires_ms) {
  made_key made;
  made.secret = std::string{secret_prefix} + random_hex<32>();
  made.row = {std::string{id_prefix} + random_hex<8>(), sha256_of(made.secret), as,
    std::move(principal), now_ms, expires_ms};
  return made;
}

// -- writing --------------------------------------------------------------------------------------

namespace {
namespace fs = std::filesystem;
std::string because(const std::string& what) {
  return what + ": " + std::system_category().message(errno);
}

/// The other editor is done in milliseconds; one that is stopped must not stop us for good.
std::optional<std::string> lock(const open_file& file) {
  using namespace std::chrono_literals;
  for (auto left = 10s / 20ms; ::flock(file.fd(), LOCK_EX | LOCK_NB) != 0; --left) {
    if (errno != EWOULDBLOCK && errno != EINTR) return because("cannot be locked");
    if (left == 0) return "is being edited by another process";
    std::this_thread::sleep_for(20ms);
  }
  return {};
}
} // namespace

std::optional<std::string> edit_keys_file(const std::string& path, bool create,
  const std::function<std::optional<std::string>(std::vector<api_key>&)>& change) {
  std::error_code ec;
  const auto target = fs::weakly_canonical(fs::absolute(path), ec); // a link stays a link
  if (ec) return "\"" + path + "\": " + ec.message();
  const auto say = [&](const std::string& why) { return "\"" + target.string() + "\": " + why; };
  const open_file guard{
    ::open((target.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (guard.fd() < 0) return say(because("its lock cannot be opened"));
  if (const auto why = lock(guard)) return say(*why);
  std::vector<api_key> keys;
  if (!create || fs::exists(target, ec)) {
    const auto text = read_file(target.string(), limits::auth_file_bytes_max);
    if (const auto* why = std::get_if<read_failed>(&text)) return say(why->why);
    auto parsed = parse_keys(std::get<std::string>(text));
    if (const auto* why = std::get_if<std::string>(&parsed))
      return say(*why + "; it is left as it is: repair it, or use another file");
    keys = std::get<0>(std::move(parsed));
  }
  if (auto why = change(keys)) return why;
  return replace_file(target, render_keys(keys), 0600);
}

// -- the ring -------------------------------------------------------------------------------------

keyring::keyring(const std::vector<api_key>& keys) {
  for (const auto& k : keys)
    keys_.emplace(k.sha256, entry{{k.principal, k.role}, k.expires_ms.value_or(never)});
}

std::optional<http::identity> keyring::find(std::string_view secret, std::int64_t now_ms) const {
  if (!secret.starts_with(secret_prefix)) return {};
  const auto found = keys_.find(sha256_of(secret));
  if (found == keys_.end() || now_ms >= found->second.expires_ms) return {};
  return found->second.who;
}
} // namespace jumun::app
