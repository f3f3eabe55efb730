#pragma once
#include <functional>
#include <optional>
#include <string>

namespace jumun::app {
/// Of `cores` that a process may run on, how many it may keep busy: fewer where its control group,
/// or one above it, has a quota of processor time, as a pod's with a CPU limit has; 2.5 are 3. Else
/// such a pod would have as many threads as its machine has processors, and be stopped for most of
/// each tenth of a second. Control groups v2 (Linux, Documentation/admin-guide/cgroup-v2.rst,
/// cpu.max). `read`: a file's text, nullopt if it can't be read.
[[nodiscard]] unsigned cores_within_quota(
  unsigned cores, const std::function<std::optional<std::string>(const std::string& path)>& read);
} // namespace jumun::app
