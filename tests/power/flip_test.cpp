#include "storage/rocks_store.hpp"
#include "tests/catch.hpp"
#include "tests/power/image_check.hpp"
#include <atomic>
#include <cstdio>

using namespace jumun;
using namespace jumun::tests;

namespace {
std::string kind_of(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".sst")) return "table file";
  if (name.ends_with(".log")) return "write-ahead log";
  return name.substr(0, name.find('-')); // MANIFEST, OPTIONS, CURRENT, IDENTITY, durable
}

struct flip {
  std::string path;
  std::uint64_t bit = 0;
};

/// The lengths and types of a log's records: what their checksums are found by.
std::vector<std::uint64_t> head_bits(const std::string& log) {
  constexpr std::uint64_t block = 32'768, head = 7;
  std::vector<std::uint64_t> out;
  for (std::uint64_t at = 0; at + head <= log.size();) {
    if (block - at % block < head) {
      at += block - at % block;
      continue;
    }
    for (auto bit = (at + 4) * 8; bit < (at + head) * 8; ++bit) out.push_back(bit);
    const auto low = static_cast<unsigned char>(log[at + 4]);
    const auto high = static_cast<unsigned char>(log[at + 5]);
    at += head + low + 256U * high;
  }
  return out;
}

/// Picks bits by seed: of each kind of file as many, and a quarter among the heads of records.
class flip_picker {
public:
  flip_picker(const power_disk& disk, std::uint64_t seed) : chance_(seed) {
    for (const auto& [path, bytes] : disk.files()) {
      if (bytes == 0 || !path.starts_with(data_dir + "/")) continue;
      const auto kind = kind_of(path);
      files_[kind].push_back({path, bytes * 8});
      if (kind != "MANIFEST" && kind != "write-ahead log") continue;
      for (const auto bit : head_bits(disk.content(path))) heads_.push_back({path, bit});
    }
  }
  [[nodiscard]] flip next() {
    if (chance_() % 4 == 0) return heads_[chance_() % heads_.size()];
    auto kind = files_.begin();
    std::advance(kind, static_cast<std::ptrdiff_t>(chance_() % files_.size()));
    const auto& file = kind->second[chance_() % kind->second.size()];
    return {file.path, chance_() % file.bit};
  }
  [[nodiscard]] const auto& files() const { return files_; }

private:
  std::mt19937_64 chance_;
  std::map<std::string, std::vector<flip>> files_; // bit: how many there are
  std::vector<flip> heads_;
};

enum class outcome { harmless, refused, unreadable, found_by_check, wrong };
constexpr const char* outcome_names[] = {
  "harmless", "refused at open", "read fails", "only check sees it", "WRONG"};

struct looked {
  outcome what = outcome::wrong;
  std::string why;
};
looked open_damaged(
  const std::shared_ptr<power_disk>& disk, bool read_only, const promise& original) {
  power_env env{disk};
  storage::rocks_options how;
  how.dir = data_dir;
  how.memory_bytes = 8 << 20;
  how.env = &env;
  how.create = !read_only;
  how.read_only = read_only;
  const auto opened = storage::open_rocks(how);
  if (const auto* why = std::get_if<storage::failure>(&opened))
    return {outcome::refused, why->detail};
  const auto& store = *std::get<0>(opened);
  try {
    if (digest_of(store) == original.any_of.front()) return {outcome::harmless, {}};
  } catch (const std::runtime_error& why) {
    return {outcome::unreadable, why.what()};
  }
  const auto go_on = [](std::uint64_t) { return true; };
  const auto report = storage::check_store(store, original.money, go_on);
  if (report.findings.empty()) return {outcome::wrong, "rows differ, and nothing says so"};
  return {outcome::found_by_check, report.findings.front().code};
}
} // namespace

// JUMUN_FLIPS: how many are tried; JUMUN_SEED: which.
TEST_CASE("a flipped bit is harmless or detected, and never a wrong answer", "[flip]") {
  watch_for_interrupt();
  const auto disk = std::make_shared<power_disk>();
  promise original;
  {
    shop_day day{disk};
    day_plan plan;
    plan.rounds = 4, plan.orders = 2, plan.backup = false;
    REQUIRE_FALSE(day.run(plan)); // its last life's writes are in the log alone
    original = promise::of(day);
    REQUIRE(original.any_of.size() == 1);
  }
  const auto seed = setting("JUMUN_SEED", 0), count = setting("JUMUN_FLIPS", 10'000);
  flip_picker pick{*disk, seed};
  for (const auto* kind : {"table file", "write-ahead log", "MANIFEST", "CURRENT", "durable"})
    REQUIRE(pick.files().contains(kind));

  std::mutex guard;
  std::map<std::string, std::map<outcome, std::uint64_t>> seen;
  std::vector<std::string> wrong;
  std::uint64_t tried = 0;
  const auto work = [&] {
    for (;;) {
      flip f;
      std::uint64_t n = 0;
      {
        const std::lock_guard lock{guard};
        if (tried == count || interrupted()) return;
        n = tried++;
        f = pick.next();
        if (tried % 1'000 == 0)
          std::printf("power: %llu bits flipped\n", static_cast<unsigned long long>(tried));
      }
      const auto damaged = disk->after_cut(cut_kind::kept, 0);
      damaged->flip(f.path, f.bit);
      // By turns as a check and as the next start opens it.
      const auto now = open_damaged(damaged, /*read_only=*/n % 4 != 0, original);
      const std::lock_guard lock{guard};
      ++seen[kind_of(f.path)][now.what];
      if (now.what >= outcome::found_by_check)
        wrong.push_back(f.path + ", bit " + std::to_string(f.bit) + ": " + now.why);
    }
  };
  std::thread second{work};
  work();
  second.join();
  for (const auto& [kind, by] : seen)
    for (const auto& [what, times] : by)
      std::printf("power: flips in %s: %s %llu\n", kind.c_str(),
        outcome_names[static_cast<std::size_t>(what)], static_cast<unsigned long long>(times));
  std::printf("power: %llu bits flipped, %zu wrong (seed %llu)\n",
    static_cast<unsigned long long>(tried), wrong.size(), static_cast<unsigned long long>(seed));
  for (std::size_t i = 0; i < std::min<std::size_t>(wrong.size(), 30); ++i) UNSCOPED_INFO(wrong[i]);
  REQUIRE(wrong.empty());
}
