#include "tests/power/image_check.hpp"
#include "storage/rocks_store.hpp"
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace jumun::tests {
namespace {
std::atomic<bool> asked_to_stop{false};

std::string rows_wrong(const storage::store& disk, const promise& p) {
  const auto digest = digest_of(disk);
  if (!p.any_of.empty() && std::find(p.any_of.begin(), p.any_of.end(), digest) == p.any_of.end())
    return "its rows are not those that were acknowledged";
  if (p.any_of.empty()) return "";
  const auto report = storage::check_store(disk, p.money, [](std::uint64_t) { return true; });
  if (report.findings.empty()) return "";
  const auto& f = report.findings.front();
  return "check: " + f.code + " " + f.where + ": " + f.what;
}

std::string look_on(power_env& env, const promise& p) {
  auto opened = storage::open_rocks(opened_on(data_dir, env));
  if (const auto* why = std::get_if<storage::failure>(&opened))
    return "does not open: " + why->detail;
  auto disk = std::get<0>(std::move(opened));
  try {
    if (auto wrong = rows_wrong(*disk, p); !wrong.empty()) return wrong;
    if (const auto why = disk->apply({{storage::table::meta, "after", "1"}}))
      return "takes no writes: " + why->detail;
    disk.reset();
    if (p.restored == 0) return "";
    opened = storage::open_rocks(opened_on(restored_dir, env));
    if (const auto* why = std::get_if<storage::failure>(&opened))
      return "the restored one does not open: " + why->detail;
    const auto second = std::get<0>(std::move(opened));
    return digest_of(*second) == p.restored ? "" : "the restored one lost rows";
  } catch (const std::exception& unreadable) {
    return std::string{"can't be read: "} + unreadable.what();
  }
}
} // namespace

promise promise::of(const shop_day& day) {
  promise p;
  const auto& s = day.story();
  for (auto i = s.acked; i < s.states.size(); ++i) p.any_of.push_back(s.states[i]);
  p.money = day.money().ledger();
  p.restored = day.restored();
  return p;
}

std::string look_at(const std::shared_ptr<power_disk>& left, const promise& must_hold) {
  power_env env{left};
  return look_on(env, must_hold);
}

std::string check_at(const std::shared_ptr<power_disk>& left, const promise& must_hold) {
  {
    power_env env{left->after_cut(cut_kind::kept, 0)};
    auto how = opened_on(data_dir, env);
    how.read_only = true;
    const auto opened = storage::open_rocks(how);
    if (const auto* disk = std::get_if<std::shared_ptr<storage::store>>(&opened)) try {
        return rows_wrong(**disk, must_hold);
      } catch (const std::exception& unreadable) {
        return std::string{"can't be read: "} + unreadable.what();
      }
  }
  return look_at(left, must_hold);
}

std::string look_at_recovery(
  const std::shared_ptr<power_disk>& left, const promise& must_hold, std::uint64_t seed) {
  std::string wrong;
  power_env env{left};
  left->on_sync([&](const sync_point& at) {
    if (!wrong.empty() || at.number % 5 != seed % 5) return;
    for (const auto how : {cut_kind::lost, cut_kind::chance}) {
      auto again = must_hold;
      again.restored = 0;
      power_env then{left->after_cut(how, seed + at.number)};
      auto opened = storage::open_rocks(opened_on(data_dir, then));
      if (const auto* why = std::get_if<storage::failure>(&opened))
        wrong = "cut again at " + at.path + ": does not open: " + why->detail;
      else if (const auto digest = digest_of(*std::get<0>(opened));
               !again.any_of.empty()
               && std::find(again.any_of.begin(), again.any_of.end(), digest) == again.any_of.end())
        wrong = "cut again at " + at.path + ": its rows are not those that were acknowledged";
    }
  });
  {
    auto opened = storage::open_rocks(opened_on(data_dir, env));
    left->on_sync({});
    if (const auto* why = std::get_if<storage::failure>(&opened))
      return "does not open: " + why->detail;
  }
  return wrong;
}

image_checker::image_checker(unsigned threads) {
  for (unsigned i = 0; i < std::max(1U, threads); ++i) threads_.emplace_back([this] { work(); });
}
image_checker::~image_checker() { (void)finish(); }

void image_checker::put(std::string label, std::function<std::string()> check) {
  std::unique_lock lock{guard_};
  changed_.wait(lock, [&] { return jobs_.size() < 16; });
  jobs_.push_back({std::move(label), std::move(check)});
  changed_.notify_all();
}

void image_checker::work() {
  std::unique_lock lock{guard_};
  for (;;) {
    changed_.wait(lock, [&] { return over_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const auto next = std::move(jobs_.front());
    jobs_.pop_front();
    changed_.notify_all();
    lock.unlock();
    auto wrong = next.check();
    lock.lock();
    ++checked_;
    if (!wrong.empty()) wrong_.push_back(next.label + ": " + wrong);
  }
}

std::vector<std::string> image_checker::finish() {
  {
    const std::lock_guard lock{guard_};
    over_ = true;
    changed_.notify_all();
  }
  for (auto& t : threads_)
    if (t.joinable()) t.join();
  const std::lock_guard lock{guard_};
  return wrong_;
}
std::uint64_t image_checker::checked() const {
  const std::lock_guard lock{guard_};
  return checked_;
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}
bool interrupted() { return asked_to_stop; }
void watch_for_interrupt() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0); // progress, also into a file
  std::signal(SIGINT, [](int) { asked_to_stop = true; });
}
} // namespace jumun::tests
