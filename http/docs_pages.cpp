#include "http/assets.hpp"
#include "http/resources.hpp"

/// The pages for people: /docs renders /openapi.json, /problems/CODE is where a problem's `type`
/// points.
namespace jumun::http {
namespace {
/// Nothing inline, nothing from elsewhere. The viewer's pictures are data: URLs of its style sheet.
constexpr std::string_view page_policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; "
  "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
  "frame-ancestors 'none'";

void send_page_file(const exchange_ptr& ex, std::string_view name) {
  const auto file = find_asset("docs/" + std::string{name});
  const auto type = media_type_of(name);
  if (!file || type.empty()) return send(ex, problems::not_found, "the page has no such file");
  send_file(ex, file->bytes, std::string{type}, page_policy);
}
} // namespace

/// GET /docs → 200, 304.
void get_docs(const exchange_ptr& ex) { send_page_file(ex, "index.html"); }

/// GET /docs/{file} → 200, 304, 404.
void get_docs_file(const exchange_ptr& ex) { send_page_file(ex, ex->params[0]); }

/// GET /problems/{code} → 200 its section of docs/problems.md, 304, 404.
void get_problem_page(const exchange_ptr& ex) {
  const auto page = find_asset("problems.md").value().bytes;
  const auto from = page.find("\n## " + ex->params[0] + "\n");
  if (!find_problem(ex->params[0]) || from == std::string_view::npos)
    return send(ex, problems::not_found, "no problem has this code");
  const auto section = page.substr(from + 1);
  send_file(ex, section.substr(0, section.find("\n## ") + 1), "text/markdown; charset=utf-8");
}
} // namespace jumun::http
