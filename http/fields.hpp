#pragma once
#include "domain/time_text.hpp"
#include "http/head_check.hpp"
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The grammars of the header fields that the edge understands, and of times. Pure functions.
namespace jumun::http {
/// RFC 7240 `Prefer: wait=N`, from all Prefer fields; the first one counts. nullopt: none, 0, or
/// not a number. More than limits::prefer_wait_max is taken as that.
[[nodiscard]] std::optional<std::chrono::seconds> prefer_wait(const head& h);

/// What an Idempotency-Key field says: a bare key, or a quoted string (RFC 8941 §3.3.3) without its
/// quotes. nullopt: empty, longer than limits::idempotency_key_bytes_max, or another character.
[[nodiscard]] std::optional<std::string> idempotency_key(std::string_view value);

/// W3C Trace Context.
struct trace {
  std::string trace_id; // 32 hex digits
  bool sampled = true;
  /// `00-<trace id>-<span>-<flags>`
  [[nodiscard]] std::string child(std::uint64_t span) const;
};
/// nullopt for anything but a valid traceparent; versions above 00 are read as far as 00 goes.
[[nodiscard]] std::optional<trace> parse_traceparent(std::string_view value);
[[nodiscard]] trace new_trace(std::uint64_t high, std::uint64_t low);

/// The bearer token of the one Authorization field (RFC 6750 §2.1); empty: none that can be one.
[[nodiscard]] std::string_view bearer_token(const head& h);

/// A list of entity tags (RFC 9110 §8.8.3), or `*`.
struct tag_list {
  bool any = false; // *
  bool valid = false;
  struct tag {
    std::string_view opaque; // without quotes
    bool weak = false;
  };
  std::vector<tag> tags;
  /// If-None-Match compares weakly.
  [[nodiscard]] bool has_weakly(std::string_view opaque) const;
  /// If-Match compares strongly.
  [[nodiscard]] bool has_strongly(std::string_view opaque) const;
  /// The versions of all strong tags that can be one of ours: `7`, and `7-12`, where what is behind
  /// the dash changes without the resource itself.
  [[nodiscard]] std::vector<std::uint64_t> versions() const;
  /// The same, weak tags too.
  [[nodiscard]] bool has_version(std::uint64_t version) const;
};
[[nodiscard]] tag_list parse_tags(std::string_view value);
/// `"7"`
[[nodiscard]] std::string etag_of(std::uint64_t version);

/// Whether all Accept fields together leave room for JSON (RFC 9110 §12.5.1).
[[nodiscard]] bool accepts_json(const head& h);
/// Whether they would rather have text/event-stream. With equal weights: JSON.
[[nodiscard]] bool prefers_event_stream(const head& h);
/// Whether all Accept-Encoding fields together leave room for gzip (RFC 9110 §12.5.3).
[[nodiscard]] bool accepts_gzip(const head& h);
/// application/json, with or without charset=utf-8.
[[nodiscard]] bool is_json_type(std::string_view content_type);

using domain::time_text;
/// RFC 3339 with any offset; a space counts as the + that form encoding takes it for.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);
/// A place in the feed, as `after`, `cursor` and Last-Event-ID give it, or a shard's number:
/// decimal digits alone.
[[nodiscard]] std::optional<std::uint64_t> parse_offset(std::string_view text);
} // namespace jumun::http
