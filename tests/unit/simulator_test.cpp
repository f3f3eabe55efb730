#include "app/ledger_file.hpp"
#include "app/payment_simulator.hpp"
#include "tests/catch.hpp"
#include "tests/support/slowness.hpp"
#include "tests/support/temp_dir.hpp"
#include <csignal>
#include <fstream>
#include <future>
#include <sys/resource.h>

using namespace jumun;
using app::payment_simulator;
using domain::payment_said;

namespace {
domain::order_id order(std::uint64_t n) {
  return domain::make_order_id(7, 1'700'000'000'000, 1, n);
}
actors::provider_charge bill(std::uint64_t n, const std::string& token) {
  return {order(n), domain::to_text(domain::id_kind::payment, order(n)), 9'000, "KRW", token};
}

/// A simulator in a folder, and questions that wait for their answer.
struct provider {
  explicit provider(const std::filesystem::path& dir) { open(dir); }
  void open(const std::filesystem::path& dir) {
    auto made = payment_simulator::open(
      {dir, [this](const storage::failure& why) { failed.set_value(why); }});
    REQUIRE(std::holds_alternative<std::unique_ptr<payment_simulator>>(made));
    it = std::move(std::get<std::unique_ptr<payment_simulator>>(made));
  }

  /// What a question comes to: its callback, as something to wait for.
  struct heard {
    std::shared_ptr<std::promise<actors::provider_said>> promise =
      std::make_shared<std::promise<actors::provider_said>>();
    std::future<actors::provider_said> future = promise->get_future();
    actors::provider_callback callback() {
      return [p = promise](actors::provider_said s) { p->set_value(std::move(s)); };
    }
    actors::provider_said get() {
      REQUIRE(
        future.wait_for(std::chrono::seconds{20} * tests::slowness) == std::future_status::ready);
      return future.get();
    }
    /// Call it behind a later answer: what comes in order would have come by then.
    bool silent() { return future.wait_for(std::chrono::seconds{0}) != std::future_status::ready; }
  };
  heard charging(const actors::provider_charge& c) {
    heard h;
    it->charge(c, h.callback());
    return h;
  }
  actors::provider_said charge(const actors::provider_charge& c) { return charging(c).get(); }
  actors::provider_said inquire(std::uint64_t n) {
    heard h;
    it->inquire(bill(n, ""), h.callback());
    return h.get();
  }
  actors::provider_said cancel(const actors::provider_charge& c) {
    heard h;
    it->cancel(c, h.callback());
    return h.get();
  }
  /// kind:amount of each line.
  std::string ledger() const {
    std::string all;
    for (const auto& e : it->ledger()) all += e.kind + ":" + std::to_string(e.amount) + " ";
    return all;
  }

  std::promise<storage::failure> failed;
  std::unique_ptr<payment_simulator> it;
};

std::filesystem::path ledger_of(const tests::temp_dir& dir) {
  return dir.path() / "simulator" / "ledger.jsonl";
}
void write_ledger(const tests::temp_dir& dir, const std::string& text) {
  std::filesystem::create_directories(ledger_of(dir).parent_path());
  std::ofstream{ledger_of(dir), std::ios::binary | std::ios::trunc} << text;
}
std::string read_ledger_bytes(const tests::temp_dir& dir) {
  std::ifstream in{ledger_of(dir), std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}
http::ledger_entry line_of(const char* kind, std::uint64_t n, std::int64_t amount) {
  return {kind, domain::to_text(domain::id_kind::order, order(n)), bill(n, "").payment_id, "KRW",
    amount, 1'763'833'260'123};
}
} // namespace

TEST_CASE("a token says what the simulator does, within bounds", "[simulator]") {
  using kind = app::token_plan::kind;
  const auto table = std::vector<std::pair<std::string, app::token_plan>>{
    {"tok_approve", {kind::approve, 0}},
    {"tok_decline", {kind::decline, 0}},
    {"tok_timeout", {kind::timeout, 0}},
    {"tok_unknown_charged", {kind::unknown_charged, 0}},
    {"tok_flaky_0", {kind::flaky, 0}},
    {"tok_flaky_1000000", {kind::flaky, 1'000'000}},
    {"tok_refund_fails_3", {kind::refund_fails, 3}},
    {"tok_slow_3600000", {kind::slow, 3'600'000}},
    {"tok_flaky_1000001", {}},
    {"tok_slow_3600001", {}},
    {"tok_slow_99999999999999999999", {}},
    {"tok_flaky_", {}},
    {"tok_flaky_-1", {}},
    {"tok_flaky_3x", {}},
    {"tok_flaky_ 3", {}},
    {"tok_approve ", {}},
    {"TOK_APPROVE", {}},
    {"", {}},
  };
  for (const auto& [token, plan] : table) {
    CAPTURE(token);
    CHECK(app::parse_token(token) == plan);
  }
}

TEST_CASE("a ledger line reads back as it was written, and nothing else does", "[simulator]") {
  const auto e = line_of("refund", 1, 9'000);
  auto line = app::to_line(e);
  REQUIRE(line.back() == '\n');
  line.pop_back();
  REQUIRE(app::parse_ledger_line(line));
  CHECK(app::to_line(*app::parse_ledger_line(line)) == line + '\n');
  CHECK(line.find(R"("time":"2025-11-22T17:41:00.123Z")") != std::string::npos);

  const auto spaced = R"({ "time": "2025-11-22T17:41:00.123Z", "amount": 9000, "kind": "refund",)"
                      R"( "currency": "KRW", "order_id": ")"
                      + e.order_id + R"(", "payment_id": ")" + e.payment_id + "\"}";
  REQUIRE(app::parse_ledger_line(spaced)); // another tool's spelling of the same
  CHECK(app::to_line(*app::parse_ledger_line(spaced)) == line + '\n');

  for (std::size_t n = 0; n < line.size(); ++n)
    CHECK_FALSE(app::parse_ledger_line(line.substr(0, n)));
  for (const char* bad : {R"({"kind":"gift"})", "[]", "9", R"({"kind":1})"})
    CHECK_FALSE(app::parse_ledger_line(bad));
}

TEST_CASE("a charge is made once however often it is asked", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  CHECK(p.inquire(1).said == payment_said::absent);
  for (int i = 0; i < 3; ++i) {
    const auto said = p.charge(bill(1, "tok_approve"));
    CHECK(said.said == payment_said::approved);
    CHECK(said.amount == 9'000);
  }
  CHECK(p.inquire(1).said == payment_said::approved);
  CHECK(p.ledger() == "charge:9000 ");

  const auto entry = p.it->ledger().at(0);
  CHECK(entry.order_id == domain::to_text(domain::id_kind::order, order(1)));
  CHECK(entry.payment_id == bill(1, "").payment_id);
  CHECK(entry.currency == "KRW");
  CHECK(entry.time_ms > 1'700'000'000'000);
}

TEST_CASE("a declined card is declined again, and takes nothing", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  for (const auto& [n, token, reason] :
    std::vector<std::tuple<std::uint64_t, std::string, std::string>>{
      {1, "tok_decline", "card-declined"}, {2, "4111111111111111", "unknown-token"}}) {
    for (int i = 0; i < 2; ++i) {
      const auto said = p.charge(bill(n, token));
      CHECK(said.said == payment_said::declined);
      CHECK(said.reason == reason);
    }
    CHECK(p.inquire(n).said == payment_said::declined);
  }
  CHECK(p.ledger().empty());
  CHECK(read_ledger_bytes(dir).empty()); // above all: no token
}

TEST_CASE("unknown comes in both directions: nothing taken, or taken unsaid", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  auto nothing = p.charging(bill(1, "tok_timeout"));
  auto taken = p.charging(bill(2, "tok_unknown_charged"));
  auto again = p.charging(bill(2, "tok_unknown_charged"));
  CHECK(p.inquire(1).said == payment_said::absent);
  const auto said = p.inquire(2);
  CHECK(said.said == payment_said::approved);
  CHECK(said.amount == 9'000);
  CHECK((nothing.silent() && taken.silent() && again.silent()));
  CHECK(p.ledger() == "charge:9000 ");
  CHECK(p.cancel(bill(2, "")).amount == 9'000);
  CHECK(p.cancel(bill(1, "")).amount == 0);
  CHECK(p.ledger() == "charge:9000 refund:9000 void:0 ");
}

TEST_CASE("a flaky card fails N times per payment, then approves", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  for (const std::uint64_t n : {1, 2}) {
    for (int i = 0; i < 3; ++i) {
      CHECK(p.charge(bill(n, "tok_flaky_3")).said == payment_said::unknown);
      CHECK(p.inquire(n).said == payment_said::absent);
    }
    CHECK(p.charge(bill(n, "tok_flaky_3")).said == payment_said::approved);
    CHECK(p.charge(bill(n, "tok_flaky_3")).said == payment_said::approved);
  }
  CHECK(p.charge(bill(3, "tok_flaky_0")).said == payment_said::approved);
  CHECK(p.ledger() == "charge:9000 charge:9000 charge:9000 ");
}

TEST_CASE("a cancelled charge is given back once, and stays cancelled", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  (void)p.charge(bill(1, "tok_approve"));
  for (int i = 0; i < 3; ++i) {
    const auto said = p.cancel(bill(1, ""));
    CHECK(said.said == payment_said::cancelled);
    CHECK(said.amount == 9'000);
  }
  CHECK(p.inquire(1).said == payment_said::cancelled);
  CHECK(p.inquire(1).amount == 9'000);
  const auto late = p.charge(bill(1, "tok_approve"));
  CHECK(late.said == payment_said::declined);
  CHECK(late.reason == "voided");
  CHECK(p.ledger() == "charge:9000 refund:9000 ");
}

TEST_CASE(
  "a cancel that comes first leaves a tombstone: the late charge is declined", "[simulator]") {
  const tests::temp_dir dir;
  {
    provider p{dir.path()};
    for (int i = 0; i < 2; ++i) {
      const auto said = p.cancel(bill(1, "tok_approve"));
      CHECK(said.said == payment_said::cancelled);
      CHECK(said.amount == 0);
    }
    CHECK(p.charge(bill(1, "tok_approve")).said == payment_said::declined);
    CHECK(p.ledger() == "void:0 ");
  }
  provider p{dir.path()};
  CHECK(p.charge(bill(1, "tok_approve")).reason == "voided");
  CHECK(p.inquire(1).said == payment_said::cancelled);
  CHECK(p.ledger() == "void:0 ");
}

TEST_CASE("a refund fails N times, then gives the money back", "[simulator]") {
  const tests::temp_dir dir;
  {
    provider p{dir.path()};
    CHECK(p.charge(bill(1, "tok_refund_fails_2")).said == payment_said::approved);
    CHECK(p.cancel(bill(1, "")).said == payment_said::unknown); // the charge's token is remembered
    CHECK(p.inquire(1).said == payment_said::approved);
    CHECK(p.cancel(bill(1, "")).said == payment_said::unknown);
    CHECK(p.cancel(bill(1, "")).said == payment_said::cancelled);
    CHECK(p.charge(bill(2, "tok_refund_fails_1")).said == payment_said::approved);
    CHECK(p.ledger() == "charge:9000 refund:9000 charge:9000 ");
  }
  provider p{dir.path()}; // only the token knows now
  CHECK(p.cancel(bill(2, "tok_refund_fails_1")).said == payment_said::unknown);
  CHECK(p.cancel(bill(2, "tok_refund_fails_1")).said == payment_said::cancelled);
  CHECK(p.cancel(bill(3, "tok_refund_fails_1")).said == payment_said::cancelled); // never charged
}

TEST_CASE("a slow charge is pending until it happens, and both askers hear of one", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  auto long_one = p.charging(bill(9, "tok_slow_3600000"));
  auto first = p.charging(bill(1, "tok_slow_150"));
  auto second = p.charging(bill(1, "tok_slow_150"));
  CHECK(p.inquire(9).said == payment_said::pending);
  CHECK(first.get().said == payment_said::approved);
  CHECK(second.get().said == payment_said::approved);
  CHECK(p.charge(bill(2, "tok_slow_0")).said == payment_said::approved);
  CHECK(p.ledger() == "charge:9000 charge:9000 ");
  CHECK(p.inquire(9).said == payment_said::pending);
  CHECK(long_one.silent());
}

TEST_CASE("a slow charge that is cancelled meanwhile never happens", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  auto slow = p.charging(bill(1, "tok_slow_100"));
  auto later = p.charging(bill(2, "tok_slow_200")); // due behind it
  CHECK(p.cancel(bill(1, "")).amount == 0);
  CHECK(slow.get().reason == "voided");
  CHECK(later.get().said == payment_said::approved);
  CHECK(p.inquire(1).said == payment_said::cancelled);
  CHECK(p.ledger() == "void:0 charge:9000 ");
}

TEST_CASE("the ledger is the memory that survives", "[simulator]") {
  const tests::temp_dir dir;
  {
    provider p{dir.path()};
    (void)p.charge(bill(1, "tok_approve"));
    (void)p.charge(bill(2, "tok_approve"));
    (void)p.cancel(bill(2, ""));
    (void)p.charge(bill(3, "tok_decline"));
    (void)p.charging(bill(4, "tok_slow_3600000"));
  }
  provider p{dir.path()};
  CHECK(p.inquire(1).said == payment_said::approved);
  CHECK(p.inquire(1).amount == 9'000);
  CHECK(p.charge(bill(1, "tok_approve")).said == payment_said::approved);
  CHECK(p.inquire(2).said == payment_said::cancelled);
  CHECK(p.cancel(bill(2, "")).amount == 9'000);
  CHECK(p.inquire(3).said == payment_said::absent); // a decline leaves no line
  CHECK(p.inquire(4).said == payment_said::absent); // nor does what never happened
  CHECK(p.ledger() == "charge:9000 charge:9000 refund:9000 ");
  CHECK(p.it->stats().lines == 0);
}

TEST_CASE("requests that wait together share one sync", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  constexpr std::uint64_t count = 2'000;
  std::vector<provider::heard> all;
  for (std::uint64_t n = 0; n < count; ++n) all.push_back(p.charging(bill(n, "tok_approve")));
  for (auto& h : all) CHECK(h.get().said == payment_said::approved);
  const auto figures = p.it->stats();
  CHECK(figures.lines == count);
  CHECK(figures.syncs < count);
  CHECK(p.it->ledger().size() == count);
}

TEST_CASE("a torn end of the ledger is cut, at whatever byte it tore", "[simulator]") {
  const auto whole = app::to_line(line_of("charge", 1, 9'000));
  const auto torn = app::to_line(line_of("charge", 2, 9'000));
  for (std::size_t n = 0; n < torn.size(); n += 7) {
    CAPTURE(n);
    const tests::temp_dir dir;
    write_ledger(dir, whole + torn.substr(0, n));
    provider p{dir.path()};
    CHECK(p.inquire(1).said == payment_said::approved);
    CHECK(p.inquire(2).said == payment_said::absent);
    CHECK(read_ledger_bytes(dir) == whole);
    CHECK(p.charge(bill(2, "tok_approve")).said == payment_said::approved);
    CHECK(p.ledger() == "charge:9000 charge:9000 ");
  }
  const tests::temp_dir dir; // blocks that were never written
  write_ledger(dir, whole + std::string(100, '\0') + "\n");
  provider p{dir.path()};
  CHECK(p.inquire(1).said == payment_said::approved);
  CHECK(read_ledger_bytes(dir) == whole);
}

TEST_CASE("a ledger with any bit flipped is refused, or has the same lines", "[simulator]") {
  const auto e = line_of("charge", 1, 9'000);
  const auto text = app::to_line(e) + app::to_line(line_of("charge", 2, 500));
  const tests::temp_dir dir;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    auto flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    write_ledger(dir, flipped);
    CAPTURE(bit, flipped);
    const auto read = app::read_simulator_ledger(dir.path());
    REQUIRE(std::holds_alternative<storage::failure>(read));
    REQUIRE(std::get<storage::failure>(read).code == storage::errc::corrupt);
  }
}

TEST_CASE("lines without a checksum, as older releases wrote them, are read", "[simulator]") {
  auto line = app::to_line(line_of("charge", 1, 9'000));
  line.pop_back();
  const auto checksum = line.find(",\"crc32c\"");
  REQUIRE(checksum != std::string::npos);
  const auto older = line.substr(0, checksum) + "}";
  REQUIRE(app::parse_ledger_line(older));
  CHECK(app::to_line(*app::parse_ledger_line(older)) == line + '\n');
  auto wrong = line;
  wrong[wrong.find("9000")] = '8';
  CHECK_FALSE(app::parse_ledger_line(wrong));
}

TEST_CASE("a damaged or contradictory ledger stops the simulator", "[simulator]") {
  const auto charge = app::to_line(line_of("charge", 1, 9'000));
  const auto table = std::vector<std::pair<std::string, std::string>>{
    {"a line that is none", charge + "{}\n" + charge},
    {"a last line that is none", charge + "rubbish\n"},
    {"zeros with a sound line behind", charge + std::string(8, '\0') + "\n" + charge},
    {"charged twice", charge + charge},
    {"given back, never taken", app::to_line(line_of("refund", 1, 9'000))},
    {"given back too much", charge + app::to_line(line_of("refund", 1, 9'001))},
  };
  for (const auto& [what, text] : table) {
    CAPTURE(what);
    const tests::temp_dir dir;
    write_ledger(dir, text);
    provider p{dir.path()};
    auto failed = p.failed.get_future();
    REQUIRE(
      failed.wait_for(std::chrono::seconds{20} * tests::slowness) == std::future_status::ready);
    CHECK(failed.get().code == storage::errc::corrupt);
    CHECK(read_ledger_bytes(dir) == text); // evidence is left alone
  }
}

TEST_CASE(
  "a ledger that can't be written stops the simulator, and nobody is answered", "[simulator]") {
  const tests::temp_dir dir;
  provider p{dir.path()};
  (void)p.charge(bill(1, "tok_approve"));
  const auto before = read_ledger_bytes(dir);

  ::rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const ::rlimit tight{before.size() + 20, old.rlim_max}; // the next line fits in part
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  auto lost = p.charging(bill(2, "tok_approve"));
  auto failed = p.failed.get_future();
  const auto state = failed.wait_for(std::chrono::seconds{20} * tests::slowness);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);

  REQUIRE(state == std::future_status::ready);
  CHECK(failed.get().code == storage::errc::io_failed);
  auto later = p.charging(bill(3, "tok_approve"));
  p.it.reset();
  CHECK((lost.silent() && later.silent()));
  provider again{dir.path()};
  CHECK(again.inquire(1).said == payment_said::approved);
  CHECK(again.inquire(2).said == payment_said::absent);
  CHECK(read_ledger_bytes(dir) == before);
}

TEST_CASE("the ledger of a stopped server reads without changing it", "[simulator]") {
  const tests::temp_dir dir;
  CHECK_FALSE(std::get<0>(app::read_simulator_ledger(dir.path())).has_value());
  const auto text = app::to_line(line_of("charge", 1, 9'000)) + "{\"kind\":\"ch";
  write_ledger(dir, text);
  const auto read = app::read_simulator_ledger(dir.path());
  REQUIRE(std::holds_alternative<std::optional<std::vector<http::ledger_entry>>>(read));
  CHECK(std::get<0>(read)->size() == 1);
  CHECK(read_ledger_bytes(dir) == text);
  write_ledger(dir, "rubbish\n");
  CHECK(std::get<storage::failure>(app::read_simulator_ledger(dir.path())).code
        == storage::errc::corrupt);
}
