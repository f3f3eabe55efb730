#pragma once
#include "app/exit_codes.hpp"
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace jumun::app {
/// What `jumun certs …` was asked to do. The texts are judged by run_certs().
struct certs_request {
  enum class doing : std::uint8_t { ca, node } what = doing::ca;
  std::string dir, cluster, node;
  std::string ca_dir; // node: empty: dir
  std::vector<std::string> hosts;
  std::int64_t days = 0; // 0: the default
  bool force = false;
};

/// Adds `certs ca|node` to the command line; parsing fills `into`, which must outlive it.
[[nodiscard]] CLI::App* add_certs_command(CLI::App& app, certs_request& into);

/// Does it, telling on stdout; what is wrong goes to stderr, and then no file has changed, unless
/// the disk failed half-way. Blocks for the disk.
[[nodiscard]] exit_code run_certs(const certs_request& asked);
} // namespace jumun::app
