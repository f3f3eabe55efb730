#include "tests/kills/books.hpp"

namespace jumun::tests::kills {
response send(client& api, client& ops, const call& c) {
  headers with;
  if (!c.key.empty()) with["Idempotency-Key"] = c.key;
  if (!c.if_match.empty()) with["If-Match"] = c.if_match;
  if (c.waits) with["Prefer"] = "wait=1";
  return (c.is_admin ? ops : api).send(c.method, c.target, c.body, with);
}

bool to_be_asked_again(const response& r) {
  if (r.status == 503 || r.status == 504) return true;
  return r.status == 409 && r.json().at("code") == "idempotency-key-running";
}

json fixed_part(const json& order) {
  return {order.at("id"), order.at("customer_id"), order.at("lines"), order.at("total"),
    order.at("created_at"), order.at("payment").at("id")};
}

void board::answered() {
  const std::lock_guard lock{guard_};
  ++answers_;
  changed_.notify_all();
}

bool board::wait_for_answers(std::uint64_t enough, std::chrono::milliseconds within) {
  std::unique_lock lock{guard_};
  const auto ready = [&] { return answers_ >= enough || !wrong_.empty(); };
  return changed_.wait_for(lock, within, ready) && wrong_.empty();
}

std::uint64_t board::answers() const {
  const std::lock_guard lock{guard_};
  return answers_;
}

void board::begin_life() {
  const std::lock_guard lock{guard_};
  answers_ = 0;
  is_dying = false;
}

void board::report(const std::string& what) {
  const std::lock_guard lock{guard_};
  if (wrong_.size() < 20) wrong_.push_back(what);
  changed_.notify_all();
}

std::vector<std::string> board::wrong() const {
  const std::lock_guard lock{guard_};
  return wrong_;
}

void board::placed(const std::string& order) {
  const std::lock_guard lock{guard_};
  ++orders_;
  recent_.push_back(order);
  if (recent_.size() > 48) recent_.pop_front();
}

std::string board::recent(std::uint64_t chance) const {
  const std::lock_guard lock{guard_};
  return recent_.empty() ? std::string{} : recent_[chance % recent_.size()];
}

std::uint64_t board::orders() const {
  const std::lock_guard lock{guard_};
  return orders_;
}

void board::opened(const std::string& order) {
  const std::lock_guard lock{guard_};
  if (!number_of_.emplace(order, ++opened_).second) return;
  open_[opened_] = {clock::now(), order};
}

void board::at_rest(const std::string& order) {
  const std::lock_guard lock{guard_};
  const auto known = number_of_.find(order);
  if (known == number_of_.end()) return;
  open_.erase(known->second);
  number_of_.erase(known);
}

std::string board::long_open(std::uint64_t chance) const {
  const std::lock_guard lock{guard_};
  if (open_.empty()) return {};
  auto one = open_.begin();
  std::advance(one, chance % std::min<std::size_t>(open_.size(), 8));
  return one->second.second;
}

std::chrono::milliseconds board::oldest_open() const {
  const std::lock_guard lock{guard_};
  if (open_.empty()) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(
    clock::now() - open_.begin()->second.first);
}
} // namespace jumun::tests::kills
