#include "app/config.hpp"
#include "app/exit_codes.hpp"
#include "app/serve.hpp"
#include <cstdio>
#include <exception>

using namespace jumun::app;

int main(int argc, char** argv) {
  try {
    const auto parsed = parse_command_line({argv + 1, argv + argc}, this_process());
    if (const auto* done = std::get_if<said_and_done>(&parsed)) {
      std::fputs(done->text.c_str(), done->code == exit_code::ok ? stdout : stderr);
      return static_cast<int>(done->code);
    }
    const auto& c = std::get<config>(parsed);
    const auto code = c.what == command::check ? run_check(c) : run_serve(c);
    return static_cast<int>(code);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "jumun: internal error: %s\n", e.what());
    return static_cast<int>(exit_code::internal);
  }
}
