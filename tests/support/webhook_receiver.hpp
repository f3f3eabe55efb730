#pragma once
#include "tests/support/raw_server.hpp"
#include "tests/support/shop_client.hpp"
#include <condition_variable>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/// The other side of a webhook, by Standard Webhooks' own words: shares no code with the server.
namespace jumun::tests {
struct webhook_message {
  std::string id, timestamp, signatures, traceparent, content_type, raw;
  [[nodiscard]] json body() const { return json::parse(raw); }

  /// Whether one of the signatures is by `whsec_…`.
  [[nodiscard]] bool signed_by(const std::string& secret) const {
    const auto text = secret.substr(6); // whsec_
    std::string key(text.size(), '\0');
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(key.data()),
      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    key.resize(text.size() / 4 * 3 - (text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0));
    const auto content = id + "." + timestamp + "." + raw;
    unsigned char mac[32], encoded[45];
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
      reinterpret_cast<const unsigned char*>(content.data()), content.size(), mac, &length);
    EVP_EncodeBlock(encoded, mac, 32);
    const auto wanted = "v1," + std::string{reinterpret_cast<const char*>(encoded)};
    return (" " + signatures + " ").find(" " + wanted + " ") != std::string::npos;
  }
};

/// What to answer: an HTTP status, or one of these.
inline constexpr int hangs = 0, hangs_up = -1;

/// Remembers every message, whatever it answers. `says` is asked for each, with the number of
/// messages before it, one at a time.
class webhook_receiver {
public:
  using answers = std::function<int(const webhook_message&, std::size_t)>;
  explicit webhook_receiver(answers says = [](const webhook_message&, std::size_t) { return 200; })
      : says_(std::move(says)), listening_([this](raw_peer& peer) { talk(peer); }) {}

  [[nodiscard]] std::string url() const { return listening_.url("/hook?key=planted-in-url"); }
  /// All messages so far, once there are `n`.
  std::vector<webhook_message> wait_for(std::size_t n) {
    return wait_until([n](const auto& all) { return all.size() >= n; });
  }
  std::vector<webhook_message> wait_until(
    const std::function<bool(const std::vector<webhook_message>&)>& enough) {
    std::unique_lock held{guard_};
    if (!came_.wait_for(held, patience, [&] { return enough(all_); }))
      throw std::runtime_error{"the messages never came: " + std::to_string(all_.size())};
    return all_;
  }
  [[nodiscard]] std::vector<webhook_message> so_far() {
    const std::lock_guard held{guard_};
    return all_;
  }

private:
  void talk(raw_peer& peer) {
    for (;;) {
      const auto request = peer.read_request();
      if (request.empty()) return;
      const auto said = take(request);
      if (said == hangs) return peer.wait_closed();
      if (said == hangs_up) return peer.reset();
      peer.answer(said, "", said == 429 ? "Retry-After: 1\r\n" : "");
    }
  }
  int take(const std::string& request) {
    const auto field = [&](const std::string& name) {
      const auto at = request.find("\r\n" + name + ": ");
      if (at == std::string::npos) return std::string{};
      const auto from = at + name.size() + 4;
      return request.substr(from, request.find("\r\n", from) - from);
    };
    webhook_message m{field("webhook-id"), field("webhook-timestamp"), field("webhook-signature"),
      field("traceparent"), field("Content-Type"), request.substr(request.find("\r\n\r\n") + 4)};
    const std::lock_guard held{guard_};
    const auto said = says_(m, all_.size());
    all_.push_back(std::move(m));
    came_.notify_all();
    return said;
  }

  answers says_;
  std::mutex guard_;
  std::condition_variable came_;
  std::vector<webhook_message> all_;
  raw_server listening_;
};
} // namespace jumun::tests
