#include "app/live_config.hpp"

namespace jumun::app {
namespace {
/// One line for each setting that is another one than before.
void tell(const config& before, const config& now, const config& in_force) {
  const auto old = effective(before), held = effective(in_force);
  const auto value_in = [](const std::vector<setting>& all, const std::string& key) {
    for (const auto& s : all)
      if (s.key == key) return s.value;
    return std::string{}; // hidden, and not set
  };
  for (const auto& s : effective(now)) {
    if (value_in(old, s.key) == s.value) continue;
    if (s.is_live)
      log::info("config.taken", {{"key", s.key}, {"value", s.value}});
    else
      log::warn("config.needs_restart",
        {{"key", s.key}, {"value", s.value}, {"in_force", value_in(held, s.key)}});
  }
}
} // namespace

void live_config::follow(putting_in_force put) {
  put_ = std::move(put);
  if (now_.config_file.empty()) return;
  // It was good at the start: who spoils it meanwhile is told, and heard again at the next start.
  if (const auto why =
        file_.add({now_.config_file}, [this](const auto& bytes) { return take(bytes.front()); }))
    log::warn("config.not_followed", {{"detail", *why}});
  file_.start();
}

std::optional<std::string> live_config::take(const std::string& text) {
  auto read = reread(now_, text, this_process()); // only this thread writes now_
  if (auto* why = std::get_if<std::string>(&read)) return std::move(*why);
  auto& wanted = std::get<config>(read);
  const auto before = now_;
  auto now = with_live_of(now_, wanted);
  tell(wanted_, wanted, now);
  {
    const std::lock_guard lock{guard_};
    now_ = std::move(now);
    wanted_ = std::move(wanted);
  }
  put_(before, now_);
  return {};
}

std::string live_config::json() const {
  const std::lock_guard lock{guard_};
  return effective_json(now_, wanted_);
}
} // namespace jumun::app
