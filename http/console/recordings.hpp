#pragma once
#include "http/console/inspector.hpp"
#include "http/json_writer.hpp"

namespace jumun::http {
/// The members of a recording's object; its messages where they are wanted, else null.
void put_recorded_fields(json_writer& w, const recorded& r, bool with_messages);
} // namespace jumun::http
