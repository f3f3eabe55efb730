#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace jumun::actors {
/// A flat JSON object of strings and integers (RFC 8259 §7 escaping): an actor's live state.
class json_object {
public:
  json_object& add(std::string_view name, std::string_view value) {
    open(name);
    quote(value);
    return *this;
  }
  template <class Integer>
  requires std::is_integral_v<Integer> json_object& add(std::string_view name, Integer value) {
    open(name);
    out_ += std::to_string(value);
    return *this;
  }
  [[nodiscard]] std::string text() const { return out_ + "}"; }

private:
  void open(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    quote(name);
    out_ += ':';
  }
  void quote(std::string_view s) {
    out_ += '"';
    for (const char c : s) {
      if (c == '"' || c == '\\') out_ += '\\';
      if (static_cast<unsigned char>(c) < 0x20) {
        constexpr auto hex = "0123456789abcdef";
        out_ += "\\u00";
        out_ += hex[(c >> 4) & 1];
        out_ += hex[c & 15];
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }
  std::string out_ = "{";
};
} // namespace jumun::actors
