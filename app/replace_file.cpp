#include "app/replace_file.hpp"
#include "app/open_file.hpp"
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>

namespace jumun::app {
namespace {
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}
} // namespace

std::optional<std::string> replace_file(
  const std::filesystem::path& path, const std::string& bytes, mode_t mode) {
  const auto failed = [&](const char* what) {
    return "\"" + path.string() + "\": " + what + ": " + std::system_category().message(errno);
  };
  auto name = path.string() + ".XXXXXX";
  const open_file half{::mkostemp(name.data(), O_CLOEXEC)}; // 0600
  if (half.fd() < 0) return failed("a file beside it cannot be made");
  struct stat old {};
  // Root edits the file of the server's user: it must stay readable to that one.
  const bool keeps_owner = ::geteuid() != 0 || ::stat(path.c_str(), &old) != 0
                           || ::fchown(half.fd(), old.st_uid, old.st_gid) == 0;
  if (keeps_owner && ::fchmod(half.fd(), mode) == 0 && write_all(half.fd(), bytes)
      && ::fsync(half.fd()) == 0 && ::rename(name.c_str(), path.c_str()) == 0) {
    const auto parent = path.parent_path();
    const open_file folder{
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.fd() >= 0 && ::fsync(folder.fd()) == 0) return {};
  }
  const auto why = failed("it cannot be written");
  ::unlink(name.c_str());
  return why;
}
} // namespace jumun::app
