#include "storage/holdings.hpp"
#include "domain/planted.hpp"
#include "storage/journal.hpp"
#include "storage/rows.hpp"
#include <algorithm>
#include <charconv>
#include <filesystem>

namespace jumun::storage {
namespace {
constexpr std::string_view holder_key = "cluster_node"; // in meta: cluster, NUL, node
constexpr std::string_view missing_key = "shards_missing";
constexpr unsigned life_chance_bits = 20; // below the time, in a life's number

std::size_t shard_in(std::string_view key) { return static_cast<unsigned char>(key.front()); }
std::string prefix_of(std::size_t shard) { return std::string(1, static_cast<char>(shard)); }
entry life_row(const folder_life& life) {
  return {table::meta, std::string{life_key},
    std::to_string(life.joined) + ' ' + std::to_string(life.now)};
}

/// One shard's rows behind the other's: keys start with the shard.
class joined_cursor final : public cursor {
public:
  using open_shard = std::function<std::unique_ptr<cursor>(std::size_t shard)>;
  joined_cursor(std::size_t first, std::size_t last, bool forward, open_shard open)
      : at_(forward ? first : last), end_(forward ? last : first), forward_(forward),
        open_(std::move(open)) {
    now_ = open_(at_);
    settle();
  }
  bool valid() const override { return now_ && now_->valid(); }
  std::string_view key() const override { return now_->key(); }
  std::string_view value() const override { return now_->value(); }
  void next() override {
    now_->next();
    settle();
  }

private:
  void settle() {
    while (!valid() && at_ != end_) {
      at_ += forward_ ? 1 : -1;
      now_ = open_(at_);
    }
  }
  std::size_t at_, end_;
  bool forward_;
  open_shard open_;
  std::unique_ptr<cursor> now_;
};
} // namespace

std::optional<holdings> read_holdings(const store& disk) {
  holdings out;
  out.trimmed = read_low_water(disk);
  const auto row = disk.get(table::meta, holder_key);
  if (!row) return out;
  const auto end = row->find('\0');
  const auto stored = disk.get(table::meta, shard_map_key);
  const auto map = stored ? decode<domain::shard_map>(*stored) : domain::shard_map{};
  if (end == std::string::npos || !map) return {};
  out.cluster = row->substr(0, end);
  out.node = row->substr(end + 1);
  out.shards.reset();
  const auto missing = read_missing(disk);
  for (std::size_t i = 0; i < map->shards.size(); ++i)
    out.shards[i] = map->shards[i].node == out.node && !missing[i];
  return out;
}

std::optional<folder_life> life_of(const store& disk) {
  folder_life life;
  const auto row = disk.get(table::meta, life_key);
  if (!row) return life;
  const auto* const end = row->data() + row->size();
  const auto joined = std::from_chars(row->data(), end, life.joined);
  if (joined.ec != std::errc{} || joined.ptr == end || *joined.ptr != ' ') return {};
  const auto now = std::from_chars(joined.ptr + 1, end, life.now);
  return now.ec == std::errc{} && now.ptr == end ? std::optional{life} : std::nullopt;
}

std::optional<failure> begin_life(
  store& disk, const std::string& data_dir, std::uint64_t now_ms, std::uint64_t chance) {
  const auto mark = std::filesystem::path{data_dir} / restored_mark;
  std::error_code ignored;
  const auto last = life_of(disk);
  if (!last) return failure{errc::corrupt, "which life of the folder it is can't be read"};
  const bool restored = std::filesystem::exists(mark, ignored);
  const bool counts = JUMUN_PLANTED(refused_start_counts);
  if (!restored && !counts && last->now > last->joined) return {}; // one that has not joined yet
  const auto joined = counts ? last->now : last->joined;
  folder_life next{restored ? 0 : std::max(joined, folder_life::none_yet), 0};
  next.now = std::max(last->now, now_ms << life_chance_bits) + 1;
  next.now += chance & ((1U << life_chance_bits) - 1);
  if (auto why = disk.apply({life_row(next)})) return why;
  std::filesystem::remove(mark, ignored);
  return {};
}

std::optional<entry> life_joined_row(const store& disk) {
  const auto life = life_of(disk);
  if (!life || life->now == 0) return {};
  return life_row({life->now, life->now});
}

entry missing_row(const domain::shard_set& shards) {
  entry row{table::meta, std::string{missing_key}, {}};
  if (shards.any()) row.value = shards.to_string();
  return row;
}

domain::shard_set read_missing(const store& disk) {
  const auto row = disk.get(table::meta, missing_key);
  if (!row) return {};
  const bool whole =
    row->size() == domain::shard_count && row->find_first_not_of("01") == std::string::npos;
  return whole ? domain::shard_set{*row} : domain::all_shards();
}

entry holdings_row(std::string_view cluster, std::string_view node) {
  return {table::meta, std::string{holder_key}, std::string{cluster}.append(1, '\0').append(node)};
}

const store* joined_store::holder(std::size_t shard) const {
  const auto found =
    std::find_if(parts_.begin(), parts_.end(), [shard](const auto& p) { return p.shards[shard]; });
  return found == parts_.end() ? nullptr : found->disk.get();
}

std::optional<std::string> joined_store::get(table in, std::string_view key) const {
  const auto* disk = in == table::meta ? parts_.front().disk.get()
                     : key.empty()     ? nullptr
                                       : holder(shard_in(key));
  return disk ? disk->get(in, key) : std::nullopt;
}

std::unique_ptr<cursor> joined_store::scan(
  table in, std::string_view from, std::string_view to, direction way) const {
  if (in == table::meta) return parts_.front().disk->scan(in, from, to, way);
  const auto first = from.empty() ? 0 : shard_in(from);
  const auto last = to.empty() ? domain::shard_count - 1 : shard_in(to);
  return std::make_unique<joined_cursor>(std::min(first, last), last, way == direction::forward,
    [this, in, way, from = std::string{from}, to = std::string{to}](
      std::size_t shard) -> std::unique_ptr<cursor> {
      const auto* disk = holder(shard);
      if (!disk) return nullptr;
      const auto prefix = prefix_of(shard);
      const auto end = after_prefix(prefix);
      const auto low = std::max(from, prefix);
      const auto high = to.empty() ? end : end.empty() ? to : std::min(to, end);
      return low < high || high.empty() ? disk->scan(in, low, high, way) : nullptr;
    });
}
} // namespace jumun::storage
