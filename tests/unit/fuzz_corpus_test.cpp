#include "tests/catch.hpp"
#include "tests/fuzz/targets.hpp"
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace jumun;
namespace fs = std::filesystem;

TEST_CASE("what the fuzzers found worth keeping breaks no promise", "[fuzz]") {
  const std::pair<const char*, fuzz::target*> targets[] = {{"request_head", fuzz::request_head},
    {"order_json", fuzz::order_json}, {"codecs", fuzz::codecs}, {"rows", fuzz::rows},
    {"keys", fuzz::keys}, {"wire", fuzz::wire}};
  for (const auto& [name, run] : targets) {
    std::size_t files = 0;
    for (const auto& file :
      fs::directory_iterator{fs::path{JUMUN_TEST_ROOT} / "fuzz/corpus" / name}) {
      CAPTURE(file.path().string());
      std::ifstream in{file.path(), std::ios::binary};
      const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
      CHECK_NOTHROW(run(bytes));
      ++files;
    }
    CAPTURE(name);
    CHECK(files >= 10);
  }
}
