#include "http/gather.hpp"
#include "domain/page_cursor.hpp"
#include "http/forwarding.hpp"
#include "http/lists.hpp"
#include "http/merge_parts.hpp"
#include "http/resources.hpp"
#include <iterator>
#include <map>

namespace jumun::http {
namespace {
std::vector<std::string> take_json(std::vector<list_part::row> rows) {
  std::vector<std::string> out;
  out.reserve(rows.size());
  for (auto& row : rows) out.push_back(std::move(row.json));
  return out;
}

/// Each shard as its owner says; those whose owner did not say are where the map has them.
void send_shards(const exchange_ptr& ex, std::vector<list_part::row> rows) {
  std::map<std::string, std::string> said;
  for (auto& row : rows) said.emplace(row.key.substr(1, 3), std::move(row.json));
  coverage of;
  std::vector<std::string> data;
  for (auto& s : ex->at->to.cluster->shards()) {
    auto number = std::to_string(s.shard);
    const auto found = said.find(std::string(3 - number.size(), '0') + number);
    if (found == said.end()) of.shards.reset(static_cast<std::size_t>(s.shard));
    data.push_back(found == said.end() ? shard_json(s) : std::move(found->second));
  }
  send_page(ex, data, "", "cursor", of);
}

void send_merged(const exchange_ptr& ex, std::vector<forwarded_answer> answers) {
  if (auto* refused = refusal_in(answers)) return ex->reply(std::move(*refused));
  std::vector<list_part> parts;
  for (auto& a : answers)
    if (a.rows) parts.push_back(std::move(*a.rows));
  const auto parts_came = parts.size();
  const auto as = parts.empty() ? list_part::form::page : parts.front().as;
  const char kind = parts.empty() ? '\0' : parts.front().kind;
  const auto p = read_page(ex);
  if (!p) return;
  const bool paged = as == list_part::form::page;
  auto all = merge_lists(std::move(parts), paged ? p->limit : 0);
  const coverage of{all.served, parts_came == answers.size()};
  switch (as) {
    case list_part::form::page:
      return send_page(ex, take_json(std::move(all.rows)),
        all.end.empty() ? "" : domain::cursor_text(kind, all.end), "cursor", of);
    case list_part::form::whole: return send_slice(ex, take_json(std::move(all.rows)), of);
    case list_part::form::ledger:
      return send_json(ex, ledger_json(take_json(std::move(all.rows)), of));
    case list_part::form::cluster:
      return send_json(
        ex, cluster_json(ex->at->to.cluster->cluster(), take_json(std::move(all.rows))));
    case list_part::form::shards: return send_shards(ex, std::move(all.rows));
    case list_part::form::overview: break; // gathered by its own handler
  }
}
/// What whole lists ask once more for: the parts that were longer than one answer may be.
void send_when_whole(const exchange_ptr& ex, const forwarded_request& like,
  const std::vector<member>& from, std::vector<forwarded_answer> answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& part = answers[i].rows;
    if (!part || part->as == list_part::form::page || part->end.empty()) continue;
    auto rest = like;
    rest.part_after = part->end;
    return ask_each(ex, rest, {from[i]}, limits::part_max,
      [ex, like, from, i, answers = std::move(answers)](
        std::vector<forwarded_answer> more) mutable {
        if (!more[0].rows || more[0].rows->rows.empty()) {
          answers[i].rows.reset(); // of what can't be had whole there is nothing
        } else {
          auto& rows = answers[i].rows->rows;
          std::move(more[0].rows->rows.begin(), more[0].rows->rows.end(), std::back_inserter(rows));
          answers[i].rows->end = std::move(more[0].rows->end);
        }
        send_when_whole(ex, like, from, std::move(answers));
      });
  }
  send_merged(ex, std::move(answers));
}
} // namespace

void gather_list(const exchange_ptr& ex, const route& r) {
  auto from = ex->at->to.others->members();
  if (r.at == home::list) std::erase_if(from, [](const member& m) { return m.shards.none(); });
  // Before it has joined a node knows of nobody, not even of itself.
  if (from.empty() && r.at == home::all_nodes) return run_here(ex, r);
  if (from.size() == 1 && from.front().here && from.front().shards.all()) return run_here(ex, r);
  auto like = forwarded(ex);
  like.part = true;
  ask_each(
    ex, like, from, limits::part_max, [ex, like, from](std::vector<forwarded_answer> answers) {
      send_when_whole(ex, like, from, std::move(answers));
    });
}
} // namespace jumun::http
