#include "storage/log_end.hpp"
#include "storage/log_format.hpp"
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <rocksdb/env.h>
#include <vector>

namespace jumun::storage {
namespace {
constexpr std::uint64_t torn_head_bytes = 1; // too short for a record's, and not the end of a log
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
    over.block({got.data(), got.size()});
    if (got.size() < space.size()) return over;
  }
}

/// Ends after `bytes`.
class cut_file final : public rocksdb::SequentialFile {
public:
  cut_file(std::unique_ptr<rocksdb::SequentialFile> file, std::uint64_t bytes)
      : file_(std::move(file)), left_(bytes) {}
  rocksdb::Status Read(std::size_t n, rocksdb::Slice* result, char* scratch) override {
    const auto s = file_->Read(std::min<std::uint64_t>(n, left_), result, scratch);
    if (s.ok()) left_ -= result->size();
    return s;
  }
  rocksdb::Status Skip(std::uint64_t n) override {
    const auto skipped = std::min(n, left_);
    left_ -= skipped;
    return file_->Skip(skipped);
  }

private:
  std::unique_ptr<rocksdb::SequentialFile> file_;
  std::uint64_t left_;
};

class cut_env final : public rocksdb::EnvWrapper {
public:
  cut_env(rocksdb::Env& on, std::vector<foreign_log> logs)
      : EnvWrapper(&on), logs_(std::move(logs)) {}
  rocksdb::Status NewSequentialFile(const std::string& path,
    std::unique_ptr<rocksdb::SequentialFile>* file, const rocksdb::EnvOptions& how) override {
    auto s = EnvWrapper::NewSequentialFile(path, file, how);
    for (const auto& log : logs_)
      if (s.ok() && path.ends_with('/' + log.name))
        *file = std::make_unique<cut_file>(std::move(*file), log.sound_bytes + torn_head_bytes);
    return s;
  }

private:
  std::vector<foreign_log> logs_;
};
} // namespace

void log_walk::block(std::string_view bytes) {
  const auto size = bytes.size();
  while (bytes.size() >= log_head_bytes) {
    const auto part = log_part_at(bytes);
    const auto kind = static_cast<unsigned char>(bytes[log_head_bytes - 1]);
    foreign_ = foreign_ || kind > log_part::last;
    const bool known = part.bytes > 0 && kind <= log_part::last;
    sound_ = sound_ && known && part.begins() != inside_;
    if (!known) break; // a reader would go on with the next block
    bytes.remove_prefix(part.bytes);
    if (!sound_) continue;
    if (part.begins()) head_.clear();
    head_.append(part.payload.substr(0, batch_head_bytes - head_.size()));
    inside_ = !part.ends();
    if (inside_) continue;
    sound_ = head_.size() == batch_head_bytes;
    if (!sound_) continue;
    const auto first = log_number_at(head_, 0, 8), count = log_number_at(head_, 8, 4);
    last_ = std::max(last_, first + count - 1);
    sound_bytes_ = blocks_bytes_ + size - bytes.size();
  }
  blocks_bytes_ += size;
  const bool padding = bytes.find_first_not_of('\0') == std::string_view::npos;
  sound_ = sound_ && padding;
}

log_ends read_log_ends(rocksdb::Env& on, const std::string& dir) {
  log_ends all;
  std::vector<std::string> names;
  if (!on.GetChildren(dir, &names).ok()) all.sure = false;
  std::vector<std::pair<std::uint64_t, std::string>> logs;
  for (const auto& name : names)
    if (const auto n = log_number(name)) logs.emplace_back(*n, name);
  std::sort(logs.begin(), logs.end());
  for (const auto& [number, name] : logs) {
    const auto seen = walk(on, dir + "/" + name);
    const bool newest = number == logs.back().first;
    if (!seen || (!seen->whole() && !newest)) all.sure = false;
    if (!seen) continue;
    if (seen->foreign()) all.foreign.push_back({name, seen->sound_bytes()});
    all.last_sequence = std::max(all.last_sequence, seen->last_sequence());
  }
  return all;
}

std::unique_ptr<rocksdb::Env> with_torn_ends(rocksdb::Env& on, std::vector<foreign_log> logs) {
  return std::make_unique<cut_env>(on, std::move(logs));
}
} // namespace jumun::storage
