#pragma once
#include <unistd.h>

namespace jumun::app {
/// A file descriptor that closes itself.
class open_file {
public:
  explicit open_file(int fd) : fd_{fd} {}
  ~open_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

private:
  int fd_;
};
} // namespace jumun::app
