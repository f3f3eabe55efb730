#include "tests/catch.hpp"
#include "tests/history/judge.hpp"
#include "tests/history/record.hpp"
#include "tests/support/temp_dir.hpp"
#include <cstdlib>
#include <random>

// A crowd on the real binary. JUMUN_SEED repeats a failed run's choices (not its moments).
namespace {
using namespace jumun::tests::history;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}
void must_be_linearizable(recording_options how) {
  how.seed = number_from("JUMUN_SEED", std::random_device{}());
  CAPTURE(how.seed, how.operations, how.kills);
  const jumun::tests::temp_dir tmp;
  const auto day = record(how, tmp.path());
  CHECK(day.complaints == std::vector<std::string>{});
  CHECK(day.requests >= how.operations);
  CHECK(day.kills == how.kills);
  judging two;
  two.threads = 2;
  const auto found = judge(day.what, two);
  for (const auto& c : found.wrong) UNSCOPED_INFO(c.text);
  if (!found.passed()) {
    const auto file = "history-" + std::to_string(how.seed) + ".jsonl";
    write(day.what, file);
    UNSCOPED_INFO("kept; again: jumun_history check " + file);
  }
  CHECK(found.passed());
  CHECK(found.unknown > 0); // or no connection was cut
  CHECK(found.hidden > 0);
}
} // namespace

TEST_CASE("stock, orders and keys are linearizable under a crowd", "[recorded]") {
  recording_options how;
  how.operations = 150'000;
  must_be_linearizable(how);
}

TEST_CASE("stock, orders and keys are linearizable across kill -9", "[recorded]") {
  recording_options how;
  how.operations = 50'000;
  how.kills = 6;
  must_be_linearizable(how);
}
