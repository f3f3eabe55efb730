#include "storage/journal.hpp"
#include "storage/log_end.hpp"
#include "storage/rocks_raw.hpp"
#include "storage/rocks_store.hpp"
#include "tests/catch.hpp"
#include "tests/support/sample_rows.hpp"
#include "tests/support/temp_dir.hpp"
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <pthread.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {
using namespace jumun;
using namespace jumun::storage;
namespace fs = std::filesystem;

rocks_options in(const fs::path& dir) {
  rocks_options how;
  how.dir = dir.string();
  how.memory_bytes = 16 << 20;
  return how;
}
std::shared_ptr<store> must_open(const rocks_options& how) {
  auto opened = open_rocks(how);
  if (const auto* why = std::get_if<failure>(&opened)) FAIL(why->detail);
  return std::get<std::shared_ptr<store>>(std::move(opened));
}
failure must_refuse(const rocks_options& how) {
  auto opened = open_rocks(how);
  REQUIRE(std::holds_alternative<failure>(opened));
  return std::get<failure>(std::move(opened));
}

entry stock_entry(const std::string& sku, std::uint64_t version) {
  auto s = tests::sample_stock();
  s.sku = sku;
  s.version = version;
  return {table::stock, sku_key(sku), encode(s)};
}

/// A disk with little room, or with none for compactions alone.
struct short_of_room final : rocksdb::EnvWrapper {
  short_of_room() : EnvWrapper(rocksdb::Env::Default()) {}
  rocksdb::Status GetFreeSpace(const std::string&, std::uint64_t* bytes) override {
    *bytes = free_bytes;
    return {};
  }
  rocksdb::Status NewWritableFile(const std::string& path,
    std::unique_ptr<rocksdb::WritableFile>* file, const rocksdb::EnvOptions& how) override {
    std::array<char, 16> thread{};
    ::pthread_getname_np(::pthread_self(), thread.data(), thread.size());
    const std::string_view name{thread.data()};
    const bool compacts = name.starts_with("rocksdb:low") || name.starts_with("rocksdb:bottom");
    if (compacts && full_for_compactions) return rocksdb::Status::NoSpace(std::strerror(ENOSPC));
    return EnvWrapper::NewWritableFile(path, file, how);
  }
  std::atomic<std::uint64_t> free_bytes{UINT64_MAX};
  std::atomic<bool> full_for_compactions{false};
};

/// Where a record should begin: a damaged one of a recycled log, which ours never are.
const std::string foreign_head{"crc.\x01\0\x06?", 8};

/// The log that was written last: the one with rows not yet in a table file.
fs::path last_log(const fs::path& dir) {
  fs::path last;
  for (const auto& file : fs::directory_iterator{dir})
    if (file.path().extension() == ".log" && fs::file_size(file) > 0 && file.path() > last)
      last = file.path();
  REQUIRE_FALSE(last.empty());
  return last;
}

void write_file(const fs::path& where, std::string_view text) { std::ofstream{where} << text; }

/// Another process that opens `dir` and goes on making version after version of one row durable; it
/// tells each one. It runs the hidden test case below. Killed with this object.
class writer_process {
public:
  explicit writer_process(const fs::path& dir) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setenv("JUMUN_TEST_WRITER_DIR", dir.c_str(), 1);
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::execl("/proc/self/exe", "integration_tests", "[writer]", nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    told_ = ::fdopen(ends[0], "r");
  }
  ~writer_process() {
    kill();
    std::fclose(told_);
  }
  writer_process(const writer_process&) = delete;
  writer_process& operator=(const writer_process&) = delete;
  /// The next version that it told; 0: it is gone and has no more to tell.
  std::uint64_t next() {
    char line[128];
    unsigned long long version = 0;
    while (std::fgets(line, sizeof line, told_))
      if (std::sscanf(line, "durable %llu", &version) == 1) return version;
    return 0;
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

private:
  pid_t pid_ = 0;
  std::FILE* told_ = nullptr;
};
} // namespace

TEST_CASE("a writer for other tests", "[.][writer]") {
  const char* dir = std::getenv("JUMUN_TEST_WRITER_DIR");
  if (dir == nullptr) return;
  journal j{must_open(in(dir)), {}};
  for (std::uint64_t v = 1; v <= 1'000'000; ++v) {
    write_set set;
    set.shard = domain::shard_of("tea");
    set.entries = {stock_entry("tea", v)};
    set.replaces = write_set::replaced{table::stock, sku_key("tea"), v - 1};
    const auto tell = [v] {
      std::printf("durable %llu\n", static_cast<unsigned long long>(v));
      std::fflush(stdout);
    };
    REQUIRE(j.append(std::move(set), tell) == append_result::ok);
    if (v % 3 == 0) j.flush();
  }
}

TEST_CASE("what was applied is there after a reopen, in a folder that was made", "[rocks]") {
  const tests::temp_dir tmp;
  const auto dir = tmp.path() / "a" / "b";
  {
    auto disk = must_open(in(dir));
    REQUIRE_FALSE(disk->apply({stock_entry("tea", 1), stock_entry("coffee", 1)}));
    REQUIRE_FALSE(disk->apply({stock_entry("tea", 2), {table::stock, sku_key("coffee"), {}}}));
  }
  auto disk = must_open(in(dir));
  CHECK(version_of(*disk->get(table::stock, sku_key("tea"))) == 2);
  CHECK_FALSE(disk->get(table::stock, sku_key("coffee")));
  CHECK_FALSE(disk->get(table::orders, sku_key("tea"))); // tables are apart
  CHECK(disk->get(table::meta, "format") == std::to_string(data_format));
  CHECK(disk->get(table::meta, "shard_hash") == domain::shard_hash_name);
}

TEST_CASE("a scan walks [from, to) in both directions, and doesn't see later writes", "[rocks]") {
  const tests::temp_dir tmp;
  auto disk = must_open(in(tmp.path()));
  for (const std::string key : {"a", "b", "c", "d"})
    REQUIRE_FALSE(disk->apply({{table::orders, key, key + key}}));
  const auto walk = [&](std::string_view from, std::string_view to, direction way) {
    std::string keys;
    for (auto at = disk->scan(table::orders, from, to, way); at->valid(); at->next()) {
      CHECK(at->value() == std::string{at->key()} + std::string{at->key()});
      keys += at->key();
    }
    return keys;
  };
  CHECK(walk("", "", direction::forward) == "abcd");
  CHECK(walk("", "", direction::backward) == "dcba");
  CHECK(walk("b", "d", direction::forward) == "bc");
  CHECK(walk("b", "d", direction::backward) == "cb");
  CHECK(walk("aa", "cc", direction::forward) == "bc");
  CHECK(walk("x", "", direction::forward).empty());
  CHECK(walk("", "a", direction::backward).empty());
  auto before = disk->scan(table::orders, "", "", direction::forward);
  REQUIRE_FALSE(disk->apply({{table::orders, "0", "00"}, {table::orders, "b", {}}}));
  std::string seen;
  for (; before->valid(); before->next()) seen += before->key();
  CHECK(seen == "abcd");
  CHECK(walk("", "", direction::forward) == "0acd");
}

TEST_CASE(
  "a folder that another process has open is held, and the answer says by whom", "[rocks]") {
  const tests::temp_dir tmp;
  writer_process writer{tmp.path()};
  REQUIRE(writer.next() == 1);
  auto reader = in(tmp.path());
  reader.read_only = true;
  for (const auto& how : {in(tmp.path()), reader}) {
    const auto why = must_refuse(how);
    CHECK(why.code == errc::held);
    CHECK(why.detail.find(tmp.path().string()) != std::string::npos);
    CHECK(why.detail.find(std::to_string(writer.pid())) != std::string::npos);
  }
  CHECK(writer.next() == 2); // it was not disturbed
}

TEST_CASE("a folder that this process has open is held", "[rocks]") {
  const tests::temp_dir tmp;
  auto reader = in(tmp.path());
  reader.read_only = true;
  {
    auto disk = must_open(in(tmp.path()));
    CHECK(must_refuse(in(tmp.path())).code == errc::held);
    CHECK(must_refuse(reader).code == errc::held);
    CHECK_FALSE(disk->apply({stock_entry("tea", 1)}));
  }
  auto first = must_open(reader);
  CHECK(version_of(*first->get(table::stock, sku_key("tea"))) == 1);
  CHECK(must_refuse(in(tmp.path())).code == errc::held); // while it is being checked
  first.reset();
  CHECK(must_open(in(tmp.path())));
}

TEST_CASE("all that was told durable is there after kill -9", "[rocks]") {
  const tests::temp_dir tmp;
  writer_process writer{tmp.path()};
  std::uint64_t told = 0;
  while (told < 50) {
    told = writer.next();
    REQUIRE(told > 0);
  }
  writer.kill();
  while (const auto more = writer.next()) told = more; // what stood in the pipe
  auto disk = must_open(in(tmp.path()));
  const auto row = disk->get(table::stock, sku_key("tea"));
  REQUIRE(row);
  CHECK(*version_of(*row) >= told);
}

TEST_CASE(
  "a log that lost an acknowledged batch is refused; accepted, it has the rest whole", "[rocks]") {
  for (const std::uintmax_t cut : {1U, 7U, 40U}) {
    CAPTURE(cut);
    const tests::temp_dir tmp;
    {
      auto disk = must_open(in(tmp.path()));
      for (std::uint64_t v = 1; v <= 3; ++v)
        REQUIRE_FALSE(disk->apply({stock_entry("tea", v), stock_entry("coffee", v)}));
    }
    const auto log = last_log(tmp.path());
    fs::resize_file(log, fs::file_size(log) - cut);
    // It was acknowledged, so that no crash takes it: damage, and the log is left as it is.
    for (const bool read_only : {true, false}) {
      auto how = in(tmp.path());
      how.read_only = read_only;
      const auto size = fs::file_size(log);
      const auto why = must_refuse(how);
      CHECK(why.code == errc::corrupt);
      CHECK(why.detail.find("acknowledged writes are lost") != std::string::npos);
      CHECK(why.detail.find((tmp.path() / "durable").string()) != std::string::npos);
      CHECK(fs::file_size(log) == size);
    }
    fs::remove(tmp.path() / "durable"); // the operator accepts the loss
    auto disk = must_open(in(tmp.path()));
    CHECK(version_of(*disk->get(table::stock, sku_key("tea"))) == 2);
    CHECK(version_of(*disk->get(table::stock, sku_key("coffee"))) == 2);
    CHECK_FALSE(disk->apply({stock_entry("tea", 3)}));
  }
}

TEST_CASE("how far the logs come is read off them without a replay", "[rocks]") {
  const tests::temp_dir tmp;
  const auto reach = [&](std::uint64_t sequence) {
    return read_log_ends(*rocksdb::Env::Default(), tmp.path().string()).reach(sequence);
  };
  std::uint64_t last = 0;
  {
    auto disk = must_open(in(tmp.path()));
    for (std::uint64_t v = 1; v <= 3; ++v) REQUIRE_FALSE(disk->apply({stock_entry("tea", v)}));
    auto long_one = stock_entry("coffee", 1);
    long_one.value->append(100'000, 'x'); // in parts, over several blocks
    REQUIRE_FALSE(disk->apply({long_one, stock_entry("milk", 1)}));
    last = raw_database(*disk)->GetLatestSequenceNumber();
  }
  CHECK(reach(last));
  CHECK_FALSE(reach(last + 1));
  const auto log = last_log(tmp.path());
  const auto size = fs::file_size(log);
  const auto bend = [&](std::uintmax_t at) {
    std::fstream bytes{log, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekg(static_cast<std::streamoff>(at));
    const auto was = bytes.get();
    bytes.seekp(static_cast<std::streamoff>(at));
    bytes.put(static_cast<char>(was ^ 1));
  };
  for (const auto at : {std::uintmax_t{20}, size / 2, size - 1}) {
    CAPTURE(at);
    bend(at);
    CHECK_FALSE(reach(last));
    bend(at);
    CHECK(reach(last));
  }
  fs::resize_file(log, size - 1);
  CHECK_FALSE(reach(last));
  CHECK(reach(last - 2)); // the batch before it is whole
}

TEST_CASE("a log with what no log of ours has is read up to there, and no further", "[rocks]") {
  // As RocksDB's log reader knows them: of recycled logs, with timestamps, and of later releases.
  const auto kind = GENERATE(5, 6, 7, 8, 11, 131, 255);
  const bool behind_the_end = GENERATE(true, false);
  CAPTURE(kind, behind_the_end);
  const tests::temp_dir tmp;
  std::uint64_t begin = 0;
  {
    auto disk = must_open(in(tmp.path()));
    REQUIRE_FALSE(disk->apply({stock_entry("tea", 1)}));
    begin = fs::file_size(last_log(tmp.path()));
    if (!behind_the_end) REQUIRE_FALSE(disk->apply({stock_entry("tea", 2)}));
  }
  const auto log = last_log(tmp.path());
  const std::string head{"crc.\x09\0", 6}, noise = "torn away";
  {
    std::fstream bytes{log, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(static_cast<std::streamoff>(begin + (behind_the_end ? 0 : head.size())));
    if (behind_the_end) bytes << head;
    bytes.put(static_cast<char>(kind));
    if (behind_the_end) bytes << noise;
  }
  const auto size = fs::file_size(log);
  const auto seen = read_log_ends(*rocksdb::Env::Default(), tmp.path().string());
  REQUIRE(seen.foreign.size() == 1);
  CHECK(seen.foreign.front().name == log.filename());
  CHECK(seen.foreign.front().sound_bytes == begin);
  for (const bool read_only : {true, false}) {
    auto how = in(tmp.path());
    how.read_only = read_only;
    if (behind_the_end)
      CHECK(version_of(*must_open(how)->get(table::stock, sku_key("tea"))) == 1);
    else // it was acknowledged
      CHECK(must_refuse(how).detail.find("acknowledged writes are lost") != std::string::npos);
    if (read_only || !behind_the_end) CHECK(fs::file_size(log) == size);
  }
}

TEST_CASE("behind a log with a foreign end may be one that goes on, and no other", "[rocks]") {
  const bool hides_a_write = GENERATE(false, true);
  CAPTURE(hides_a_write);
  const tests::temp_dir tmp, aside;
  const auto kept = aside.path() / "log";
  fs::path log;
  {
    auto disk = must_open(in(tmp.path()));
    REQUIRE_FALSE(disk->apply({stock_entry("tea", 1)}));
    log = last_log(tmp.path());
    if (!hides_a_write) REQUIRE_FALSE(disk->apply({stock_entry("tea", 2)}));
    fs::copy(log, kept);
    REQUIRE_FALSE(disk->apply({stock_entry("tea", hides_a_write ? 2 : 3)}));
  }
  std::ofstream{kept, std::ios::app | std::ios::binary} << foreign_head;
  if (!hides_a_write) { // a start that replayed it, and died before it deleted it
    must_open(in(tmp.path()));
    REQUIRE_FALSE(fs::exists(log));
  }
  fs::copy(kept, log, fs::copy_options::overwrite_existing);
  REQUIRE(read_log_ends(*rocksdb::Env::Default(), tmp.path().string()).foreign.size() == 1);
  if (hides_a_write)
    CHECK(must_refuse(in(tmp.path())).code == errc::corrupt);
  else
    CHECK(version_of(*must_open(in(tmp.path()))->get(table::stock, sku_key("tea"))) == 3);
}

TEST_CASE("a foreign record hides no write behind a table that was flushed later", "[rocks]") {
  const tests::temp_dir tmp;
  fs::path log;
  std::uint64_t begin = 0;
  {
    auto disk = must_open(in(tmp.path()));
    REQUIRE_FALSE(disk->apply({stock_entry("tea", 1)}));
    log = last_log(tmp.path());
    begin = fs::file_size(log);
    REQUIRE_FALSE(disk->apply({stock_entry("tea", 2), {table::meta, "spare", "row"}}));
    auto* raw = raw_database(*disk);
    for (auto* family : raw_families(*disk))
      if (family->GetName() == name_of(table::stock))
        REQUIRE(raw->Flush(rocksdb::FlushOptions{}, family).ok());
  } // the spare row is in that log alone, and the stock's file has a newer sequence
  {
    std::fstream bytes{log, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(static_cast<std::streamoff>(begin + 6));
    bytes.put(9);
  }
  REQUIRE(read_log_ends(*rocksdb::Env::Default(), tmp.path().string()).foreign.size() == 1);
  for (const bool read_only : {true, false}) {
    auto how = in(tmp.path());
    how.read_only = read_only;
    CHECK(must_refuse(how).code == errc::corrupt);
  }
}

TEST_CASE("a log is read where a block ends within a batch's head", "[rocks]") {
  const auto left = GENERATE(7U, 10U, 18U, 19U); // a record's own head, and 0, 3, 11, 12 bytes
  CAPTURE(left);
  const tests::temp_dir tmp;
  std::uint64_t last = 0;
  fs::path log;
  {
    auto disk = must_open(in(tmp.path()));
    const auto size = [&] { return fs::file_size(last_log(tmp.path())); };
    const auto write = [&](std::size_t more) {
      auto row = stock_entry("tea", 1);
      row.value->append(more, 'x');
      const auto before = size();
      REQUIRE_FALSE(disk->apply({row}));
      return size() - before - more;
    };
    const auto beside = write(13'000);
    write(10'000);
    write(32'768 - left - size() - beside);
    REQUIRE(size() == 32'768 - left);
    write(0);
    last = raw_database(*disk)->GetLatestSequenceNumber();
    log = last_log(tmp.path());
  }
  const auto size = fs::file_size(log);
  std::ofstream{log, std::ios::app | std::ios::binary} << foreign_head;
  const auto seen = read_log_ends(*rocksdb::Env::Default(), tmp.path().string());
  CHECK(seen.reach(last));
  REQUIRE(seen.foreign.size() == 1);
  CHECK(seen.foreign.front().sound_bytes == size);
  CHECK(must_open(in(tmp.path()))->get(table::stock, sku_key("tea")));
}

TEST_CASE("a claim that was cut off does not matter: the one before it stands", "[rocks]") {
  const auto slot = GENERATE(0, 4'096);
  const tests::temp_dir tmp;
  {
    auto disk = must_open(in(tmp.path()));
    for (std::uint64_t v = 1; v <= 5; ++v) REQUIRE_FALSE(disk->apply({stock_entry("tea", v)}));
  }
  {
    std::fstream bytes{tmp.path() / "durable", std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(slot + 20);
    bytes << "rust";
  }
  CHECK(version_of(*must_open(in(tmp.path()))->get(table::stock, sku_key("tea"))) == 5);
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 6)}));
  fs::resize_file(last_log(tmp.path()), 0);
  CHECK(must_refuse(in(tmp.path())).code == errc::corrupt);
}

TEST_CASE(
  "a folder whose database is gone, but not its claim, is not taken for a new one", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 1)}));
  for (const auto& file : fs::directory_iterator{tmp.path()})
    if (file.path().filename() != "durable") fs::remove(file.path());
  const auto why = must_refuse(in(tmp.path()));
  CHECK(why.code == errc::corrupt);
  CHECK(why.detail.find("its database is gone") != std::string::npos);
}

TEST_CASE("an older release's folder, without a claim, opens and has one from then on", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 1)}));
  fs::remove(tmp.path() / "durable");
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 2)}));
  fs::resize_file(last_log(tmp.path()), 0);
  CHECK(must_refuse(in(tmp.path())).code == errc::corrupt);
}

TEST_CASE("a newer data format is refused, and the answer names both", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({{table::meta, "format", "3"}}));
  const auto why = must_refuse(in(tmp.path()));
  CHECK(why.code == errc::newer_format);
  CHECK(why.detail.find("format 3") != std::string::npos);
  CHECK(why.detail.find("up to 2") != std::string::npos);
  CHECK(must_refuse(in(tmp.path())).code == errc::newer_format); // and it is held by nobody
}

TEST_CASE("an older data format is read, and becomes ours once it is written", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({{table::meta, "format", "1"}}));
  auto look = in(tmp.path());
  look.read_only = true;
  CHECK(must_open(look)->get(table::meta, "format") == "1");
  CHECK(must_open(in(tmp.path()))->get(table::meta, "format") == "2");
}

TEST_CASE("data cut into shards by another hash is refused", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({{table::meta, "shard_hash", "xxh3"}}));
  const auto why = must_refuse(in(tmp.path()));
  CHECK(why.code == errc::not_ours);
  CHECK(why.detail.find("xxh3") != std::string::npos);
}

TEST_CASE("a folder with something else in it is refused, and left as it is", "[rocks]") {
  const tests::temp_dir tmp;
  write_file(tmp.path() / "thesis.txt", "years of work");
  CHECK(must_refuse(in(tmp.path())).code == errc::not_ours);
  CHECK(std::distance(fs::directory_iterator{tmp.path()}, fs::directory_iterator{}) == 1);
  CHECK(must_refuse(in(tmp.path() / "thesis.txt")).code == errc::not_ours);
}

TEST_CASE("another program's RocksDB is refused, and left as it is", "[rocks]") {
  const bool has_families = GENERATE(false, true);
  const tests::temp_dir tmp;
  const auto with_theirs = [&](auto act) {
    rocksdb::Options o;
    o.create_if_missing = o.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> families{{rocksdb::kDefaultColumnFamilyName, {}}};
    if (has_families) families.emplace_back("theirs", rocksdb::ColumnFamilyOptions{});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::Open(o, tmp.path().string(), families, &handles, &db).ok());
    act(*db);
    for (auto* h : handles) REQUIRE(db->DestroyColumnFamilyHandle(h).ok());
    delete db;
  };
  with_theirs([](rocksdb::DB& db) { REQUIRE(db.Put({}, "their", "row").ok()); });
  CHECK(must_refuse(in(tmp.path())).code == errc::not_ours);
  auto reader = in(tmp.path());
  reader.read_only = true;
  CHECK(must_refuse(reader).code == errc::not_ours);
  with_theirs([](rocksdb::DB& db) { // their list of families is as it was, or this doesn't open
    std::string row;
    CHECK(db.Get({}, "their", &row).ok());
  });
}

TEST_CASE("an older release's folder opens without the tables that came later", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 1)}));
  std::vector<std::string> names;
  REQUIRE(rocksdb::DB::ListColumnFamilies({}, tmp.path().string(), &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  REQUIRE(rocksdb::DB::Open({}, tmp.path().string(), families, &handles, &db).ok());
  for (auto* h : handles) {
    if (h->GetName() == "audit") REQUIRE(db->DropColumnFamily(h).ok());
    REQUIRE(db->DestroyColumnFamilyHandle(h).ok());
  }
  delete db;
  auto how = in(tmp.path());
  how.read_only = true; // it can't make the missing table, and must do without
  {
    const auto disk = must_open(how);
    CHECK(disk->get(table::stock, sku_key("tea")));
    CHECK_FALSE(disk->get(table::audit, audit_key(0, 1, 1)));
    CHECK_FALSE(disk->scan(table::audit, {}, {}, direction::backward)->valid());
  }
  how.read_only = false;
  CHECK_FALSE(must_open(how)->apply({{table::audit, audit_key(0, 1, 1), "row"}}));
}

TEST_CASE("a first start that died halfway is finished by the next", "[rocks]") {
  const tests::temp_dir tmp;
  SECTION("before RocksDB's own first file") {
    write_file(tmp.path() / "LOCK", "");
    write_file(tmp.path() / "IDENTITY", "some");
    write_file(tmp.path() / "LOG", "lines");
  }
  SECTION("before our first row") {
    rocksdb::Options o;
    o.create_if_missing = true;
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::Open(o, tmp.path().string(), &db).ok());
    delete db;
  }
  auto disk = must_open(in(tmp.path()));
  CHECK(disk->get(table::meta, "format") == std::to_string(data_format));
}

TEST_CASE("without `create`, or read-only, a folder that isn't there is not made", "[rocks]") {
  const tests::temp_dir tmp;
  auto how = in(tmp.path() / "missing");
  how.create = false;
  CHECK(must_refuse(how).code == errc::not_ours);
  how = in(tmp.path() / "missing");
  how.read_only = true;
  CHECK(must_refuse(how).code == errc::not_ours);
  CHECK_FALSE(fs::exists(tmp.path() / "missing"));
}

TEST_CASE("a damaged manifest is reported as damage", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 1)}));
  for (const auto& file : fs::directory_iterator{tmp.path()})
    if (file.path().filename().string().starts_with("MANIFEST-")) {
      std::fstream bytes{file.path(), std::ios::in | std::ios::out | std::ios::binary};
      bytes.seekp(20);
      bytes << "rust";
    }
  const auto why = must_refuse(in(tmp.path()));
  CHECK(why.code == errc::corrupt);
  CHECK(why.detail.find(tmp.path().string()) != std::string::npos);
}

TEST_CASE("a read that hits a damaged block throws, and never returns a wrong row", "[rocks]") {
  const tests::temp_dir tmp;
  REQUIRE_FALSE(must_open(in(tmp.path()))->apply({stock_entry("tea", 1)}));
  { must_open(in(tmp.path())); } // recovery turns the log into table files
  std::size_t damaged = 0;
  for (const auto& file : fs::directory_iterator{tmp.path()})
    if (file.path().extension() == ".sst") {
      std::fstream bytes{file.path(), std::ios::in | std::ios::out | std::ios::binary};
      bytes.seekp(4); // inside the first block of rows
      bytes << "rust";
      ++damaged;
    }
  REQUIRE(damaged > 0);
  auto opened = open_rocks(in(tmp.path()));
  if (const auto* why = std::get_if<failure>(&opened)) { // the meta table is among the damaged
    CHECK(why->code == errc::corrupt);
    return;
  }
  const auto& disk = std::get<std::shared_ptr<store>>(opened);
  CHECK_THROWS_AS(disk->get(table::stock, sku_key("tea")), std::runtime_error);
}

TEST_CASE("a table is kept in runs where it fits on the disk twice, else in levels", "[rocks]") {
  const tests::temp_dir tmp;
  short_of_room on;
  auto how = in(tmp.path());
  how.env = &on;
  const auto by_runs = [](store& disk) {
    const auto how_kept = raw_database(disk)->GetOptions(raw_families(disk).front());
    return how_kept.compaction_style == rocksdb::kCompactionStyleUniversal;
  };
  for (const std::uint64_t v : {1, 2}) // of the first, the second start makes a table file
    REQUIRE_FALSE(must_open(how)->apply({stock_entry("tea", v)}));
  for (std::uint64_t v = 3; v <= 6; ++v) {
    on.free_bytes = v % 2 == 0 ? UINT64_MAX : 1;
    auto disk = must_open(how);
    CHECK(by_runs(*disk) == (v % 2 == 0));
    CHECK(version_of(*disk->get(table::stock, sku_key("tea"))) == v - 1);
    REQUIRE_FALSE(disk->apply({stock_entry("tea", v)}));
  }
}

TEST_CASE("a compaction that finds no space ends as a full disk, and a start goes on", "[rocks]") {
  const tests::temp_dir tmp;
  short_of_room on;
  auto how = in(tmp.path());
  how.memory_bytes = 8 << 20;
  how.env = &on;
  on.full_for_compactions = true;
  std::uint64_t written = 0;
  std::optional<failure> why;
  {
    auto disk = must_open(how);
    auto row = stock_entry("tea", 1);
    row.value->append(200'000, 'x');
    for (; !why && written < 1'000; written += why ? 0 : 1) {
      row.key = sku_key("tea " + std::to_string(written));
      why = disk->apply({row});
    }
  }
  REQUIRE(why);
  CAPTURE(why->detail);
  CHECK(why->code == errc::full);
  CHECK(why->detail.find("no space left") != std::string::npos);
  on.full_for_compactions = false;
  auto disk = must_open(how);
  for (std::uint64_t i = 0; i < written; ++i)
    REQUIRE(disk->get(table::stock, sku_key("tea " + std::to_string(i))));
  CHECK_FALSE(disk->apply({stock_entry("coffee", 1)}));
}

TEST_CASE("a clean stop leaves the next start little to replay", "[rocks]") {
  const tests::temp_dir tmp;
  constexpr std::size_t rows = 60'000, a_set = 1'000;
  auto how = in(tmp.path());
  how.memory_bytes = 256 << 20; // all of them fit
  {
    auto disk = must_open(how);
    std::vector<entry> set(a_set, stock_entry("tea", 1));
    for (std::size_t i = 0; i < rows; ++i) {
      set[i % a_set].key = sku_key("tea " + std::to_string(i));
      if ((i + 1) % a_set == 0) REQUIRE_FALSE(disk->apply(set));
    }
    REQUIRE(fs::file_size(last_log(tmp.path())) > 1 << 20);
  }
  std::uintmax_t left = 0;
  for (const auto& file : fs::directory_iterator{tmp.path()})
    if (file.path().extension() == ".log") left += fs::file_size(file);
  CHECK(left < 1 << 20);
  auto disk = must_open(how);
  for (std::size_t i = 0; i < rows; i += 997)
    CHECK(disk->get(table::stock, sku_key("tea " + std::to_string(i))));
}

TEST_CASE("flushes and compactions stand back behind all else", "[rocks]") {
  struct priorities final : rocksdb::EnvWrapper {
    priorities() : EnvWrapper(rocksdb::Env::Default()) {}
    rocksdb::Status NewWritableFile(const std::string& path,
      std::unique_ptr<rocksdb::WritableFile>* file, const rocksdb::EnvOptions& how) override {
      if (path.ends_with(".sst") && ::getpriority(PRIO_PROCESS, 0) < 10) ++at_the_front;
      if (path.ends_with(".sst")) ++tables;
      return EnvWrapper::NewWritableFile(path, file, how);
    }
    std::atomic<unsigned> tables{0}, at_the_front{0};
  };
  const tests::temp_dir tmp;
  priorities on;
  auto how = in(tmp.path());
  how.env = &on;
  auto disk = must_open(how);
  auto* raw = raw_database(*disk);
  const auto families = raw_families(*disk);
  for (std::uint64_t v = 1; v <= 2; ++v) {
    REQUIRE_FALSE(disk->apply({stock_entry("tea", v)}));
    REQUIRE(raw->Flush(rocksdb::FlushOptions{}, families).ok());
  }
  for (auto* family : families)
    REQUIRE(raw->CompactRange(rocksdb::CompactRangeOptions{}, family, nullptr, nullptr).ok());
  CHECK(on.tables >= 3);
  CHECK(on.at_the_front == 0);
}

TEST_CASE("figures name every table", "[rocks]") {
  const tests::temp_dir tmp;
  auto disk = must_open(in(tmp.path()));
  REQUIRE_FALSE(disk->apply({stock_entry("tea", 1)}));
  const auto figures = rocks_figures(*disk);
  const auto has = [&](const std::string& name) {
    return std::any_of(
      figures.begin(), figures.end(), [&](const auto& f) { return f.first == name; });
  };
  for (std::size_t t = 0; t < table_count; ++t)
    CHECK(has(std::string{name_of(static_cast<table>(t))} + ".file_bytes"));
  CHECK(has("writes_stopped"));
}
