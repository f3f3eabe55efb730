#include "http/console/overview_hub.hpp"
#include "http/console/limits.hpp"
#include "http/console/overview_parts.hpp"
#include "http/exchange.hpp"

namespace jumun::http {
std::uint64_t overview_hub::add(exchange_ptr as, sink to) {
  const std::lock_guard lock{guard_};
  readers_.emplace(++last_, reader{std::move(as), std::move(to)});
  if (readers_.size() == 1) wait();
  return last_;
}

void overview_hub::remove(std::uint64_t id) {
  decltype(readers_)::node_type gone; // may hold the last of the edge, and so of this
  const std::lock_guard lock{guard_};
  gone = readers_.extract(id);
  if (readers_.empty()) timer_.cancel();
}

void overview_hub::wait() {
  timer_.expires_after(limits::overview_step);
  timer_.async_wait([this, alive = readers_.begin()->second.as](boost::system::error_code ec) {
    if (!ec) tick();
  });
}

/// A node that is silent holds one answer up, and not the next: they may overtake each other.
void overview_hub::tick() {
  exchange_ptr as;
  {
    const std::lock_guard lock{guard_};
    if (readers_.empty()) return;
    as = readers_.begin()->second.as;
    wait();
  }
  gather_overview(as, /*with_history=*/false, [this, as](const std::string& all) { tell(all); });
}

void overview_hub::tell(const std::string& document) {
  const auto text =
    std::make_shared<const std::string>("event: sample\ndata: " + document + "\n\n");
  std::vector<sink> all;
  {
    const std::lock_guard lock{guard_};
    for (const auto& [id, r] : readers_) all.push_back(r.to);
  }
  for (const auto& to : all) to(text);
}
} // namespace jumun::http
