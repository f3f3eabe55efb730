#include "storage/durable_claim.hpp"
#include "storage/checksum.hpp"
#include <array>
#include <charconv>
#include <cstdio>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

namespace jumun::storage {
namespace {
constexpr std::string_view magic = "jmnclaim";
// Each in a page of its own, so that a write which is cut off harms one of them.
constexpr std::uint64_t slot_at[] = {0, 4'096}, file_bytes = 8'192;
constexpr std::size_t slot_bytes = 8 + 5 * 8 + 2 * 4;

std::string path_of(const std::string& dir) { return dir + "/durable"; }

void add(std::string& to, std::uint64_t n, int bytes) { // little endian
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(n >> (8 * i)));
}
std::uint64_t take(std::string_view& from, int bytes) {
  std::uint64_t n = 0;
  for (int i = 0; i < bytes; ++i)
    n |= std::uint64_t{static_cast<unsigned char>(from[static_cast<std::size_t>(i)])} << (8 * i);
  from.remove_prefix(static_cast<std::size_t>(bytes));
  return n;
}

std::string slot_of(const durable_claim& c, std::uint64_t counter) {
  std::string out{magic};
  add(out, 1, 8); // format of this file
  for (const auto n : {counter, c.sequence, c.manifest, c.manifest_bytes}) add(out, n, 8);
  add(out, c.manifest_crc, 4);
  add(out, crc32c(out), 4);
  return out;
}

struct slot {
  durable_claim says;
  std::uint64_t counter = 0;
};
/// nullopt: damaged, never written, or of a newer release.
std::optional<slot> parse_slot(std::string_view bytes) {
  if (bytes.size() < slot_bytes || !bytes.starts_with(magic)) return {};
  const auto checked = bytes.substr(0, slot_bytes - 4);
  auto rest = bytes.substr(magic.size());
  const auto format = take(rest, 8);
  slot s;
  s.counter = take(rest, 8);
  s.says.sequence = take(rest, 8);
  s.says.manifest = take(rest, 8);
  s.says.manifest_bytes = take(rest, 8);
  s.says.manifest_crc = static_cast<std::uint32_t>(take(rest, 4));
  if (take(rest, 4) != crc32c(checked) || format != 1) return {};
  return s;
}

/// `bytes` of a file from `from` on, or less where it ends; nullopt: it can't be read.
std::optional<std::string> read_part(
  rocksdb::Env& on, const std::string& path, std::uint64_t from, std::uint64_t bytes) {
  std::unique_ptr<rocksdb::SequentialFile> file;
  if (!on.NewSequentialFile(path, &file, rocksdb::EnvOptions{}).ok()) return {};
  if (from > 0 && !file->Skip(from).ok()) return {};
  std::string out;
  std::array<char, 16'384> block;
  while (out.size() < bytes) {
    const auto want = std::min<std::uint64_t>(block.size(), bytes - out.size());
    rocksdb::Slice got;
    if (!file->Read(static_cast<std::size_t>(want), &got, block.data()).ok()) return {};
    if (got.empty()) break;
    out.append(got.data(), got.size());
  }
  return out;
}

struct slots {
  std::optional<slot> newest;
  std::size_t next = 0; // the one to be written: not where the newest is
};
slots parse_slots(std::string_view file) {
  slots out;
  for (std::size_t i = 0; i < std::size(slot_at); ++i) {
    if (file.size() < slot_at[i]) break;
    const auto s = parse_slot(file.substr(slot_at[i]));
    if (!s || (out.newest && out.newest->counter > s->counter)) continue;
    out.newest = s;
    out.next = 1 - i;
  }
  return out;
}

std::string name_of_manifest(std::uint64_t number) {
  std::array<char, 32> name{};
  std::snprintf(
    name.data(), name.size(), "MANIFEST-%06llu", static_cast<unsigned long long>(number));
  return name.data();
}
/// 0: that is no manifest's name.
std::uint64_t manifest_number(std::string_view name) {
  constexpr std::string_view prefix = "MANIFEST-";
  if (!name.starts_with(prefix)) return 0;
  name.remove_prefix(prefix.size());
  std::uint64_t n = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), n);
  return error == std::errc{} && stop == name.data() + name.size() ? n : 0;
}

failure broken(const std::string& dir, const std::string& what) {
  return {errc::corrupt,
    "data folder " + dir + ": " + what + "; restore a backup, or delete " + path_of(dir)
      + " to go on without what was lost"};
}
} // namespace

std::variant<std::optional<durable_claim>, failure> read_claim(
  rocksdb::Env& on, const std::string& dir) {
  const auto there = on.FileExists(path_of(dir));
  if (there.IsNotFound()) return std::optional<durable_claim>{};
  const auto bytes = there.ok() ? read_part(on, path_of(dir), 0, file_bytes) : std::nullopt;
  if (!bytes)
    return failure{errc::io_failed, "data folder " + dir + ": " + path_of(dir) + " can't be read"};
  const auto found = parse_slots(*bytes);
  return found.newest ? std::optional{found.newest->says} : std::nullopt;
}

std::optional<std::string> read_whole(rocksdb::Env& on, const std::string& path) {
  return read_part(on, path, 0, UINT64_MAX);
}

std::optional<manifest_name> manifest_in_force(rocksdb::Env& on, const std::string& dir) {
  auto current = read_part(on, dir + "/CURRENT", 0, 64);
  if (!current || !current->ends_with('\n')) return {};
  current->pop_back();
  const auto number = manifest_number(*current);
  if (number == 0 || name_of_manifest(number) != *current) return {};
  return manifest_name{*current, number};
}

std::optional<failure> manifest_breaks(
  const durable_claim& claim, rocksdb::Env& on, const std::string& dir) {
  if (claim.manifest == 0) return {};
  const auto current = manifest_in_force(on, dir);
  if (!current) return broken(dir, "CURRENT is damaged: it names no manifest");
  if (current->number > claim.manifest) return {}; // made by a start that died before its claim
  const auto claimed = name_of_manifest(claim.manifest);
  if (current->number < claim.manifest)
    return broken(dir, "CURRENT names " + current->text + ", but " + claimed + " was in force");
  const auto bytes = read_part(on, dir + "/" + claimed, 0, claim.manifest_bytes);
  const auto size = std::to_string(claim.manifest_bytes);
  if (!bytes || bytes->size() < claim.manifest_bytes)
    return broken(dir, claimed + " is shorter than the " + size + " bytes that were on disk");
  if (crc32c(*bytes) != claim.manifest_crc)
    return broken(dir, claimed + " is damaged within its first " + size + " bytes");
  return {};
}

std::optional<failure> sequence_breaks(
  const durable_claim& claim, std::uint64_t last_sequence, const std::string& dir) {
  if (last_sequence >= claim.sequence) return {};
  return broken(dir, "acknowledged writes are lost: write number "
                       + std::to_string(claim.sequence) + " was on disk, what can be read ends at "
                       + std::to_string(last_sequence) + " (a damaged or missing log)");
}

claim_keeper::claim_keeper(rocksdb::Env& on, std::string dir) : on_(on), dir_(std::move(dir)) {}
claim_keeper::~claim_keeper() = default;

/// False: there is no file of the right size, nor room for one.
bool claim_keeper::make_file(const std::string& first_slot) {
  std::uint64_t size = 0;
  if (on_.GetFileSize(path_of(dir_), &size).ok() && size >= file_bytes) return true;
  std::unique_ptr<rocksdb::WritableFile> made;
  if (!on_.NewWritableFile(path_of(dir_), &made, rocksdb::EnvOptions{}).ok()) return false;
  // All of it at once: later a full disk has no say, and no claim makes the file grow.
  auto all = first_slot;
  all.resize(file_bytes, '\0');
  if (!made->Append(all).ok() || !made->Sync().ok() || !made->Close().ok()) return false;
  std::unique_ptr<rocksdb::Directory> folder;
  return on_.NewDirectory(dir_, &folder).ok() && folder->Fsync().ok();
}

void claim_keeper::open(bool is_new) {
  std::uint64_t counter = 0;
  if (const auto before = read_part(on_, path_of(dir_), 0, file_bytes)) {
    const auto found = parse_slots(*before);
    if (found.newest) counter = found.newest->counter;
    if (counter % 2 == found.next) ++counter; // its parity says which slot comes next
  }
  const auto first = is_new ? slot_of({}, 0) : std::string{};
  std::unique_ptr<rocksdb::RandomRWFile> file;
  if (!make_file(first)
      || !on_.NewRandomRWFile(path_of(dir_), &file, rocksdb::EnvOptions{}).ok()) {
    std::fprintf(stderr,
      "storage.nothing_claimed path=%s detail=\"damage to the end of the log would go unseen\"\n",
      path_of(dir_).c_str());
    return;
  }
  const std::lock_guard lock{guard_};
  file_ = std::move(file);
  counter_ = counter;
}

void claim_keeper::follow(rocksdb::DB& db) {
  {
    const std::lock_guard lock{guard_};
    now_.sequence = db.GetLatestSequenceNumber();
    follows_ = true;
  }
  manifest_grew(db);
}

void claim_keeper::wrote(std::uint64_t last_sequence) {
  const std::lock_guard lock{guard_};
  now_.sequence = last_sequence;
  put();
}

void claim_keeper::manifest_grew(rocksdb::DB& db) {
  const std::lock_guard one_at_a_time{reading_};
  {
    const std::lock_guard lock{guard_};
    if (!file_ || !follows_) return;
  }
  look_at_manifest(db);
  {
    const std::lock_guard lock{guard_};
    put();
  }
  (void)file_->Sync(); // commits go on meanwhile; file_ stays as it is until we end
}

/// Only what RocksDB says is synced, and only what is new since the last look.
void claim_keeper::look_at_manifest(rocksdb::DB& db) {
  std::vector<std::string> live;
  std::uint64_t bytes = 0, number = 0;
  if (!db.GetLiveFiles(live, &bytes, /*flush_memtable=*/false).ok()) return;
  for (const auto& name : live)
    if (const auto n = manifest_number(std::string_view{name}.substr(1))) number = n;
  durable_claim seen;
  {
    const std::lock_guard lock{guard_};
    seen = now_;
  }
  if (seen.manifest != number) seen.manifest_bytes = seen.manifest_crc = 0;
  if (number == 0 || bytes <= seen.manifest_bytes) return;
  const auto fresh = read_part(
    on_, dir_ + "/" + name_of_manifest(number), seen.manifest_bytes, bytes - seen.manifest_bytes);
  if (!fresh || fresh->size() != bytes - seen.manifest_bytes) return;
  const auto crc = crc32c(*fresh, seen.manifest_crc); // commits wait for the lock
  const std::lock_guard lock{guard_};
  now_.manifest = number;
  now_.manifest_crc = crc;
  now_.manifest_bytes = bytes;
}

void claim_keeper::put() {
  if (!file_) return;
  const auto at = slot_at[++counter_ % 2];
  if (file_->Write(at, slot_of(now_, counter_)).ok() || said_so_) return;
  said_so_ = true;
  std::fprintf(stderr, "storage.claim_failed path=%s detail=\"the older claim stays\"\n",
    path_of(dir_).c_str());
}
} // namespace jumun::storage
