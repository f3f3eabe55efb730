#pragma once
#include "http/histogram.hpp"
#include <cmath>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <vector>

namespace jumun::app {
/// The metrics of one scrape, family by family, for prometheus-cpp to write down. Base units:
/// seconds, bytes. Labels have few values, known beforehand: never an order, a SKU, a customer.
class families {
public:
  using labels = std::vector<prometheus::ClientMetric::Label>;

  /// Begins a family; the values that follow are its series. A counter's name ends in _total.
  families& counter(std::string name, std::string help);
  families& gauge(std::string name, std::string help);
  families& histogram(std::string name, std::string help);

  /// One series of the last family.
  template <class Number> families& value(const Number& v, labels with = {}) {
    return number(static_cast<double>(v), std::move(with));
  }
  /// One series of a histogram: each bucket's own count by its upper bound, and the sum.
  struct bucket {
    double upper_bound; // infinity for what is above all others
    std::uint64_t count;
  };
  families& buckets(const std::vector<bucket>& own, double sum, labels with = {});
  template <std::size_t N> families& buckets(const http::histogram<N>& h, labels with = {}) {
    const auto now = h.read();
    std::vector<bucket> own;
    for (std::size_t i = 0; i <= N; ++i)
      own.push_back({i < N ? static_cast<double>(h.upper()[i]) / 1e6 : INFINITY, now.in[i]});
    return buckets(own, static_cast<double>(now.sum_us) / 1e6, std::move(with));
  }

  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string text() const;

private:
  families& begin(std::string name, std::string help, prometheus::MetricType type);
  families& number(double v, labels with);
  std::vector<prometheus::MetricFamily> all_;
};
} // namespace jumun::app
