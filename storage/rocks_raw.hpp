#pragma once
#include "storage/store.hpp"

namespace rocksdb {
class DB;
}

namespace jumun::storage {
/// The database behind a store of open_rocks(), for this room alone; nullptr: it has none.
[[nodiscard]] rocksdb::DB* raw_database(store& disk);
} // namespace jumun::storage
