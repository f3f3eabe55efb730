#pragma once
#include "http/exchange.hpp"
#include <map>

namespace jumun::http {
/// A product that could not be asked for.
struct unreachable_product {
  std::size_t number = 0; // among those asked for
  std::string why;
};

/// The products of these SKUs as they are now on the nodes that own them: one question to each of
/// these nodes, at the same time. What is no product is left out. Then one of the two is called,
/// once, guarded, on any thread: an owner that moves is asked where it has gone; one that is away,
/// or does not answer within limits::part_max, makes it `fail`. @pre ex->at->to.others
void find_products(const exchange_ptr& ex, std::vector<std::string> skus,
  std::function<void(const std::map<std::string, domain::product>&)> then,
  std::function<void(const unreachable_product&)> fail);
} // namespace jumun::http
