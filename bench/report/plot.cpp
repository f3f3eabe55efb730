#include "bench/report/plot.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

namespace jumun::bench {
namespace {
// In the picture's own units: narrow, so that a phone still shows letters that can be read.
constexpr double width = 420, head = 92, foot = 44, panel = 236, plot_top = 30, plot_height = 158;
constexpr double left = 54, right = width - 56;

constexpr const char* style = R"(
  <style>
    .page, .dot { fill: #ffffff } .text { fill: #1f2937 } .quiet { fill: #4b5563 }
    .grid { stroke: #e5e7eb } .axis { stroke: #9ca3af }
    .p50 { stroke: #1d6fd1 } .p50t { fill: #1d6fd1 }
    .p99 { stroke: #c2410c } .p99t { fill: #c2410c }
    text { font: 12px system-ui, sans-serif } .title { font-size: 15px; font-weight: 600 }
    .name { font-size: 13px; font-weight: 600 } .line { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .page, .dot { fill: #111827 } .text { fill: #f3f4f6 } .quiet { fill: #b6bdc9 }
      .grid { stroke: #273244 } .axis { stroke: #6b7280 }
      .p50 { stroke: #6cb2ff } .p50t { fill: #6cb2ff }
      .p99 { stroke: #fb9a5b } .p99t { fill: #fb9a5b }
    }
  </style>
)";

template <class... Args> std::string print(const char* form, Args... args) {
  char text[512];
  const int size = std::snprintf(text, sizeof text, form, args...);
  return {text, static_cast<std::size_t>(std::clamp<int>(size, 0, sizeof text - 1))};
}
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}
std::string label(double x, double y, const char* kind, const char* anchor, std::string_view text) {
  return print(R"(  <text class="%s" text-anchor="%s" x="%.1f" y="%.1f">)", kind, anchor, x, y)
         + escaped(text) + "</text>\n";
}
std::string stroke(const char* kind, double x1, double y1, double x2, double y2) {
  return print(
           R"(  <line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>)", kind, x1, y1, x2, y2)
         + "\n";
}
/// 950, 1.5k, 20k
std::string short_number(double x) {
  return x < 1'000 ? print("%.3g", x) : print("%.3gk", x / 1'000);
}

/// Round steps, so that about five fit.
double round_step(double most) {
  const double raw = most / 5, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double m : {1.0, 2.0, 2.5, 5.0})
    if (raw <= m * power) return m * power;
  return 10 * power;
}

struct scales {
  double load_max, ms_min, ms_max, top;
  [[nodiscard]] double x(double load) const { return left + (right - left) * load / load_max; }
  [[nodiscard]] double y(double ms) const {
    const double share =
      std::log(std::clamp(ms, ms_min, ms_max) / ms_min) / std::log(ms_max / ms_min);
    return top + plot_height * (1 - share);
  }
};

scales scales_of(const row& r, double top) {
  scales s{1, 1e9, 1e-9, top};
  for (const auto& m : r.steps) {
    s.load_max = std::max(s.load_max, m.asked_rate);
    for (const double ms : {m.latency.p50, m.latency.p99})
      if (ms > 0) s.ms_min = std::min(s.ms_min, ms), s.ms_max = std::max(s.ms_max, ms);
  }
  if (s.ms_min > s.ms_max) s.ms_min = s.ms_max = 1;
  s.ms_min *= 0.7, s.ms_max = std::max(s.ms_max * 1.4, s.ms_min * 4);
  s.load_max *= 1.02;
  return s;
}

std::string grid(const scales& s) {
  std::string out;
  for (double power = 1e-3; power < s.ms_max; power *= 10)
    for (const double m : {1.0, 2.0, 5.0}) {
      const double ms = m * power;
      if (ms < s.ms_min || ms > s.ms_max) continue;
      out += stroke("grid", left, s.y(ms), right, s.y(ms));
      out += label(left - 6, s.y(ms) + 4, "quiet", "end", short_number(ms));
    }
  const double bottom = s.top + plot_height;
  out += stroke("axis", left, bottom, right, bottom);
  const double step = round_step(s.load_max);
  for (double load = 0; load <= s.load_max; load += step) {
    out += stroke("axis", s.x(load), bottom, s.x(load), bottom + 4);
    out += label(s.x(load), bottom + 17, "quiet", "middle", short_number(load));
  }
  return out;
}

std::string curve(const row& r, const scales& s, const char* kind,
  const std::function<double(const latency_figures&)>& of) {
  std::string points, dots;
  for (const auto& m : r.steps) {
    const double x = s.x(m.asked_rate), y = s.y(of(m.latency));
    points += print("%.1f,%.1f ", x, y);
    const bool behind = m.per_second < 0.95 * m.asked_rate;
    dots += print(R"(  <circle class="%s %s" cx="%.1f" cy="%.1f" r="3" stroke-width="2"/>)", kind,
              behind ? "dot" : print("%st", kind).c_str(), x, y)
            + "\n";
  }
  return print(R"(  <polyline class="line %s" points=")", kind) + points + "\"/>\n" + dots;
}

/// What the last step was, beside it; the two don't overlap.
std::string ends(const row& r, const scales& s) {
  constexpr double apart = 13;
  const auto& last = r.steps.back();
  const double x = s.x(last.asked_rate) + 8;
  const double p99 = s.y(last.latency.p99) + 4;
  const double p50 = std::max(s.y(last.latency.p50) + 4, p99 + apart);
  return label(x, p99, "p99t", "start", short_number(last.latency.p99))
         + label(x, p50, "p50t", "start", short_number(last.latency.p50));
}

std::string panel_of(const row& r, double top) {
  const auto s = scales_of(r, top + plot_top);
  auto name = r.scenario + ": latency, ms";
  if (r.against.fsync_p50_ms > 0) name += print(" (one fsync: %.2g ms)", r.against.fsync_p50_ms);
  return label(left - 40, top + 18, "text name", "start", name) + grid(s)
         + curve(r, s, "p99", [](const auto& l) { return l.p99; })
         + curve(r, s, "p50", [](const auto& l) { return l.p50; }) + ends(r, s)
         + label((left + right) / 2, s.top + plot_height + 34, "quiet", "middle",
           "orders a second, by the schedule");
}

std::string legend(double y) {
  const auto key = [y](double x, const char* kind, const char* name) {
    return print(R"(  <line class="line %s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>)", kind, x,
             y - 4, x + 22, y - 4)
           + "\n" + label(x + 28, y, "text", "start", name);
  };
  return key(14, "p50", "p50") + key(84, "p99", "p99")
         + print(R"(  <circle class="axis dot" cx="164" cy="%.1f" r="3" stroke-width="2"/>)", y - 4)
         + "\n" + label(173, y, "text", "start", "the server fell behind the schedule");
}
} // namespace

std::string plot_svg(const whole_report& r) {
  std::vector<const row*> rows;
  for (const auto& one : r.rows)
    if (one.steps.size() > 2 && one.steps.front().asked_rate > 0) rows.push_back(&one);
  const double height = head + panel * static_cast<double>(rows.size()) + foot - 36;
  auto out = print(
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="720" role="img" style="max-width:100%%;height:auto">)",
    width, height);
  out += "\n  <title>Latency against load</title>";
  out += style;
  out += print(R"(  <rect class="page" width="%.0f" height="%.0f"/>)", width, height) + "\n";
  out += label(14, 24, "text title", "start", "Latency against load");
  auto where = print("%u cores, load beside the server; ", r.on.cores) + r.time.substr(0, 10);
  if (!r.commit.empty()) where += ", " + r.commit.substr(0, 12);
  out += label(14, 44, "quiet", "start", where);
  out += legend(70);
  double top = head - 8;
  for (const auto* one : rows) out += panel_of(*one, top), top += panel;
  return out + "</svg>\n";
}
} // namespace jumun::bench
