#include "bench/report/plot.hpp"
#include "bench/report/text.hpp"
#include "tests/catch.hpp"
#include <nlohmann/json.hpp>

using namespace jumun::bench;

namespace {
whole_report sample() {
  whole_report r;
  r.commit = "<&\"'>\x01", r.time = "2026-11-28T00:00:00Z";
  r.on.cores = 2;
  for (const char* name : {"accept", "settle"}) {
    row one;
    one.scenario = name;
    one.result.per_second = 1'000;
    one.against = {4'000, 500, 2, 4};
    for (int i = 1; i <= 10; ++i) {
      measured m;
      m.asked_rate = m.per_second = 100.0 * i;
      m.latency = {0.5 * i, 1.0 * i, 2.0 * i, 4.0 * i, 5.0 * i};
      one.steps.push_back(m);
    }
    one.steps.back().per_second = 700; // it fell behind
    r.rows.push_back(one);
  }
  return r;
}

/// What keeps `text` from being well-formed XML, as far as it is used here; empty: nothing.
std::string fault_in(const std::string& text) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x20 && text[at] != '\n')
      return "a control character";
    if (text[at] == '&') {
      const auto end = text.find(';', at);
      const auto name = text.substr(at + 1, end - at - 1);
      if (name != "amp" && name != "lt" && name != "gt") return "a bare &";
    }
    if (text[at] == '>') return "a bare >";
    if (text[at] != '<') {
      ++at;
      continue;
    }
    const auto end = text.find('>', at);
    if (end == std::string::npos) return "a tag without an end";
    const auto tag = text.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return "a tag within a tag: " + tag;
    const auto name =
      tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" /", 1) - (tag[0] == '/'));
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return "an open quote: " + tag;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != name) return "an end of another: " + tag;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() ? "" : "never closed: " + open.back();
}
std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}
} // namespace

TEST_CASE("the picture is well-formed, with a panel for each row that has steps", "[bench]") {
  auto r = sample();
  const auto svg = plot_svg(r);
  CHECK(fault_in(svg) == "");
  CHECK(count(svg, "<polyline") == 4);
  CHECK(count(svg, "<circle") == 4 * 10 + 1);
  CHECK(count(svg, "orders a second") == 2);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  r.rows[0].steps.resize(1); // one point, no latency
  r.rows[0].steps[0].latency = {};
  r.rows.pop_back();
  CHECK(fault_in(plot_svg(r)) == "");
  r.rows.clear();
  CHECK(fault_in(plot_svg(r)) == "");
  CHECK(fault_in("<a><b></a>") != ""); // it sees a fault
  CHECK(fault_in("<a>&</a>") != "");
}

TEST_CASE("the JSON has ratios to both ceilings, and says what is wrong", "[bench]") {
  auto r = sample();
  r.rows[1].wrong = {"a piece is lost"};
  r.rows[1].more["readers"] = 100;
  const auto json = nlohmann::json::parse(json_text(r));
  const auto& rows = json.at("scenarios");
  CHECK(rows[0].at("verdict") == "verified");
  CHECK(rows[0].at("ceilings").at("to_livez") == 0.25);
  CHECK(rows[0].at("ceilings").at("to_fsync") == 2);
  CHECK(rows[0].at("steps").size() == 10);
  CHECK(rows[1].at("verdict") == "wrong");
  CHECK(rows[1].at("wrong")[0] == "a piece is lost");
  CHECK(rows[1].at("figures").at("readers") == 100);
}

TEST_CASE("the table says in its row that a run was wrong", "[bench]") {
  auto r = sample();
  CHECK(table_text(r).find("WRONG") == std::string::npos);
  r.rows[1].wrong = {"a piece is lost"};
  r.rows[0].steps[2].disk_worst_ms = 3'200;
  const auto text = table_text(r);
  CHECK(text.find("3,200 ms for one sync beside accept  at 300") != std::string::npos);
  const auto at = text.find("\nsettle ");
  REQUIRE(at != std::string::npos);
  CHECK(text.substr(at, text.find('\n', at + 1) - at).find("WRONG") != std::string::npos);
  CHECK(text.find("a piece is lost") != std::string::npos);
}

TEST_CASE("a target stands beside what was seen, and only a missed one is marked", "[bench]") {
  auto r = sample();
  r.rows[0].targets = {{"p99, ms", 30, 25}, {"goodput, of the peak", 0.9, 0.8, false}};
  r.rows[0].remarks = {"system calls were not counted: needs root"};
  r.rows[1].cost.emplace().syscalls = {{"all", 7.5}, {"send", 1.25}};
  const auto text = table_text(r);
  const auto line_with = [&text](const std::string& what) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.substr(at, text.find('\n', at) - at);
  };
  CHECK(line_with("p99, ms").find("at most 25  <-- MISSED") != std::string::npos);
  CHECK(line_with("goodput, of the peak").find("at least 0.8") != std::string::npos);
  CHECK(line_with("goodput, of the peak").find("MISSED") == std::string::npos);
  CHECK(text.find("needs root") != std::string::npos);
  const auto calls = text.find("system calls");
  REQUIRE(calls != std::string::npos);
  CHECK(text.find("7.50", calls) != std::string::npos);
  const auto rows = nlohmann::json::parse(json_text(r)).at("scenarios");
  CHECK(rows[0].at("targets")[0]
        == nlohmann::json{{"what", "p99, ms"}, {"seen", 30}, {"at_most", 25}, {"met", false}});
  CHECK(rows[0].at("targets")[1].at("at_least") == 0.8);
  CHECK(rows[0].at("targets")[1].at("met") == true);
  CHECK(rows[0].at("remarks").size() == 1);
  CHECK(rows[1].at("cost_each").at("syscalls").at("send") == 1.25);
}

TEST_CASE("what has no steps of a rising load has no panel in the picture", "[bench]") {
  auto r = sample();
  for (auto& step : r.rows[0].steps) step.asked_rate = 0; // a growing database
  r.rows[1].steps.resize(2);
  CHECK(count(plot_svg(r), "<polyline") == 0);
}
