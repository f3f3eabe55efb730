#include "tests/history/audit.hpp"
#include "tests/support/http_client.hpp"
#include <numeric>
#include <stdexcept>
#include <utility>

namespace jumun::tests::history {
namespace {
constexpr std::size_t at_once = 32;
constexpr std::chrono::seconds back_off_max{300};

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: shop\r\n\r\n";
}
/// "Not enough stock of tea for 2." → tea
std::string sku_in(std::string_view detail) {
  constexpr std::string_view before = "Not enough stock of ";
  if (!detail.starts_with(before)) return {};
  detail.remove_prefix(before.size());
  return std::string{detail.substr(0, detail.rfind(" for "))};
}
} // namespace

void auditor::look() {
  ends.resize(floor_.orders());
  std::vector<std::uint32_t> all(floor_.orders());
  std::iota(all.begin(), all.end(), 0U);
  look_at_orders(all);
  while (!moving_.empty()) {
    const auto which = std::exchange(moving_, {});
    client slow{port_};
    for (const auto o : which)
      (void)slow.wait_until("/v1/orders/" + floor_.order(o).id,
        [](const nlohmann::json& j) { return j.at("saga") == "done"; }, back_off_max);
    look_at_orders(which);
  }
  look_at_events();
  look_at_ledgers();
  look_at_shelves();
}

void auditor::look_at_orders(const std::vector<std::uint32_t>& which) {
  wire line;
  if (!line.open(port_)) throw std::runtime_error("the auditor can't connect");
  for (std::size_t begin = 0; begin < which.size(); begin += at_once) {
    const auto end = std::min(which.size(), begin + at_once);
    std::string all;
    for (auto i = begin; i < end; ++i) all += get("/v1/orders/" + floor_.order(which[i]).id);
    const auto start = now_ns();
    answer r;
    bool ok = line.write(all);
    for (auto i = begin; ok && i < end; ++i)
      if ((ok = line.read(r))) take_order(which[i], start, r);
    if (!ok) throw std::runtime_error("the auditor's connection broke");
  }
  floor_.sent += which.size(), floor_.answered += which.size();
}

void auditor::take_order(std::uint32_t order, std::int64_t asked_at, const answer& r) {
  call c;
  c.key = recording_client::first_order_key + order, c.what = action::read_order;
  c.client = 999, c.invoked = asked_at, c.returned = now_ns();
  c.status = static_cast<std::uint16_t>(r.status);
  c.version = number_in(r.body, "version");
  c.seen = standing_of(text_in(r.body, "status"));
  c.digest = digest_of(r.body);
  reads.push_back(c);
  if (r.status != 200) return floor_.complain("an order is gone: " + r.body);
  if (text_in(r.body, "saga") != "done") return moving_.push_back(order);
  auto& e = ends[order];
  e.at = c.seen;
  if (const auto failure = r.body.find("\"failure\":{"); failure != std::string::npos) {
    const auto rest = std::string_view{r.body}.substr(failure);
    e.failure = text_in(rest, "code"), e.refused_sku = sku_in(text_in(rest, "detail"));
  }
}

/// Whether each line was held: of those where the end does not say it.
void auditor::look_at_events() {
  client slow{port_};
  for (std::uint32_t o = 0; o < ends.size(); ++o) {
    const bool two = floor_.order(o).lines[1].quantity > 0;
    const bool unclear =
      ends[o].at == standing::cancelled || (ends[o].at == standing::rejected && two);
    if (!unclear) continue;
    const auto r = slow.get("/v1/orders/" + floor_.order(o).id + "/events");
    ++floor_.sent, ++floor_.answered;
    const auto page = r.json();
    for (const auto& e : page.at("data"))
      if (e.at("type") == "StockDecreased")
        ends[o].held.insert(e.at("data").at("sku").get<std::string>());
  }
}

/// Which orders' pieces left which shelf; and whether the ledger is one: gapless, each figure from
/// the one before.
void auditor::look_at_ledgers() {
  client slow{port_};
  std::unordered_map<std::string, std::uint32_t> by_id;
  for (std::uint32_t o = 0; o < ends.size(); ++o) by_id.emplace(floor_.order(o).id, o);
  for (const auto& sku : floor_.skus()) {
    std::int64_t newer_number = 0, expected = 0; // newest first
    for (std::string cursor;;) {
      const auto page =
        slow.get("/v1/inventory/" + sku + "/movements?limit=200" + cursor).json();
      ++floor_.sent, ++floor_.answered;
      for (const auto& m : page.at("data")) {
        const auto number = m.at("number").get<std::int64_t>();
        const auto on_hand = m.at("on_hand").get<std::int64_t>();
        if (newer_number != 0 && (number != newer_number - 1 || on_hand != expected))
          floor_.complain("a gap in the ledger of " + sku + " at " + m.dump());
        newer_number = number, expected = on_hand - m.at("delta").get<std::int64_t>();
        if (!m.contains("order_id") || m.at("reason") != "delivery") continue;
        const auto o = by_id.find(m.at("order_id").get<std::string>());
        if (o == by_id.end()) floor_.complain("delivered for an order of nobody: " + m.dump());
        else ends[o->second].moved.insert(sku);
      }
      if (page.at("next_cursor").is_null()) break;
      cursor = "&cursor=" + page.at("next_cursor").get<std::string>();
    }
    if (newer_number > 1 || expected != 0)
      floor_.complain("the ledger of " + sku + " does not begin with nothing");
  }
}

void auditor::look_at_shelves() {
  client slow{port_};
  for (std::uint32_t s = 0; s < floor_.skus().size(); ++s) {
    call c;
    c.key = s, c.client = 999, c.invoked = now_ns();
    const auto r = slow.get("/v1/inventory/" + floor_.skus()[s]);
    c.returned = now_ns(), c.status = static_cast<std::uint16_t>(r.status);
    c.version = number_in(r.body, "version"), c.on_hand = number_in(r.body, "on_hand");
    c.reserved = number_in(r.body, "reserved");
    if (c.reserved != 0) floor_.complain("reserved for nobody at the end: " + r.body);
    reads.push_back(c);
    ++floor_.sent, ++floor_.answered;
  }
}

// -- the story
// ------------------------------------------------------------------------------------------------

namespace {
/// When an order was asked for, and by when it was seen to have come to something.
struct bounds {
  std::int64_t placed = never, cancelled_by = never; // first asked
  std::int64_t kept = never, undone = never;         // first seen: preparing or later; ended
};

class teller {
public:
  teller(const floor_of_shop& floor, const auditor& audited)
      : floor_(floor), audited_(audited), bounds_(floor.orders()) {
    for (const auto& sku : floor.skus()) out_.keys.push_back("stock/" + sku);
    for (std::uint32_t o = 0; o < floor.orders(); ++o)
      out_.keys.push_back("order/" + floor.order(o).id);
  }
  void add_reads(const std::vector<call>& reads) {
    for (auto c : reads) {
      if (c.key >= recording_client::first_order_key)
        c.key = order_key(c.key - recording_client::first_order_key);
      add(c);
    }
  }
  void add_sending(const sending& s) { wishes_[s.what->number].push_back(&s); }
  story finish() {
    for (const auto& [number, sent] : wishes_) add_wish(number, sent);
    for (std::uint32_t o = 0; o < bounds_.size(); ++o) add_order(o);
    return std::move(out_);
  }

private:
  std::uint32_t order_key(std::uint32_t o) const {
    return static_cast<std::uint32_t>(floor_.skus().size()) + o;
  }
  void add(const call& c) {
    out_.calls.push_back(c);
    const auto first = order_key(0);
    if (c.key < first || c.key >= first + bounds_.size()) return;
    auto& b = bounds_[c.key - first];
    if (c.what == action::place) b.placed = std::min(b.placed, c.invoked);
    if (c.what == action::cancel) b.cancelled_by = std::min(b.cancelled_by, c.invoked);
    if (c.seen >= standing::preparing && c.seen <= standing::delivered)
      b.kept = std::min(b.kept, c.returned);
    if (c.seen == standing::rejected || c.seen == standing::cancelled)
      b.undone = std::min(b.undone, c.returned);
  }
  /// Each sending under its key; and the one effect of them all, between the first question and the
  /// first answer.
  void add_wish(std::uint64_t number, const std::vector<const sending*>& sent) {
    const auto& w = *sent.front()->what;
    out_.keys.push_back("key/wish-" + std::to_string(number));
    call effect;
    effect.invoked = never;
    const sending* told = nullptr;
    for (const auto* s : sent) {
      auto c = s->heard;
      c.key = static_cast<std::uint32_t>(out_.keys.size() - 1), c.what = action::attempt;
      c.version = c.on_hand = c.reserved = unseen, c.seen = standing::none;
      out_.calls.push_back(c);
      effect.invoked = std::min(effect.invoked, c.invoked);
      effect.returned = std::min(effect.returned, c.returned);
      if (s->heard.answered() && told == nullptr) told = s;
    }
    if (told != nullptr) {
      const auto begin = effect.invoked, end = effect.returned;
      effect = told->heard;
      effect.invoked = begin, effect.returned = end;
    }
    effect.what = w.what, effect.replayed = false, effect.quantity = w.quantity;
    if (w.what != action::place) effect.digest = 0;
    if (w.what == action::adjust) {
      effect.key = w.shelf;
    } else if (w.what == action::place) {
      if (told == nullptr || told->order == UINT32_MAX) return; // somebody complained of it
      effect.key = order_key(told->order);
      effect.digest = told->body_digest;
    } else {
      effect.key = order_key(w.order);
    }
    add(effect);
  }

  void hidden(action what, std::uint32_t o, const order_line& l, std::int64_t from, std::int64_t to,
    std::uint16_t status = 200) {
    call c;
    c.key = l.shelf, c.what = what, c.status = status, c.client = 998;
    c.quantity = l.quantity, c.group = o + 1;
    c.invoked = from, c.returned = std::max(from, to);
    out_.calls.push_back(c);
  }
  void add_order(std::uint32_t o) {
    const auto& e = audited_.ends[o];
    const auto& b = bounds_[o];
    for (const auto& l : floor_.order(o).lines) {
      if (l.quantity == 0) continue;
      if (e.at == standing::rejected) add_rejected(o, l);
      else if (e.at == standing::cancelled) add_cancelled(o, l);
      else {
        hidden(action::reserve, o, l, b.placed, b.kept);
        hidden(action::commit, o, l, b.placed, b.kept);
      }
    }
  }
  void add_rejected(std::uint32_t o, const order_line& l) {
    const auto& e = audited_.ends[o];
    const auto& b = bounds_[o];
    const auto& sku = floor_.skus()[l.shelf];
    if (e.refused_sku == sku)
      return hidden(action::refuse, o, l, b.placed, b.undone, e.failure == "sold-out" ? 410 : 409);
    if (!e.refused_sku.empty() && e.held.count(sku) == 0) return;
    hidden(action::reserve, o, l, b.placed, b.undone);
    hidden(action::release, o, l, b.placed, b.undone);
  }
  void add_cancelled(std::uint32_t o, const order_line& l) {
    const auto& e = audited_.ends[o];
    const auto& b = bounds_[o];
    const auto& sku = floor_.skus()[l.shelf];
    if (e.held.count(sku) == 0) return;
    const auto settled_by = b.kept != never ? b.kept : b.undone;
    const auto undone_from = std::max(b.placed, b.cancelled_by);
    hidden(action::reserve, o, l, b.placed, settled_by);
    if (e.moved.count(sku) == 0) return hidden(action::release, o, l, undone_from, b.undone);
    hidden(action::commit, o, l, b.placed, settled_by);
    hidden(action::restock, o, l, undone_from, b.undone);
  }

  const floor_of_shop& floor_;
  const auditor& audited_;
  std::vector<bounds> bounds_;
  std::map<std::uint64_t, std::vector<const sending*>> wishes_;
  story out_;
};
} // namespace

story tell(const floor_of_shop& floor, const std::vector<call>& starts,
  const std::vector<recording_client>& crowd, const auditor& audited) {
  teller t{floor, audited};
  t.add_reads(starts);
  for (const auto& who : crowd) {
    t.add_reads(who.reads);
    for (const auto& s : who.sendings) t.add_sending(s);
  }
  t.add_reads(audited.reads);
  return t.finish();
}
} // namespace jumun::tests::history
