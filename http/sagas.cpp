#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/console/forecast.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
namespace {
constexpr auto last_phase = static_cast<unsigned>(domain::phase::cancelled);

/// `90`, `90s`, `15m`, `6h`, `7d`; nullopt: none of these, or more than ten years.
std::optional<std::chrono::seconds> parse_age(std::string_view text) {
  constexpr std::pair<char, std::int64_t> units[] = {
    {'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}};
  constexpr std::int64_t longest = std::int64_t{10} * 366 * 86'400;
  std::int64_t unit = 1, n = -1;
  for (const auto& [letter, seconds] : units)
    if (!text.empty() && text.back() == letter) {
      unit = seconds;
      text.remove_suffix(1);
      break;
    }
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end != text.data() + text.size() || n < 0 || n > longest / unit)
    return {};
  return std::chrono::seconds{n * unit};
}

/// The action of the body; notes what is wrong with it.
struct wanted_action {
  domain::operator_acted what;
  bool dry_run = false; // nothing is done: what would be?
};
wanted_action read_action(const json_value& body, std::vector<field_error>& errors) {
  object_reader in{body, "", errors};
  wanted_action wanted;
  auto& what = wanted.what;
  const auto name = in.text("action", 1, limits::text_bytes_max);
  const auto action = domain::parse_operator_action(name);
  if (action)
    what.action = *action;
  else if (!name.empty())
    in.refuse("action", "must be one of: pause, resume, retry_now, cancel, resolve");
  wanted.dry_run = in.truth_or_none("dry_run").value_or(false);
  what.reason = wanted.dry_run ? in.text_or_empty("reason", limits::text_bytes_max)
                               : in.text("reason", 1, limits::text_bytes_max);
  in.finish();
  return wanted;
}
/// `phase=refunding,voiding` as bits; 0: absent. nullopt: the 422 is sent.
std::optional<std::uint32_t> read_phases(const exchange_ptr& ex) {
  const auto text = ex->query("phase").value_or("");
  std::uint32_t bits = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find(',', from), text.size());
    const auto name = std::string_view{text}.substr(from, end - from);
    unsigned p = 1;
    while (p <= last_phase && domain::name_of(static_cast<domain::phase>(p)) != name) ++p;
    if (p > last_phase) {
      refuse_query(ex, "phase", "must be names of phases, with commas, such as refunding,voiding");
      return {};
    }
    bits |= 1U << p;
    from = end + 1;
  }
  return bits;
}

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}
} // namespace

/// GET /admin/v1/sagas?state=&phase=&customer_id=&sku=&older_than= → 200; without `state` all that
/// are open. 400 invalid-cursor, 422.
void list_sagas(const exchange_ptr& ex) {
  auto* desk = ex->at->to.sagas;
  if (!desk) return send(ex, problems::not_found, "this server has no sagas");
  const auto state = read_choice(ex, "state", {"running", "waiting", "paused", "blocked", "done"});
  const auto phases = state ? read_phases(ex) : std::nullopt;
  if (!phases) return;
  saga_query q{
    *state, ex->query("customer_id").value_or(""), ex->query("sku").value_or(""), {}, *phases};
  if (const auto age = ex->query("older_than"); age && !(q.older_than = parse_age(*age)))
    return refuse_query(ex, "older_than", "must be an age such as 90s, 15m, 6h or 7d");
  const auto p = read_page(ex);
  if (!p) return;
  send_rows(ex, desk->list(q, p->limit, p->cursor),
    [&](const domain::order& o) { return saga_json(o, ex->at->options.node); });
}

/// GET /admin/v1/sagas/{order} → 200, 304, 404.
void get_saga(const exchange_ptr& ex) {
  const auto id = domain::parse_id(domain::id_kind::order, ex->params[0]);
  const auto o = id ? ex->inside().find_order(*id) : std::nullopt;
  if (!o) return send(ex, problems::not_found, "no order has this id");
  send_versioned(ex, saga_json(*o, ex->at->options.node), o->version);
}

/// POST /admin/v1/sagas/{order}/actions {action, reason, dry_run?} → 202 with the saga; with
/// dry_run 200 with what it would do; 400, 404, 409 action-not-allowed, 412, 422.
void act_on_saga(const exchange_ptr& ex) {
  auto* desk = ex->at->to.sagas;
  const auto id = domain::parse_id(domain::id_kind::order, ex->params[0]);
  const auto now = desk && id ? ex->inside().find_order(*id) : std::nullopt;
  if (!now) return send(ex, problems::not_found, "no order has this id");
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  auto wanted = read_action(std::get<json_value>(body), errors);
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  if (wanted.dry_run)
    return send_json(ex,
      forecast_json(*now, domain::foresee(*now, wanted.what, {now_ms(), 0}), ex->at->options.node));
  domain::act_on_saga c{ex->from, role_names(ex->who.roles), *id, std::move(wanted.what), {}};
  const auto condition = read_conditions(ex, [&] { return std::optional{now->version}; });
  if (!condition) return;
  c.if_version = condition->if_version;
  command(ex, [desk, c](done<outcome> d) { desk->act(c, std::move(d)); });
}
} // namespace jumun::http
