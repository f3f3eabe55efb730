#pragma once
#include "cluster/etcd/wire.hpp"
#include "domain/limits.hpp"
#include <charconv>
#include <nlohmann/json.hpp>

namespace jumun::cluster::etcd {
/// An object, and whether each field that was asked for had the type of its name.
class fields {
public:
  explicit fields(std::string_view text)
      : held_(read(text)), in_{&held_} {} // braces would make an array of it
  explicit fields(const nlohmann::json& in) : in_{&in} { ok_ = in.is_object(); }
  fields(const fields&) = delete;
  fields& operator=(const fields&) = delete;
  [[nodiscard]] bool ok() const { return ok_; }

  template <class Integer> Integer number(const char* name) {
    const auto* f = find(name);
    if (f == nullptr) return 0;
    Integer n = 0;
    std::string text;
    if (f->is_number_integer())
      text = f->dump();
    else if (f->is_string())
      text = f->get_ref<const std::string&>();
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) ok_ = false;
    return n;
  }
  bool flag(const char* name) {
    const auto* f = find(name);
    if (f == nullptr) return false;
    if (!f->is_boolean()) ok_ = false;
    return f->is_boolean() && f->get<bool>();
  }
  std::string text(const char* name) {
    const auto* f = find(name);
    if (f == nullptr) return {};
    if (!f->is_string()) ok_ = false;
    return f->is_string() ? f->get<std::string>() : std::string{};
  }
  std::string bytes(const char* name) {
    auto plain = wire::unbase64(text(name));
    if (!plain) ok_ = false;
    return plain ? *std::move(plain) : std::string{};
  }
  /// A field that must be there, as what it is; an empty object when it is not.
  const nlohmann::json& part(const char* name) {
    static const nlohmann::json nothing = nlohmann::json::object();
    const auto* f = find(name);
    if (f == nullptr) ok_ = false;
    return f != nullptr ? *f : nothing;
  }
  [[nodiscard]] const nlohmann::json& whole() const { return *in_; }
  [[nodiscard]] const nlohmann::json* find(const char* name) const {
    if (!in_->is_object()) return nullptr;
    const auto at = in_->find(name);
    return at == in_->end() ? nullptr : &*at;
  }

private:
  nlohmann::json read(std::string_view text) {
    bool deep = false;
    const auto shallow = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
      deep = deep || depth > static_cast<int>(limits::json_depth_max);
      return !deep;
    };
    auto j = nlohmann::json::parse(text, shallow, /*allow_exceptions=*/false);
    ok_ = !deep && j.is_object();
    return ok_ ? j : nlohmann::json::object();
  }
  bool ok_ = true;
  nlohmann::json held_;
  const nlohmann::json* in_;
};
} // namespace jumun::cluster::etcd
