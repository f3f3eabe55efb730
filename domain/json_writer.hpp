#pragma once
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace jumun::domain {
/// The one JSON writer (RFC 8259) of the house. Appends compact JSON to one string; sets the
/// commas, not the nesting. Text must be UTF-8.
class json_writer {
public:
  explicit json_writer(std::size_t expected_bytes = 512) { out_.reserve(expected_bytes); }

  // values in an array, or the document itself
  void open(char bracket) { separate(), out_ += bracket, comma_ = false; }
  void close(char bracket) { out_ += bracket, comma_ = true; }
  void raw(std::string_view json) { separate(), out_ += json; }

  // members of an object
  void open(std::string_view name, char bracket) { key(name), out_ += bracket; }
  void text(std::string_view name, std::string_view value) { key(name), quote(value), done(); }
  /// Null when it is empty.
  void text_or_null(std::string_view name, std::string_view value) {
    value.empty() ? null(name) : text(name, value);
  }
  void number(std::string_view name, std::int64_t value) { key(name), digits(value), done(); }
  void count(std::string_view name, std::uint64_t value) { key(name), digits(value), done(); }
  void flag(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  void null(std::string_view name) { raw(name, "null"); }
  void raw(std::string_view name, std::string_view json) { key(name), out_ += json, done(); }
  void element(std::string_view value) { separate(), quote(value); }

  [[nodiscard]] std::string take() { return std::move(out_); }

private:
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  void key(std::string_view name) {
    if (comma_) out_ += ',';
    quote(name), out_ += ':', comma_ = false;
  }
  void done() { comma_ = true; }
  template <class Integer> void digits(Integer v) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, v).ptr;
    out_.append(text, end);
  }
  void quote(std::string_view s) {
    out_ += '"';
    for (const char c : s) {
      const auto u = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\')
        out_ += '\\', out_ += c;
      else if (u < 0x20)
        escape(u);
      else
        out_ += c;
    }
    out_ += '"';
  }
  void escape(unsigned char u) {
    constexpr std::string_view hex = "0123456789abcdef";
    out_ += "\\u00", out_ += hex[u >> 4], out_ += hex[u & 15];
  }

  std::string out_;
  bool comma_ = false;
};
} // namespace jumun::domain
