#pragma once
#include "domain/saga.hpp"
#include "http/json_writer.hpp"
#include <vector>

namespace jumun::http {
/// The member `money_at_risk`: a sum for each currency.
inline void put_money_at_risk(json_writer& w, const std::vector<domain::money>& all) {
  w.open("money_at_risk", '[');
  for (const auto& m : all) {
    w.open('{');
    w.number("amount", m.amount);
    w.text("currency", m.currency);
    w.close('}');
  }
  w.close(']');
}
} // namespace jumun::http
