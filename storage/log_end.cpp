#include "storage/log_end.hpp"
#include "storage/log_format.hpp"
#include <algorithm>
#include <charconv>
#include <memory>
#include <rocksdb/env.h>
#include <vector>

namespace jumun::storage {
namespace {
constexpr std::size_t batch_head_bytes = 12; // a write batch: its first sequence (8), how many (4)

/// `000123.log`
std::optional<std::uint64_t> log_number(std::string_view name) {
  constexpr std::string_view ending = ".log";
  if (!name.ends_with(ending)) return {};
  name.remove_suffix(ending.size());
  std::uint64_t n = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), n);
  if (name.empty() || error != std::errc{} || stop != name.data() + name.size()) return {};
  return n;
}

/// nullopt: it can't be read.
std::optional<log_walk> walk(rocksdb::Env& on, const std::string& path) {
  std::unique_ptr<rocksdb::SequentialFile> file;
  if (!on.NewSequentialFile(path, &file, rocksdb::EnvOptions{}).ok()) return {};
  log_walk over;
  std::string space(log_block_bytes, '\0');
  for (;;) {
    rocksdb::Slice got;
    if (!file->Read(space.size(), &got, space.data()).ok()) return {};
    if (!over.block({got.data(), got.size()}) || got.size() < space.size()) return over;
  }
}
} // namespace

bool log_walk::block(std::string_view bytes) {
  if (!sound_) return false;
  while (bytes.size() >= log_head_bytes) {
    const auto part = log_part_at(bytes);
    const bool known = part.bytes > 0 && part.type <= log_part::last;
    if (!known || part.begins() == inside_) return sound_ = false;
    if (part.begins()) {
      if (part.payload.size() < batch_head_bytes) return sound_ = false;
      const auto first = log_number_at(part.payload, 0, 8),
                 count = log_number_at(part.payload, 8, 4);
      pending_ = first + count - 1;
    }
    inside_ = !part.ends();
    if (!inside_) last_ = std::max(last_, pending_);
    bytes.remove_prefix(part.bytes);
  }
  const bool padding = bytes.find_first_not_of('\0') == std::string_view::npos;
  return sound_ = padding;
}

bool logs_reach(std::uint64_t sequence, rocksdb::Env& on, const std::string& dir) {
  std::vector<std::string> names;
  if (!on.GetChildren(dir, &names).ok()) return false;
  std::vector<std::pair<std::uint64_t, std::string>> logs;
  for (const auto& name : names)
    if (const auto n = log_number(name)) logs.emplace_back(*n, name);
  std::sort(logs.begin(), logs.end());
  std::uint64_t reached = 0;
  for (const auto& [number, name] : logs) {
    const auto seen = walk(on, dir + "/" + name);
    const bool newest = number == logs.back().first;
    if (!seen || (!seen->whole() && !newest)) return false;
    reached = std::max(reached, seen->last_sequence());
  }
  return reached >= sequence;
}
} // namespace jumun::storage
