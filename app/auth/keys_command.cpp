#include "app/auth/keys_command.hpp"
#include "app/auth/keys_file.hpp"
#include "app/log.hpp"
#include "app/node.hpp"
#include "app/read_file.hpp"
#include "domain/limits.hpp"
#include "http/fields.hpp"
#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cstdio>

namespace jumun::app {
namespace {
exit_code refuse(const std::string& why) {
  std::fprintf(stderr, "jumun keys: %s\n", why.c_str());
  return exit_code::usage;
}

/// `30d`, `12h` from now on, or a time of RFC 3339; nullopt: none of these, past, or too far.
std::optional<std::int64_t> expiry(const std::string& text, std::int64_t now_ms) {
  constexpr std::int64_t hour_ms = 3'600'000;
  constexpr auto most = std::chrono::milliseconds{limits::api_key_life_max}.count();
  std::int64_t count = 0;
  const auto end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, count);
  std::optional<std::int64_t> at;
  if (ec == std::errc{} && stop + 1 == end && (*stop == 'd' || *stop == 'h')) {
    if (count < 1 || count > most / hour_ms) return {};
    at = now_ms + count * (*stop == 'd' ? 24 : 1) * hour_ms;
  } else {
    at = http::parse_time(text);
  }
  return at && *at > now_ms && *at <= now_ms + most ? at : std::nullopt;
}

exit_code add(const keys_request& asked) {
  const auto role = parse_role(asked.role);
  if (!role)
    return refuse(
      "--role: \"" + asked.role + "\" is not allowed; allowed: one of " + std::string{role_names});
  if (!is_principal(asked.principal))
    return refuse("--principal: 1.." + std::to_string(limits::principal_bytes_max)
                  + " bytes of UTF-8 without control characters are allowed");
  const auto now_ms = wall_clock_us() / 1000;
  std::optional<std::int64_t> expires;
  if (!asked.expires.empty() && !(expires = expiry(asked.expires, now_ms)))
    return refuse("--expires: \"" + asked.expires
                  + "\" is not allowed; allowed: 30d, 12h, or a time to come within 10 years, such "
                    "as 2027-01-31T00:00:00Z");
  const auto made = make_key(*role, asked.principal, now_ms, expires);
  const auto why = edit_keys_file(asked.file, /*create=*/true, [&](std::vector<api_key>& keys) {
    if (keys.size() >= limits::api_keys_max)
      return std::optional{"the file has " + std::to_string(keys.size()) + " keys: that is all"};
    keys.push_back(made.row);
    return std::optional<std::string>{};
  });
  if (why) return refuse(*why);
  std::printf("%s: %s \"%s\", expires %s. The secret, shown this once:\n%s\n", made.row.id.c_str(),
    asked.role.c_str(), asked.principal.c_str(), expires ? rfc3339(*expires).c_str() : "never",
    made.secret.c_str());
  return exit_code::ok;
}

exit_code list(const keys_request& asked) {
  const auto text = read_file(asked.file, limits::auth_file_bytes_max);
  if (const auto* failed = std::get_if<read_failed>(&text))
    return refuse("\"" + asked.file + "\": " + failed->why);
  const auto keys = parse_keys(std::get<std::string>(text));
  if (const auto* why = std::get_if<std::string>(&keys))
    return refuse("\"" + asked.file + "\": " + *why);
  std::printf("%-20s  %-9s  %-24s  %-24s  %s\n", "ID", "ROLE", "CREATED", "EXPIRES", "PRINCIPAL");
  const auto now_ms = wall_clock_us() / 1000;
  for (const auto& k : std::get<0>(keys))
    std::printf("%-20s  %-9s  %-24s  %-24s  %s%s\n", k.id.c_str(),
      std::string{name_of(k.role)}.c_str(), rfc3339(k.created_ms).c_str(),
      k.expires_ms ? rfc3339(*k.expires_ms).c_str() : "never", k.principal.c_str(),
      k.expires_ms && *k.expires_ms <= now_ms ? "  (expired)" : "");
  return exit_code::ok;
}

exit_code revoke(const keys_request& asked) {
  const auto why = edit_keys_file(asked.file, /*create=*/false, [&](std::vector<api_key>& keys) {
    const auto had = std::erase_if(keys, [&](const api_key& k) { return k.id == asked.id; }) > 0;
    return had ? std::nullopt
               : std::optional{"\"" + asked.id
                               + "\": no key has this id; `jumun keys list` names "
                                 "them"};
  });
  if (why) return refuse(*why);
  std::printf(
    "revoked %s; a server that has the file open refuses it within a second\n", asked.id.c_str());
  return exit_code::ok;
}
} // namespace

CLI::App* add_keys_command(CLI::App& app, keys_request& into) {
  auto* keys = app.add_subcommand("keys", "make, list and revoke API keys (for serve --keys)");
  keys->require_subcommand(1);
  const auto verb = [&](const char* name, const char* doc, keys_request::doing what) {
    auto* sub = keys->add_subcommand(name, doc);
    sub->add_option("--file", into.file, "the keys file")->required();
    sub->callback([&into, what] { into.what = what; });
    return sub;
  };
  auto* add = verb("add", "make a key; its secret is printed once", keys_request::doing::add);
  add->add_option("--role", into.role, "one of " + std::string{role_names})->required();
  add->add_option("--principal", into.principal, "whose it is; of a customer: the customer_id")
    ->required();
  add->add_option("--expires", into.expires, "30d, 12h, or a time of RFC 3339; default: never");
  verb("list", "list all keys, without secrets", keys_request::doing::list);
  auto* revoke = verb("revoke", "take a key away", keys_request::doing::revoke);
  revoke->add_option("ID", into.id, "the key's id, key_…")->required();
  return keys;
}

exit_code run_keys(const keys_request& asked) {
  switch (asked.what) {
    case keys_request::doing::add: return add(asked);
    case keys_request::doing::list: return list(asked);
    case keys_request::doing::revoke: break;
  }
  return revoke(asked);
}
} // namespace jumun::app
