#pragma once
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace jumun::tests {
/// A folder of this test's own under $TMPDIR (or /tmp), gone with it. JUMUN_KEEP_TMP=1 keeps it.
class temp_dir {
public:
  temp_dir() {
    auto name = (std::filesystem::temp_directory_path() / "jumun-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~temp_dir() {
    std::error_code ignored;
    if (std::getenv("JUMUN_KEEP_TMP") == nullptr) std::filesystem::remove_all(path_, ignored);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};
} // namespace jumun::tests
