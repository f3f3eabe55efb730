#pragma once
#include "http/console/inspector.hpp"
#include "http/json_writer.hpp"

namespace jumun::http {
/// The members of a recording's object; `messages`: of JSON, null: they are not wanted. `silent`:
/// nodes that have a part in it and did not answer.
void put_recorded_fields(json_writer& w, const recorded& r, const std::vector<std::string>& silent,
  const std::vector<std::string>* messages = nullptr);

/// A duration; null where it is not known, which is said by -1.
void put_known_us(json_writer& w, std::string_view name, std::int64_t us);
} // namespace jumun::http
