#pragma once
#include <string>

namespace jumun::bench {
/// Tells on stderr what is going on: one line that changes on a terminal, else one every few
/// seconds.
class progress {
public:
  /// A new step, e.g. "settle: checking the books".
  void step(const std::string& what);
  /// How far the step is; most calls say nothing.
  void at(double seconds, double of, double per_second);
  /// Before anything else is printed.
  void clear();

private:
  void show(const std::string& text);
  std::string what_;
  double told_at_ = 0;
};
} // namespace jumun::bench
