#pragma once
#include "storage/store.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
} // namespace rocksdb

namespace jumun::storage {
/// The database behind a store of open_rocks(), for this room and for tests; nullptr: it has none.
[[nodiscard]] rocksdb::DB* raw_database(store& disk);
/// Its column families, those of a newer release too. They live as long as the store.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyHandle*> raw_families(store& disk);
} // namespace jumun::storage
