#include "storage/local_log.hpp"
#include "domain/planted.hpp"

namespace jumun::storage {
std::optional<std::uint64_t> local_log::open(domain::shard_id shard, domain::epoch_id epoch) {
  auto& at = ends_[shard];
  if (epoch < at.epoch && !JUMUN_PLANTED(epoch_check_dropped)) return {};
  if (epoch != at.epoch) at = {epoch, 0};
  return at.seq;
}

/// Why nothing is written of it; ok: it is there already.
std::optional<appended> local_log::refusal_of(const log_part& part) const {
  const auto& at = ends_[part.shard];
  if (part.epoch < at.epoch) return appended::fenced;
  if (part.epoch > at.epoch || part.seq > at.seq + 1) return appended::gap;
  if (part.seq <= at.seq) return appended::ok;
  return {};
}

append_outcome local_log::append(const log_batch& batch) {
  append_outcome out{{}, broken_};
  out.parts.assign(batch.parts.size(), broken_ ? appended::unknown : appended::ok);
  if (broken_) return out;
  std::vector<bool> left_out(batch.parts.size());
  bool all = true;
  for (std::size_t i = 0; i < batch.parts.size(); ++i) {
    const auto& part = batch.parts[i];
    if (const auto why = refusal_of(part)) {
      out.parts[i] = *why;
      left_out[i] = true, all = false;
    } else {
      ends_[part.shard].seq = part.seq; // when the write fails, no other follows
    }
  }
  if (all) {
    broken_ = disk_->apply(batch.rows);
  } else {
    std::vector<entry> rest;
    for (std::size_t i = 0; i < batch.rows.size(); ++i)
      if (const auto part = batch.part_of[i]; part == log_batch::own || !left_out[part])
        rest.push_back(batch.rows[i]);
    if (!rest.empty()) broken_ = disk_->apply(rest);
  }
  if (!broken_) return out;
  out.broken = broken_;
  for (std::size_t i = 0; i < batch.parts.size(); ++i)
    if (!left_out[i]) out.parts[i] = appended::unknown;
  return out;
}
} // namespace jumun::storage
