#include "tests/history/synthetic.hpp"
#include "tests/history/linearize.hpp"
#include <algorithm>
#include <random>

namespace jumun::tests::history {
namespace {
/// A call, and the moment at which the shelf heard of it; `never`: it did not.
struct moment {
  std::int64_t at;
  call told;
};

/// Plain arithmetic, one thing after another. Fills in the answer.
class shelf {
public:
  explicit shelf(std::int64_t on_hand) : on_hand_(on_hand) {}
  void tell(call& c) const {
    c.version = version_, c.on_hand = on_hand_, c.reserved = reserved_;
  }
  void hear(call& c) {
    switch (c.what) {
      case action::read_stock: c.status = 200; return tell(c);
      case action::read_menu:
        c.status = 200, c.version = version_, c.available = on_hand_ - reserved_;
        return;
      case action::adjust:
        if (on_hand_ + c.quantity < reserved_) return void(c.status = 409);
        c.status = 201, on_hand_ += c.quantity, ++version_;
        return tell(c);
      case action::reserve: reserved_ += c.quantity; break;
      case action::commit: on_hand_ -= c.quantity, reserved_ -= c.quantity; break;
      case action::release: reserved_ -= c.quantity; break;
      default: return;
    }
    ++version_;
  }
  [[nodiscard]] std::int64_t available() const { return on_hand_ - reserved_; }

private:
  std::int64_t version_ = 1, on_hand_, reserved_ = 0;
};

class author {
public:
  author(const synthetic& how, std::uint32_t key, std::size_t calls)
      : how_(how), chance_(how.seed * 1'000'003 + key), key_(key), free_(how.clients, 1) {
    call open;
    open.key = key, open.what = action::start, open.status = 200, open.returned = 0;
    shelf_.tell(open);
    out_.push_back(open);
    for (std::size_t i = 0; i < calls; ++i) next();
    settle();
  }
  [[nodiscard]] std::vector<call>& calls() { return out_; }

private:
  std::int64_t pick(std::int64_t below) {
    return static_cast<std::int64_t>(chance_() % static_cast<std::uint64_t>(below));
  }
  void next() {
    const auto who = static_cast<std::size_t>(pick(static_cast<std::int64_t>(free_.size())));
    call c;
    c.key = key_;
    c.client = static_cast<std::uint16_t>(who);
    c.invoked = free_[who] + pick(20);
    const auto heard = c.invoked + pick(60);
    c.returned = free_[who] = heard + 1 + pick(60);
    const auto what = pick(100);
    if (what < 12) return order(c, heard);
    c.what = what < 40 ? action::adjust : what < 50 ? action::read_menu : action::read_stock;
    if (c.what == action::adjust) c.quantity = pick(2) == 0 ? 1 + pick(8) : -1 - pick(8);
    const bool lost = c.what == action::adjust && pick(1000) < how_.lost_per_mille;
    if (lost) c.returned = never;
    if (!lost || pick(2) == 0) moments_.push_back({heard + (lost ? pick(400) : 0), c});
    else lost_.push_back(c);
  }
  void order(call c, std::int64_t heard) {
    c.quantity = 1 + pick(3), c.group = ++orders_;
    c.what = action::reserve;
    moments_.push_back({heard, c});
    c.what = pick(4) == 0 ? action::release : action::commit;
    moments_.push_back({heard + 1 + pick(c.returned - heard), c});
  }
  /// All moments in their order. An order for which there is too little is refused.
  void settle() {
    std::stable_sort(moments_.begin(), moments_.end(),
      [](const moment& a, const moment& b) { return a.at < b.at; });
    std::vector<bool> refused(orders_ + 1, false);
    for (auto& [at, c] : moments_) {
      if (c.group != 0 && refused[c.group]) continue;
      if (c.hidden()) c.status = 200;
      if (c.what == action::reserve && shelf_.available() < c.quantity) {
        refused[c.group] = true;
        c.what = action::refuse;
        c.status = shelf_.available() == 0 ? 410 : 409;
      }
      shelf_.hear(c);
      if (c.returned == never) // what it did is seen, its answer is not
        c.status = 0, c.version = c.on_hand = c.reserved = unseen;
      out_.push_back(c);
    }
    out_.insert(out_.end(), lost_.begin(), lost_.end());
  }

  const synthetic how_;
  std::mt19937_64 chance_;
  std::uint32_t key_, orders_ = 0;
  std::vector<std::int64_t> free_; // when each client may ask again
  std::vector<moment> moments_;
  std::vector<call> lost_, out_;
  shelf shelf_{20};
};

bool full(const call& c) { return c.on_hand != unseen; }
bool change(const call& c) { return c.what == action::adjust && c.status == 201; }

/// `read` is answered with what `other` saw.
void answer_as(call& read, const call& other) {
  read.version = other.version, read.on_hand = other.on_hand, read.reserved = other.reserved;
}
bool stale_read(std::vector<call*>& all, std::size_t from) {
  for (std::size_t n = 0; n < all.size(); ++n) {
    auto& r = *all[(from + n) % all.size()];
    if (r.what != action::read_stock) continue;
    for (const auto* old : all)
      for (const auto* newer : all) {
        const bool seen_before = full(*newer) && newer->returned < r.invoked;
        if (full(*old) && seen_before && old->version < newer->version)
          return answer_as(r, *old), true;
      }
  }
  return false;
}
bool future_read(std::vector<call*>& all, std::size_t from) {
  for (std::size_t n = 0; n < all.size(); ++n) {
    auto& r = *all[(from + n) % all.size()];
    if (r.what != action::read_stock) continue;
    for (const auto* later : all)
      if (change(*later) && later->invoked > r.returned) return answer_as(r, *later), true;
  }
  return false;
}
/// From the version behind `of` on, all saw `delta` more and `versions` more.
void shift(std::vector<call*>& all, std::int64_t from_version, std::int64_t delta, int versions) {
  for (auto* c : all) {
    if (c->version == unseen || c->version < from_version) continue;
    c->version += versions;
    if (full(*c)) c->on_hand += delta;
    if (c->available != unseen) c->available += delta;
  }
}
} // namespace

story synthetic_story(const synthetic& how) {
  story s;
  for (std::size_t i = 0; i < how.shelves; ++i) {
    const auto key = static_cast<std::uint32_t>(i);
    s.keys.push_back("stock/shelf-" + std::to_string(i));
    author a{how, key, how.calls / how.shelves};
    s.calls.insert(s.calls.end(), a.calls().begin(), a.calls().end());
  }
  return s;
}

bool spoil(story& s, flaw what, std::uint64_t seed) {
  std::vector<call*> all; // of one key
  for (auto& c : s.calls)
    if (c.key == seed % s.keys.size()) all.push_back(&c);
  const auto from = static_cast<std::size_t>(spread(seed) % all.size());
  if (what == flaw::stale_read) return stale_read(all, from);
  if (what == flaw::future_read) return future_read(all, from);
  std::int64_t last = 0;
  for (const auto* c : all) last = std::max(last, full(*c) ? c->version : 0);
  for (std::size_t n = 0; n < all.size(); ++n) {
    auto& c = *all[(from + n) % all.size()];
    if (what == flaw::refused_wrongly && c.what == action::adjust && c.status == 409)
      return c.quantity = 1, true;
    if (!change(c) || c.version >= last) continue; // somebody must have seen what came behind it
    if (what == flaw::lost_update) return c.on_hand -= c.quantity, true;
    if (what == flaw::version_stands_still) return shift(all, c.version, 0, -1), true;
    const auto lost_as_well = [&](const call* o) {
      return o->what == action::adjust && !o->answered() && o->quantity == c.quantity;
    };
    if (what != flaw::applied_twice || std::any_of(all.begin(), all.end(), lost_as_well)) continue;
    return shift(all, c.version + 1, c.quantity, 1), true;
  }
  return false;
}
} // namespace jumun::tests::history
