#pragma once
#include "domain/order.hpp"
#include "http/json_writer.hpp"

namespace jumun::http {
/// The member `standing`: the facts behind `explain` that a saga's other members do not tell, for
/// whoever says the same in another language.
void put_standing(json_writer& w, const domain::order& o);
} // namespace jumun::http
