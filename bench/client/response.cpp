#include "bench/client/response.hpp"
#include <algorithm>
#include <charconv>
#include <cstring>

namespace jumun::bench {
namespace {
constexpr std::size_t room_min = 4 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same(std::string_view text, std::string_view in_lower_case) {
  return text.size() == in_lower_case.size()
         && std::equal(text.begin(), text.end(), in_lower_case.begin(),
           [](char a, char b) { return lower(a) == b; });
}
std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}
template <class T> bool parse(std::string_view text, T& into) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
  return ec == std::errc{} && end == text.data() + text.size();
}

/// Calls `each(name, value)` for every field; it says whether to go on.
template <class Each> void walk_fields(std::string_view head, Each each) {
  auto at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const auto begin = at + 2;
    at = head.find("\r\n", begin);
    const auto line = head.substr(begin, at == std::string_view::npos ? at : at - begin);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos
        && !each(line.substr(0, colon), trimmed(line.substr(colon + 1))))
      return;
  }
}
} // namespace

std::string_view response::field(std::string_view name) const {
  std::string_view found;
  walk_fields(head, [&](std::string_view n, std::string_view value) {
    if (!same(n, name)) return true;
    found = value;
    return false;
  });
  return found;
}

std::span<char> response_reader::room() {
  if (begin_ == end_) begin_ = end_ = scanned_ = 0;
  if (bytes_.size() - end_ < room_min) {
    if (begin_ > 0) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= begin_, scanned_ -= std::min(scanned_, begin_), begin_ = 0;
    }
    if (bytes_.size() - end_ < room_min)
      bytes_.resize(std::max(bytes_.size() * 2, end_ + room_min));
  }
  return {bytes_.data() + end_, bytes_.size() - end_};
}

response_reader::state response_reader::read_head() {
  const std::string_view unread{bytes_.data() + begin_, end_ - begin_};
  // The end may have been cut: look again from three bytes before.
  const auto from = scanned_ > begin_ + 3 ? scanned_ - begin_ - 3 : 0;
  const auto end = unread.find("\r\n\r\n", from);
  scanned_ = end_;
  if (end == std::string_view::npos)
    return unread.size() > bytes_max_ ? state::broken : state::more;
  const auto head = unread.substr(0, end + 4);
  if (!head.starts_with("HTTP/1.") || head.size() < 12 || !parse(head.substr(9, 3), status_))
    return state::broken;
  bool sized = false, sound = true;
  keeps_ = true, body_bytes_ = 0;
  walk_fields(head, [&](std::string_view name, std::string_view value) {
    if (same(name, "content-length"))
      sized = true, sound = sound && parse(value, body_bytes_);
    else if (same(name, "connection"))
      keeps_ = !same(value, "close");
    else if (same(name, "transfer-encoding"))
      sound = false;
    return true;
  });
  const bool bodiless = status_ == 204 || status_ == 304 || status_ < 200;
  if (bodiless) body_bytes_ = 0;
  if (!sound || !(sized || bodiless) || body_bytes_ > bytes_max_) return state::broken;
  head_bytes_ = head.size();
  return state::whole;
}

response_reader::state response_reader::next(response& out) {
  if (head_bytes_ == 0)
    if (const auto s = read_head(); s != state::whole) return s;
  if (end_ - begin_ < head_bytes_ + body_bytes_) return state::more;
  out.status = status_;
  out.head = {bytes_.data() + begin_, head_bytes_};
  out.body = {bytes_.data() + begin_ + head_bytes_, body_bytes_};
  out.keeps = keeps_;
  return state::whole;
}

void response_reader::drop() {
  begin_ += head_bytes_ + body_bytes_;
  scanned_ = begin_;
  head_bytes_ = body_bytes_ = 0;
}

void response_reader::clear() { begin_ = end_ = scanned_ = head_bytes_ = body_bytes_ = 0; }
} // namespace jumun::bench
