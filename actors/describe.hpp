#pragma once
#include "domain/json_writer.hpp"
#include <type_traits>

namespace jumun::actors {
/// A flat JSON object of strings and integers, in one expression: an actor's live state.
class json_object {
public:
  json_object() { out_.open('{'); }
  json_object& add(std::string_view name, std::string_view value) {
    out_.text(name, value);
    return *this;
  }
  template <class Integer>
  requires std::is_integral_v<Integer> json_object& add(std::string_view name, Integer value) {
    if constexpr (std::is_signed_v<Integer>)
      out_.number(name, value);
    else
      out_.count(name, value);
    return *this;
  }
  [[nodiscard]] std::string text() {
    out_.close('}');
    return out_.take();
  }

private:
  domain::json_writer out_;
};
} // namespace jumun::actors
