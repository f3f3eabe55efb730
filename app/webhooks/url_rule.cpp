#include "app/webhooks/url_rule.hpp"
#include "app/outbound/address_policy.hpp"
#include "domain/limits.hpp"
#include <algorithm>
#include <curl/curl.h>
#include <memory>
#include <optional>

namespace jumun::app {
namespace {
struct url_free {
  void operator()(CURLU* u) const { curl_url_cleanup(u); }
};
using url_ptr = std::unique_ptr<CURLU, url_free>;

std::optional<std::string> part(const url_ptr& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return {};
  std::string out{text};
  curl_free(text);
  return out;
}

std::string wrong_host(std::string host) {
  const bool bracketed = host.size() > 2 && host.front() == '[';
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::transform(host.begin(), host.end(), host.begin(),
    [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  while (host.ends_with('.')) host.pop_back();
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(host, no_address);
  const bool local = host == "localhost" || host.ends_with(".localhost");
  if (local || (!no_address && !publicly_routable(address)))
    return "must not lead to a private, loopback or link-local address (--webhooks-allow-private)";
  return {};
}
} // namespace

std::string wrong_webhook_url(const std::string& text, bool allow_private) {
  const std::string schemes = allow_private ? "http or https" : "https";
  const auto form = "must be an absolute " + schemes + " URL without user and password, at most "
                    + std::to_string(limits::webhook_url_bytes_max) + " bytes";
  const bool visible =
    std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (text.size() > limits::webhook_url_bytes_max || !visible) return form;
  const url_ptr url{curl_url()};
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
    return form;
  const auto scheme = part(url, CURLUPART_SCHEME), host = part(url, CURLUPART_HOST);
  if (!scheme || !host || part(url, CURLUPART_FRAGMENT)) return form;
  if (scheme != "https" && !(allow_private && scheme == "http")) return form;
  return allow_private ? std::string{} : wrong_host(*host);
}
} // namespace jumun::app
