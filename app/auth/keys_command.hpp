#pragma once
#include "app/exit_codes.hpp"
#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace jumun::app {
/// What `jumun keys …` was asked to do. The texts are judged by run_keys().
struct keys_request {
  enum class doing : std::uint8_t { add, list, revoke } what = doing::list;
  std::string file, role, principal, expires, id;
};

/// Adds `keys add|list|revoke` to the command line; parsing fills `into`, which must outlive it.
[[nodiscard]] CLI::App* add_keys_command(CLI::App& app, keys_request& into);

/// Does it, on stdout; what is wrong goes to stderr. `add` prints the secret as the last word, and
/// only there. Blocks for the disk.
[[nodiscard]] exit_code run_keys(const keys_request& asked);
} // namespace jumun::app
