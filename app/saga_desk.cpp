#include "app/saga_desk.hpp"
#include "app/answer_to.hpp"
#include "app/pages.hpp"
#include "storage/queries.hpp"

namespace jumun::app {
void saga_desk::act(domain::act_on_saga c, http::done<http::outcome> reply) {
  const auto& env = node_.env();
  const auto to = env.route.supervisor(domain::shard_of(c.order));
  send_command(env, to, std::move(c), std::move(reply));
}

std::optional<http::listed<domain::order>> saga_desk::list(
  const http::saga_query& q, std::size_t limit, const std::string& cursor) {
  storage::order_filter f;
  f.saga = q.state;
  f.customer = q.customer;
  f.sku = q.sku;
  f.phases = q.phases;
  if (q.older_than)
    f.created_before_ms = node_.env().now_ms() - std::chrono::milliseconds{*q.older_than}.count();
  return listed_by(node_, [&](const domain::shard_set& ours) {
    return storage::list_sagas(node_.disk(), f, limit, cursor, ours);
  });
}
} // namespace jumun::app
