#pragma once
#include "domain/limits.hpp"
#include "http/problem.hpp"
#include <array>
#include <optional>
#include <string_view>

/// Our own check of a request's head, before any byte of a body is looked at. It stands in for
/// Beast's parser, because Debian's Beast 1.81 lets through what request smuggling is made of
/// (DESIGN §6): `chunked` in HTTP/1.0, `xchunked`, Content-Length twice or as a list, two Hosts or
/// none, obs-fold; and a large chunked trailer throws out of io_context::run(). Nothing here
/// allocates.
namespace jumun::http {
struct head_field {
  std::string_view name, value; // value without the whitespace around it
};

/// A head that passed. All views are into the bytes given to check_head().
struct head {
  std::string_view method; // one that we know
  std::string_view target; // origin form, percent-encoding valid
  std::string_view path;   // up to the `?`, still encoded
  std::string_view query;  // behind the `?`, still encoded
  std::array<head_field, limits::head_fields_max> fields;
  std::size_t field_count = 0;
  std::size_t content_length = 0; // 0: none
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;

  /// The first field of that name (any case); nullopt: none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// How many fields have that name.
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

struct head_refused {
  const problem_kind* kind;
  std::string_view detail;
};

/// Where the head ends: past the empty line. `bad`: a line ends without CR, so it never will.
struct head_end {
  enum { incomplete, found, bad } state = incomplete;
  std::size_t bytes = 0;
};
/// Looks only at `bytes` from `from` on (what was looked at before), and a little before that.
[[nodiscard]] head_end find_head_end(std::string_view bytes, std::size_t from);

/// `bytes` is a whole head, with its empty line. Fills `out`, or says why not; then `out` is of no
/// use.
[[nodiscard]] std::optional<head_refused> check_head(std::string_view bytes, head& out);

/// For a head that is over the limit without an end: 414 when the target already is, else 431.
[[nodiscard]] head_refused why_too_large(std::string_view bytes);

// -- small grammars that others need too --------------------------------------------------------

/// RFC 9110 §5.6.2: a token's characters.
[[nodiscard]] bool is_tchar(char c);
/// Equal, whatever the case of ASCII letters.
[[nodiscard]] bool same_text(std::string_view a, std::string_view b);
/// Without SP and HTAB at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view s);
/// Percent-decoded; nullopt for broken encoding, NUL or control characters. `plus`: a + is a space.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view s, bool plus = false);
} // namespace jumun::http
