#pragma once
#include "storage/store.hpp"

/// What `jumun` tells its caller when it ends. Platforms and scripts act on these: append, never
/// renumber. README.md has the same table for people; a unit test keeps the two alike.
namespace jumun::app {
enum class exit_code : int {
  ok = 0,
  failed_check = 1,    // `jumun check` found broken promises
  usage = 2,           // a flag, a variable, the file: nothing was started or touched
  data_held = 3,       // another process has the data folder open
  newer_format = 4,    // the data folder was written by a newer release
  disk_full = 5,       // no space left: free some, start again, nothing answered was lost
  io_failed = 6,       // a read or a write failed: look at the disk before starting again
  corrupt = 7,         // the data does not read back: restore a backup, or run `jumun check`
  not_ours = 8,        // the folder holds something else, or another shard hash
  bind_failed = 9,     // an address or a port could not be had
  internal = 10,       // our bug, or supervision gave up: start again
  not_in_cluster = 11, // the cluster won't have this node: see the log
  not_done = 12,       // `jumun cluster`: the node did not answer, or would not do it
};

[[nodiscard]] constexpr exit_code exit_code_of(storage::errc why) {
  switch (why) {
    case storage::errc::io_failed: return exit_code::io_failed;
    case storage::errc::corrupt: return exit_code::corrupt;
    case storage::errc::full: return exit_code::disk_full;
    case storage::errc::held: return exit_code::data_held;
    case storage::errc::newer_format: return exit_code::newer_format;
    case storage::errc::not_ours: return exit_code::not_ours;
    case storage::errc::fenced: return exit_code::not_in_cluster;
  }
  return exit_code::internal;
}
} // namespace jumun::app
