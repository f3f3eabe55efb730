#include "app/cores.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace jumun::app {
namespace {
const std::string mounted_at = "/sys/fs/cgroup";

/// The group's path; in a namespace of its own it is "/". nullopt: no control groups v2.
std::optional<std::string> group_of(const std::string& proc_self_cgroup) {
  const auto line = ("\n" + proc_self_cgroup).find("\n0::/");
  if (line == std::string::npos) return {};
  const auto path = proc_self_cgroup.substr(line + 3);
  return path.substr(0, path.find('\n'));
}

/// nullopt: "max", or nothing that we know.
std::optional<double> quota_in(const std::string& cpu_max) {
  double quota_us = 0, period_us = 0;
  if (std::sscanf(cpu_max.c_str(), "%lf %lf", &quota_us, &period_us) != 2) return {};
  if (quota_us <= 0 || period_us <= 0) return {};
  return quota_us / period_us;
}
} // namespace

unsigned cores_within_quota(
  unsigned cores, const std::function<std::optional<std::string>(const std::string&)>& read) {
  const auto groups = read("/proc/self/cgroup");
  auto group = groups ? group_of(*groups) : std::nullopt;
  double least = cores;
  while (group) {
    const auto limit = read(mounted_at + (*group == "/" ? "" : *group) + "/cpu.max");
    if (const auto quota = limit ? quota_in(*limit) : std::nullopt) least = std::min(least, *quota);
    if (*group == "/") break;
    group->resize(std::max<std::size_t>(group->rfind('/'), 1));
  }
  return std::max(1U, static_cast<unsigned>(std::ceil(least)));
}
} // namespace jumun::app
