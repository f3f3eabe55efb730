#include "tests/history/judge.hpp"
#include "tests/history/order_model.hpp"
#include "tests/history/stock_model.hpp"
#include <atomic>
#include <stdexcept>
#include <thread>

namespace jumun::tests::history {
namespace {
template <class Model> verdict check(part& of, const budget& most) {
  const Model model{of};
  if (const auto& why = model.contradiction(); !why.empty()) {
    verdict v;
    v.said = outcome::violated;
    v.why = why;
    v.window = model.contradicting();
    return v;
  }
  return linearizer<Model>{model, of, most}.run();
}

verdict check(const std::string& key, part& of, const budget& most) {
  if (key.starts_with("stock/")) return check<stock_model>(of, most);
  if (key.starts_with("order/")) return check<order_model>(of, most);
  if (key.starts_with("key/")) return check<key_model>(of, most);
  throw std::runtime_error("no model is for " + key);
}

std::string text_of(const std::string& key, const std::vector<call>& calls, const verdict& v) {
  std::string out = key;
  if (v.said == outcome::gave_up)
    out += " could not be decided within the budget, after " + std::to_string(v.steps) + " steps.";
  else
    out += " is not linearizable" + (v.why.empty() ? std::string{"."} : ": " + v.why + ".");
  out += '\n';
  const auto list = [&](const std::vector<std::uint32_t>& which) {
    for (const auto i : which) out += "    " + line_of(calls[i], key) + '\n';
  };
  if (!v.why.empty()) {
    list(v.window);
    return out;
  }
  out += "  At most " + std::to_string(v.prefix) + " of " + std::to_string(calls.size())
         + " calls can be put in order, the last of them:\n";
  list(v.tail);
  out += "  which leaves " + v.state + ". Behind that none of these can come next:\n";
  list(v.window);
  return out;
}
} // namespace

judgement judge(const story& s, const judging& how) {
  std::vector<std::vector<call>> by_key(s.keys.size());
  judgement result;
  result.keys = s.keys.size(), result.lines = s.calls.size();
  for (const auto& c : s.calls) {
    by_key.at(c.key).push_back(c);
    result.calls += c.is_request() ? 1 : 0;
    result.hidden += c.hidden() ? 1 : 0;
    result.unknown += c.answered() ? 0 : 1;
  }
  std::vector<verdict> found(s.keys.size());
  std::vector<std::string> texts(s.keys.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (auto i = next++; i < by_key.size(); i = next++) {
      part of{by_key[i], {}, {}};
      found[i] = check(s.keys[i], of, how.most);
      if (found[i].said != outcome::linearizable)
        texts[i] = text_of(s.keys[i], by_key[i], found[i]);
    }
  };
  for (const auto& key : s.keys) // before any thread could throw
    if (!key.starts_with("stock/") && !key.starts_with("order/") && !key.starts_with("key/"))
      throw std::runtime_error("no model is for " + key);
  std::vector<std::thread> others;
  for (unsigned i = 1; i < how.threads; ++i) others.emplace_back(work);
  work();
  for (auto& t : others) t.join();
  for (std::size_t i = 0; i < found.size(); ++i) {
    result.steps += found[i].steps;
    result.remembered += found[i].remembered;
    if (found[i].said != outcome::linearizable)
      result.wrong.push_back({s.keys[i], std::move(found[i]), std::move(texts[i])});
  }
  return result;
}
} // namespace jumun::tests::history
