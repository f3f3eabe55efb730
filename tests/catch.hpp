#pragma once
// Catch2 3 (Debian 13) has another header than Catch2 2 (Debian 12).
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx; // 2 has it there by itself
#else
#include <catch2/catch.hpp>
#endif
