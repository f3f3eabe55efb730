#include "tests/kills/audit.hpp"
#include "tests/kills/history.hpp"
#include <functional>
#include <thread>

namespace jumun::tests::kills {
namespace {
constexpr std::size_t threads = 4;
constexpr int tries_max = 60; // a node that is waited for takes two seconds

/// What the whole crowd was told, by order and by reference.
struct told_of {
  std::map<std::string, order_story> orders;
  std::map<std::string, adjusted> adjustments;
  std::vector<counted> counts;
  std::vector<acted> acts;
};
told_of gather(board& at, const std::vector<std::unique_ptr<person>>& crowd) {
  told_of all;
  for (const auto& who : crowd)
    for (const auto& o : who->kept.orders)
      if (!all.orders.emplace(o.id, order_story{}).second)
        at.report("two wishes made one order: " + o.id);
  for (const auto& who : crowd) {
    const auto& k = who->kept;
    for (const auto& id : k.cancelled) all.orders[id].is_cancelled = true;
    for (const auto& [id, what] : k.reported)
      all.orders[id].reported.insert(what.begin(), what.end());
    all.adjustments.insert(k.adjustments.begin(), k.adjustments.end());
    all.counts.insert(all.counts.end(), k.counts.begin(), k.counts.end());
    all.acts.insert(all.acts.end(), k.acts.begin(), k.acts.end());
  }
  return all;
}

/// Runs `one(api, ops, i)` for each i below `n`, on some threads. What it throws is reported.
void for_each(board& at, const addresses& where, std::size_t n,
  const std::function<void(client&, client&, std::size_t)>& one) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> crowd;
  for (std::size_t t = 0; t < threads; ++t)
    crowd.emplace_back([&] {
      auto api = where.to_shop(), ops = where.to_ops();
      try {
        for (auto i = next++; i < n; i = next++) one(api, ops, i);
      } catch (const std::exception& e) {
        at.report(std::string{"the audit: "} + e.what());
      }
    });
  for (auto& t : crowd) t.join();
}

/// Until it is answered.
void insist(board& at, const std::function<bool()>& is_answered) {
  for (int tries = 0; tries < tries_max; ++tries)
    if (is_answered()) return;
  at.report("the audit got no answer");
}

/// Each answer of the epoch again, byte for byte; each order as it was acknowledged.
void prove_all(board& at, const addresses& where, const std::vector<std::unique_ptr<person>>& crowd,
  told_of& all) {
  std::vector<const told*> answers;
  std::vector<const placed_order*> orders;
  for (const auto& who : crowd) {
    for (const auto& t : who->kept.keyed) answers.push_back(&t);
    for (const auto& o : who->kept.orders) orders.push_back(&o);
  }
  for_each(at, where, answers.size(), [&](client& api, client& ops, std::size_t i) {
    insist(at, [&] { return person::prove(at, api, ops, *answers[i]); });
  });
  for_each(at, where, orders.size(), [&](client& api, client&, std::size_t i) {
    const auto& o = *orders[i];
    insist(at, [&] { return person::prove(at, api, o); });
    auto& story = all.orders.at(o.id); // each order is one thread's
    story.end = need(api.get(shop_client::path(o.id)), 200).json();
    const auto told = need(api.get(shop_client::path(o.id) + "/events"), 200).json();
    for (const auto& e : told.at("data")) story.events.push_back(e);
    for (const auto& why : faults_of(o.id, story)) at.report(why);
  });
}

/// The answer once it has all nodes' parts: one of them may be slow.
json whole(client& api, const std::string& target) {
  for (int tries = 0; tries < tries_max; ++tries) {
    auto page = need(api.get(target), 200).json();
    if (!page.value("partial", false)) return page;
  }
  throw std::runtime_error(target + " stays partial");
}

json all_of(client& api, const std::string& target) {
  auto rows = json::array();
  for (std::string cursor;;) {
    const auto query = target + "?limit=200" + (cursor.empty() ? "" : "&cursor=" + cursor);
    const auto page = whole(api, query);
    for (const auto& row : page.at("data")) rows.push_back(row);
    if (page.at("next_cursor").is_null()) return rows;
    cursor = page.at("next_cursor");
  }
}

/// A repeated wish made no second order, and none was forgotten.
void audit_list(board& at, client& api, const told_of& all) {
  std::set<std::string> listed;
  for (const auto& order : all_of(api, "/v1/orders")) listed.insert(order.at("id"));
  for (const auto& id : listed)
    if (all.orders.count(id) == 0) at.report("an order that nobody was told of: " + id);
  for (const auto& [id, story] : all.orders)
    if (listed.count(id) == 0) at.report("an order that is not listed: " + id);
}

/// The provider's books: at most one charge an order, and only what is kept has been kept.
void audit_money(board& at, client& ops, told_of& all) {
  const auto ledger = whole(ops, "/admin/v1/simulator/ledger");
  for (const auto& line : ledger.at("data")) {
    const auto known = all.orders.find(line.at("order_id").get<std::string>());
    if (known == all.orders.end()) {
      at.report("money of an order that nobody was told of: " + line.dump());
      continue;
    }
    auto& m = known->second.money;
    const auto amount = line.at("amount").get<std::int64_t>();
    if (line.at("kind") == "charge") ++m.charges, m.kept += amount;
    if (line.at("kind") == "refund") ++m.refunds, m.kept -= amount;
    if (line.at("kind") == "void") ++m.voids;
  }
  for (const auto& [id, story] : all.orders)
    if (const auto why = money_fault(story); !why.empty()) at.report(id + ": " + why);
}

std::string reference_of(const json& movement) {
  const auto& r = movement.at("reference");
  return r.is_string() ? r.get<std::string>() : std::string{};
}

/// Every movement has its cause, and every cause its movement, once.
void audit_stock(board& at, client& api, told_of& all, const std::string& sku) {
  auto rows = all_of(api, "/v1/inventory/" + sku + "/movements");
  std::reverse(rows.begin(), rows.end());
  std::int64_t on_hand = 0;
  std::uint64_t number = 0;
  std::map<std::int64_t, int> counted_as;
  for (const auto& m : rows) {
    const auto delta = m.at("delta").get<std::int64_t>();
    const auto reason = m.at("reason").get<std::string>();
    on_hand += delta;
    if (m.at("number") != ++number || m.at("on_hand") != on_hand)
      at.report(sku + ": a gap before movement " + m.dump());
    if (on_hand < 0) at.report(sku + ": sold what was not there: " + m.dump());
    if (m.contains("order_id")) {
      const auto known = all.orders.find(m.at("order_id").get<std::string>());
      if (known == all.orders.end())
        at.report(sku + ": moved for an order that nobody was told of: " + m.dump());
      else
        known->second.moved[sku].push_back(delta);
    } else if (reason == "count") {
      ++counted_as[on_hand];
    } else if (const auto of = all.adjustments.find(reference_of(m));
               of != all.adjustments.end() && of->second == adjusted{sku, delta}) {
      all.adjustments.erase(of); // the next one with this reference is one too many
    } else if (reason != "goods in") {
      at.report(sku + ": moved twice, or for nobody: " + m.dump());
    }
  }
  for (const auto& c : all.counts) {
    if (c.sku != sku) continue;
    const auto times = counted_as[c.on_hand];
    counted_as.erase(c.on_hand);
    const bool good = c.how == outcome::done      ? times == 1
                      : c.how == outcome::refused ? times == 0
                                                  : times <= 1;
    if (!good)
      at.report(sku + ": counted as " + std::to_string(c.on_hand) + " " + std::to_string(times)
                + " times; was told " + std::to_string(static_cast<int>(c.how)));
  }
  const auto now = need(api.get("/v1/inventory/" + sku), 200).json();
  if (now.at("on_hand") != on_hand || now.at("reserved") != 0)
    at.report(sku + ": the movements come to " + std::to_string(on_hand) + ", and all is settled; "
              + now.dump());
}

/// What an operator was told stands in the audit log and in the order's history, once.
void audit_operators(board& at, client& ops, const told_of& all) {
  std::map<std::string, std::vector<std::string>> outcomes; // by reason
  for (const auto& line : all_of(ops, "/admin/v1/audit"))
    if (line.at("reason").is_string()) outcomes[line.at("reason")].push_back(line.at("outcome"));
  for (const auto& a : all.acts) {
    const auto lines = outcomes[a.reason];
    std::size_t events = 0;
    const auto story = all.orders.find(a.order);
    if (story == all.orders.end()) continue; // reported already
    for (const auto& e : story->second.events)
      if (e.at("type") == "OperatorActed" && e.at("data").at("reason") == a.reason) ++events;
    const bool is_done = lines.size() == 1 && lines[0] == "done";
    const bool may_be_none = a.how == outcome::unknown && lines.empty();
    if ((lines.size() == 1 || may_be_none) && events == (is_done ? 1U : 0U)
        && (a.how != outcome::refused || !is_done))
      continue;
    at.report("an operator's " + a.action + " of " + a.order + " (" + a.reason + ", told "
              + std::to_string(static_cast<int>(a.how)) + ") is " + std::to_string(events)
              + " events and in the audit log " + json(lines).dump());
  }
}

/// The feed tells each event of each history once, and of one key in order.
void audit_feed(board& at, client& api, const told_of& all) {
  std::map<std::string, std::set<std::uint64_t>> seen;
  for (const std::string topic : {"orders", "payments", "inventory", "deliveries"}) {
    std::map<std::string, std::uint64_t> last;
    for (std::string after;;) {
      const auto page = whole(api, "/v1/events?limit=200&topic=" + topic + after);
      for (const auto& e : page.at("data")) {
        const auto key = e.at("partitionkey").get<std::string>();
        const auto sequence = e.at("sequence").get<std::uint64_t>();
        if (sequence <= last[key] || !seen[key].insert(sequence).second)
          at.report("the feed says it twice, or out of order: " + e.dump());
        last[key] = sequence;
      }
      if (page.at("data").empty() || page.at("next_cursor").is_null()) break;
      after = "&after=" + page.at("next_cursor").get<std::string>();
    }
  }
  for (const auto& [key, sequences] : seen)
    if (sequences.size() != *sequences.rbegin()) at.report("the feed has a gap in " + key);
  for (const auto& [id, story] : all.orders)
    if (seen[id].size() != story.events.size())
      at.report("the feed tells " + std::to_string(seen[id].size()) + " of "
                + std::to_string(story.events.size()) + " events of " + id);
}
} // namespace

void audit(board& at, const addresses& where, const std::vector<std::unique_ptr<person>>& crowd) {
  auto all = gather(at, crowd);
  prove_all(at, where, crowd, all);
  if (!at.wrong().empty()) return; // what follows needs whole stories
  auto api = where.to_shop(), ops = where.to_ops();
  audit_list(at, api, all);
  audit_money(at, ops, all);
  for (const auto& sku : menu()) audit_stock(at, api, all, sku);
  for (const auto& [reference, a] : all.adjustments)
    at.report(a.sku + ": an acknowledged adjustment was lost: " + reference);
  for (const auto& [id, story] : all.orders)
    if (const auto why = stock_fault(story); !why.empty()) at.report(id + ": " + why);
  audit_operators(at, ops, all);
  audit_feed(at, api, all);
}
} // namespace jumun::tests::kills
