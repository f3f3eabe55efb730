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

void send_file(const exchange_ptr& ex, std::string_view bytes, std::string media_type,
  std::string_view content_policy) {
  response r;
  r.content_type = std::move(media_type);
  r.body = bytes;
  r.cache_control = "no-cache";
  if (!content_policy.empty()) r.content_policy = content_policy;
  send_tagged(ex, std::move(r), digest(bytes));
}
} // namespace jumun::http
