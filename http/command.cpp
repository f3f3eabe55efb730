#include "http/command.hpp"
#include "http/forwarding.hpp"
#include "http/waiting.hpp"
#include <array>
#include <openssl/sha.h>

namespace jumun::http {
namespace {
constexpr auto running_key_pause = std::chrono::milliseconds{50};

bool still_running(const outcome& o) {
  return o.reply.status == 409
         && o.reply.body.find(problems::key_running.code) != std::string::npos;
}

void ask_until(const exchange_ptr& ex, asking ask, std::function<void(outcome)> then,
  std::chrono::steady_clock::time_point end) {
  auto answered = [ex, ask, then = std::move(then), end](outcome o) {
    guarded(ex, [&] {
      if (o.lost && begun_again(ex)) return;
      if (!still_running(o) || std::chrono::steady_clock::now() >= end) return then(std::move(o));
      after(ex, running_key_pause, [=] { ask_until(ex, ask, then, end); });
    });
  };
  ask(std::move(answered));
}
} // namespace

std::string digest(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  std::string out;
  for (std::size_t i = 0; i < 16; ++i) {
    out += "0123456789abcdef"[hash[i] >> 4];
    out += "0123456789abcdef"[hash[i] & 15];
  }
  return out;
}

void command(const exchange_ptr& ex, asking ask, std::function<void(outcome)> then) {
  const auto end = std::chrono::steady_clock::now() + ex->at->options.running_key_wait_max;
  ask_until(ex, std::move(ask), std::move(then), end);
}

void command(const exchange_ptr& ex, asking ask) {
  command(ex, std::move(ask), [ex](outcome o) { send(ex, std::move(o.reply)); });
}

void answer_once(
  const exchange_ptr& ex, domain::shard_id shard, domain::stored_reply reply, std::string more) {
  auto deliver = [ex, more = std::move(more)](outcome o) { send(ex, std::move(o.reply), more); };
  if (ex->from.key.empty()) return deliver({std::move(reply), {}});
  const domain::remember_reply keep{ex->from, shard, std::move(reply)};
  command(
    ex, [ex, keep](done<outcome> d) { ex->inside().remember(keep, std::move(d)); }, deliver);
}

void refuse_once(const exchange_ptr& ex, domain::shard_id shard, const problem& p) {
  answer_once(ex, shard, problem_reply(p, ex->from.trace_id));
}

void refuse_once(const exchange_ptr& ex, domain::shard_id shard, std::vector<field_error> errors) {
  refuse_once(ex, shard,
    problem{&problems::validation_failed, "errors names each field and what is allowed there",
      std::move(errors)});
}

std::variant<json_value, problem> read_body(const exchange_ptr& ex, bool or_empty) {
  if (or_empty && ex->body.empty()) {
    json_value empty;
    empty.is = json_value::kind::object;
    return empty;
  }
  auto parsed = parse_json(ex->body);
  if (auto* bad = std::get_if<json_malformed>(&parsed)) {
    ex->last = bad->beyond_limits; // as behind every limit (API.md)
    return problem{&problems::malformed_json, std::move(bad->why), {}};
  }
  return std::move(std::get<json_value>(parsed));
}
} // namespace jumun::http
