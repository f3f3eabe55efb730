#include "tests/catch.hpp"
#include "tests/power/image_check.hpp"
#include <cstdio>

using namespace jumun;
using namespace jumun::tests;

namespace {
constexpr std::size_t shown_max = 40;
std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (std::size_t i = 0; i < std::min(lines.size(), shown_max); ++i) out += "\n  " + lines[i];
  return out + (lines.size() > shown_max ? "\n  …" : "");
}
unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

struct cut_figures {
  std::uint64_t points = 0, images = 0;
  std::vector<std::string> wrong;
  std::optional<storage::failure> ended;
};

/// A day, with the power cut at each of its sync points: everything unsynced lost once, and
/// `chances` times what the seed says.
cut_figures cut_everywhere(const day_plan& plan, std::uint64_t seed, std::uint64_t chances) {
  cut_figures out;
  auto disk = std::make_shared<power_disk>();
  shop_day day{disk};
  image_checker checks{cores()};
  disk->on_sync([&](const sync_point& at) {
    if (interrupted()) return;
    ++out.points;
    const auto must_hold = promise::of(day);
    using look = std::function<std::string(const std::shared_ptr<power_disk>&, const promise&)>;
    const auto cut = [&](cut_kind how, std::uint64_t by, const look& whole) {
      auto left = disk->after_cut(how, by);
      ++out.images;
      checks.put("seed " + std::to_string(seed) + ", sync point " + std::to_string(at.number) + " ("
                   + (at.done ? "after " : "before ") + at.path + "), cut "
                   + (how == cut_kind::lost ? "lost" : std::to_string(by)),
        [left = std::move(left), must_hold, whole] { return whole(left, must_hold); });
    };
    const auto by = (seed << 32) + at.number * 64;
    cut(cut_kind::lost, 0, at.done ? look{look_at} : look{check_at});
    for (std::uint64_t i = 0; i < chances; ++i)
      cut(cut_kind::chance, by + i, (at.number + i) % 4 == 0 ? look{look_at} : look{check_at});
    if (at.number % 32 == seed % 32)
      cut(cut_kind::chance, by + 63, [by](const auto& left, const promise& must_hold) {
        return look_at_recovery(left, must_hold, by);
      });
    if (at.number % 500 == 0)
      std::printf("power: %llu sync points, %llu images\n",
        static_cast<unsigned long long>(out.points), static_cast<unsigned long long>(out.images));
  });
  out.ended = day.run(plan);
  disk->on_sync({});
  out.wrong = checks.finish();
  std::printf("power: seed %llu: %llu sync points, %llu images checked, %zu wrong; flushes %llu, "
              "background jobs %llu, trimmed %llu, backups %llu, orders answered %zu\n",
    static_cast<unsigned long long>(seed), static_cast<unsigned long long>(out.points),
    static_cast<unsigned long long>(checks.checked()), out.wrong.size(),
    static_cast<unsigned long long>(day.flushes),
    static_cast<unsigned long long>(day.background_jobs),
    static_cast<unsigned long long>(day.trimmed), static_cast<unsigned long long>(day.backups),
    day.answered().size());
  return out;
}
} // namespace

// JUMUN_SEED, JUMUN_SEEDS: which days; JUMUN_CUTS: images by chance at each sync point.
TEST_CASE("the power may go at any moment: all that was acknowledged is there, and nothing half",
  "[cut]") {
  watch_for_interrupt();
  const auto first = setting("JUMUN_SEED", 0), count = setting("JUMUN_SEEDS", 1);
  for (auto seed = first; seed < first + count && !interrupted(); ++seed) {
    const auto end = cut_everywhere({}, seed, setting("JUMUN_CUTS", 2));
    CAPTURE(seed, joined(end.wrong));
    REQUIRE_FALSE(end.ended);
    REQUIRE(end.wrong.empty());
    CHECK((interrupted() || end.points > 300));
  }
}
