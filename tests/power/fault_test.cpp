#include "tests/catch.hpp"
#include "tests/power/image_check.hpp"
#include <cstdio>

using namespace jumun;
using namespace jumun::tests;

namespace {
struct fault_figures {
  std::uint64_t runs = 0, reported = 0, harmless = 0;
  std::vector<std::string> wrong;
};

struct fault_plan {
  std::uint64_t n = 0; // the call that fails
  disk_fault how = disk_fault::io_error;
  bool for_good = false;
};
std::string text_of(const fault_plan& f) {
  constexpr const char* kinds[] = {"EIO", "ENOSPC", "short write"};
  return "call " + std::to_string(f.n) + " fails: " + kinds[static_cast<int>(f.how)]
         + (f.for_good ? ", and all after it" : "");
}

/// A day in which one call fails. False: the day has no such call.
bool fail_one(const day_plan& plan, const fault_plan& f, fault_figures& out) {
  auto disk = std::make_shared<power_disk>();
  shop_day day{disk};
  disk->fail(f.n, f.how, f.for_good, f.n);
  const auto why = day.run(plan);
  if (!disk->has_failed()) return false;
  ++out.runs;
  ++(why ? out.reported : out.harmless);
  const auto must_hold = promise::of(day);
  // The process ends; or the power goes as well.
  const std::pair<const char*, std::shared_ptr<power_disk>> left[] = {
    {"killed", disk->after_cut(cut_kind::kept, 0)}, {"cut", disk->after_cut(cut_kind::lost, 0)},
    {"cut by chance", disk->after_cut(cut_kind::chance, f.n)}};
  day.kill();
  for (const auto& [name, image] : left)
    if (const auto wrong = f.n % 3 == 0 ? look_at(image, must_hold) : check_at(image, must_hold);
        !wrong.empty())
      out.wrong.push_back(text_of(f) + " (" + (why ? why->detail : "nothing was reported")
                          + "), then " + name + ": " + wrong);
  return true;
}
} // namespace

// JUMUN_FAULT_FROM, JUMUN_FAULT_STEP: which calls; by default every 9th of a short day's.
TEST_CASE("a call that fails stops the shop, and takes nothing that was acknowledged", "[fault]") {
  watch_for_interrupt();
  day_plan plan;
  plan.rounds = 2;
  plan.orders = 1;
  const auto step = std::max<std::uint64_t>(1, setting("JUMUN_FAULT_STEP", 9));
  std::mutex guard;
  fault_figures all;
  std::uint64_t next = setting("JUMUN_FAULT_FROM", 0);
  bool over = false;
  const auto work = [&] {
    for (;;) {
      fault_plan f;
      {
        const std::lock_guard lock{guard};
        if (over || interrupted()) return;
        f.n = next;
        next += step;
        if (all.runs % 50 == 49)
          std::printf("power: %llu calls failed\n", static_cast<unsigned long long>(all.runs + 1));
      }
      f.how = static_cast<disk_fault>(f.n / step % 3);
      f.for_good = f.n / step % 2 == 1;
      fault_figures mine;
      const bool had_it = fail_one(plan, f, mine);
      const std::lock_guard lock{guard};
      over = over || !had_it;
      all.runs += mine.runs;
      all.reported += mine.reported;
      all.harmless += mine.harmless;
      for (auto& w : mine.wrong) all.wrong.push_back(std::move(w));
    }
  };
  std::thread second{work};
  work();
  second.join();
  std::printf("power: %llu calls failed of %llu: %llu reported, %llu without effect, %zu wrong\n",
    static_cast<unsigned long long>(all.runs), static_cast<unsigned long long>(next),
    static_cast<unsigned long long>(all.reported), static_cast<unsigned long long>(all.harmless),
    all.wrong.size());
  for (const auto& w : all.wrong) UNSCOPED_INFO(w);
  REQUIRE(all.wrong.empty());
  CHECK((interrupted() || all.runs > 20));
  CHECK(all.reported > all.harmless / 4);
}
