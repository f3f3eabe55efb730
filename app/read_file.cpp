#include "app/read_file.hpp"
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace jumun::app {
namespace {
read_failed failed() { return {"it cannot be read: " + std::system_category().message(errno)}; }

std::variant<std::string, read_failed> read_all(int fd, std::size_t bytes_max) {
  struct stat is {};
  if (::fstat(fd, &is) != 0) return failed();
  if (!S_ISREG(is.st_mode)) return read_failed{"it is not a file"};
  std::string all;
  char part[16 * 1024];
  for (;;) {
    const auto n = ::read(fd, part, sizeof part);
    if (n == 0) return all;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed();
    all.append(part, static_cast<std::size_t>(n));
    if (all.size() > bytes_max)
      return read_failed{"it has more than " + std::to_string(bytes_max) + " bytes"};
  }
}
} // namespace

std::variant<std::string, read_failed> read_file(const std::string& path, std::size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe must not hold us
  if (fd < 0) return failed();
  auto all = read_all(fd, bytes_max);
  ::close(fd);
  return all;
}
} // namespace jumun::app
