#pragma once
#include "tests/support/http_client.hpp"

/// The server's description of itself (http/openapi.hpp), and whether answers keep to it. The
/// client checks every answer it gets, so each integration test is a test of the description.
namespace jumun::tests {
[[nodiscard]] const nlohmann::json& api_description();

/// The schema with each reference replaced by what it names. `closed`: what an object's schema does
/// not name may not be there, so that nobody adds a field to an answer alone.
[[nodiscard]] nlohmann::json whole_schema(const nlohmann::json& schema, bool closed);

/// Why the value does not fit the schema, a whole one; empty: it does. Thread-safe.
[[nodiscard]] std::string schema_fault(const nlohmann::json& schema, const nlohmann::json& value);

/// Why this is no answer that the description has for the request; empty: it is one, or no path of
/// it was asked for. Thread-safe.
[[nodiscard]] std::string reply_fault(
  std::string_view method, std::string_view target, const response& r);
} // namespace jumun::tests
