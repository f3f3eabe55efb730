#pragma once
#include "tests/support/shop_client.hpp"
#include <csignal>
#include <fstream>

namespace jumun::tests {
/// tests/provider/stripe_like.py as a process: a payment provider with books of its own, on disk.
class stripe_like {
public:
  static constexpr auto key = "sk_test_provider";
  explicit stripe_like(const std::filesystem::path& dir) : ledger_(dir / "provider.jsonl") {
    start("0");
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void kill9() {
    child_->send(SIGKILL);
    child_->wait();
  }
  void start_again() { start(std::to_string(port_)); }
  /// The next `times` requests that can meet this fault do.
  void fault(const std::string& name, int times = 1) const {
    need(client{port_}.put("/control", {{"fault", name}, {"times", times}}), 200);
  }
  [[nodiscard]] json books() const { return need(client{port_}.get("/control"), 200).json(); }

  /// What one order came to in these books; a void is an intent that was canceled.
  static money_moved money_in(const json& books, const std::string& order_id) {
    money_moved m;
    std::set<std::string> intents;
    for (const auto& i : books.at("intents")) {
      if (i.at("metadata").at("order_id") != order_id) continue;
      intents.insert(i.at("id"));
      const auto taken = i.at("amount_received").get<std::int64_t>();
      if (taken > 0) ++m.charges, m.kept += taken;
      if (i.at("status") == "canceled") ++m.voids;
    }
    for (const auto& r : books.at("refunds"))
      if (intents.count(r.at("payment_intent")) > 0)
        ++m.refunds, m.kept -= r.at("amount").get<std::int64_t>();
    return m;
  }
  [[nodiscard]] money_moved money(const std::string& order_id) const {
    return money_in(books(), order_id);
  }

private:
  void start(const std::string& port) {
    child_ = std::make_unique<process>(process::options{
      {JUMUN_TEST_ROOT "/provider/stripe_like.py", ledger_.string(), port}, {}, {}, "python3"});
    const auto line = child_->read_line();
    if (!line || !line->starts_with("port="))
      throw std::runtime_error("the provider did not start");
    port_ = static_cast<std::uint16_t>(std::stoul(line->substr(5)));
  }
  std::filesystem::path ledger_;
  std::unique_ptr<process> child_;
  std::uint16_t port_ = 0;
};

/// A server that is paid through a provider of its own.
struct paid_shop {
  temp_dir dir;
  stripe_like provider{dir.path()};
  server at;
  explicit paid_shop(std::vector<std::string> args = {}) : at(dir.path() / "data", all(args)) {}
  [[nodiscard]] shop_client client() const { return shop_client{at}; }
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    const auto path = dir.path() / name;
    std::ofstream{path} << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    return path.string();
  }

private:
  std::vector<std::string> all(const std::vector<std::string>& more) const {
    std::vector<std::string> args{"--payment-provider", "http", "--payment-url", provider.url(),
      "--payment-secret-file", write("key", std::string{stripe_like::key} + "\n"),
      "--payment-timeout-ms", "500"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};
} // namespace jumun::tests
