#pragma once
#include "tests/support/shop_of_nodes.hpp"
#include "tests/support/steady_orders.hpp"

namespace jumun::tests {
/// Looks at a shop of nodes while things happen to it, and says at the end what is wrong.
class shop_witness {
public:
  explicit shop_witness(shop_of_nodes& shop) : shop_(shop) {}

  /// What each node that runs knows of the owners: at one epoch a shard has one, whoever is asked.
  void look() {
    for (std::size_t i = 0; i < shop_.size(); ++i) {
      if (!shop_.at(i).child().running()) continue;
      for (const auto& s : shop_.shards(i)) {
        const std::string owner = s.at("owner");
        const std::pair<int, std::uint64_t> at{s.at("shard"), s.at("epoch")};
        const auto known = owners_.try_emplace(at, owner).first;
        if (known->second != owner)
          wrong_.push_back("shard " + std::to_string(at.first) + " at epoch "
                           + std::to_string(at.second) + " is of " + owner + " and of "
                           + known->second);
      }
    }
  }

  /// Asks node `through`. `orders` are all that there ever were, of one piece of each of `skus`, of
  /// which there were `pieces`. Empty: nothing was lost, nothing was done twice.
  texts complaints(std::size_t through, const std::vector<steady_orders::answered>& orders,
    const texts& skus, std::int64_t pieces) {
    look();
    auto wrong = wrong_;
    auto people = shop_.client(through);
    std::multiset<std::string> placed, listed;
    for (const auto& o : orders) {
      placed.insert(o.id);
      const std::string status = people.wait_settled(o.id).at("status");
      if (status != "preparing") wrong.push_back(o.id + " is " + status);
    }
    for (const auto& o : people.all_of("/v1/orders")) listed.insert(o.at("id"));
    if (placed != listed)
      wrong.push_back(std::to_string(placed.size()) + " orders were answered, "
                      + std::to_string(listed.size()) + " are there");
    const auto left = std::to_string(pieces - static_cast<std::int64_t>(orders.size()));
    for (const auto& sku : skus)
      if (const auto now = people.figures(sku); now != left + "/0/" + left)
        wrong.push_back(sku + ": " + now + ", and " + left + " are left");
    for (auto& why : people.complaints()) wrong.push_back(std::move(why));
    return wrong;
  }

private:
  shop_of_nodes& shop_;
  std::map<std::pair<int, std::uint64_t>, std::string> owners_; // by shard and epoch
  texts wrong_;
};

/// How long each order waited for its answer, and what came before it.
struct waits {
  explicit waits(const std::vector<steady_orders::answered>& orders) {
    for (const auto& o : orders) {
      took_ms.push_back(static_cast<int>(o.took.count()));
      instead.insert(instead.end(), o.before.begin(), o.before.end());
    }
    std::sort(took_ms.begin(), took_ms.end());
  }
  [[nodiscard]] int quantile_ms(double q) const {
    if (took_ms.empty()) return 0;
    return took_ms[static_cast<std::size_t>(q * static_cast<double>(took_ms.size() - 1))];
  }
  [[nodiscard]] std::string text() const {
    return std::to_string(took_ms.size()) + " orders, p50 " + std::to_string(quantile_ms(0.5))
           + " ms, p99 " + std::to_string(quantile_ms(0.99)) + " ms, longest "
           + std::to_string(quantile_ms(1)) + " ms";
  }
  std::vector<int> took_ms; // ascending
  texts instead;
};
} // namespace jumun::tests
