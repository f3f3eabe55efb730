#include "storage/check.hpp"
#include "storage/rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"

using namespace jumun;

// The damage that integration/check_test.cpp finds on RocksDB; here that one sum of it, in memory.
TEST_CASE("stock that is reserved for nobody is found", "[check]") {
  tests::memory_store disk;
  domain::stock s;
  s.sku = "tea";
  s.version = 1;
  const auto found = [&] {
    if (disk.apply({{storage::table::stock, storage::sku_key("tea"), storage::encode(s)}})) FAIL();
    std::vector<std::string> codes;
    const auto report = storage::check_store(disk, {}, [](std::uint64_t) { return true; });
    for (const auto& f : report.findings) codes.push_back(f.code);
    return codes;
  };
  CHECK(found().empty());
  s.on_hand = s.reserved = 2;
  CHECK(found() == std::vector<std::string>{"stock-sum", "reserved-sum"});
}
