#include "domain/ids.hpp"
#include "http/fields.hpp"
#include "storage/merge.hpp"
#include "storage/rows.hpp"
#include "tests/fuzz/targets.hpp"
#include <algorithm>
#include <string>

namespace jumun::fuzz {
namespace {
void ids(std::string_view bytes) {
  using domain::id_kind;
  std::string upper{bytes};
  std::transform(
    upper.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(4, upper.size())),
    upper.end(),
    upper.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(4, upper.size())),
    [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  for (const auto kind : {id_kind::order, id_kind::payment, id_kind::delivery,
         id_kind::cancellation, id_kind::event, id_kind::webhook}) {
    const auto id = domain::parse_id(kind, bytes);
    if (!id) continue;
    must(*id != domain::order_id{}, "all zero is never valid");
    must(domain::to_text(kind, *id) == upper, "one id has one text");
    must(storage::order_of_key(storage::order_key(*id)) == id, "an id comes back from its key");
  }
}

void cursors(std::string_view bytes) {
  for (const char kind : {'o', 'g', 's', 'p', 'm', 'a', 'w'})
    if (const auto key = storage::parse_cursor(kind, bytes))
      must(storage::cursor_text(kind, *key) == bytes, "one place has one cursor");
  const auto key = bytes.substr(0, 64);
  if (!key.empty())
    must(storage::parse_cursor('o', storage::cursor_text('o', key)) == key,
      "a cursor leads back to its place");
}

void numbers(std::string_view bytes) {
  if (const auto offset = http::parse_offset(bytes)) {
    const auto digits = bytes.substr(std::min(bytes.find_first_not_of('0'), bytes.size() - 1));
    must(std::to_string(*offset) == digits, "a place in the feed is decimal digits alone");
  }
  if (const auto ms = http::parse_time(bytes); ms && *ms >= 0 && *ms < 253'402'300'800'000)
    must(http::parse_time(http::time_text(*ms)) == ms, "a time comes back from our text of it");
}
} // namespace

void codecs(std::string_view bytes) {
  ids(bytes);
  cursors(bytes);
  numbers(bytes);
  (void)storage::order_of_key(bytes);
  (void)storage::number_of_key(bytes);
}
} // namespace jumun::fuzz
