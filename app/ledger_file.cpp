#include "app/ledger_file.hpp"
#include "app/log.hpp"
#include "domain/invariant.hpp"
#include "storage/checksum.hpp"
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace jumun::app {
namespace {
constexpr std::array<std::string_view, 3> kinds{"charge", "refund", "void"};
constexpr std::string_view checksum_field = R"(,"crc32c":")"; // of the line before it

std::string hex(std::uint32_t n) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out.push_back(digits[(n >> shift) & 0xf]);
  return out;
}

/// Takes `expected` off the front of `rest`; false when it starts otherwise.
bool skip(std::string_view& rest, std::string_view expected) {
  if (!rest.starts_with(expected)) return false;
  rest.remove_prefix(expected.size());
  return true;
}
/// Takes what stands before the next quote, and the quote. Our own values have no escapes.
bool take_text(std::string_view& rest, std::string& into) {
  const auto quote = rest.find('"');
  if (quote == std::string_view::npos) return false;
  if (rest.substr(0, quote).find('\\') != std::string_view::npos) return false;
  into = rest.substr(0, quote);
  rest.remove_prefix(quote + 1);
  return true;
}
bool take_number(std::string_view& rest, std::int64_t& into) {
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), into);
  if (error != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
  return true;
}

/// Names, order and spacing exactly as to_line() writes them: twenty times faster than a parser,
/// and a start reads all lines there are.
std::optional<http::ledger_entry> parse_as_written(std::string_view line) {
  http::ledger_entry e;
  std::string time, checksum;
  auto rest = line;
  bool whole = skip(rest, R"({"kind":")") && take_text(rest, e.kind)
               && skip(rest, R"(,"order_id":")") && take_text(rest, e.order_id)
               && skip(rest, R"(,"payment_id":")") && take_text(rest, e.payment_id)
               && skip(rest, R"(,"amount":)") && take_number(rest, e.amount)
               && skip(rest, R"(,"currency":")") && take_text(rest, e.currency)
               && skip(rest, R"(,"time":")") && take_text(rest, time);
  const auto checked = line.substr(0, line.size() - rest.size());
  if (whole && rest != "}") // releases before 0.2 wrote no checksum
    whole = skip(rest, checksum_field) && take_text(rest, checksum)
            && checksum == hex(storage::crc32c(checked)) && rest == "}";
  const auto when = whole ? parse_rfc3339(time) : std::nullopt;
  if (!when) return std::nullopt;
  e.time_ms = *when;
  return e;
}

/// The same object, written by some other tool, without a checksum.
std::optional<http::ledger_entry> parse_as_json(std::string_view line) {
  const auto parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object() || parsed.size() != 6) return std::nullopt;
  for (const char* name : {"kind", "order_id", "payment_id", "currency", "time"})
    if (!parsed.contains(name) || !parsed[name].is_string()) return std::nullopt;
  if (!parsed.contains("amount") || !parsed["amount"].is_number_integer()) return std::nullopt;
  const auto when = parse_rfc3339(parsed["time"].get<std::string>());
  if (!when) return std::nullopt;
  return http::ledger_entry{parsed["kind"], parsed["order_id"], parsed["payment_id"],
    parsed["currency"], parsed["amount"], *when};
}
} // namespace

namespace {
/// An end without a line feed that no torn write leaves: a write is cut off, or holds zeros; it has
/// nothing else behind a whole line.
bool goes_on_after_a_line(std::string_view rest) {
  const auto stop = rest.find('}');
  if (stop == std::string_view::npos || stop + 1 == rest.size() || rest[stop + 1] == '\0')
    return false;
  return parse_ledger_line(rest.substr(0, stop + 1)).has_value();
}
} // namespace

std::string to_line(const http::ledger_entry& e) {
  std::string line;
  line.reserve(200);
  const auto put = [&line](std::string_view name, std::string_view value) {
    JUMUN_INVARIANT(std::none_of(value.begin(), value.end(),
                      [](unsigned char c) { return c < ' ' || c == '"' || c == '\\' || c > '~'; }),
      "ids, kinds and currencies are plain ASCII");
    line.append(line.empty() ? "{\"" : ",\"").append(name).append("\":\"").append(value) += '"';
  };
  put("kind", e.kind);
  put("order_id", e.order_id);
  put("payment_id", e.payment_id);
  line.append(",\"amount\":").append(std::to_string(e.amount));
  put("currency", e.currency);
  put("time", rfc3339(e.time_ms));
  const auto checksum = hex(storage::crc32c(line));
  return line.append(checksum_field).append(checksum).append("\"}\n");
}

std::optional<http::ledger_entry> parse_ledger_line(std::string_view line) {
  auto e = parse_as_written(line);
  if (!e) e = parse_as_json(line);
  const bool sound = e && e->amount >= 0
                     && std::find(kinds.begin(), kinds.end(), e->kind) != kinds.end()
                     && domain::parse_id(domain::id_kind::order, e->order_id)
                     && domain::parse_id(domain::id_kind::payment, e->payment_id);
  return sound ? e : std::nullopt;
}

ledger_file::~ledger_file() {
  if (fd_ >= 0) ::close(fd_);
}

storage::failure ledger_file::failed(std::string_view what) const {
  const int why = errno;
  const auto code = why == ENOSPC || why == EDQUOT ? storage::errc::full : storage::errc::io_failed;
  return {code, "payment simulator: " + std::string(what) + " " + path_.string() + ": "
                  + std::system_category().message(why)};
}

std::optional<storage::failure> ledger_file::open() {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd_ < 0) return failed("cannot open");
  // A new name is durable only once its folder is, and the folder's name once its parent is.
  for (const auto& folder : {path_.parent_path(), path_.parent_path().parent_path()}) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    auto why = synced ? std::nullopt : std::optional{failed("cannot sync the folder of")};
    if (fd >= 0) ::close(fd);
    if (why) return why;
  }
  return std::nullopt;
}

std::optional<storage::failure> ledger_file::read(std::uint64_t bytes_max,
  const std::function<void(http::ledger_entry)>& each, std::uint64_t& end) const {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("cannot read");
  const auto guard =
    std::unique_ptr<const int, void (*)(const int*)>{&fd, [](const int* open) { ::close(*open); }};
  std::string held; // bytes that are not yet a whole line
  std::vector<char> block(1 << 20);
  std::uint64_t seen = 0, at = 0;
  bool torn = false;
  end = 0;
  for (;;) {
    std::size_t want = block.size();
    if (bytes_max != 0)
      want = static_cast<std::size_t>(std::min<std::uint64_t>(want, bytes_max - seen));
    const auto got = want == 0 ? 0 : ::read(fd, block.data(), want);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("cannot read");
    if (got == 0 && goes_on_after_a_line(held))
      return storage::failure{
        storage::errc::corrupt, "payment simulator: " + path_.string() + ": the line feed at byte "
                                  + std::to_string(end + held.find('}') + 1) + " is damaged"};
    if (got == 0) return std::nullopt;
    seen += static_cast<std::uint64_t>(got);
    held.append(block.data(), static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (auto stop = held.find('\n'); stop != std::string::npos; stop = held.find('\n', from)) {
      const auto line = std::string_view{held}.substr(from, stop - from);
      auto e = parse_ledger_line(line);
      at += line.size() + 1;
      from = stop + 1;
      // A crash leaves an end without a line feed, or blocks of zeros. Anything else is damage.
      torn = torn || (!e && line.find('\0') != std::string_view::npos);
      if (e ? torn : !torn)
        return storage::failure{storage::errc::corrupt,
          "payment simulator: " + path_.string() + ": damaged behind byte " + std::to_string(end)};
      if (!e) continue;
      end = at;
      each(std::move(*e));
    }
    held.erase(0, from);
  }
}

std::optional<storage::failure> ledger_file::cut(std::uint64_t end) {
  struct stat now {};
  if (::fstat(fd_, &now) != 0) return failed("cannot examine");
  if (static_cast<std::uint64_t>(now.st_size) == end) return std::nullopt;
  if (::ftruncate(fd_, static_cast<off_t>(end)) != 0 || ::fsync(fd_) != 0)
    return failed("cannot cut the torn end of");
  return std::nullopt;
}

std::optional<storage::failure> ledger_file::append(std::string_view lines) {
  while (!lines.empty()) {
    const auto wrote = ::write(fd_, lines.data(), lines.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed("cannot append to");
    lines.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fdatasync(fd_) != 0) return failed("cannot sync");
  return std::nullopt;
}
} // namespace jumun::app
