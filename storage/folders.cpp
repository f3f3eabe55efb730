#include "storage/folders.hpp"
#include <rocksdb/env.h>

namespace jumun::storage {
namespace {
std::string parent_of(std::string dir) {
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  const auto slash = dir.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : dir.substr(0, slash);
}

std::optional<failure> told(const rocksdb::Status& s) {
  if (s.ok()) return {};
  return failure{s.IsNoSpace() ? errc::full : errc::io_failed, s.ToString()};
}
} // namespace

std::optional<failure> make_folders(rocksdb::Env& on, const std::string& dir) {
  if (dir.empty() || on.FileExists(dir).ok()) return {};
  const auto parent = parent_of(dir);
  if (parent != dir)
    if (auto why = make_folders(on, parent)) return why;
  if (auto why = told(on.CreateDirIfMissing(dir))) return why;
  std::unique_ptr<rocksdb::Directory> above;
  if (auto why = told(on.NewDirectory(parent, &above))) return why;
  return told(above->Fsync());
}
} // namespace jumun::storage
