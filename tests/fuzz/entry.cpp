#include "tests/fuzz/targets.hpp"
#include <cstddef>
#include <cstdint>

// FUZZ_TARGET: the function of this binary, by tests/fuzz/CMakeLists.txt.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  jumun::fuzz::FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
