#include "domain/webhook.hpp"
#include "domain/limits.hpp"
#include <algorithm>

namespace jumun::domain {
namespace {
template <class Duration> constexpr std::int64_t ms_of(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

void note(webhook_delivery& what, const webhook_answer& got, std::int64_t now_ms, bool by_hand) {
  if (what.attempts.size() == limits::webhook_attempts_kept)
    what.attempts.erase(what.attempts.begin());
  what.attempts.push_back({now_ms, got.duration_ms, got.status, got.error, by_hand});
}
} // namespace

std::string_view name_of(webhook_off why) {
  switch (why) {
    case webhook_off::none: return "";
    case webhook_off::asked: return "asked";
    case webhook_off::gone: return "gone";
    case webhook_off::failing: return "failing";
  }
  return "";
}

std::string_view name_of(webhook_state state) {
  switch (state) {
    case webhook_state::retrying: return "retrying";
    case webhook_state::delivered: return "delivered";
    case webhook_state::failed: return "failed";
  }
  return "";
}

bool wants(const webhook& to, event_type type) {
  const auto has = [](const auto& all, const auto& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  return has(to.types, type) || has(to.topics, topic_of(type));
}

bool accepted(const webhook_answer& got) { return got.status >= 200 && got.status < 300; }

std::int64_t webhook_wait_ms(std::uint32_t tries, std::uint64_t random, std::int64_t hurry) {
  const auto usual = ms_of(limits::webhook_schedule.at(tries));
  const auto permille = 900 + static_cast<std::int64_t>(random % 201);
  return usual / 1'000 * permille / hurry; // the schedule counts in whole seconds
}

void take_answer(webhook& to, webhook_delivery& what, const webhook_answer& got,
  std::int64_t now_ms, std::uint64_t random, std::int64_t hurry) {
  note(what, got, now_ms, false);
  ++what.tries;
  what.next_attempt_ms = 0;
  if (accepted(got)) {
    what.state = webhook_state::delivered;
    to.failing_since_ms = 0, to.given_up_in_row = 0;
    return;
  }
  if (to.failing_since_ms == 0) to.failing_since_ms = now_ms;
  if (got.status == 410) { // the message waits, in case the endpoint is switched on again
    to.off = webhook_off::gone, ++to.version;
    return;
  }
  if (what.tries < limits::webhook_schedule.size()) {
    const auto asked = std::min(got.retry_after_ms, ms_of(limits::webhook_retry_after_max));
    what.next_attempt_ms = now_ms + std::max(asked, webhook_wait_ms(what.tries, random, hurry));
    return;
  }
  what.state = webhook_state::failed;
  if (++to.given_up_in_row < limits::webhook_given_up_max) return;
  to.off = webhook_off::failing, ++to.version;
}

void take_answer_by_hand(webhook_delivery& what, const webhook_answer& got, std::int64_t now_ms) {
  note(what, got, now_ms, true);
  what.redeliver = false;
  if (accepted(got)) what.state = webhook_state::delivered;
}

void rotate_secret(webhook& to, std::string bytes, std::int64_t now_ms) {
  const auto over = [now_ms](const webhook_secret& s) {
    return s.signs_until_ms != 0 && s.signs_until_ms <= now_ms;
  };
  std::erase_if(to.secrets, over);
  if (!to.secrets.empty())
    to.secrets.front().signs_until_ms = now_ms + ms_of(limits::webhook_secret_overlap);
  to.secrets.insert(to.secrets.begin(), {std::move(bytes), 0});
  if (to.secrets.size() > limits::webhook_secrets_max) to.secrets.pop_back();
}

std::vector<std::string_view> signing_secrets(const webhook& to, std::int64_t now_ms) {
  std::vector<std::string_view> out;
  for (const auto& s : to.secrets)
    if (s.signs_until_ms == 0 || s.signs_until_ms > now_ms) out.push_back(s.bytes);
  return out;
}
} // namespace jumun::domain
