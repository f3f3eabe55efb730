#include "bench/server/fsync_ceiling.hpp"
#include "bench/client/schedule.hpp"
#include "bench/interrupt.hpp"
#include <algorithm>
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

namespace {
constexpr auto witness_pause = std::chrono::milliseconds{200};
std::int64_t now_ns() { return nanoseconds{clock::now().time_since_epoch()}.count(); }
} // namespace

disk_witness::disk_witness(const std::filesystem::path& dir)
    : path_(dir / "fsync.witness"),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)),
      thread_([this](const std::stop_token& until) { watch(until); }) {}

disk_witness::~disk_witness() {
  thread_.request_stop();
  thread_.join();
  if (fd_ >= 0) ::close(fd_);
  ::unlink(path_.c_str());
}

void disk_witness::watch(const std::stop_token& until) {
  const std::string record(fsync_record_bytes, 'x');
  while (!until.stop_requested() && fd_ >= 0) {
    const auto begin = now_ns();
    since_ns_ = begin;
    if (::write(fd_, record.data(), record.size()) < 0 || ::fdatasync(fd_) != 0) return;
    since_ns_ = 0;
    worst_ns_ = std::max<std::int64_t>(worst_ns_, now_ns() - begin);
    std::this_thread::sleep_for(witness_pause);
  }
}

nanoseconds disk_witness::worst() const {
  const auto since = since_ns_.load();
  return nanoseconds{std::max<std::int64_t>(worst_ns_, since > 0 ? now_ns() - since : 0)};
}
} // namespace jumun::bench
