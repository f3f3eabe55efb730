#pragma once
#include "app/node.hpp"
#include "http/shop.hpp"

namespace jumun::app {
/// The actor of this node that is called so: by its id (in a cluster `<node>.<number>`, on a node
/// that is alone the number), or by its name.
[[nodiscard]] std::optional<actors::actor_record> find_record(node& at, std::string_view text);
/// As the edge tells of it, but for its live state.
[[nodiscard]] http::actor_info info_of(const node& at, const actors::actor_record& r);
} // namespace jumun::app
