#include "app/config.hpp"
#include "app/exit_codes.hpp"
#include "app/serve.hpp"
#include "bench/bench.hpp"
#include <cstdio>
#include <exception>

using namespace jumun::app;

namespace {
exit_code run(const config& c) {
  switch (c.what) {
    case command::check: return run_check(c);
    case command::keys: return run_keys(c.keys);
    case command::certs: return run_certs(c.certs);
    case command::cluster: return run_cluster(c.of_cluster);
    case command::bench: return static_cast<exit_code>(jumun::bench::run(c.bench_args));
    case command::serve: break;
  }
  return run_serve(c);
}
} // namespace

int main(int argc, char** argv) {
  try {
    const auto parsed = parse_command_line({argv + 1, argv + argc}, this_process());
    if (const auto* done = std::get_if<said_and_done>(&parsed)) {
      std::fputs(done->text.c_str(), done->code == exit_code::ok ? stdout : stderr);
      return static_cast<int>(done->code);
    }
    const auto& c = std::get<config>(parsed);
    return static_cast<int>(run(c));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "jumun: internal error: %s\n", e.what());
    return static_cast<int>(exit_code::internal);
  }
}
