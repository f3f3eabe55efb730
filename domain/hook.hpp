#pragma once
#include "domain/hook_news.hpp"
#include "domain/request.hpp"

namespace jumun::domain {
/// One hook, as it is remembered for limits::hooks_kept, so that it is taken once.
struct hook_record {
  order_id order;
  hook_news news = hook_news::outcome;
  std::string event;     // digest of provider and event id
  std::string reference; // the provider's own name for the payment; empty: it told none
  std::int64_t received_ms = 0;
  bool parked = false; // waits for its order to appear
  bool operator==(const hook_record&) const = default;
};
struct take_hook {
  request_context from;
  hook_record what;
};
} // namespace jumun::domain
