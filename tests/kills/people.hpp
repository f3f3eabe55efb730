#pragma once
#include "tests/kills/books.hpp"
#include "tests/kills/choices.hpp"
#include <functional>
#include <memory>
#include <optional>

namespace jumun::tests::kills {
/// Where a server listens in this life, and how it is spoken to.
struct addresses {
  std::uint16_t shop = 0, ops = 0;
  std::string bearer = {}; // empty: it asks for none

  [[nodiscard]] client to_shop() const { return to(shop); }
  [[nodiscard]] client to_ops() const { return to(ops); }

private:
  [[nodiscard]] client to(std::uint16_t port) const {
    client c{port};
    c.bearer = bearer;
    return c;
  }
};
inline const std::vector<std::string> scarce_skus{"tea", "coffee", "cake", "soup", "rice"};
inline const std::vector<std::string> counted_skus{"honey", "milk"}; // by PUT
[[nodiscard]] std::vector<std::string> menu();
/// Puts all of it on sale, a hundred pieces each.
void stock_up(client& api);

/// Somebody who asks one thing at a time, on a connection to each listener, and repeats what got no
/// answer. Lives as long as an epoch; its thread, as long as a life of the server.
class person {
public:
  person(std::string name, choices chance, board& at)
      : name_(std::move(name)), chance_(chance), at_(at) {}
  virtual ~person() = default;
  person(const person&) = delete;
  person& operator=(const person&) = delete;

  /// Proves that the newest answers of the last lives are still true; then asks on and on, until
  /// the connection breaks, or `goes_on`, asked before each question, says no. Never throws: what
  /// is wrong goes to the board.
  void live(
    const addresses& where, const std::function<bool()>& goes_on = [] { return true; });
  /// Repeats what is still open until it is answered. Throws when the server is gone.
  void finish(const addresses& where);
  /// One answer of the past, asked for again: the same, byte for byte, or a report. False: not
  /// answered just now.
  static bool prove(board& at, client& api, client& ops, const told& t);
  static bool prove(board& at, client& api, const placed_order& o);

  book kept;

protected:
  /// What to ask next; nullopt: nothing just now. May look around with GETs.
  virtual std::optional<call> next(client& api, client& ops) = 0;
  /// `r` is final. To be written into `kept`.
  virtual void heard(const call& c, const response& r) = 0;
  /// Whether `heard` needs to know no more than the two that it is given, so that a question which
  /// gets no answer can be put aside, and others asked meanwhile.
  [[nodiscard]] virtual bool puts_aside() const { return false; }
  /// `c` has no key, and no answer will ever come.
  virtual void lost(const call& c) { at_.report("nobody repeats " + c.target); }
  /// Not what is answered to it.
  void surprised(const call& c, const response& r) const;
  std::string new_key() { return name_ + "-" + std::to_string(++wishes_); }

  std::string name_;
  choices chance_;
  board& at_;

private:
  void prove_newest(client& api, client& ops);
  bool ask(client& api, client& ops);
  std::optional<call> next_or_aside(client& api, client& ops);
  std::uint64_t wishes_ = 0;
  std::size_t proven_ = 0, proven_orders_ = 0; // of `kept`
  std::optional<call> open_;
  std::deque<call> aside_;
};

/// Six customers, a clerk, a courier and an operator.
[[nodiscard]] std::vector<std::unique_ptr<person>> make_crowd(
  std::uint64_t seed, std::uint64_t epoch, board& at);
} // namespace jumun::tests::kills
