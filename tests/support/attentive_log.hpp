#pragma once
#include "domain/invariant.hpp"
#include "storage/commit_log.hpp"
#include "storage/shard_copy.hpp"

namespace jumun::tests {
/// Looks at what passes: a part has rows of its shard alone, or a copy of it would miss some.
class attentive_log final : public storage::commit_log {
public:
  explicit attentive_log(std::shared_ptr<storage::commit_log> to) : to_(std::move(to)) {}
  std::optional<std::uint64_t> open(domain::shard_id shard, domain::epoch_id epoch) override {
    return to_->open(shard, epoch);
  }
  storage::append_outcome append(const storage::log_batch& batch) override {
    JUMUN_INVARIANT(batch.rows.size() == batch.part_of.size(), "each row is of a part, or our own");
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      const auto& row = batch.rows[i];
      const auto part = batch.part_of[i];
      if (part == storage::log_batch::own) continue;
      JUMUN_INVARIANT(
        storage::sharded(row.in)
          && static_cast<domain::shard_id>(row.key.at(0)) == batch.parts.at(part).shard,
        "a shard's write sets have rows of the shard alone");
    }
    return to_->append(batch);
  }

private:
  const std::shared_ptr<storage::commit_log> to_;
};
} // namespace jumun::tests
