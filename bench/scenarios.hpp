#pragma once
#include "bench/stage.hpp"
#include <span>
#include <string_view>

namespace jumun::bench {
struct scenario {
  std::string_view name, about;
  bool usual;      // measured when none is named
  bool own_server; // not with --url
  void (*run)(stage& on, const options& o);
};
/// One table: what --help lists, and what is run.
[[nodiscard]] std::span<const scenario> all_scenarios();
/// nullptr: there is none of this name.
[[nodiscard]] const scenario* find_scenario(std::string_view name);
} // namespace jumun::bench
