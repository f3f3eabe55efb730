#include "tests/history/client.hpp"
#include <algorithm>
#include <thread>
#include <utility>

namespace jumun::tests::history {
namespace {
bool settled(standing s) {
  return s >= standing::preparing && s != standing::cancelling;
}
std::string get(const std::string& target, const std::string& more = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: shop\r\n" + more + "\r\n";
}
std::string with_body(const std::string& method, const std::string& target, const std::string& more,
  const std::string& body) {
  return method + ' ' + target + " HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
         + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string key_field(std::uint64_t number) {
  return "Idempotency-Key: wish-" + std::to_string(number) + "\r\n";
}
standing order_standing(std::string_view body) { return standing_of(text_in(body, "status")); }
} // namespace

recording_client::recording_client(floor_of_shop& floor, std::uint16_t number, std::uint64_t seed)
    : floor_(&floor), number_(number), chance_(seed * 7919 + number),
      versions_(floor.skus().size(), 0) {}

// -- asking
// ------------------------------------------------------------------------------------------------

void recording_client::ask(std::string request, asked what) {
  what.c.client = number_;
  out_ += request;
  batch_.push_back(std::move(what));
}

std::uint32_t recording_client::some_shelf() {
  const auto count = floor_->skus().size();
  const auto hot = std::min<std::size_t>(count, 4);
  return static_cast<std::uint32_t>(pick(10) < 6 ? pick(hot) : pick(count));
}
std::uint32_t recording_client::some_order() {
  const auto count = floor_->orders();
  if (count == 0) return UINT32_MAX;
  return count - 1 - static_cast<std::uint32_t>(pick(std::min<std::uint32_t>(count, 48)));
}

void recording_client::ask_shelf() {
  const auto shelf = some_shelf();
  const bool menu = pick(7) == 0;
  asked a;
  a.c.key = shelf, a.c.what = menu ? action::read_menu : action::read_stock;
  ask(get((menu ? "/v1/products/" : "/v1/inventory/") + floor_->skus()[shelf]), std::move(a));
}
void recording_client::ask_count() {
  const auto shelf = some_shelf();
  asked a;
  a.c.key = shelf, a.c.what = action::count, a.c.if_version = versions_[shelf];
  a.c.quantity = static_cast<std::int64_t>(pick(80));
  ask(with_body("PUT", "/v1/inventory/" + floor_->skus()[shelf],
        "If-Match: \"" + std::to_string(a.c.if_version) + "\"\r\n",
        "{\"on_hand\":" + std::to_string(a.c.quantity) + '}'),
    std::move(a));
}
void recording_client::ask_order(std::uint32_t order) {
  asked a;
  a.c.key = first_order_key + order, a.c.what = action::read_order;
  ask(get("/v1/orders/" + floor_->order(order).id), std::move(a));
}
/// By long poll now and then, as that holds up what is behind it in the pipe.
void recording_client::follow(const followed& f) {
  asked a;
  a.c.key = first_order_key + f.order, a.c.what = action::read_order, a.known = f.version;
  auto more = "If-None-Match: \"" + std::to_string(f.version) + "\"\r\n";
  if (pick(4) == 0) more += "Prefer: wait=1\r\n";
  ask(get("/v1/orders/" + floor_->order(f.order).id, more), std::move(a));
}
void recording_client::ask_events(std::uint32_t order) {
  asked a;
  a.c.key = first_order_key + order, a.c.what = action::events;
  ask(get("/v1/orders/" + floor_->order(order).id + "/events"), std::move(a));
}

wish_ptr recording_client::new_adjustment() {
  wish w;
  w.number = floor_->next_number(), w.what = action::adjust, w.shelf = some_shelf();
  const auto pieces = static_cast<std::int64_t>(1 + pick(9));
  w.quantity = pick(20) < 11 ? pieces : -pieces;
  w.request = with_body("POST", "/v1/inventory/" + floor_->skus()[w.shelf] + "/adjustments",
    key_field(w.number), "{\"delta\":" + std::to_string(w.quantity) + R"(,"reason":"counted"})");
  return std::make_shared<const wish>(std::move(w));
}
wish_ptr recording_client::new_order() {
  wish w;
  w.number = floor_->next_number(), w.what = action::place;
  w.lines[0] = {some_shelf(), static_cast<std::int64_t>(1 + pick(3))};
  if (pick(8) == 0) w.lines[1] = {some_shelf(), static_cast<std::int64_t>(1 + pick(3))};
  if (w.lines[1].shelf == w.lines[0].shelf) w.lines[1] = {};
  std::string lines;
  for (const auto& l : w.lines)
    if (l.quantity > 0)
      lines += (lines.empty() ? R"({"sku":")" : R"(,{"sku":")") + floor_->skus()[l.shelf]
               + R"(","quantity":)" + std::to_string(l.quantity) + '}';
  const std::string token = pick(6) == 0 ? "tok_decline" : "tok_approve";
  w.request = with_body("POST", "/v1/orders",
    key_field(w.number) + (pick(4) == 0 ? "" : "Prefer: wait=5\r\n"),
    R"({"customer_id":"c-)" + std::to_string(number_) + R"(","lines":[)" + lines
      + R"(],"payment":{"method":"card","token":")" + token
      + R"("},"shipping_address":{"line1":"1 Sejong-daero","city":"Seoul","country":"KR"}})");
  return std::make_shared<const wish>(std::move(w));
}
/// A cancellation, or what the courier says.
wish_ptr recording_client::new_change(std::uint32_t order) {
  wish w;
  w.number = floor_->next_number(), w.order = order;
  const auto what = pick(10);
  w.what = what < 6 ? action::cancel : action::report;
  if (w.what == action::cancel) {
    w.request = with_body("POST", "/v1/orders/" + floor_->order(order).id + "/cancellations",
      key_field(w.number), "{}");
  } else {
    const bool over = what >= 8;
    w.quantity = static_cast<std::int64_t>(over ? standing::delivered : standing::shipped);
    w.request = with_body("POST", "/v1/deliveries/" + floor_->order(order).delivery + "/updates",
      key_field(w.number), over ? R"({"status":"delivered"})" : R"({"status":"picked_up"})");
  }
  return std::make_shared<const wish>(std::move(w));
}

void recording_client::send_wish(const wish_ptr& w) {
  asked a;
  a.of = w;
  a.c.what = w->what;
  ask(w->request, std::move(a));
}

void recording_client::choose() {
  const auto what = pick(1000);
  if (what < 560) return ask_shelf();
  if (what < 600) return ask_count();
  if (what < 740) {
    auto w = new_adjustment();
    if (pick(16) == 0) floor_->show(w);
    return send_wish(w);
  }
  if (what < 790 && !floor_->full()) {
    auto w = new_order();
    if (pick(8) == 0) floor_->show(w);
    return send_wish(w);
  }
  if (what < 810)
    if (const auto w = floor_->shown(chance_())) return send_wish(w);
  const auto order = some_order();
  if (order == UINT32_MAX) return ask_shelf();
  if (what < 940) return ask_order(order);
  if (what < 970) return ask_events(order);
  auto w = new_change(order);
  if (pick(8) == 0) floor_->show(w);
  send_wish(w);
}

// -- being answered
// ------------------------------------------------------------------------------------------------

void recording_client::take_read(asked& a, const answer& r) {
  auto& c = a.c;
  const bool unchanged = a.known != unseen && r.status == 304;
  const auto allowed = r.status == 200 || unchanged
                       || (c.what == action::count && (r.status == 412 || r.status == 409));
  if (!allowed) {
    if (r.status < 500)
      floor_->complain("a read was answered " + std::to_string(r.status) + ": " + r.body);
    c.status = 0, c.returned = never;
    if (c.what == action::count) reads.push_back(c);
    return;
  }
  if (unchanged) {
    c.version = a.known;
    followed_.push_back({c.key - first_order_key, a.known});
  } else if (c.what == action::read_stock || (c.what == action::count && r.status == 200)) {
    c.version = number_in(r.body, "version");
    c.on_hand = number_in(r.body, "on_hand"), c.reserved = number_in(r.body, "reserved");
    if (c.version != r.version || number_in(r.body, "available") != c.on_hand - c.reserved)
      floor_->complain("one answer contradicts itself: " + r.body);
    versions_[c.key] = c.version;
  } else if (c.what == action::read_menu) {
    c.version = r.stock_version, c.available = number_in(r.body, "available");
  } else if (c.what == action::read_order) {
    c.version = number_in(r.body, "version"), c.seen = order_standing(r.body);
    c.digest = digest_of(r.body);
    if (a.known != unseen && !settled(c.seen))
      followed_.push_back({c.key - first_order_key, c.version});
  } else if (c.what == action::events) {
    c.digest = digest_of(r.body), c.quantity = 0;
    for (auto at = r.body.find("\"specversion\""); at != std::string::npos;
         at = r.body.find("\"specversion\"", at + 1))
      ++c.quantity;
  }
  reads.push_back(c);
}

void recording_client::take_wish(asked& a, const answer& r) {
  auto& c = a.c;
  const bool running =
    r.status == 409 && r.body.find("idempotency-key-running") != std::string::npos;
  sending s{a.of, c, UINT32_MAX, 0};
  if (running || r.status >= 500) {
    if (r.status == 500) floor_->complain("500: " + r.body);
    s.heard.status = 0, s.heard.returned = never;
    sendings.push_back(std::move(s));
    again_.push_back(a.of);
    return;
  }
  s.heard.digest = digest_of(r.body, static_cast<std::uint64_t>(r.status));
  s.heard.replayed = r.replayed;
  const bool done = r.status >= 200 && r.status < 300;
  if (!done && r.status != 409)
    floor_->complain(a.of->request + " was answered " + std::to_string(r.status) + r.body);
  if (done && a.of->what == action::adjust) {
    s.heard.version = number_in(r.body, "version");
    s.heard.on_hand = number_in(r.body, "on_hand");
    s.heard.reserved = number_in(r.body, "reserved");
  } else if (done && a.of->what == action::place) {
    const auto delivery = r.body.find("\"delivery\"");
    s.order = floor_->learn(text_in(r.body, "id"),
      text_in(std::string_view{r.body}.substr(std::min(delivery, r.body.size())), "id"), *a.of);
    s.heard.version = number_in(r.body, "version"), s.heard.seen = order_standing(r.body);
    s.body_digest = digest_of(r.body);
    if (s.order != UINT32_MAX && !settled(s.heard.seen))
      followed_.push_back({s.order, s.heard.version});
  } else if (done && a.of->what == action::cancel) {
    s.heard.version = r.version;
    if (r.status == 202) followed_.push_back({a.of->order, r.version});
  } else if (done) {
    s.heard.version = number_in(r.body, "version");
    s.heard.seen = static_cast<standing>(a.of->quantity);
  }
  sendings.push_back(std::move(s));
}

void recording_client::take(asked& a, const answer& r) {
  a.c.returned = now_ns();
  a.c.status = static_cast<std::uint16_t>(r.status);
  ++floor_->answered;
  a.of ? take_wish(a, r) : take_read(a, r);
}

/// From here on nothing of the batch was answered. A read tells nothing then.
void recording_client::broken(std::size_t from) {
  for (auto i = from; i < batch_.size(); ++i) {
    auto& a = batch_[i];
    a.c.status = 0, a.c.returned = never;
    if (a.c.what == action::count) reads.push_back(a.c);
    if (a.known != unseen) followed_.push_back({a.c.key - first_order_key, a.known});
    if (!a.of) continue;
    sendings.push_back({a.of, a.c, UINT32_MAX, 0});
    // An order's id must be learnt; of others, some are never heard of again.
    if (closing_ || a.of->what == action::place || pick(2) == 0) again_.push_back(a.of);
  }
}

void recording_client::send_batch() {
  const auto hang_up = !closing_ && pick(300) == 0;
  const auto heard_of = hang_up ? pick(batch_.size() + 1) : batch_.size();
  const auto start = now_ns();
  for (auto& a : batch_) a.c.invoked = start;
  floor_->sent += batch_.size();
  std::size_t next = 0;
  answer r;
  // A pipe that is cut within a request: the server must make nothing of the half.
  const auto bytes = hang_up && heard_of == 0 && pick(2) == 0 ? pick(out_.size()) : out_.size();
  if (line_->write(std::string_view{out_}.substr(0, bytes)))
    while (next < heard_of && line_->read(r)) take(batch_[next++], r);
  if (next < batch_.size()) {
    ++floor_->cut;
    line_->close();
    broken(next);
  }
  out_.clear();
  batch_.clear();
}

void recording_client::shop() {
  while (!floor_->over()) {
    if (!line_->is_open()) {
      const auto port = floor_->port();
      if (port == 0) break;
      if (!line_->open(port)) {
        std::this_thread::yield(); // it is going down: port() blocks once that is known
        continue;
      }
    }
    for (const auto& f : std::exchange(followed_, {})) follow(f);
    if (!again_.empty()) send_wish(again_.back()), again_.pop_back();
    for (auto more = 1 + pick(6); more > 0; --more) choose();
    send_batch();
  }
  line_->close();
}

void recording_client::finish() {
  closing_ = true;
  for (int tries = 0; !again_.empty() && tries < 10'000; ++tries) {
    if (!line_->is_open() && !line_->open(floor_->port())) break;
    for (const auto& w : std::exchange(again_, {})) {
      send_wish(w);
      if (batch_.size() >= 32) send_batch();
    }
    if (!batch_.empty()) send_batch();
  }
  if (!again_.empty()) floor_->complain("never answered: " + again_.back()->request);
  line_->close();
}
} // namespace jumun::tests::history
