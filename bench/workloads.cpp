#include "bench/workloads.hpp"
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <random>

namespace jumun::bench {
namespace {
constexpr unsigned name_digits = 3, customer_digits = 5, key_digits = 12;

/// `n` in so many digits: requests have one length, and are changed in place.
void put(char* at, unsigned digits, std::uint64_t n) {
  for (unsigned i = digits; i-- > 0; n /= 10) at[i] = static_cast<char>('0' + n % 10);
}
std::string digits(unsigned count, std::uint64_t n) {
  std::string text(count, '0');
  put(text.data(), count, n);
  return text;
}
std::string post(const std::string& path, const std::string& more, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n" + more
         + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n";
}

verdict judge(const response& answer, bool good, tally& seen) {
  if (good) return verdict::good;
  if (answer.status == 429 || answer.status == 503) return verdict::turned_away;
  if (seen.odd.empty())
    seen.odd = std::to_string(answer.status) + " " + std::string{answer.body.substr(0, 300)};
  return verdict::failed;
}

/// Keys must differ between the runs against one server, too.
std::uint64_t first_key(unsigned thread) {
  return std::random_device{}() * std::uint64_t{100} + thread * 10'000'000'000ULL;
}

/// The requests that place orders: some bodies, prepared, whose digits are changed in place.
class order_requests {
public:
  order_requests(const order_form& form, unsigned thread)
      : form_(form), key_(first_key(thread)), n_(thread * 7919U) {
    // Orders of many lines begin with another SKU each; those of one line are changed in place.
    const auto variants = form.lines == 1 ? 1U : std::min(form.skus, 16U);
    for (unsigned v = 0; v < variants; ++v) texts_.push_back(prepare(v * form.skus / variants));
  }

  std::string_view next() {
    ++n_;
    auto& t = texts_[n_ % texts_.size()];
    put(t.text.data() + t.customer, customer_digits, n_ % form_.customers);
    if (form_.lines == 1) put(t.text.data() + t.sku, name_digits, sku_of(n_));
    if (form_.keyed) put(t.text.data() + t.key, key_digits, ++key_);
    return t.text;
  }

private:
  struct prepared {
    std::string text;
    std::size_t customer = 0, sku = 0, key = 0; // where their digits are
  };
  std::uint64_t sku_of(std::uint64_t n) const {
    return form_.these.empty() ? n % form_.skus : form_.these[n % form_.these.size()];
  }
  prepared prepare(unsigned first_sku) const {
    std::string body = R"({"customer_id":"c-)" + digits(customer_digits, 0) + R"(","lines":[)";
    for (unsigned line = 0; line < form_.lines; ++line)
      body += (line ? "," : "") + (R"({"sku":")" + sku_name((first_sku + line) % form_.skus))
              + R"(","quantity":)" + std::to_string(form_.quantity) + '}';
    body += R"(],"payment":{"method":"card","token":")" + form_.token
            + R"("},"shipping_address":{"line1":"1 Sejong-daero","city":"Seoul","country":"KR"}})";
    std::string more;
    if (form_.waits) more += "Prefer: wait=10\r\n";
    if (form_.keyed) more += "Idempotency-Key: bench-" + digits(key_digits, 0) + "\r\n";
    prepared p{post("/v1/orders", more, body)};
    p.customer = p.text.find("\"c-") + 3;
    p.sku = p.text.find("bench-", p.customer) + 6;
    p.key = p.text.find("Key: bench-") + 11;
    return p;
  }

  order_form form_;
  std::vector<prepared> texts_;
  std::uint64_t key_;
  std::uint64_t n_;
};

/// Notes what an answer to a new order says.
verdict hear_order(const response& answer, bool waited, tally& seen) {
  if (answer.status != 201) {
    if (answer.status >= 400 && answer.status != 504) ++seen.orders_refused;
    return judge(answer, false, seen);
  }
  ++seen.orders_accepted;
  // {"id":"ord_…","status":"preparing",…: whoever waited was told the end, or it took too long.
  const bool settled =
    answer.body.substr(0, 100).find(R"("status":"preparing")") != std::string_view::npos;
  if (settled) ++seen.orders_settled;
  return judge(answer, settled || !waited, seen);
}

class getter final : public workload {
public:
  explicit getter(const std::string& path) : text_(get(path)) {}
  std::string_view next(asked&) override { return text_; }
  verdict heard(const asked&, const response& answer) override {
    return judge(answer, answer.status == 200, seen);
  }

private:
  std::string text_;
};

class orders final : public workload {
public:
  orders(const order_form& form, unsigned thread) : waits_(form.waits), requests_(form, thread) {}
  std::string_view next(asked&) override {
    ++seen.orders_sent;
    return requests_.next();
  }
  verdict heard(const asked&, const response& answer) override {
    return hear_order(answer, waits_, seen);
  }

private:
  bool waits_;
  order_requests requests_;
};

class mixture final : public workload {
public:
  mixture(const order_form& form, unsigned thread)
      : waits_(form.waits), requests_(form, thread), chance_(thread + 1) {}

  std::string_view next(asked& about) override {
    const auto dice = chance_() % 10;
    if (dice < 7 || placed_.empty()) return place(about);
    if (dice < 9) return read(about);
    return cancel(about);
  }
  verdict heard(const asked& about, const response& answer) override {
    switch (about.kind) {
      case order: return hear_new(answer);
      case look: return judge(answer, answer.status == 200, seen);
      default: return hear_cancel(answer);
    }
  }

private:
  enum kind : unsigned { order, look, undo };
  static constexpr std::size_t kept_max = 4'096; // orders that may be read or cancelled

  std::string_view place(asked& about) {
    about.kind = order;
    ++seen.orders_sent;
    return requests_.next();
  }
  std::string_view read(asked& about) {
    about.kind = look;
    return text_ = get(placed_[chance_() % placed_.size()]);
  }
  std::string_view cancel(asked& about) {
    about.kind = undo;
    ++seen.cancels_sent;
    const auto path = std::move(placed_.front());
    placed_.pop_front();
    return text_ = post(path + "/cancellations", {}, R"({"reason":"changed my mind"})");
  }
  verdict hear_new(const response& answer) {
    if (answer.status == 201) {
      if (placed_.size() == kept_max) placed_.pop_front();
      placed_.emplace_back(answer.field("location"));
    }
    return hear_order(answer, waits_, seen);
  }
  verdict hear_cancel(const response& answer) {
    const bool accepted = answer.status == 200 || answer.status == 202;
    if (accepted)
      ++seen.cancels_accepted;
    else if (answer.status >= 400 && answer.status != 504)
      ++seen.cancels_refused;
    return judge(answer, accepted, seen);
  }

  bool waits_;
  order_requests requests_;
  std::minstd_rand chance_;
  std::deque<std::string> placed_; // their paths
  std::string text_;
};

class restocker final : public workload {
public:
  explicit restocker(unsigned skus) {
    for (unsigned i = 0; i < skus; ++i)
      texts_.push_back(post(
        "/v1/inventory/" + sku_name(i) + "/adjustments", {}, R"({"delta":1,"reason":"bench"})"));
  }
  std::string_view next(asked&) override {
    ++seen.restock_sent;
    return texts_[++n_ % texts_.size()];
  }
  verdict heard(const asked&, const response& answer) override {
    if (answer.status == 201)
      ++seen.restock_done;
    else if (answer.status >= 400 && answer.status != 504)
      ++seen.restock_refused;
    return judge(answer, answer.status == 201, seen);
  }

private:
  std::vector<std::string> texts_;
  std::size_t n_ = 0;
};
} // namespace

std::string sku_name(unsigned n) { return "bench-" + digits(name_digits, n); }

std::unique_ptr<workload> getting(std::string path) { return std::make_unique<getter>(path); }
std::unique_ptr<workload> ordering(const order_form& form, unsigned thread) {
  return std::make_unique<orders>(form, thread);
}
std::unique_ptr<workload> mixing(const order_form& form, unsigned thread) {
  return std::make_unique<mixture>(form, thread);
}
std::unique_ptr<workload> restocking(unsigned skus) { return std::make_unique<restocker>(skus); }
} // namespace jumun::bench
