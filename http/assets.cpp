#include "http/assets.hpp"
#include "http/command.hpp"
#include "http/conditions.hpp"

namespace jumun::http {
std::optional<asset> find_asset(std::string_view name) {
  static const auto all = embedded_assets();
  for (const auto& a : all)
    if (a.name == name) return a;
  return {};
}

std::string_view media_type_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> types[] = {
    {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"}, {".png", "image/png"}, {".svg", "image/svg+xml"},
    {".woff2", "font/woff2"}};
  for (const auto& [ending, type] : types)
    if (name.ends_with(ending)) return type;
  return {};
}

void send_file(const exchange_ptr& ex, std::string_view bytes, std::string media_type,
  std::string_view content_policy, std::string more) {
  response r;
  r.content_type = std::move(media_type);
  r.body = bytes;
  r.cache_control = "no-cache";
  r.more = std::move(more);
  if (!content_policy.empty()) r.content_policy = content_policy;
  send_tagged(ex, std::move(r), digest(bytes));
}
} // namespace jumun::http
