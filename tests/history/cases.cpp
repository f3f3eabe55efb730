#include "tests/history/cases.hpp"

namespace jumun::tests::history {
namespace {
using a = action;
using s = standing;

call made(a what, std::int64_t from, std::int64_t to, std::uint16_t status) {
  call c;
  c.what = what, c.invoked = from, c.returned = to, c.status = status;
  return c;
}
call shelf(call c, std::int64_t version, std::int64_t on_hand, std::int64_t reserved = 0) {
  c.version = version, c.on_hand = on_hand, c.reserved = reserved;
  return c;
}
// On a shelf. Versions and figures are as they were answered.
call start(std::int64_t on_hand) { return shelf(made(a::start, 0, 0, 200), 1, on_hand); }
call adjust(std::int64_t from, std::int64_t to, std::int64_t delta, std::int64_t version,
  std::int64_t on_hand, std::int64_t reserved = 0) {
  auto c = shelf(made(a::adjust, from, to, 201), version, on_hand, reserved);
  c.quantity = delta;
  return c;
}
call refused(std::int64_t from, std::int64_t to, std::int64_t delta) {
  auto c = made(a::adjust, from, to, 409);
  c.quantity = delta;
  return c;
}
call lost(std::int64_t from, std::int64_t delta) {
  auto c = made(a::adjust, from, never, 0);
  c.quantity = delta;
  return c;
}
call read(std::int64_t from, std::int64_t to, std::int64_t version, std::int64_t on_hand,
  std::int64_t reserved = 0) {
  return shelf(made(a::read_stock, from, to, 200), version, on_hand, reserved);
}
call menu(std::int64_t from, std::int64_t to, std::int64_t version, std::int64_t available) {
  auto c = made(a::read_menu, from, to, 200);
  c.version = version, c.available = available;
  return c;
}
call count(std::int64_t from, std::int64_t to, std::int64_t if_version, std::int64_t on_hand,
  std::uint16_t status, std::int64_t version = unseen, std::int64_t reserved = unseen) {
  auto c = made(a::count, from, to, status);
  c.quantity = on_hand, c.if_version = if_version;
  if (status == 200) c.version = version, c.on_hand = on_hand, c.reserved = reserved;
  return c;
}
call hidden(a what, std::int64_t from, std::int64_t to, std::int64_t pieces, std::uint32_t order) {
  auto c = made(what, from, to, 200);
  c.quantity = pieces, c.group = order;
  return c;
}
// Of an order.
call order(a what, std::int64_t from, std::int64_t to, std::uint16_t status,
  std::int64_t version = unseen, s seen = s::none, std::uint64_t digest = 0) {
  auto c = made(what, from, to, status);
  c.version = version, c.seen = seen, c.digest = digest;
  return c;
}
call report(std::int64_t from, std::int64_t to, s as, std::uint16_t status,
  std::int64_t version = unseen) {
  auto c = made(a::report, from, to, status);
  c.quantity = static_cast<std::int64_t>(as), c.version = version;
  return c;
}
call events(std::int64_t from, std::int64_t to, std::int64_t how_many, std::uint64_t digest) {
  auto c = made(a::events, from, to, 200);
  c.quantity = how_many, c.digest = digest;
  return c;
}
// Of an Idempotency-Key.
call attempt(std::int64_t from, std::int64_t to, std::uint64_t digest, bool replayed = false) {
  auto c = made(a::attempt, from, to, digest == 0 ? 0 : 201);
  c.digest = digest, c.replayed = replayed;
  return c;
}

std::vector<made_by_hand> of(const std::string& key, bool good,
  std::vector<std::pair<std::string, std::vector<call>>> all) {
  std::vector<made_by_hand> out;
  for (auto& [name, calls] : all) out.push_back({name, good, {{key}, std::move(calls)}});
  return out;
}

// clang-format off
std::vector<made_by_hand> good_stock() {
  return of("stock/tea", true, {
    {"one thing after another", {start(10), adjust(1, 2, 5, 2, 15), read(3, 4, 2, 15), adjust(5, 6, -15, 3, 0)}},
    {"two at once in either order", {start(0), adjust(1, 9, 1, 3, 3), adjust(1, 9, 2, 2, 2), read(2, 8, 2, 2)}},
    {"a read beside a write saw what was before", {start(1), adjust(1, 9, 1, 2, 2), read(8, 20, 1, 1)}},
    {"an unanswered change that happened late", {start(1), lost(1, 7), read(5, 6, 1, 1), read(9, 10, 2, 8)}},
    {"an unanswered change that never happened", {start(1), lost(1, 7), read(5, 6, 1, 1), adjust(9, 10, 1, 2, 2)}},
    {"of two that were lost only the second happened", {start(1), lost(1, 7), lost(2, 3), read(9, 10, 2, 4)}},
    {"a refusal beside the delivery that would have helped", {start(1), refused(1, 9, -2), adjust(2, 8, 4, 2, 5)}},
    {"a counted stock, and one that came too late", {start(1), count(1, 2, 1, 9, 200, 2, 0), count(3, 4, 1, 5, 412)}},
    {"a lost count that no version allows any more", {start(1), count(1, never, 1, 9, 0), adjust(2, 3, 1, 2, 2), read(4, 5, 2, 2)}},
    {"an order reserves, is read, and commits", {start(5), hidden(a::reserve, 1, 9, 2, 1), hidden(a::commit, 1, 9, 2, 1), read(2, 8, 2, 5, 2), read(3, 9, 3, 3)}},
    {"two orders for the last piece, and one was refused", {start(1), hidden(a::reserve, 1, 9, 1, 1), hidden(a::commit, 1, 9, 1, 1),
      [] { auto c = hidden(a::refuse, 1, 9, 1, 2); c.status = 410; return c; }(), read(10, 11, 3, 0)}},
    {"a declined card gives back what was held", {start(2), hidden(a::reserve, 1, 9, 2, 1), hidden(a::release, 1, 9, 2, 1), refused(2, 3, -1), adjust(10, 11, -2, 4, 0)}},
    {"what was sold comes back", {start(2), hidden(a::reserve, 1, 5, 2, 1), hidden(a::commit, 1, 5, 2, 1), hidden(a::restock, 6, 9, 2, 1), read(10, 11, 4, 2)}},
    {"the menu between two changes", {start(4), adjust(1, 2, 1, 2, 5), menu(3, 9, 2, 5), hidden(a::reserve, 4, 9, 2, 1), menu(5, 9, 3, 3)}},
  });
}

std::vector<made_by_hand> bad_stock() {
  return of("stock/tea", false, {
    {"a stale read", {start(1), adjust(1, 2, 1, 2, 2), read(3, 4, 1, 1)}},
    {"a read of the future", {start(1), read(1, 2, 2, 2), adjust(3, 4, 1, 2, 2)}},
    {"a lost update", {start(1), adjust(1, 2, 1, 2, 2), adjust(3, 4, 5, 2, 6)}},
    {"a change that was undone by another's write", {start(1), adjust(1, 2, 1, 2, 2), adjust(3, 4, 5, 3, 6)}},
    {"one change applied twice", {start(1), adjust(1, 2, 5, 2, 6), read(3, 4, 3, 11)}},
    {"one that was lost happened twice", {start(1), lost(1, 5), read(3, 4, 2, 6), read(5, 6, 3, 11)}},
    {"a lost one before it was asked for", {start(1), read(1, 2, 2, 6), lost(3, 5)}},
    {"a lost one seen, then not", {start(1), lost(1, 5), read(3, 4, 2, 6), read(5, 6, 1, 1)}},
    {"two reads in the wrong order", {start(1), adjust(1, 9, 1, 2, 2), read(2, 3, 2, 2), read(4, 5, 1, 1)}},
    {"answers in another order than their versions", {start(0), adjust(1, 2, 1, 3, 3), adjust(3, 4, 2, 2, 2)}},
    {"a version that did not rise", {start(1), adjust(1, 2, 1, 1, 2), read(3, 4, 1, 2)}},
    {"one version with two states", {start(1), adjust(1, 9, 1, 2, 2), read(1, 9, 2, 3)}},
    {"a version that skips", {start(1), adjust(1, 2, 1, 3, 2)}},
    {"a refusal without reason", {start(5), refused(1, 2, -5)}},
    {"below what is reserved", {start(2), hidden(a::reserve, 1, 2, 2, 1), adjust(3, 4, -1, 3, 1, 2)}},
    {"sold twice", {start(1), hidden(a::reserve, 1, 9, 1, 1), hidden(a::commit, 1, 9, 1, 1), hidden(a::reserve, 1, 9, 1, 2), hidden(a::commit, 1, 9, 1, 2)}},
    {"an order that was refused what was there", {start(3), hidden(a::refuse, 1, 9, 2, 1)}},
    {"reserved for nobody", {start(3), read(1, 2, 2, 3, 1)}},
    {"an order that reserved before it was placed", {start(3), read(1, 2, 2, 3, 1), hidden(a::reserve, 3, 9, 1, 1), hidden(a::commit, 3, 9, 1, 1)}},
    {"an order that had settled reserves afterwards", {start(3), hidden(a::reserve, 1, 4, 1, 1), hidden(a::commit, 1, 4, 1, 1), read(5, 6, 1, 3)}},
    {"a release that is seen twice", {start(3), hidden(a::reserve, 1, 4, 1, 1), hidden(a::release, 1, 4, 1, 1), read(5, 6, 4, 3)}},
    {"a restock before the commit", {start(3), hidden(a::reserve, 1, 9, 1, 1), hidden(a::restock, 1, 9, 1, 1), hidden(a::commit, 1, 9, 1, 1), read(2, 3, 3, 4, 1)}},
    {"a count on a version that was gone", {start(3), adjust(1, 2, 1, 2, 4), count(3, 4, 1, 9, 200, 3, 0)}},
    {"a count refused on the present version", {start(3), count(1, 2, 1, 9, 412)}},
    {"a menu of another time", {start(3), adjust(1, 2, 1, 2, 4), menu(3, 4, 1, 3)}},
    {"a menu of two times", {start(3), adjust(1, 9, 1, 2, 4), menu(2, 8, 2, 3)}},
  });
}

std::vector<made_by_hand> good_orders() {
  return of("order/ord_1", true, {
    {"from placed to delivered", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::read_order, 3, 4, 200, 7, s::preparing, 17),
      report(5, 6, s::shipped, 200, 8), report(7, 8, s::delivered, 200, 9), order(a::cancel, 9, 10, 409), report(11, 12, s::shipped, 409)}},
    {"all readers of a version read the same", {order(a::place, 1, 9, 201, 3, s::paying, 13), order(a::read_order, 10, 12, 200, 3, s::paying, 13), order(a::read_order, 10, 12, 200, 3, s::paying, 13)}},
    {"two cancel at once, and it is one cancellation", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::cancel, 3, 9, 202, 6), order(a::cancel, 3, 9, 202, 6), order(a::read_order, 10, 11, 200, 9, s::cancelled, 19)}},
    {"it is cancelled while the courier comes, who is too late", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::cancel, 3, 9, 202, 6), report(3, 9, s::shipped, 409)}},
    {"an unanswered cancellation works late", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::cancel, 3, never, 0), order(a::read_order, 4, 5, 200, 5, s::preparing, 15), order(a::read_order, 7, 8, 200, 6, s::cancelling, 16)}},
    {"an unanswered cancellation never works", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::cancel, 3, never, 0), report(4, 5, s::shipped, 200, 6)}},
    {"a cancellation of what is being rejected", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::cancel, 3, 4, 409), order(a::read_order, 5, 6, 200, 4, s::paying, 14), order(a::read_order, 7, 8, 200, 6, s::rejected, 16)}},
    {"its events grow", {order(a::place, 1, 2, 201, 1, s::pending, 11), events(3, 4, 1, 21), events(3, 9, 4, 24), events(10, 11, 4, 24)}},
    {"not modified, as it is the same version", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::read_order, 3, 4, 304, 5)}},
  });
}

std::vector<made_by_hand> bad_orders() {
  return of("order/ord_1", false, {
    {"an older version after a newer one", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::read_order, 3, 4, 200, 3, s::paying, 13), order(a::read_order, 5, 6, 200, 2, s::reserving, 12)}},
    {"one version with two bodies", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::read_order, 3, 4, 200, 5, s::preparing, 99)}},
    {"there before it was placed", {order(a::read_order, 1, 2, 200, 1, s::pending, 11), order(a::place, 3, 4, 201, 1, s::pending, 11)}},
    {"gone after it was placed", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::read_order, 3, 4, 404)}},
    {"backwards along its automaton", {order(a::place, 1, 2, 201, 5, s::paid, 15), order(a::read_order, 3, 4, 200, 6, s::reserving, 16)}},
    {"shipped by nobody", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::read_order, 3, 4, 200, 6, s::shipped, 16)}},
    {"cancelled by nobody", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::read_order, 3, 4, 200, 6, s::cancelled, 16)}},
    {"a cancellation that was accepted and forgotten", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::cancel, 3, 4, 202, 2), order(a::read_order, 5, 6, 200, 5, s::preparing, 15)}},
    {"cancelled and shipped", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::cancel, 3, 9, 202, 6), report(3, 9, s::shipped, 200, 6)}},
    {"refused a cancellation while it was preparing", {order(a::place, 1, 2, 201, 5, s::preparing, 15), order(a::cancel, 3, 4, 409), order(a::read_order, 5, 6, 200, 5, s::preparing, 15)}},
    {"too late to cancel, and then preparing", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::cancel, 3, 4, 409), order(a::read_order, 5, 6, 200, 5, s::preparing, 15)}},
    {"a courier who was turned away from an order that waits", {order(a::place, 1, 2, 201, 5, s::preparing, 15), report(3, 4, s::shipped, 409), order(a::read_order, 5, 6, 200, 5, s::preparing, 15)}},
    {"reported, and not to be seen", {order(a::place, 1, 2, 201, 5, s::preparing, 15), report(3, 4, s::shipped, 200, 6), order(a::read_order, 5, 6, 200, 5, s::preparing, 15)}},
    {"a lost report undone", {order(a::place, 1, 2, 201, 5, s::preparing, 15), report(3, never, s::shipped, 0), order(a::read_order, 5, 6, 200, 6, s::shipped, 16), order(a::cancel, 7, 8, 202, 7)}},
    {"rejected, then on its way", {order(a::place, 1, 2, 201, 4, s::rejected, 14), order(a::read_order, 3, 4, 200, 5, s::preparing, 15)}},
    {"events that were told are told no more", {order(a::place, 1, 2, 201, 1, s::pending, 11), events(3, 4, 3, 23), events(5, 6, 2, 22)}},
    {"a history that was rewritten", {order(a::place, 1, 2, 201, 1, s::pending, 11), events(3, 4, 3, 23), events(5, 6, 3, 77)}},
    {"further than its events", {order(a::place, 1, 2, 201, 5, s::preparing, 15), events(3, 4, 2, 22)}},
    {"not modified, yet it was", {order(a::place, 1, 2, 201, 1, s::pending, 11), order(a::read_order, 3, 4, 200, 5, s::preparing, 15), order(a::read_order, 5, 6, 304, 1)}},
  });
}

std::vector<made_by_hand> keys_of_requests() {
  auto all = of("key/k-1", true, {
    {"one request", {attempt(1, 2, 7)}},
    {"asked twice", {attempt(1, 2, 7), attempt(3, 4, 7, true)}},
    {"a crowd with one key", {attempt(1, 9, 7, true), attempt(1, 9, 7), attempt(1, 9, 7, true)}},
    {"the first was never answered", {attempt(1, never, 0), attempt(3, 4, 7, true)}},
    {"the first died, and the second took over", {attempt(1, never, 0), attempt(3, 4, 7)}},
  });
  for (auto& one : of("key/k-1", false, {
    {"two effects", {attempt(1, 2, 7), attempt(3, 4, 8)}},
    {"two first answers", {attempt(1, 2, 7), attempt(3, 4, 7)}},
    {"two answers", {attempt(1, 2, 7), attempt(3, 4, 8, true)}},
    {"a crowd with one key and two effects", {attempt(1, 9, 7), attempt(1, 9, 8), attempt(1, 9, 7, true)}},
    {"a replay of what was never said", {attempt(1, 2, 7, true), attempt(3, 4, 7)}},
    {"a replay before the first answer began", {attempt(1, 2, 7, true)}},
    {"a replay of another unanswered one", {attempt(1, never, 0), attempt(3, 4, 7, true), attempt(5, 6, 8, true)}},
  }))
    all.push_back(std::move(one));
  return all;
}
// clang-format on
} // namespace

std::vector<made_by_hand> cases() {
  std::vector<made_by_hand> all;
  for (auto group : {good_stock(), bad_stock(), good_orders(), bad_orders(), keys_of_requests()})
    for (auto& one : group) all.push_back(std::move(one));
  return all;
}
} // namespace jumun::tests::history
