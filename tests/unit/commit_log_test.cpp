#include "storage/local_log.hpp"
#include "storage/rocks_store.hpp"
#include "storage/shard_copy.hpp"
#include "tests/support/attentive_log.hpp"
#include "tests/support/commit_log_conformance.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace {
using namespace jumun;
using namespace jumun::storage;

/// This node's disk, in memory.
class memory_rig : public tests::log_rig {
public:
  memory_rig() { memory_rig::crash(); }
  std::shared_ptr<commit_log> log() override { return log_; }
  std::shared_ptr<store> rows() override { return disk_; }
  void crash() override {
    disk_->revive();
    log_ = std::make_shared<tests::attentive_log>(std::make_shared<local_log>(disk_));
  }
  bool lose_answer(bool landed) override {
    disk_->fail_at(disk_->applies() + 1, landed);
    return true;
  }

protected:
  const std::shared_ptr<tests::memory_store> disk_ = std::make_shared<tests::memory_store>();
  std::shared_ptr<commit_log> log_;
};

/// A log beyond a wire that loses answers or questions: as one that is replicated.
class distant_log final : public commit_log {
public:
  explicit distant_log(std::shared_ptr<commit_log> there) : there_(std::move(there)) {}
  std::optional<std::uint64_t> open(domain::shard_id shard, domain::epoch_id epoch) override {
    return there_->open(shard, epoch);
  }
  append_outcome append(const log_batch& batch) override {
    const auto lost = std::exchange(lose, loss::none);
    append_outcome said{std::vector<appended>(batch.parts.size(), appended::unknown), {}};
    if (lost != loss::question) {
      auto real = there_->append(batch);
      if (lost == loss::none) return real;
    }
    return said;
  }
  enum class loss : std::uint8_t { none, question, answer } lose = loss::none;

private:
  const std::shared_ptr<commit_log> there_;
};

class distant_rig final : public memory_rig {
public:
  distant_rig() { distant_rig::crash(); }
  void crash() override {
    memory_rig::crash();
    log_ = wire_ = std::make_shared<distant_log>(log_);
  }
  bool lose_answer(bool landed) override {
    wire_->lose = landed ? distant_log::loss::answer : distant_log::loss::question;
    return true;
  }

private:
  std::shared_ptr<distant_log> wire_;
};

/// The names and sizes of what is in a folder.
std::map<std::string, std::uintmax_t> files_in(const std::filesystem::path& folder) {
  std::map<std::string, std::uintmax_t> all;
  for (const auto& file : std::filesystem::directory_iterator{folder}) {
    std::error_code gone;
    const auto size =
      std::filesystem::file_size(file.path(), gone); // RocksDB's threads are at work
    if (!gone) all[file.path().filename().string()] = size;
  }
  return all;
}

/// As they are at one moment: copied again when one came, grew or went meanwhile.
void copy_at_one_moment(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (;;) {
    std::filesystem::remove_all(to);
    std::filesystem::create_directory(to);
    const auto before = files_in(from);
    bool whole = true;
    for (const auto& [name, size] : before) {
      std::error_code gone;
      whole = whole && std::filesystem::copy_file(from / name, to / name, gone);
    }
    if (whole && files_in(from) == before) return;
  }
}

/// This node's disk. A crash: what the files hold at this moment, in another folder.
class rocks_rig final : public tests::log_rig {
public:
  rocks_rig() { open(); }
  std::shared_ptr<commit_log> log() override { return log_; }
  std::shared_ptr<store> rows() override { return disk_; }
  void crash() override {
    const auto left = folder();
    ++life_;
    copy_at_one_moment(left, folder());
    log_.reset(), disk_.reset();
    open();
  }
  bool lose_answer(bool) override { return false; }

private:
  std::filesystem::path folder() const { return dir_.path() / std::to_string(life_); }
  void open() {
    auto opened = open_rocks({folder().string(), 64 << 20});
    if (const auto* why = std::get_if<failure>(&opened)) throw std::runtime_error(why->detail);
    disk_ = std::get<0>(std::move(opened));
    log_ = std::make_shared<local_log>(disk_);
  }
  tests::temp_dir dir_;
  int life_ = 0;
  std::shared_ptr<store> disk_;
  std::shared_ptr<commit_log> log_;
};
} // namespace

TEST_CASE("the local log is a commit log", "[journal][commit-log]") {
  tests::commit_log_conforms([] { return std::make_unique<memory_rig>(); });
}

TEST_CASE("a log whose answers get lost is one, too", "[journal][commit-log]") {
  tests::commit_log_conforms([] { return std::make_unique<distant_rig>(); });
}

TEST_CASE("the local log on RocksDB is one", "[journal][commit-log][rocks]") {
  tests::commit_log_conforms([] { return std::make_unique<rocks_rig>(); });
}

TEST_CASE("a part's rows reach the log as bytes that a copy of the shard can read",
  "[journal][commit-log]") {
  log_batch batch;
  tests::conformance::put(batch, {7, 1, 1}, "a", "1");
  batch.add({table::meta, "own", "1"}, log_batch::own);
  tests::conformance::put(batch, {9, 1, 1}, "a", "2");
  const auto read = decode_rows(encode_rows(rows_of(batch, 0)), 7);
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK(read->front().key == tests::conformance::key_of(7, "a"));
  CHECK(read->front().value == "1");
}
