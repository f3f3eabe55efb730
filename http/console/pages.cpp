#include "http/assets.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"

/// The console's own files (console/), as they are embedded in the binary. They hold nothing
/// secret, so they ask for no key; whoever shows one that opens no view of it is turned away.
namespace jumun::http {
namespace {
constexpr std::string_view folder = "console/";

/// Nothing inline, nothing from elsewhere.
constexpr std::string_view page_policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
  "frame-ancestors 'none'";

/// False: the 403 is sent.
bool may_look(const exchange_ptr& ex) {
  const auto token = bearer_token(ex->head);
  const auto who =
    token.empty() || !ex->at->to.who ? std::nullopt : ex->at->to.who->identify(token);
  if (!who || (who->roles & (inventory | viewer | operator_ | admin)) != 0) return true;
  send(ex, problems::forbidden);
  return false;
}

/// A file that was packed at build time lies beside the plain one, under its name and `.gz`.
void send_console_file(const exchange_ptr& ex, std::string_view name) {
  if (!may_look(ex)) return;
  const auto path = std::string{folder}.append(name);
  const auto type = media_type_of(name);
  auto file = type.empty() ? std::nullopt : find_asset(path);
  if (!file) return send(ex, problems::not_found, "the console has no such file");
  std::string more = "Vary: Accept-Encoding\r\n";
  const auto packed = accepts_gzip(ex->head) ? find_asset(path + ".gz") : std::nullopt;
  if (packed) file = packed, more += "Content-Encoding: gzip\r\n";
  send_file(ex, file->bytes, std::string{type}, page_policy, std::move(more));
}
} // namespace

/// GET /console → 308 to the page, relative to wherever it is served.
void get_console_address(const exchange_ptr& ex) {
  response r;
  r.status = 308;
  r.location = folder;
  ex->reply(std::move(r));
}

/// GET /console/ → 200, 304; 403 with a customer's or a courier's key.
void get_console(const exchange_ptr& ex) { send_console_file(ex, "index.html"); }

/// GET /console/{file} → 200, 304, 403, 404.
void get_console_file(const exchange_ptr& ex) { send_console_file(ex, ex->params[0]); }
} // namespace jumun::http
