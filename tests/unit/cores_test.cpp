#include "app/cores.hpp"
#include "tests/catch.hpp"
#include <map>

namespace {
using namespace jumun;
using files = std::map<std::string, std::string>;

unsigned cores_of_64(const files& there) {
  return app::cores_within_quota(64, [&](const std::string& path) -> std::optional<std::string> {
    const auto found = there.find(path);
    return found == there.end() ? std::nullopt : std::optional{found->second};
  });
}
} // namespace

TEST_CASE("a pod with a CPU limit has as many cores as that", "[config]") {
  const auto in_pod = [](const std::string& cpu_max) {
    return cores_of_64({{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", cpu_max}});
  };
  CHECK(in_pod("200000 100000\n") == 2);
  CHECK(in_pod("250000 100000\n") == 3);
  CHECK(in_pod("10000 100000\n") == 1);
  CHECK(in_pod("9900000 100000\n") == 64);
  CHECK(in_pod("max 100000\n") == 64);
  CHECK(in_pod("") == 64);
  CHECK(in_pod("0 0\n") == 64);
}

TEST_CASE("the least quota of a control group and those above it counts", "[config]") {
  const auto under = [](const std::string& slice, const std::string& service) {
    return cores_of_64({{"/proc/self/cgroup", "1:name=systemd:/x\n0::/shop.slice/jumun.service\n"},
      {"/sys/fs/cgroup/shop.slice/cpu.max", slice},
      {"/sys/fs/cgroup/shop.slice/jumun.service/cpu.max", service}});
  };
  CHECK(under("max 100000\n", "400000 100000\n") == 4);
  CHECK(under("300000 100000\n", "400000 100000\n") == 3);
  CHECK(under("max 100000\n", "max 100000\n") == 64);
}

TEST_CASE("without control groups all cores count", "[config]") {
  CHECK(cores_of_64({}) == 64);
  CHECK(cores_of_64({{"/proc/self/cgroup", "4:memory:/a\n1:cpu:/\n"}}) == 64);
  CHECK(cores_of_64({{"/proc/self/cgroup", "0::/gone\n"}}) == 64);
}
