#include "app/monitoring/families.hpp"
#include "domain/invariant.hpp"
#include <prometheus/text_serializer.h>
#include <sstream>

namespace jumun::app {
using prometheus::MetricType;

families& families::begin(std::string name, std::string help, MetricType type) {
  all_.push_back({std::move(name), std::move(help), type, {}});
  return *this;
}
families& families::counter(std::string name, std::string help) {
  JUMUN_INVARIANT(name.ends_with("_total"), "prometheus.io/docs/practices/naming");
  return begin(std::move(name), std::move(help), MetricType::Counter);
}
families& families::gauge(std::string name, std::string help) {
  return begin(std::move(name), std::move(help), MetricType::Gauge);
}
families& families::histogram(std::string name, std::string help) {
  return begin(std::move(name), std::move(help), MetricType::Histogram);
}

families& families::number(double v, labels with) {
  auto& of = all_.back();
  auto& m = of.metric.emplace_back();
  m.label = std::move(with);
  (of.type == MetricType::Counter ? m.counter.value : m.gauge.value) = v;
  return *this;
}

families& families::buckets(const std::vector<bucket>& own, double sum, labels with) {
  auto& m = all_.back().metric.emplace_back();
  m.label = std::move(with);
  auto& h = m.histogram;
  h.sample_sum = sum;
  for (const auto& b : own) {
    h.sample_count += b.count;
    h.bucket.push_back({h.sample_count, b.upper_bound});
  }
  return *this;
}

std::string families::text() const {
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, all_);
  return std::move(out).str();
}
} // namespace jumun::app
