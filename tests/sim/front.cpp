#include "tests/sim/front.hpp"

namespace jumun::sim {
namespace {
std::string_view sku_of(const domain::adjust_stock& c) { return c.sku; }
std::string_view sku_of(const domain::count_stock& c) { return c.sku; }
std::string_view sku_of(const domain::put_product& c) { return c.row.sku; }
/// Its shard is its SKU's, and its actor that shard's inventory.
template <class Command> constexpr bool about_a_sku = requires(const Command& c) { sku_of(c); };
} // namespace

domain::shard_id shard_for(const command& what) {
  const auto shard = [](const auto& c) {
    using type = std::decay_t<decltype(c)>;
    if constexpr (about_a_sku<type>)
      return domain::shard_of(sku_of(c));
    else if constexpr (std::is_same_v<type, domain::place_order>)
      return domain::shard_of(c.from.key);
    else if constexpr (std::is_same_v<type, domain::take_hook>)
      return domain::shard_of(c.what.order);
    else if constexpr (std::is_same_v<type, domain::remember_reply>)
      return c.shard;
    else
      return domain::shard_of(c.order);
  };
  return std::visit(shard, what);
}

const domain::request_context& context_of(const command& what) {
  return std::visit([](const auto& c) -> const domain::request_context& { return c.from; }, what);
}

void ask(life& process, const command& what, answered done) {
  const auto shard = shard_for(what);
  const auto& route = process.env().route;
  const auto to = [&](const auto& c) {
    if constexpr (about_a_sku<std::decay_t<decltype(c)>>)
      process.ask(route.inventory(shard), c, std::move(done));
    else
      process.ask(route.supervisor(shard), c, std::move(done));
  };
  std::visit(to, what);
}
} // namespace jumun::sim
