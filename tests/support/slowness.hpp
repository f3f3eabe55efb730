#pragma once

namespace jumun::tests {
/// How much longer everything may take than alone on a quiet machine: suites run side by side, and
/// a sanitizer's shadows cost. A factor of patience; never a wait.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int slowness = 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr int slowness = 10;
#else
inline constexpr int slowness = 3;
#endif
#else
inline constexpr int slowness = 3;
#endif
} // namespace jumun::tests
