#include "app/config.hpp"
#include "app/config_file.hpp"
#include "tests/catch.hpp"
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace jumun;
using app::config;
using app::exit_code;
using app::said_and_done;

namespace {
using texts = std::map<std::string, std::string>;

std::variant<config, said_and_done> parse(
  const std::vector<std::string>& args, const texts& environment = {}, const texts& files = {}) {
  const auto in = [](const texts& all, const std::string& name) -> std::optional<std::string> {
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional{found->second};
  };
  return app::parse_command_line(
    args, {[&](const std::string& name) { return in(environment, name); },
            [&](const std::string& path) { return in(files, path); }, 4});
}
config parsed(
  const std::vector<std::string>& args, const texts& environment = {}, const texts& files = {}) {
  auto result = parse(args, environment, files);
  if (auto* why = std::get_if<said_and_done>(&result)) FAIL(why->text);
  return std::get<config>(std::move(result));
}
said_and_done refused(
  const std::vector<std::string>& args, const texts& environment = {}, const texts& files = {}) {
  auto result = parse(args, environment, files);
  REQUIRE(std::holds_alternative<said_and_done>(result));
  return std::get<said_and_done>(std::move(result));
}
/// `serve --key=value`; CLI11 takes an empty value only as a word of its own.
std::vector<std::string> flag(const std::string& key, const std::string& value) {
  if (value.empty()) return {"serve", "--" + key, value};
  return {"serve", "--" + key + "=" + value};
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
std::string value_of(const config& c, const std::string& key) {
  for (const auto& s : app::effective(c))
    if (s.key == key) return s.value;
  return "(no such key)";
}
} // namespace

TEST_CASE("without settings the server is safe and small", "[config]") {
  const auto c = parsed({"serve"});
  CHECK(c.what == app::command::serve);
  CHECK(c.data_dir == "./data");
  CHECK(c.bind == "127.0.0.1");
  CHECK(c.port == 8080);
  CHECK(c.ops_bind == "127.0.0.1");
  CHECK(c.ops_port == 9090);
  CHECK(c.http_threads == 2);
  CHECK(c.actor_threads == 2);
  CHECK(c.memory_mb == 256);
  CHECK(c.payment_timeout == std::chrono::seconds{1});
  CHECK(c.delivery_countries.empty());
  CHECK(c.drain_grace == std::chrono::milliseconds{0});
  CHECK(c.disk_free_min_pct == 5);
  CHECK(c.log_level == app::log::level::info);
}

TEST_CASE(
  "a flag goes before the environment, that before the file, that before the default", "[config]") {
  const texts file{{"/etc/jumun.conf", "port = 1\nops-port = 2\nmemory-mb = 64\n"}};
  const texts environment{
    {"JUMUN_CONFIG", "/etc/jumun.conf"}, {"JUMUN_PORT", "10"}, {"JUMUN_OPS_PORT", "20"}};
  const auto c = parsed({"serve", "--port=100"}, environment, file);
  CHECK(c.port == 100);
  CHECK(c.ops_port == 20);
  CHECK(c.memory_mb == 64);
  CHECK(c.http_threads == 2);
  std::string sources;
  for (const auto& s : app::effective(c))
    if (s.source != "default") sources += s.key + "=" + s.source + " ";
  CHECK(sources == "port=flag ops-port=env memory-mb=file ");
}

TEST_CASE("each setting is taken inside its bounds and refused outside", "[config]") {
  struct row {
    std::string key;
    std::vector<std::string> good, bad;
  };
  const auto table = std::vector<row>{
    {"data-dir", {"/var/lib/jumun", "a b"}, {"", "a\nb"}},
    {"bind", {"127.0.0.1", "127.9.9.9", "::1"}, {"", "localhost", "127.0.0.1:80", "1.2.3"}},
    {"port", {"0", "65535"},
      {"-1", "65536", "", "80x", " 80", "0x50", "1e3", "99999999999999999999"}},
    {"ops-bind", {"127.0.0.1", "::1"}, {"*"}},
    {"ops-port", {"0", "65535"}, {"65536"}},
    {"backup-dir", {"/var/backups", ""}, {"\x01"}},
    {"backups-keep", {"1", "1000"}, {"0", "1001"}},
    {"restore-from", {"/var/backups", ""}, {"\x01"}},
    {"node-id", {"n1", "shop-0"}, {"", "N1", "a.b", std::string(64, 'a')}},
    {"address-file", {"/run/addr", ""}, {"\x01"}},
    {"http-threads", {"1", "64"}, {"0", "65"}},
    {"actor-threads", {"0", "64"}, {"-1", "65"}},
    {"memory-mb", {"64", "1048576"}, {"63", "1048577"}},
    {"payment-timeout-ms", {"50", "100000"}, {"49", "100001"}},
    {"events-keep-days", {"0", "36500"}, {"-1", "36501"}},
    {"events-keep-mb", {"0", "1048576"}, {"-1", "1048577"}},
    {"payment-provider", {"simulator"}, {"stripe", "", "HTTP"}},
    {"payment-url",
      {"", "https://api.stripe.com", "https://10.0.0.1:8443", "http://127.0.0.1:80",
        "http://localhost:1", "http://[::1]:80"},
      {"api.stripe.com", "http://api.stripe.com", "http://10.0.0.1", "ftp://127.0.0.1",
        "https://u:p@h", "https://h/v1", "https://h?a=b", "https://", "http://127.0.0.1.evil.com"}},
    {"payment-secret-file", {""}, {"\x01"}},
    {"payment-hook-secret-file", {""}, {"/absent", "\x01"}},
    {"delivery-countries", {"", "KR", "KR,US,JP"},
      {"kr", "KOR", "KR,", ",KR", "KR US", "K", "KR,U"}},
    {"max-requests", {"1", "4096"}, {"0", "4097"}},
    {"max-connections", {"1", "10000"}, {"0", "10001"}},
    {"rate-limit", {"0", "100", "1000000"}, {"-1", "1000001", "1.5"}},
    {"cors-origins",
      {"", "https://shop.example", "http://localhost:3000,https://a-b.example:8443",
        "https://[::1]:1"},
      {"*", "null", "shop.example", "https://", "https://*.example", "https://Shop.example",
        "https://a.b/", "https://a.b:443", "http://a.b:80", "https://a.b:0", "https://a.b:65536",
        "https://a.b,", ",https://a.b", "https://a.b https://c.d", "https://u@a.b", "file://a"}},
    {"drain-grace-ms", {"0", "60000"}, {"-1", "60001"}},
    {"disk-free-min-pct", {"0", "50"}, {"51"}},
    {"webhooks-allow-private", {"true", "false"}, {"yes", "1"}},
    {"outbound-ca-file", {""}, {"/absent", "\x01"}},
    {"keys", {"/etc/jumun/keys.json", ""}, {"\x01"}},
    {"jwt-algorithm", {""}, {"none", "hs256", "HS512", "ES384"}}, // more: the table of rules
    {"jwt-key", {""}, {"\n"}},
    {"jwt-jwks", {""}, {"\n"}},
    {"jwt-issuer", {""}, {"\n"}},
    {"jwt-audience", {""}, {"\n"}},
    {"jwt-role-claim", {"role", "https://example.com/role"}, {""}},
    {"jwt-principal-claim", {"sub", "email"}, {""}},
    {"tls-cert", {""}, {"\n"}},
    {"tls-key", {""}, {"\n"}},
    {"ops-tls-cert", {""}, {"\n"}},
    {"ops-tls-key", {""}, {"\n"}},
    {"breaker-window-ms", {"1000", "600000"}, {"999", "600001"}},
    {"breaker-failure-pct", {"1", "100"}, {"0", "101"}},
    {"breaker-open-ms", {"50", "60000"}, {"49", "60001"}},
    {"max-provider-calls", {"1", "1000000"}, {"0", "1000001"}},
    {"drain-rate", {"1", "100000"}, {"0", "100001"}},
    {"max-waiting-orders", {"1", "1000000"}, {"0", "1000001"}},
    {"enable-faults", {"true", "false"}, {"yes", "1", "TRUE"}},
    // More of these: the tests of a cluster's settings.
    {"cluster", {""}, {"A", "a.b", std::string(64, 'a')}},
    {"role", {"all"}, {"", "boss"}},
    {"etcd", {""}, {"h", "h:", ":1", "h:0", "h:65536", "h:1,", "::1:2379", "ftp://h:1"}},
    {"etcd-ca", {""}, {"\n"}},
    {"etcd-cert", {""}, {"\n"}},
    {"etcd-key", {""}, {"\n"}},
    {"etcd-user", {""}, {"\n"}},
    {"etcd-password-file", {""}, {"\n"}},
    {"cluster-owners-min", {"1"}, {"0", "257"}},
    {"cluster-owner-wait-ms", {"5000"}, {"-1", "60001"}},
    {"cluster-resume", {"false"}, {"yes", "1"}},
    {"cluster-bind", {"127.0.0.1"}, {"", "localhost"}},
    {"cluster-port", {"7400"}, {"-1", "65536"}},
    {"cluster-advertise", {""}, {"h", ":1", "h:0"}},
    {"cluster-cert", {""}, {"\n"}},
    {"cluster-key", {""}, {"\n"}},
    {"cluster-ca", {""}, {"\n"}},
    {"simulator-node", {""}, {"N1", "a b"}},
    {"log-level", {"debug", "info", "warn", "error"}, {"trace", "INFO", ""}},
  };
  CHECK(table.size() == app::effective(parsed({"serve"})).size()); // none is forgotten here
  for (const auto& [key, good, bad] : table) {
    auto variable = "JUMUN_" + key;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    for (const auto& value : good) {
      CAPTURE(key, value);
      CHECK(value_of(parsed(flag(key, value)), key) == value);
      CHECK(value_of(parsed({"serve"}, {{variable, value}}), key) == value);
      CHECK(value_of(
              parsed({"serve", "--config", "f"}, {}, {{"f", key + " = " + app::quote(value)}}), key)
            == value);
    }
    for (const auto& value : bad) {
      CAPTURE(key, value);
      for (const auto& why : {refused(flag(key, value)), refused({"serve"}, {{variable, value}})}) {
        CHECK(why.code == exit_code::usage);
        CHECK((has(why.text, key) || has(why.text, variable)));
        CHECK(has(why.text, "\"" + value + "\""));
        CHECK(has(why.text, "allowed: "));
      }
    }
  }
}

TEST_CASE("an address that others can reach is refused while there is no auth", "[config]") {
  for (const std::string key : {"bind", "ops-bind"})
    for (const std::string value : {"0.0.0.0", "::", "192.168.0.7", "2001:db8::1"}) {
      CAPTURE(key, value);
      const auto why = refused({"serve", "--" + key, value});
      CHECK(why.code == exit_code::usage);
      CHECK(has(why.text, "no auth is configured: " + key + ": \"" + value + "\""));
      CHECK(has(why.text, "allowed: a loopback address"));
    }
}

TEST_CASE("with auth any address may be served, and half a guard is none", "[config]") {
  const std::vector<std::string> jwt{"--jwt-algorithm=RS256", "--jwt-key=k.pem",
    "--jwt-issuer=https://id.example", "--jwt-audience=jumun"};
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"serve", "--bind=0.0.0.0", "--ops-bind=::"});
    return more;
  };
  CHECK(parsed(with({"--keys=keys.json"})).keys_file == "keys.json");
  CHECK(parsed(with(jwt)).jwt_algorithm == "RS256");
  for (std::size_t i = 0; i < jwt.size(); ++i) {
    auto half = jwt;
    half.erase(half.begin() + static_cast<std::ptrdiff_t>(i));
    CAPTURE(i);
    const auto why = refused(with(half));
    CHECK(why.code == exit_code::usage);
    CHECK(has(why.text, jwt[i].substr(2, jwt[i].find('=') - 2)));
  }
  auto both = jwt;
  both.push_back("--jwt-jwks=set.json");
  CHECK(has(refused(with(both)).text, "jwt-key, jwt-jwks: one of them"));
  for (const std::string half : {"tls-cert", "tls-key", "ops-tls-cert", "ops-tls-key"}) {
    CAPTURE(half);
    CHECK(has(refused({"serve", "--" + half, "f.pem"}).text, "both must name a file, or neither"));
  }
  // A certificate says who we are, not who asks.
  CHECK(has(refused(with({"--tls-cert=c", "--tls-key=k"})).text, "no auth is configured"));
}

TEST_CASE("a provider over HTTP needs its URL and a readable secret", "[config]") {
  const std::vector<std::string> http{"serve", "--payment-provider", "http"};
  const auto with = [&](std::initializer_list<std::string> more) {
    auto all = http;
    all.insert(all.end(), more);
    return all;
  };
  CHECK(has(refused(http).text, "payment-url"));
  const auto url = with({"--payment-url", "https://pay.example"});
  CHECK(has(refused(url).text, "payment-secret-file"));
  const auto whole = with({"--payment-url", "https://pay.example/", "--payment-secret-file", "s"});
  CHECK(has(refused(whole).text, "payment-secret-file: \"s\""));
  for (const std::string bad : {"", "\n \n", "# none", "sk_1 x", "s\x01"})
    CHECK(has(refused(whole, {}, {{"s", bad}}).text, "a secret on a line"));
  const auto c = parsed(whole, {}, {{"s", "# ours\nsk_test_1\r\n"}});
  CHECK(c.payment_provider == app::payment_by::http);
  CHECK(c.payment_url == "https://pay.example");
  CHECK_FALSE(has(app::effective_json(c, c), "sk_test_1"));
}

TEST_CASE("what is unknown stops the start, and says what is known", "[config]") {
  CHECK(refused({"serve", "--prot=1"}).code == exit_code::usage);
  CHECK(has(refused({"serve", "--prot=1"}).text, "--prot"));
  CHECK(refused({"serve", "extra"}).code == exit_code::usage);
  CHECK(refused({"frobnicate"}).code == exit_code::usage);
  CHECK(refused({}).code == exit_code::usage);
  CHECK(refused({"serve", "--port"}).code == exit_code::usage);
  CHECK(refused({"serve", "--port=1", "--port=2"}).code == exit_code::usage);
  const auto why = refused({"serve", "--config", "f"}, {}, {{"f", "prot = 1\n"}});
  CHECK(why.code == exit_code::usage);
  CHECK(has(why.text, "f: unknown key \"prot\"; allowed: data-dir, bind, port"));
  CHECK_FALSE(has(why.text, "failpoints"));
  CHECK(has(refused({"serve", "--config", "gone"}).text, "\"gone\" cannot be read"));
}

TEST_CASE("a settings file is the common ground of INI and TOML, and strict", "[config]") {
  const auto read =
    app::parse_config_file("# comment\r\n\n; another\nport=80\n"
                           "  data-dir = \"/a b/#c\\\\ \\\"d\\\"\" # why\n"
                           "delivery-countries = [\"KR\", \"US\"]\n"
                           "other = KR, US ; tail\nempty = \"\"\nnone = []\nlast = x");
  REQUIRE(std::holds_alternative<texts>(read));
  CHECK(std::get<texts>(read)
        == texts{{"port", "80"}, {"data-dir", "/a b/#c\\ \"d\""}, {"delivery-countries", "KR,US"},
          {"other", "KR,US"}, {"empty", ""}, {"none", ""}, {"last", "x"}});
  for (const std::string bad :
    {"port", "port =", "= 80", "port = 80 81", "port = \"80", "[serve]", "port = [80", "port = 80]",
      "port = \"8\\n\"", "port = 80,", "a b = 1", "port = [\"a\" \"b\"]"}) {
    CAPTURE(bad);
    const auto why = app::parse_config_file("# one\n" + bad + "\nmore = 1\n");
    REQUIRE(std::holds_alternative<std::string>(why));
    CHECK(has(std::get<std::string>(why), "line 2: "));
  }
  const auto twice = app::parse_config_file("port = 1\nport = 1\n");
  CHECK(std::get<std::string>(twice) == "line 2: a second \"port\"");
}

TEST_CASE("what is printed as being in force reads back as the same", "[config]") {
  const std::vector<std::string> args{"serve", "--port=0", "--data-dir", "/a \"b\"\\c #d",
    "--delivery-countries=KR,US", "--log-level=warn", "--failpoints=saga.throw:bomb"};
  auto printing = args;
  printing.push_back("--print-config");
  const auto printed = refused(printing);
  CHECK(printed.code == exit_code::ok);
  CHECK(has(printed.text, "# allowed: 0..65535; default: 8080; from: flag\nport = 0\n"));
  const auto again = parsed({"serve", "--config", "f"}, {}, {{"f", printed.text}});
  const auto first = parsed(args);
  for (const auto& s : app::effective(first)) {
    CAPTURE(s.key);
    CHECK(value_of(again, s.key) == s.value);
  }
  CHECK(again.failpoints == "saga.throw:bomb");
}

TEST_CASE("the configuration for operators is JSON with defaults and sources", "[config]") {
  const auto c = parsed({"serve", "--port=0"});
  const auto json = nlohmann::json::parse(app::effective_json(c, c));
  const auto& row = json.at("data").at(2);
  CHECK(row.at("key") == "port");
  CHECK(row.at("value") == 0);
  CHECK(row.at("default") == 8080);
  CHECK(row.at("source") == "flag");
  CHECK(row.at("allowed") == "0..65535");
  for (const auto& r : json.at("data"))
    CHECK(r.at("key") != "failpoints"); // hidden until it is set
  for (const auto& r : json.at("data")) CHECK_FALSE(r.contains("after_restart"));
}

TEST_CASE(
  "a changed file is read as a start would read it, and what is live is taken", "[config]") {
  const texts environment{{"JUMUN_LOG_LEVEL", "warn"}}, file{{"f", "rate-limit = 5\n"}};
  const auto running = parsed({"serve", "--config=f", "--port=0"}, environment, file);
  const app::surroundings nothing{
    [](const auto&) { return std::nullopt; }, [](const auto&) { return std::nullopt; }, 1};
  const auto again = [&](const std::string& text) { return app::reread(running, text, nothing); };

  const auto wanted =
    std::get<config>(again("rate-limit = 7\nlog-level = debug\nport = 80\nmemory-mb = 512\n"));
  CHECK(wanted.rate_limit == 7);
  CHECK(wanted.port == 0);                            // the flag goes before the file
  CHECK(wanted.log_level == app::log::level::warn);   // and so does the variable
  CHECK(wanted.http_threads == running.http_threads); // defaults are those of the start
  const auto now = app::with_live_of(running, wanted);
  CHECK(now.rate_limit == 7);
  CHECK(now.memory_mb == running.memory_mb);
  const auto json = nlohmann::json::parse(app::effective_json(now, wanted));
  for (const auto& r : json.at("data")) {
    CAPTURE(r.at("key"));
    CHECK(r.contains("after_restart") == (r.at("key") == "memory-mb"));
    if (r.at("key") == "memory-mb") CHECK(r.at("after_restart") == 512);
    if (r.at("key") == "rate-limit") CHECK((r.at("live") == true && r.at("value") == 7));
  }
  // What is not said any more is as it is by itself.
  const auto empty = app::with_live_of(running, std::get<config>(again("")));
  CHECK(empty.rate_limit == 0);
  CHECK_FALSE(empty.sources.contains("rate-limit"));
  for (const std::string bad :
    {"rate-limit = -1", "rate-limit", "rate_limit = 1", "bind = 0.0.0.0"})
    CHECK(std::holds_alternative<std::string>(again(bad)));
}

TEST_CASE("help is help, and bench has arguments of its own", "[config]") {
  CHECK(refused({"--help"}).code == exit_code::ok);
  const auto help = refused({"serve", "--help"});
  CHECK(help.code == exit_code::ok);
  for (const auto& s : app::effective(parsed({"serve"}))) CHECK(has(help.text, "--" + s.key));
  CHECK(has(help.text, "JUMUN_PAYMENT_TIMEOUT_MS"));
  CHECK_FALSE(has(help.text, "failpoints"));
  CHECK(refused({"keys", "--help"}).code == exit_code::ok);
  const auto bench = parsed({"bench", "settle", "--help", "--", "--memory-mb", "64"});
  CHECK(bench.what == app::command::bench);
  CHECK(
    bench.bench_args == std::vector<std::string>{"settle", "--help", "--", "--memory-mb", "64"});
  const auto version = refused({"version"});
  CHECK(version.code == exit_code::ok);
  CHECK(has(version.text, "jumun " JUMUN_VERSION "\ndata format "));
  CHECK(has(version.text, "CAF 0.17.6"));
}

TEST_CASE("the README's tables name every setting and every exit code", "[config]") {
  std::ifstream in{std::string{JUMUN_TEST_ROOT} + "/../README.md"};
  const std::string readme{std::istreambuf_iterator<char>{in}, {}};
  for (const auto& s : app::effective(parsed({"serve"}))) {
    CAPTURE(s.key);
    CHECK(has(readme, "`--" + s.key + "`"));
    if (s.is_number) CHECK(has(readme, s.allowed));
  }
  const auto last = static_cast<int>(exit_code::not_done);
  for (int code = 0; code <= last; ++code) {
    CAPTURE(code);
    CHECK(has(readme, "\n| " + std::to_string(code) + " | "));
  }
  CHECK_FALSE(has(readme, "\n| " + std::to_string(last + 1) + " | "));
}

TEST_CASE("check takes one folder, or those of a cluster", "[config]") {
  const auto c = parsed({"check", "/data", "--json"});
  CHECK(c.what == app::command::check);
  CHECK(c.check_dirs == std::vector<std::string>{"/data"});
  CHECK(c.check_json);
  CHECK_FALSE(parsed({"check", "/data"}).check_json);
  CHECK(refused({"check"}).code == exit_code::usage);
  CHECK(parsed({"check", "a", "b"}).check_dirs == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a log line is one JSON object whatever is in it", "[log]") {
  const auto line = app::log::render(app::log::level::warn, "disk.low",
    {{"path", "a\"b\n\xff"}, {"free_pct", 4}, {"bytes", std::uint64_t{1} << 63}, {"ok", false},
      {"ratio", 0.5}},
    1'763'833'260'123);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(
    has(line, R"({"time":"2025-11-22T17:41:00.123Z","level":"warn","event":"disk.low","path":)"));
  const auto json = nlohmann::json::parse(line);
  CHECK(json.at("path") == "a\"b\n\xef\xbf\xbd");
  CHECK(json.at("free_pct") == 4);
  CHECK(json.at("bytes") == 9'223'372'036'854'775'808ULL);
  CHECK(json.at("ok") == false);
}

TEST_CASE("a time of RFC 3339 reads back, and what is none does not", "[log]") {
  for (const std::int64_t ms : {0LL, 999LL, 951'782'399'999LL, 1'763'833'260'123LL}) {
    CAPTURE(ms);
    CHECK(app::parse_rfc3339(app::rfc3339(ms)) == ms);
  }
  CHECK(app::rfc3339(951'782'400'000) == "2000-02-29T00:00:00.000Z");
  for (const char* bad : {"", "2025-11-22T17:41:00Z", "2025-02-30T00:00:00.000Z",
         "2025-11-22T24:00:00.000Z", "2025-11-22 17:41:00.123Z", "2025-11-22T17:41:00.123z"})
    CHECK_FALSE(app::parse_rfc3339(bad));
}

TEST_CASE("a switch is on by its name alone", "[config]") {
  CHECK(parsed({"serve", "--enable-faults", "--port", "0"}).enable_faults);
  CHECK(parsed({"serve", "--enable-faults=true"}).enable_faults);
  CHECK_FALSE(parsed({"serve", "--enable-faults=false"}).enable_faults);
  CHECK_FALSE(parsed({"serve"}).enable_faults);
}

TEST_CASE("a node of a cluster says which, where etcd is, and who it is", "[config][cluster]") {
  const std::vector<std::string> enough{"serve", "--cluster=shop",
    "--etcd=127.0.0.1:2379,[::1]:2379,https://etcd-2:2379", "--node-id=a"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), enough.begin(), enough.end());
    return more;
  };
  const auto c = parsed(enough);
  CHECK(c.cluster == "shop");
  CHECK(c.role == "all");
  CHECK(c.etcd == std::vector<std::string>{"127.0.0.1:2379", "[::1]:2379", "https://etcd-2:2379"});
  CHECK(value_of(c, "etcd") == "127.0.0.1:2379,[::1]:2379,https://etcd-2:2379");
  CHECK(parsed(with({"--role=gateway", "--cluster-port=0"})).role == "gateway");

  CHECK(has(refused({"serve", "--etcd=127.0.0.1:2379"}).text, "etcd: is not allowed without"));
  CHECK(has(refused({"serve", "--role=gateway"}).text, "role: is not allowed without cluster"));
  CHECK(has(refused({"serve", "--cluster=shop", "--node-id=a"}).text, "etcd: \"\""));
  CHECK(has(refused({"serve", "--cluster=shop", "--etcd=h:1"}).text, "node-id: must be set"));
  CHECK(has(refused(with({"--events-keep-mb=9"})).text, "events-keep-mb: 9 is not allowed"));
  CHECK(parsed(with({"--events-keep-days=9"})).events_keep_days == 9);
  CHECK(has(refused(with({"--role=boss"})).text, "allowed: all, gateway, shard"));
}

TEST_CASE("without certificates a cluster stays on one machine", "[config][cluster]") {
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"serve", "--cluster=shop", "--etcd=h:1", "--node-id=a"});
    return more;
  };
  CHECK(has(refused(with({"--cluster-bind=10.0.0.1"})).text, "cluster-bind: \"10.0.0.1\""));
  CHECK(has(refused(with({"--cluster-advertise=a.shop:1"})).text, "cluster-advertise: \"a.shop\""));
  CHECK(parsed(with({"--cluster-advertise=[::1]:1"})).cluster_advertise == "[::1]:1");
  CHECK(has(refused(with({"--cluster-cert=c"})).text, "all must name a file, or none"));
  const auto c = parsed(
    with({"--cluster-bind=0.0.0.0", "--cluster-cert=c", "--cluster-key=k", "--cluster-ca=ca"}));
  CHECK(c.cluster_bind == "0.0.0.0");
}
