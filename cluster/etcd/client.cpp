#include "cluster/etcd/client.hpp"
#include "cluster/etcd/wire.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include <fstream>
#include <iterator>

namespace jumun::cluster::etcd {
namespace {
constexpr int grpc_unauthenticated = 16; // the token has run out

/// The first line of the file.
std::optional<std::string> secret_of(const std::string& file) {
  std::ifstream in{file};
  std::string line;
  if (!std::getline(in, line) || line.empty()) return {};
  if (line.back() == '\r') line.pop_back();
  return line;
}
} // namespace

std::string fault_of(const options& how) {
  if (how.endpoints.empty()) return "no endpoint is named";
  if (how.tls.certificate.empty() != how.tls.key.empty())
    return "a certificate and its key go together";
  if (how.user.empty() != how.password_file.empty()) return "a user and a password go together";
  if (!how.user.empty() && !secret_of(how.password_file))
    return "can't read a password from the first line of " + how.password_file;
  for (const auto& e : how.endpoints)
    if (e.tls)
      if (auto why = fault_of(how.tls)) return why->detail;
  return {};
}

client::client(net::io_context& on, options how) : on_{on}, how_{std::move(how)} {
  JUMUN_INVARIANT(!how_.endpoints.empty(), "fault_of() names it");
  for (const auto& e : how_.endpoints)
    connections_.push_back(std::make_unique<connection>(on_, e, how_.tls));
}
client::~client() = default;

void client::cut() {
  cut_ = true;
  for (auto& c : connections_) c->cut();
  if (watching_) watching_->cut();
}

net::awaitable<std::optional<failure>> client::log_in(connection& at) {
  const auto password = secret_of(how_.password_file);
  if (!password)
    co_return failure{failure::kind::setup, "can't read a password from " + how_.password_file};
  const auto body = wire::login_request(how_.user, *password);
  auto said = co_await at.call("/v3/auth/authenticate", body, {}, how_.deadline);
  if (auto* why = std::get_if<failure>(&said)) co_return std::move(*why);
  const auto& answer = std::get<reply>(said);
  if (answer.status != 200) {
    if (auto why = wire::error_answer(answer.body)) co_return *std::move(why);
  } else if (auto token = wire::login_answer(answer.body)) {
    token_ = *std::move(token);
    co_return std::nullopt;
  }
  co_return failure{failure::kind::garbled, "what answers is no etcd: a log-in has no token"};
}

net::awaitable<result<std::string>> client::ask_once(
  connection& at, const std::string& path, const std::string& body) {
  for (bool fresh = false;; fresh = true) {
    if (!how_.user.empty() && token_.empty()) {
      fresh = true;
      if (auto why = co_await log_in(at)) co_return *std::move(why);
    }
    auto said = co_await at.call(path, body, token_, how_.deadline);
    if (auto* why = std::get_if<failure>(&said)) co_return std::move(*why);
    auto& answer = std::get<reply>(said);
    if (answer.status == 200) co_return std::move(answer.body);
    auto why = wire::error_answer(answer.body);
    if (!why)
      co_return failure{failure::kind::garbled,
        "what answers is no etcd of version 3.4 or later: HTTP " + std::to_string(answer.status)};
    if (why->code != grpc_unauthenticated || token_.empty()) co_return *std::move(why);
    token_.clear();
    if (fresh) co_return *std::move(why);
  }
}

template <class T> net::awaitable<result<T>> client::ask(
  std::string path, std::string body, std::optional<T> (*meaning)(std::string_view)) {
  result<T> last = failure{failure::kind::unreachable, "it is being stopped"};
  for (std::size_t tried = 0; tried < connections_.size() && !cut_; ++tried) {
    auto said = co_await ask_once(*connections_[at_], path, body);
    auto* why = std::get_if<failure>(&said);
    if (why == nullptr) {
      if (auto meant = meaning(std::get<std::string>(said))) co_return *std::move(meant);
      last = failure{failure::kind::garbled, "what answers is no etcd: its JSON has another form"};
    } else {
      last = std::move(*why);
    }
    ++failures_;
    std::get<failure>(last).detail += " (" + asked_last().text() + ")";
    at_ = (at_ + 1) % connections_.size();
  }
  co_return last;
}

net::awaitable<result<range>> client::read(std::string prefix, bool count_only) {
  return ask("/v3/kv/range", wire::range_request(prefix, count_only), wire::range_answer);
}

net::awaitable<result<bool>> client::commit(
  std::vector<condition> if_all, std::vector<change_of_key> then) {
  return ask("/v3/kv/txn", wire::txn_request(if_all, then), wire::txn_answer);
}

net::awaitable<result<std::int64_t>> client::grant(std::chrono::seconds ttl) {
  return ask("/v3/lease/grant", wire::lease_request(0, ttl), wire::grant_answer);
}

net::awaitable<result<lease_left>> client::keep_alive(std::int64_t lease) {
  return ask("/v3/lease/keepalive", wire::lease_request(lease, {}), wire::lease_answer);
}

net::awaitable<result<lease_left>> client::time_left(std::int64_t lease) {
  return ask("/v3/lease/timetolive", wire::lease_request(lease, {}), wire::lease_answer);
}

net::awaitable<result<std::monostate>> client::revoke(std::int64_t lease) {
  return ask("/v3/lease/revoke", wire::lease_request(lease, {}), wire::empty_answer);
}

net::awaitable<failure> client::watch(std::string prefix, std::function<void()> changed) {
  watching_ = std::make_unique<connection>(on_, asked_last(), how_.tls);
  co_return co_await watching_->listen("/v3/watch", wire::watch_request(prefix), token_,
    limits::etcd_watch_silence, std::move(changed));
}
} // namespace jumun::cluster::etcd
