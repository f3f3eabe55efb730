#pragma once
#include "http/admission.hpp"
#include "http/edge.hpp"
#include "http/elsewhere.hpp"
#include "http/endless_body.hpp"
#include "http/head_check.hpp"
#include "http/order_gate.hpp"
#include "http/problem.hpp"
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jumun::http {
/// How long a request may be tried anew, and the pause before the next time.
struct retries {
  std::chrono::steady_clock::time_point end;
  std::chrono::milliseconds pause{limits::forward_pause};
  std::optional<std::chrono::steady_clock::time_point> lost_since = {}; // outcome::lost, the first

  [[nodiscard]] std::chrono::milliseconds left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  }
};

/// One request and its one answer. Made and filled by the session (or for another node, which has
/// checked it), then handed from thread to thread: only one of them uses it at a time. Destroyed
/// without an answer (somebody inside lost it), it answers 500.
class exchange : public std::enable_shared_from_this<exchange> {
public:
  exchange(std::shared_ptr<edge> at, listener on);
  ~exchange();
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  /// From here on somebody waits for an answer. (Not before: session and exchange would hold each
  /// other.)
  void hand_over(std::shared_ptr<session> by);
  /// The same, where it is another node that waits.
  void hand_over(done<forwarded_answer> across) { across_ = std::move(across); }
  [[nodiscard]] bool from_a_node() const { return across_ != nullptr; }

  /// Hands the answer to the session; only the first call counts. Any thread; never blocks.
  void reply(response r);
  /// The same to another node, with what it merges, or that it has to ask elsewhere.
  /// @pre from_a_node()
  void reply_across(forwarded_answer a);
  /// The same with a body that comes bit by bit (none for a HEAD). The permit is given back.
  void stream(response head, std::shared_ptr<endless_body> body);

  [[nodiscard]] shop& inside() const { return at->inside; }
  /// Decoded value of a query parameter, the first of that name; nullopt: absent or not well
  /// encoded.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;

  /// Whose rate limit this counts for: the principal's, or the address's where nobody is named.
  [[nodiscard]] std::string rate_key() const;

  const std::shared_ptr<edge> at;
  const listener on;
  std::string head_bytes; // `head` has views into it
  http::head head;
  std::string body;
  std::vector<std::string> params; // the path's variable segments, decoded
  identity who;
  domain::request_context from;
  admission::permit held;
  order_gate::pass entering;                   // a new order, until it is accepted
  std::optional<rate_limiter::standing> rate;  // once the limit was asked
  std::size_t route = metrics::routes_max - 1; // its place in all_routes()
  /// Of a list: reply_across(), with a list_part; of a whole list the rows behind this key.
  std::optional<std::string> wants_rows;
  std::unique_ptr<feed_ask> wants_events; // reply_across(), with a feed_part
  std::optional<retries> tries;           // once it has been tried in vain
  bool last = false;                      // the connection is closed behind the answer
  bool began_here = false;                // with its handler: it is of a shard, and that was here

private:
  void account(unsigned status) const;
  void add_fields(std::string& more) const;
  std::shared_ptr<session> by_;
  done<forwarded_answer> across_; // in place of by_
  std::atomic<bool> answered_ = false;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};
using exchange_ptr = std::shared_ptr<exchange>;

// -- answers ------------------------------------------------------------------------------------

/// `more`: further field lines, each with its CRLF.
void send(const exchange_ptr& ex, domain::stored_reply r, std::string more = {});
void send(const exchange_ptr& ex, const problem& p, std::string more = {});
void send(const exchange_ptr& ex, const problem_kind& kind, std::string detail = {});
/// 200 with a JSON body.
void send_json(const exchange_ptr& ex, std::string body, std::string etag = {});

/// Runs `work`; what it throws becomes a 500 and a count, and goes no further.
template <class Work> void guarded(const exchange_ptr& ex, Work&& work);
/// The same, on the reader threads.
void on_readers(const exchange_ptr& ex, std::function<void()> work);

/// Counts an exception and answers 500.
void send_mistake(const exchange_ptr& ex) noexcept;

template <class Work> void guarded(const exchange_ptr& ex, Work&& work) {
  try {
    work();
  } catch (...) { // nothing may leave through io_context::run(): that would be every client's end
    send_mistake(ex);
  }
}
} // namespace jumun::http
