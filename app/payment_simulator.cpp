#include "app/payment_simulator.hpp"
#include "app/ledger_file.hpp"
#include "domain/invariant.hpp"
#include <array>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <unordered_map>
#include <utility>

namespace jumun::app {
namespace {
using actors::provider_callback;
using actors::provider_charge;
using actors::provider_said;
using domain::payment_said;
using steady = std::chrono::steady_clock;

/// A decimal number of at most `max`, and nothing else; nullopt otherwise.
std::optional<std::uint32_t> parse_bounded(std::string_view text, std::uint32_t max) {
  std::uint32_t n = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || stop != text.data() + text.size() || n > max) return std::nullopt;
  return n;
}

std::int64_t unix_ms_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

using currency_code = std::array<char, 3>;
std::string text_of(const currency_code& c) {
  const std::string_view all{c.data(), c.size()};
  return std::string{all.substr(0, all.find('\0'))};
}

/// What is remembered of one payment for good; small, there are millions.
struct account {
  enum class state : std::uint8_t {
    fresh,
    charged,
    declined_card,
    declined_token,
    voided,
    refunded
  };
  std::int64_t amount = 0; // taken (and, refunded: given back)
  currency_code currency{};
  state at = state::fresh;
};
static_assert(sizeof(account) == 16);

/// What is remembered only while it matters: failures still to come.
struct unsettled {
  std::uint32_t charges_failed = 0;  // flaky
  std::uint32_t cancels_failed = 0;  // refund_fails
  std::uint32_t cancels_to_fail = 0; // refund_fails: said by the token that charged
};

/// A slow charge at work. Of the call only what its line in the ledger needs: there may be a
/// million of them.
struct slow_charge {
  domain::order_id order;
  std::int64_t amount = 0;
  currency_code currency{};
  std::vector<provider_callback> waiting;
};
struct due_charge {
  steady::time_point at;
  domain::order_id key; // of the payment; one that was cancelled meanwhile is at work no more
  bool operator<(const due_charge& o) const { return at > o.at; } // earliest on top
};
} // namespace

token_plan parse_token(std::string_view token) {
  using kind = token_plan::kind;
  if (token == "tok_approve") return {kind::approve};
  if (token == "tok_decline") return {kind::decline};
  if (token == "tok_timeout") return {kind::timeout};
  if (token == "tok_unknown_charged") return {kind::unknown_charged};
  struct numbered {
    std::string_view prefix;
    kind does;
    std::uint32_t max;
  };
  for (const auto& [prefix, does, max] : {numbered{"tok_flaky_", kind::flaky, simulator_fails_max},
         numbered{"tok_refund_fails_", kind::refund_fails, simulator_fails_max},
         numbered{"tok_slow_", kind::slow, simulator_slow_ms_max}}) {
    if (!token.starts_with(prefix)) continue;
    if (const auto n = parse_bounded(token.substr(prefix.size()), max)) return {does, *n};
  }
  return {};
}

/// The thread, its books and its file. Requests wait in `inbox_`; all else is the thread's own.
class payment_simulator::desk {
public:
  desk(std::filesystem::path ledger, std::function<void(const storage::failure&)> on_failure)
      : file_(std::move(ledger)), on_failure_(std::move(on_failure)) {}
  ~desk() {
    {
      const std::lock_guard held{guard_};
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  std::optional<storage::failure> start() {
    if (auto why = file_.open()) return why;
    thread_ = std::thread{[this] { work(); }};
    return std::nullopt;
  }

  enum class wish : std::uint8_t { charge, inquire, cancel };
  struct request {
    wish what = wish::charge;
    provider_charge of;
    provider_callback said;
  };
  void put(request r) {
    {
      const std::lock_guard held{guard_};
      inbox_.push_back(std::move(r));
    }
    wake_.notify_one();
  }

  std::vector<http::ledger_entry> ledger() const {
    std::unique_lock held{guard_};
    loaded_.wait(held, [this] { return is_loaded_ || stopping_; });
    const auto upto = durable_bytes_;
    held.unlock();
    std::vector<http::ledger_entry> all;
    std::uint64_t end = 0;
    if (upto == 0) return all;
    // Lines below `upto` were sound when they were written; damage since is found at the next
    // start.
    (void)file_.read(
      upto, [&](http::ledger_entry e) { all.push_back(std::move(e)); }, end);
    return all;
  }
  figures stats() const {
    const std::lock_guard held{guard_};
    return figures_;
  }

private:
  struct answer {
    provider_callback to;
    provider_said what;
  };

  void work() {
    if (auto why = load()) return fail(*why);
    for (;;) {
      auto requests = wait_for_requests();
      if (!requests) return;
      for (auto& r : *requests) serve(r);
      serve_due();
      if (auto why = write_down()) return fail(*why);
      for (auto& a : std::exchange(answers_, {})) a.to(std::move(a.what));
    }
  }

  /// Rebuilds the books from the ledger, and cuts off a torn end.
  std::optional<storage::failure> load() {
    std::uint64_t end = 0;
    bool sound = true;
    auto why = file_.read(
      0, [&](const http::ledger_entry& e) { sound = replay(e) && sound; }, end);
    if (!why && !sound)
      why = storage::failure{storage::errc::corrupt,
        "payment simulator: the ledger gives back what was not taken, or takes it twice"};
    if (!why) why = file_.cut(end);
    if (why) return why;
    const std::lock_guard held{guard_};
    durable_bytes_ = end;
    is_loaded_ = true;
    loaded_.notify_all();
    return std::nullopt;
  }

  /// One line of the past. False: it contradicts an earlier one.
  bool replay(const http::ledger_entry& e) {
    auto& a = books_[key_of(e.payment_id)];
    using state = account::state;
    if (e.kind == "charge") {
      if (a.at != state::fresh) return false;
      take(a, e.amount, e.currency);
    } else if (e.kind == "refund") {
      if (a.at != state::charged || a.amount != e.amount) return false;
      a.at = state::refunded;
    } else {
      if (a.at != state::fresh) return false;
      a.at = state::voided;
    }
    return true;
  }

  /// Blocks for requests or the next due charge; nullopt: to stop.
  std::optional<std::vector<request>> wait_for_requests() {
    std::unique_lock held{guard_};
    const auto ready = [this] { return stopping_ || !inbox_.empty(); };
    if (due_.empty())
      wake_.wait(held, ready);
    else
      wake_.wait_until(held, due_.top().at, ready);
    if (stopping_) return std::nullopt;
    return std::exchange(inbox_, {});
  }

  void serve(request& r) {
    switch (r.what) {
      case wish::charge: return charge(r);
      case wish::inquire: return inquire(r);
      case wish::cancel: return cancel(r);
    }
  }

  void charge(request& r) {
    const auto key = key_of(r.of.payment_id);
    const auto plan = parse_token(r.of.token);
    using kind = token_plan::kind;
    if (const auto known = books_.find(key); known != books_.end()) {
      // Asked again: the first answer, no second line.
      const auto& a = known->second;
      if (plan.does == kind::unknown_charged && a.at == account::state::charged) return;
      return tell(r.said, on_charge(a));
    }
    if (const auto slow = slow_.find(key); slow != slow_.end())
      return slow->second.waiting.push_back(std::move(r.said)); // at work: both hear at the end
    switch (plan.does) {
      case kind::approve: return charge_now(key, r.of, r.said);
      case kind::decline: return decline(key, account::state::declined_card, r.said);
      case kind::unknown_token: return decline(key, account::state::declined_token, r.said);
      case kind::timeout: return;
      case kind::unknown_charged: return charge_now(key, r.of, {});
      case kind::slow: return charge_later(key, plan.n, r);
      case kind::refund_fails:
        if (plan.n > 0) open_[key].cancels_to_fail = plan.n;
        return charge_now(key, r.of, r.said);
      case kind::flaky: {
        auto& failed = open_[key].charges_failed;
        if (failed++ < plan.n) return tell(r.said, {payment_said::unknown, 0, "provider-failed"});
        open_.erase(key);
        return charge_now(key, r.of, r.said);
      }
    }
  }

  void inquire(request& r) {
    const auto key = key_of(r.of.payment_id);
    if (const auto known = books_.find(key); known != books_.end())
      return tell(r.said, on_inquiry(known->second));
    tell(r.said, {slow_.contains(key) ? payment_said::pending : payment_said::absent, 0, {}});
  }

  void cancel(request& r) {
    using state = account::state;
    const auto key = key_of(r.of.payment_id);
    auto& a = books_[key];
    if (a.at == state::charged) {
      if (fails_to_cancel(key, r.of.token))
        return tell(r.said, {payment_said::unknown, 0, "provider-failed"});
      a.at = state::refunded;
      note("refund", key, r.of.order, a.amount, text_of(a.currency));
    } else if (a.at != state::refunded && a.at != state::voided) {
      a.at = state::voided; // from now on a late charge is declined
      note("void", key, r.of.order, 0, r.of.currency);
      drop_slow(key, a);
    }
    open_.erase(key);
    tell(r.said, {payment_said::cancelled, a.at == state::refunded ? a.amount : 0, {}});
  }

  /// One more of the cancels that the payment's token makes fail; after a restart they count anew.
  bool fails_to_cancel(domain::order_id key, std::string_view token) {
    const auto plan = parse_token(token);
    const auto open = open_.find(key);
    auto to_fail = open == open_.end() ? 0 : open->second.cancels_to_fail;
    if (plan.does == token_plan::kind::refund_fails) to_fail = std::max(to_fail, plan.n);
    if (to_fail == 0) return false;
    return open_[key].cancels_failed++ < to_fail;
  }

  void charge_now(domain::order_id key, const provider_charge& c, const provider_callback& said) {
    auto& a = books_[key];
    take(a, c.amount, c.currency);
    note("charge", key, c.order, c.amount, c.currency);
    tell(said, on_charge(a));
  }
  void decline(domain::order_id key, account::state how, const provider_callback& said) {
    auto& a = books_[key];
    a.at = how;
    tell(said, on_charge(a));
  }
  void charge_later(domain::order_id key, std::uint32_t ms, request& r) {
    auto& slow = slow_[key];
    slow.order = r.of.order;
    slow.amount = r.of.amount;
    r.of.currency.copy(slow.currency.data(), slow.currency.size());
    slow.waiting.push_back(std::move(r.said));
    due_.push({steady::now() + std::chrono::milliseconds{ms}, key});
  }
  void serve_due() {
    for (const auto now = steady::now(); !due_.empty() && due_.top().at <= now; due_.pop()) {
      const auto slow = slow_.extract(due_.top().key);
      if (slow.empty()) continue;
      const auto& c = slow.mapped();
      auto& a = books_[slow.key()];
      take(a, c.amount, text_of(c.currency));
      note("charge", slow.key(), c.order, c.amount, text_of(c.currency));
      for (const auto& said : c.waiting) tell(said, on_charge(a));
    }
  }
  /// A slow charge that was cancelled never happens; whoever waits for it hears so.
  void drop_slow(domain::order_id key, const account& a) {
    const auto slow = slow_.extract(key);
    if (slow.empty()) return;
    for (const auto& said : slow.mapped().waiting) tell(said, on_charge(a));
  }

  static provider_said on_charge(const account& a) {
    using state = account::state;
    switch (a.at) {
      case state::charged: return {payment_said::approved, a.amount, {}};
      case state::declined_card: return {payment_said::declined, 0, "card-declined"};
      case state::declined_token: return {payment_said::declined, 0, "unknown-token"};
      case state::voided:
      case state::refunded: return {payment_said::declined, 0, "voided"};
      case state::fresh: break;
    }
    JUMUN_INVARIANT(false, "an account in the books is never fresh once it was served");
  }
  static provider_said on_inquiry(const account& a) {
    using state = account::state;
    if (a.at == state::voided) return {payment_said::cancelled, 0, {}};
    if (a.at == state::refunded) return {payment_said::cancelled, a.amount, {}};
    return on_charge(a);
  }

  static void take(account& a, std::int64_t amount, std::string_view currency) {
    a.at = account::state::charged;
    a.amount = amount;
    currency.copy(a.currency.data(), a.currency.size());
  }
  static domain::order_id key_of(const std::string& payment_id) {
    const auto id = domain::parse_id(domain::id_kind::payment, payment_id);
    JUMUN_INVARIANT(id, "payment ids are made by us, or were checked when the ledger was read");
    return *id;
  }

  void note(std::string_view kind, domain::order_id key, domain::order_id order,
    std::int64_t amount, const std::string& currency) {
    lines_ += to_line({std::string{kind}, domain::to_text(domain::id_kind::order, order),
      domain::to_text(domain::id_kind::payment, key), currency, amount, unix_ms_now()});
    ++lines_count_;
  }
  void tell(const provider_callback& to, provider_said what) {
    if (to) answers_.push_back({to, std::move(what)});
  }

  /// One sync for all lines of this round; nobody has been answered yet.
  std::optional<storage::failure> write_down() {
    if (lines_.empty()) return std::nullopt;
    if (auto why = file_.append(lines_)) return why;
    const std::lock_guard held{guard_};
    durable_bytes_ += lines_.size();
    figures_.lines += std::exchange(lines_count_, 0);
    ++figures_.syncs;
    lines_.clear();
    return std::nullopt;
  }
  void fail(const storage::failure& why) {
    {
      const std::lock_guard held{guard_};
      is_loaded_ = true; // nobody waits for what never comes
      loaded_.notify_all();
    }
    on_failure_(why);
  }

  ledger_file file_;
  std::function<void(const storage::failure&)> on_failure_;

  mutable std::mutex guard_; // the part that callers touch
  std::condition_variable wake_;
  mutable std::condition_variable loaded_;
  std::vector<request> inbox_;
  std::uint64_t durable_bytes_ = 0;
  figures figures_;
  bool stopping_ = false, is_loaded_ = false;

  std::unordered_map<domain::order_id, account> books_; // the thread's own from here on
  std::unordered_map<domain::order_id, unsettled> open_;
  std::unordered_map<domain::order_id, slow_charge> slow_;
  std::priority_queue<due_charge> due_;
  std::uint64_t lines_count_ = 0;
  std::string lines_;
  std::vector<answer> answers_;

  std::thread thread_;
};

namespace {
std::filesystem::path ledger_path(const std::filesystem::path& dir) {
  return dir / "simulator" / "ledger.jsonl";
}
} // namespace

std::variant<std::unique_ptr<payment_simulator>, storage::failure> payment_simulator::open(
  options how) {
  auto made = std::make_unique<desk>(ledger_path(how.dir), std::move(how.on_failure));
  if (auto why = made->start()) return *why;
  return std::unique_ptr<payment_simulator>{new payment_simulator{std::move(made)}};
}
payment_simulator::payment_simulator(std::unique_ptr<desk> d) : desk_(std::move(d)) {}
payment_simulator::~payment_simulator() = default;

void payment_simulator::charge(provider_charge c, provider_callback said) {
  desk_->put({desk::wish::charge, std::move(c), std::move(said)});
}
void payment_simulator::inquire(provider_charge c, provider_callback said) {
  desk_->put({desk::wish::inquire, std::move(c), std::move(said)});
}
void payment_simulator::cancel(provider_charge c, provider_callback said) {
  desk_->put({desk::wish::cancel, std::move(c), std::move(said)});
}
std::vector<http::ledger_entry> payment_simulator::ledger() const { return desk_->ledger(); }
payment_simulator::figures payment_simulator::stats() const { return desk_->stats(); }

std::variant<std::optional<std::vector<http::ledger_entry>>, storage::failure>
read_simulator_ledger(const std::filesystem::path& dir) {
  std::error_code error;
  if (!std::filesystem::exists(ledger_path(dir), error)) return std::nullopt;
  std::vector<http::ledger_entry> all;
  std::uint64_t end = 0;
  const ledger_file file{ledger_path(dir)};
  if (auto why = file.read(
        0, [&](http::ledger_entry e) { all.push_back(std::move(e)); }, end))
    return *why;
  return all;
}
} // namespace jumun::app
