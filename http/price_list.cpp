#include "http/price_list.hpp"
#include "http/owner_patience.hpp"
#include "http/waiting.hpp"
#include <mutex>

namespace jumun::http {
namespace {
using std::chrono::milliseconds;

class price_list : public std::enable_shared_from_this<price_list> {
public:
  price_list(exchange_ptr ex, std::vector<std::string> skus,
    std::function<void(const std::map<std::string, domain::product>&)> then,
    std::function<void(const unreachable_product&)> fail)
      : ex_{std::move(ex)}, others_{*ex_->at->to.others}, skus_{std::move(skus)},
        then_{std::move(then)}, fail_{std::move(fail)}, patience_{*ex_->at} {}

  void start() {
    std::vector<std::size_t> all(skus_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    ask(std::move(all));
    close();
  }

private:
  /// `which`: places in skus_. Who owns them is looked up anew each time.
  void ask(std::vector<std::size_t> which) {
    std::map<std::string, std::vector<std::size_t>> by_node;
    std::vector<std::size_t> later;
    for (const auto i : which) {
      auto at = others_.owner_of(domain::shard_of(skus_[i]));
      switch (at.is) {
        case place::kind::here: take(ex_->inside().find_product(skus_[i])); break;
        case place::kind::there: by_node[at.node].push_back(i); break;
        case place::kind::moving: later.push_back(i); break;
        case place::kind::away:
          if (lasts(milliseconds{0})) {
            later.push_back(i);
            break;
          }
          return fail({i, at.node.empty() ? "has no owner now"
                                          : "is sold by node " + at.node + ", which is away"});
      }
    }
    {
      const std::lock_guard lock{mutex_};
      open_ += by_node.size() + (later.empty() ? 0 : 1);
    }
    for (auto& [node, some] : by_node) ask(node, std::move(some));
    if (!later.empty()) again(std::move(later));
  }
  void ask(const std::string& node, std::vector<std::size_t> some) {
    std::vector<std::string> skus;
    for (const auto i : some) skus.push_back(skus_[i]);
    others_.find_products(node, std::move(skus), limits::part_max,
      [self = shared_from_this(), some = std::move(some)](elsewhere::products found) {
        guarded(self->ex_, [&] {
          if (!found) return self->again(some);
          for (auto& p : *found) {
            const std::lock_guard lock{self->mutex_};
            self->found_.insert_or_assign(p.sku, std::move(p));
          }
          self->close();
        });
      });
  }
  void again(std::vector<std::size_t> some) {
    if (!lasts(limits::part_max))
      return fail({some.front(), "is sold by a node that does not answer"});
    after(ex_, next_pause(), [self = shared_from_this(), some = std::move(some)] {
      self->ask(some);
      self->close();
    });
  }
  bool lasts(milliseconds least) {
    const std::lock_guard lock{mutex_};
    return patience_.lasts(least);
  }
  milliseconds next_pause() {
    const std::lock_guard lock{mutex_};
    return std::exchange(pause_, std::min(2 * pause_, milliseconds{limits::forward_pause_max}));
  }
  void take(std::optional<domain::product> p) {
    if (!p) return;
    const std::lock_guard lock{mutex_};
    auto sku = p->sku;
    found_.insert_or_assign(std::move(sku), std::move(*p));
  }
  void close() {
    {
      const std::lock_guard lock{mutex_};
      if (--open_ > 0 || ended_) return;
      ended_ = true;
    }
    then_(found_);
  }
  void fail(const unreachable_product& which) {
    {
      const std::lock_guard lock{mutex_};
      if (std::exchange(ended_, true)) return;
    }
    fail_(which);
  }

  const exchange_ptr ex_;
  elsewhere& others_;
  const std::vector<std::string> skus_;
  const std::function<void(const std::map<std::string, domain::product>&)> then_;
  const std::function<void(const unreachable_product&)> fail_;
  std::mutex mutex_; // of what follows
  owner_patience patience_;
  milliseconds pause_{limits::forward_pause};
  std::map<std::string, domain::product> found_;
  std::size_t open_ = 1; // questions that are out; one for start()
  bool ended_ = false;
};
} // namespace

void find_products(const exchange_ptr& ex, std::vector<std::string> skus,
  std::function<void(const std::map<std::string, domain::product>&)> then,
  std::function<void(const unreachable_product&)> fail) {
  std::make_shared<price_list>(ex, std::move(skus), std::move(then), std::move(fail))->start();
}
} // namespace jumun::http
