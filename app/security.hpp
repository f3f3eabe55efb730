#pragma once
#include "app/auth/bearer.hpp"
#include "app/config.hpp"
#include "app/file_watch.hpp"
#include "http/tls.hpp"
#include <memory>
#include <variant>

namespace jumun::app {
/// Who may ask, and by which certificates: all that a server reads from files which may change
/// while it runs. A changed file is in force within 1 s; one that cannot be used leaves the version
/// before it in force, with a warning in the log. Outlives the server.
class security {
public:
  /// Reads every file that the settings name. @returns what is wrong: setting, path, and why.
  /// Blocks.
  [[nodiscard]] static std::variant<std::unique_ptr<security>, std::string> open(const config& c);

  [[nodiscard]] const http::authenticator* who() const { return bearer_.get(); } // null: dev mode
  [[nodiscard]] const http::tls_slot* public_tls() const { return tls_.get(); }  // null: plain
  [[nodiscard]] const http::tls_slot* ops_tls() const { return ops_tls_.get(); }

private:
  security() = default;
  std::optional<std::string> read_keys(const config& c);
  std::optional<std::string> read_jwt(const config& c);
  std::optional<std::string> read_certificate(std::unique_ptr<http::tls_slot>& into,
    const std::string& setting, const std::string& cert, const std::string& key);

  std::unique_ptr<bearer> bearer_;
  std::unique_ptr<http::tls_slot> tls_, ops_tls_;
  file_watch files_; // last: its thread uses the others
};
} // namespace jumun::app
