#include "tests/power/power_disk.hpp"
#include <algorithm>
#include <utility>

namespace jumun::tests {
namespace {
constexpr std::size_t sector_bytes = 512, page_bytes = 4'096;

std::size_t up_to(std::mt19937_64& chance, std::size_t max) {
  return static_cast<std::size_t>(chance() % (max + 1));
}
} // namespace

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

void power_disk::apply(const change& c, names& to) {
  if (!c.from.empty()) to.erase(c.from);
  if (!c.to.empty()) to[c.to] = c.what;
}
void power_disk::changed(change c) {
  apply(c, now_);
  changes_.push_back(std::move(c));
}

std::optional<disk_fault> power_disk::next_fault() {
  const auto call = calls_++;
  if (call < fail_at_ || (call > fail_at_ && !for_good_)) return {};
  failed_ = true;
  return fault_;
}

namespace {
disk_says said(disk_fault f) {
  return f == disk_fault::io_error ? disk_says::io_error : disk_says::no_space;
}
} // namespace

disk_says power_disk::create(const std::string& path, file& out) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  const auto folder = now_.find(folder_of(path));
  if (folder_of(path) != "/" && (folder == now_.end() || folder->second.data))
    return disk_says::missing;
  const auto found = now_.find(path);
  if (found != now_.end()) {
    if (!found->second.data) return disk_says::exists;
    out = found->second.data;
    out->now.clear();
    out->dirty_from = 0;
    return disk_says::ok;
  }
  out = std::make_shared<inode>();
  changed({folder_of(path), "", path, {out}});
  return disk_says::ok;
}

disk_says power_disk::append(const file& to, std::string_view bytes) {
  return write_at(to, npos, bytes);
}

disk_says power_disk::write_at(const file& to, std::size_t offset, std::string_view bytes) {
  const std::lock_guard lock{guard_};
  auto says = disk_says::ok;
  if (const auto f = next_fault()) {
    says = said(*f);
    bytes = bytes.substr(
      0, *f == disk_fault::short_write && !bytes.empty() ? up_to(chance_, bytes.size() - 1) : 0);
  }
  if (offset == npos) offset = to->now.size();
  if (bytes.empty()) return says;
  to->dirty_from = std::min({to->dirty_from, offset, to->now.size()});
  if (to->now.size() < offset + bytes.size()) to->now.resize(offset + bytes.size());
  bytes.copy(to->now.data() + offset, bytes.size());
  return says;
}

disk_says power_disk::truncate(const file& of, std::size_t bytes) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  if (of->now.size() == bytes) return disk_says::ok;
  of->dirty_from = std::min({of->dirty_from, bytes, of->now.size()});
  of->now.resize(bytes);
  return disk_says::ok;
}

/// All of it is durable from now on, but what a failed sync lost before.
void power_disk::save(inode& i) {
  if (i.dirty_from == npos) return;
  const auto from = std::min(i.dirty_from, i.durable.size());
  i.durable.resize(from);
  i.durable.append(i.now, from);
  i.dirty_from = npos;
  if (i.lost_from == npos) return;
  const auto to = std::min(i.lost_to, i.durable.size());
  if (i.lost_from < to)
    std::fill(i.durable.begin() + static_cast<std::ptrdiff_t>(i.lost_from),
      i.durable.begin() + static_cast<std::ptrdiff_t>(to), '\0');
}

disk_says power_disk::sync(const file& of, const std::string& path) {
  sync_point at{path, false, false, 0};
  tell(at);
  auto says = disk_says::ok;
  {
    const std::lock_guard lock{guard_};
    if (const auto f = next_fault()) {
      says = said(*f);
      const bool landed = chance_() % 2 == 0;
      if (!landed && of->dirty_from != npos) { // marked clean, as Linux does
        of->lost_from = std::min(of->lost_from, of->dirty_from);
        of->lost_to = std::max(of->lost_to, of->now.size());
      }
      if (!landed) return says;
    }
    save(*of);
  }
  at.done = true;
  tell(at);
  return says;
}

disk_says power_disk::sync_folder(const std::string& path) {
  sync_point at{path, true, false, 0};
  tell(at);
  {
    const std::lock_guard lock{guard_};
    if (const auto f = next_fault()) return said(*f);
    std::vector<change> others;
    for (auto& c : changes_)
      if (c.folder == path)
        apply(c, durable_);
      else
        others.push_back(std::move(c));
    changes_ = std::move(others);
  }
  at.done = true;
  tell(at);
  return disk_says::ok;
}

disk_says power_disk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  const auto found = now_.find(from);
  if (found == now_.end() || !found->second.data) return disk_says::missing;
  if (from != to) changed({folder_of(to), from, to, found->second});
  return disk_says::ok;
}

disk_says power_disk::link(const std::string& from, const std::string& to) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  const auto found = now_.find(from);
  if (found == now_.end()) return disk_says::missing;
  if (now_.contains(to)) return disk_says::exists;
  changed({folder_of(to), "", to, found->second});
  return disk_says::ok;
}

disk_says power_disk::remove(const std::string& path) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  const auto found = now_.find(path);
  if (found == now_.end() || !found->second.data) return disk_says::missing;
  changed({folder_of(path), path, "", {}});
  return disk_says::ok;
}

disk_says power_disk::make_folder(const std::string& path) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  if (now_.contains(path)) return disk_says::exists;
  if (folder_of(path) != "/" && !now_.contains(folder_of(path))) return disk_says::missing;
  changed({folder_of(path), "", path, {}});
  return disk_says::ok;
}

disk_says power_disk::remove_folder(const std::string& path) {
  const std::lock_guard lock{guard_};
  if (const auto f = next_fault()) return said(*f);
  const auto found = now_.find(path);
  if (found == now_.end() || found->second.data) return disk_says::missing;
  changed({folder_of(path), path, "", {}});
  return disk_says::ok;
}

power_disk::file power_disk::find(const std::string& path) const {
  const std::lock_guard lock{guard_};
  const auto found = now_.find(path);
  return found == now_.end() ? nullptr : found->second.data;
}
bool power_disk::is_folder(const std::string& path) const {
  if (path == "/") return true;
  const std::lock_guard lock{guard_};
  const auto found = now_.find(path);
  return found != now_.end() && !found->second.data;
}
std::vector<std::string> power_disk::names_in(const std::string& folder) const {
  const std::lock_guard lock{guard_};
  std::vector<std::string> out;
  for (const auto& [path, what] : now_)
    if (folder_of(path) == folder) out.push_back(path.substr(path.rfind('/') + 1));
  return out;
}
std::size_t power_disk::size_of(const file& of) const {
  const std::lock_guard lock{guard_};
  return of->now.size();
}
std::optional<std::string> power_disk::read(
  const file& from, std::size_t offset, std::size_t bytes) const {
  const std::lock_guard lock{guard_};
  if (reads_++ == fail_read_at_) {
    failed_ = true;
    return {};
  }
  return offset >= from->now.size() ? std::string{} : from->now.substr(offset, bytes);
}
bool power_disk::lock(const std::string& path) {
  const std::lock_guard lock{guard_};
  return !std::exchange(locks_[path], true);
}
void power_disk::unlock(const std::string& path) {
  const std::lock_guard lock{guard_};
  locks_.erase(path);
}

// -- the power goes -------------------------------------------------------------------------------

std::string power_disk::left_of(const inode& i, cut_kind how, std::mt19937_64& chance) {
  if (how == cut_kind::kept) return i.now;
  if (how == cut_kind::lost || i.dirty_from == npos) return i.durable;
  auto left = i.durable;
  // Bytes that were written over, sector by sector: each is the old one or the new one.
  for (auto at = i.dirty_from / sector_bytes * sector_bytes; at < left.size(); at += sector_bytes) {
    if (chance() % 2 != 0 || at >= i.now.size()) continue;
    i.now.copy(left.data() + at, std::min({sector_bytes, left.size() - at, i.now.size() - at}), at);
  }
  if (i.now.size() < left.size()) { // it was cut, and that may have happened
    if (chance() % 2 == 0) left.resize(i.now.size());
    return left;
  }
  // Bytes behind its durable end.
  const auto from = left.size(), fresh = i.now.size() - from;
  const auto kept = up_to(chance, fresh);
  switch (chance() % 6) {
    case 0: break;
    case 1: left.append(i.now, from); break;
    case 2: left.append(i.now, from, kept); break;
    case 3: // its length was saved, and some sectors
      left.append(i.now, from);
      for (auto at = from; at < left.size(); ++at) {
        const auto end = std::min(left.size(), (at / sector_bytes + 1) * sector_bytes);
        if (chance() % 2 == 0)
          std::fill(left.begin() + static_cast<std::ptrdiff_t>(at),
            left.begin() + static_cast<std::ptrdiff_t>(end), '\0');
        at = end - 1;
      }
      break;
    case 4: // its length was saved, and no data
      left.append(up_to(chance, fresh), '\0');
      break;
    default: { // cut off, and noise to the end of the page
      left.append(i.now, from, kept);
      const auto end = std::min((left.size() / page_bytes + 1) * page_bytes, i.now.size());
      while (left.size() < end) left.push_back(static_cast<char>(chance()));
    }
  }
  return left;
}

std::shared_ptr<power_disk> power_disk::after_cut(cut_kind how, std::uint64_t seed) const {
  std::mt19937_64 chance{seed};
  const std::lock_guard lock{guard_};
  auto left = how == cut_kind::kept ? now_ : durable_;
  if (how == cut_kind::chance) {
    // Of each folder the first so many changes, in order, as journaling file systems save them.
    std::map<std::string, std::size_t> count, saved;
    for (const auto& c : changes_) ++count[c.folder];
    for (const auto& [folder, n] : count) saved[folder] = up_to(chance, n);
    for (const auto& c : changes_)
      if (saved[c.folder]-- > 0)
        apply(c, left);
      else
        saved[c.folder] = 0;
  }
  auto out = std::make_shared<power_disk>();
  std::map<const inode*, file> copies; // links stay links
  for (const auto& [path, what] : left) { // folders come before what is in them
    if (folder_of(path) != "/" && !out->now_.contains(folder_of(path))) continue;
    auto& copy = copies[what.data.get()];
    if (what.data && !copy) {
      copy = std::make_shared<inode>();
      copy->now = left_of(*what.data, how, chance);
      copy->durable = copy->now;
    }
    out->now_[path] = {what.data ? copy : nullptr};
  }
  out->durable_ = out->now_;
  return out;
}

std::uint64_t power_disk::calls() const {
  const std::lock_guard lock{guard_};
  return calls_;
}
std::uint64_t power_disk::reads() const {
  const std::lock_guard lock{guard_};
  return reads_;
}
void power_disk::fail(std::uint64_t n, disk_fault how, bool for_good, std::uint64_t seed) {
  const std::lock_guard lock{guard_};
  fail_at_ = calls_ + n;
  fault_ = how;
  for_good_ = for_good;
  chance_.seed(seed);
}
void power_disk::fail_read(std::uint64_t n) {
  const std::lock_guard lock{guard_};
  fail_read_at_ = reads_ + n;
}
void power_disk::heal() {
  const std::lock_guard lock{guard_};
  fail_at_ = fail_read_at_ = UINT64_MAX;
}
bool power_disk::has_failed() const {
  const std::lock_guard lock{guard_};
  return failed_;
}
void power_disk::on_sync(std::function<void(const sync_point&)> told) {
  const std::lock_guard lock{guard_};
  told_ = std::move(told);
}
void power_disk::tell(sync_point p) {
  std::function<void(const sync_point&)> told;
  {
    const std::lock_guard lock{guard_};
    p.number = ++points_;
    told = told_;
  }
  if (told) told(p);
}
std::vector<std::pair<std::string, std::size_t>> power_disk::files() const {
  const std::lock_guard lock{guard_};
  std::vector<std::pair<std::string, std::size_t>> out;
  for (const auto& [path, what] : now_)
    if (what.data) out.emplace_back(path, what.data->now.size());
  return out;
}
std::string power_disk::content(const std::string& path) const {
  const auto found = find(path);
  const std::lock_guard lock{guard_};
  return found ? found->now : std::string{};
}
void power_disk::put(const std::string& path, std::string bytes) {
  const std::lock_guard lock{guard_};
  auto i = std::make_shared<inode>();
  i->now = i->durable = std::move(bytes);
  now_[path] = durable_[path] = {i};
}
void power_disk::flip(const std::string& path, std::uint64_t bit) {
  const auto found = find(path);
  const std::lock_guard lock{guard_};
  if (!found || bit / 8 >= found->now.size()) return;
  auto& byte = found->now[static_cast<std::size_t>(bit / 8)];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (bit % 8)));
  found->durable = found->now;
}
} // namespace jumun::tests
