#pragma once
#include "storage/store.hpp"

namespace jumun::storage {
/// Makes the index of orders by customer where an older release has written orders without it:
/// once for a folder, in batches, before anything else is written. Blocks, for as long as a walk
/// over all orders takes; a folder that has the index costs one read. It may be cut off at any
/// moment, and starts anew.
[[nodiscard]] std::optional<failure> build_customer_index(store& disk);
/// The folder's index is complete.
[[nodiscard]] bool has_customer_index(const store& disk);
} // namespace jumun::storage
