#include "app/file_watch.hpp"
#include "app/log.hpp"
#include "app/read_file.hpp"
#include "http/command.hpp"
#include <ctime>
#include <sys/stat.h>
#include <utility>

namespace jumun::app {
namespace {
/// A file that changed in the last moments may change again within one tick of its time stamp.
constexpr std::time_t young_s = 2;

/// What stat(2) says of the files; `settled`: none of them is young.
std::string stamp_of(const std::vector<std::string>& paths, bool& settled) {
  std::string all;
  settled = true;
  const auto now = std::time(nullptr);
  for (const auto& path : paths) {
    struct stat is {};
    if (::stat(path.c_str(), &is) != 0) is = {};
    for (const auto part :
      {std::int64_t(is.st_dev), std::int64_t(is.st_ino), std::int64_t(is.st_size),
        std::int64_t(is.st_mtim.tv_sec), std::int64_t(is.st_mtim.tv_nsec),
        std::int64_t(is.st_ctim.tv_sec), std::int64_t(is.st_ctim.tv_nsec)})
      all += std::to_string(part) + ' ';
    settled = settled && is.st_ctim.tv_sec + young_s < now && is.st_mtim.tv_sec + young_s < now;
  }
  return all;
}
} // namespace

file_watch::~file_watch() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

/// @returns why what is there now cannot be used; empty: it is in force.
std::string file_watch::read(watched& w) {
  w.stamp = stamp_of(w.paths, w.settled); // before the bytes: a later change is then seen later
  std::vector<std::string> bytes;
  std::string seen;
  for (const auto& path : w.paths) {
    auto one = read_file(path, limits::auth_file_bytes_max);
    if (auto* failed = std::get_if<read_failed>(&one)) return "\"" + path + "\": " + failed->why;
    bytes.push_back(std::get<std::string>(std::move(one)));
    seen += http::digest(bytes.back());
  }
  if (std::exchange(w.seen, seen) == seen) return w.refusal;
  const auto why = w.take(bytes);
  w.refusal = why ? "\"" + w.paths.front() + "\": " + *why : "";
  if (!why) log::info("file.taken", {{"path", w.paths.front()}});
  return w.refusal;
}

std::optional<std::string> file_watch::add(std::vector<std::string> paths, taking take) {
  watched w{std::move(paths), std::move(take), {}, false, {}, {}, {}};
  if (auto why = read(w); !why.empty()) return why;
  all_.push_back(std::move(w));
  return {};
}

void file_watch::start() {
  if (!all_.empty()) thread_ = std::thread{[this] { run(); }};
}

void file_watch::look(watched& w) {
  bool settled = false;
  if (w.settled && stamp_of(w.paths, settled) == w.stamp) return;
  const auto why = read(w);
  if (std::exchange(w.fault, why) == why || why.empty()) return;
  log::warn("file.refused", {{"detail", why}, {"hint", "what was read before stays in force"}});
}

void file_watch::run() {
  std::unique_lock lock{mutex_};
  while (!wake_.wait_for(lock, period_, [this] { return stopping_; })) {
    lock.unlock();
    for (auto& w : all_) look(w);
    lock.lock();
  }
}
} // namespace jumun::app
