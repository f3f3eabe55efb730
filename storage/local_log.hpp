#pragma once
#include "storage/commit_log.hpp"
#include <array>
#include <memory>

namespace jumun::storage {
/// The log of a node whose disk alone has its shards: a batch is one synced write of the store, all
/// parts and its own rows at once. It numbers anew in each process: what is not on the disk is
/// nowhere, so the rows themselves are all that there is to know of earlier appends.
class local_log final : public commit_log {
public:
  explicit local_log(std::shared_ptr<store> disk) : disk_(std::move(disk)) {}
  std::optional<std::uint64_t> open(domain::shard_id shard, domain::epoch_id epoch) override;
  append_outcome append(const log_batch& batch) override;

private:
  struct end {
    domain::epoch_id epoch = 0;
    std::uint64_t seq = 0;
  };
  [[nodiscard]] std::optional<appended> refusal_of(const log_part& part) const;

  const std::shared_ptr<store> disk_;
  std::array<end, domain::shard_count> ends_;
  std::optional<failure> broken_; // a failed write or sync is never tried again
};
} // namespace jumun::storage
