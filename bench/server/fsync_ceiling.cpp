#include "bench/server/fsync_ceiling.hpp"
#include "bench/client/schedule.hpp"
#include "bench/interrupt.hpp"
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>

namespace jumun::bench {
fsync_figures measure_fsync(
  const std::filesystem::path& dir, std::chrono::duration<double> length) {
  const auto path = dir / "fsync.ceiling";
  const auto fail = [&path] {
    throw std::system_error(errno, std::system_category(), path.string());
  };
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail();
  const std::string record(fsync_record_bytes, 'x');
  fsync_figures figures;
  bool sound = true;
  const auto begin = clock::now();
  auto now = begin;
  while (sound && now - begin < length && !interrupted()) {
    sound = ::write(fd, record.data(), record.size()) == static_cast<ssize_t>(record.size())
            && ::fdatasync(fd) == 0;
    const auto then = clock::now();
    figures.latency.record(then - now);
    now = then;
  }
  const auto why = errno;
  ::close(fd);
  ::unlink(path.c_str());
  if (!sound) errno = why, fail();
  const std::chrono::duration<double> took = now - begin;
  figures.per_second = static_cast<double>(figures.latency.count()) / took.count();
  return figures;
}
} // namespace jumun::bench
