#pragma once
#include "storage/store.hpp"

namespace rocksdb {
class Env;
}

namespace jumun::storage {
/// Makes `dir` and what is missing above it, each name durable in its parent: a database that syncs
/// its files, in a folder whose own name a power cut takes back, has synced nothing. Nothing to do
/// for a folder that is there. Blocks; failure.detail has the system's words alone.
[[nodiscard]] std::optional<failure> make_folders(rocksdb::Env& on, const std::string& dir);
} // namespace jumun::storage
