#include "http/console/shelves.hpp"
#include "http/forwarding.hpp"
#include "http/json.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
namespace {
std::vector<shelf_line> lines_elsewhere(const exchange_ptr& ex, domain::order_id id) {
  std::vector<shelf_line> out;
  if (!ex->at->to.others) return out;
  const auto rows = ex->at->to.inspector->rows_of(id);
  if (!rows) return out;
  const auto here = served_by(*ex->at);
  for (std::size_t i = 0; i < rows->now.lines.size(); ++i) {
    const auto& sku = rows->now.lines[i].sku;
    if (!here.test(domain::shard_of(sku))) out.push_back({static_cast<std::uint16_t>(i), sku});
  }
  return out;
}

std::vector<member> nodes_of(const exchange_ptr& ex, const std::vector<shelf_line>& lines) {
  domain::shard_set shelves;
  for (const auto& l : lines) shelves.set(domain::shard_of(l.sku));
  auto from = members_of(*ex->at);
  std::erase_if(from, [&](const member& m) { return m.here || (m.shards & shelves).none(); });
  return from;
}

forwarded_request question(
  const exchange_ptr& ex, const std::vector<shelf_line>& lines, const recording_form& how) {
  json_writer w;
  w.open('{');
  w.number("seconds", how.lasts.count());
  w.count("messages", how.messages);
  w.open("lines", '[');
  for (const auto& l : lines) {
    w.open('{');
    w.number("line", l.line);
    w.text("sku", l.sku);
    w.close('}');
  }
  w.close(']');
  w.close('}');
  forwarded_request r;
  r.on = listener::on_ops;
  r.head.append(ex->head.method).append(" ").append(ex->head.path);
  r.head += " HTTP/1.1\r\nHost: jumun\r\n\r\n";
  r.body = w.take();
  r.who = ex->who;
  r.from = ex->from;
  r.part = true;
  return r;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}
/// As a row's key wants it: see list_part::row.
std::string key_of(std::int64_t at_us) {
  const auto number = std::to_string(at_us);
  return std::string(1, '\0') + std::string(20 - number.size(), '0') + number;
}

/// The first row is how many messages were seen.
void add_part(shelf_rows& all, list_part part) {
  if (part.rows.empty()) return;
  all.seen += static_cast<std::uint64_t>(number_in(part.rows.front().json));
  for (auto row = part.rows.begin() + 1; row != part.rows.end(); ++row)
    all.rows.push_back({number_in(std::string_view{row->key}.substr(1)), std::move(row->json)});
}
} // namespace

void sort_by_time(std::vector<timed_row>& rows) {
  std::stable_sort(rows.begin(), rows.end(),
    [](const timed_row& a, const timed_row& b) { return a.at_us < b.at_us; });
}

shelf_question read_shelf_question(const exchange_ptr& ex) {
  shelf_question q;
  const auto parsed = parse_json(ex->body);
  const auto* body = std::get_if<json_value>(&parsed);
  if (!body) return q;
  const auto number = [](const json_value& of, std::string_view name) {
    const auto* found = of.find(name);
    return found ? found->integer : 0;
  };
  q.how = {std::chrono::seconds{number(*body, "seconds")},
    static_cast<std::size_t>(number(*body, "messages"))};
  if (const auto* lines = body->find("lines"))
    for (const auto& l : lines->items)
      if (const auto* sku = l.find("sku"))
        q.lines.push_back({static_cast<std::uint16_t>(number(l, "line")), sku->text});
  return q;
}

void send_shelf_rows(const exchange_ptr& ex, std::vector<timed_row> rows, std::uint64_t seen) {
  list_part part;
  part.as = list_part::form::whole;
  part.served = served_by(*ex->at);
  part.rows.push_back({key_of(0), std::to_string(seen)});
  for (auto& r : rows) part.rows.push_back({key_of(r.at_us), std::move(r.json)});
  ex->reply_across({forwarded_answer::kind::answered, {}, std::move(part), {}});
}

void ask_shelves(const exchange_ptr& ex, domain::order_id id, const recording_form& how,
  std::function<void(shelf_rows)> then) {
  const auto lines = lines_elsewhere(ex, id);
  if (lines.empty()) return then({});
  const auto nodes = nodes_of(ex, lines);
  ask_each(ex, question(ex, lines, how), nodes, limits::part_max,
    [nodes, then = std::move(then)](std::vector<forwarded_answer> answers) {
      shelf_rows all;
      for (std::size_t i = 0; i < answers.size(); ++i)
        if (answers[i].rows)
          add_part(all, std::move(*answers[i].rows));
        else
          all.silent.push_back(nodes[i].node);
      then(std::move(all));
    });
}

void put_silent(json_writer& w, const std::vector<std::string>& nodes) {
  w.open("missing_nodes", '[');
  for (const auto& n : nodes) w.element(n);
  w.close(']');
}
} // namespace jumun::http
