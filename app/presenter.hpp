#pragma once
#include "actors/presenter.hpp"
#include <memory>

namespace jumun::app {
/// The edge's renderer, as actors know it: `http` and `actors` may not see each other.
[[nodiscard]] std::unique_ptr<actors::presenter> make_presenter();
} // namespace jumun::app
