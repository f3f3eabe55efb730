#pragma once
#include "domain/json_writer.hpp"

namespace jumun::http {
using domain::json_writer;
} // namespace jumun::http
