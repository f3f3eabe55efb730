#include "http/payment_hooks.hpp"
#include "http/forwarding.hpp"
#include "http/resources.hpp"

namespace jumun::http {
/// POST /v1/hooks/payments/{provider} → 202 once it is durable, also for a repetition; 400, 401,
/// 404.
void take_payment_hook(const exchange_ptr& ex) {
  auto* hooks = ex->at->to.hooks;
  if (!hooks) return send(ex, problems::not_found, "no provider's hooks are taken here");
  const payment_hooks::call c{ex->params[0],
    [ex](std::string_view name) -> std::optional<std::string_view> {
      if (ex->head.count(name) != 1) return {};
      return ex->head.find(name);
    },
    ex->body, ex->from};
  const auto fault = hooks->take(c, [ex](outcome o) {
    if (!o.lost || !begun_again(ex)) send(ex, std::move(o.reply));
  });
  if (!fault) return;
  switch (*fault) {
    case hook_fault::unknown_provider:
      return send(ex, problems::not_found, "no provider of this name is in use");
    case hook_fault::bad_signature:
      return send(ex, problems::unauthenticated,
        "the signature is absent, not ours, or more than 5 minutes off");
    case hook_fault::malformed:
      return send(ex, problems::malformed_json, "the body is no event of the provider's");
  }
}
} // namespace jumun::http
