#pragma once
#include "http/audit.hpp"
#include "http/authenticator.hpp"
#include "http/backups.hpp"
#include "http/breakers.hpp"
#include "http/cluster_view.hpp"
#include "http/elsewhere.hpp"
#include "http/faults.hpp"
#include "http/feed.hpp"
#include "http/logs.hpp"
#include "http/monitor.hpp"
#include "http/payment_hooks.hpp"
#include "http/saga_desk.hpp"
#include "http/shop.hpp"
#include "http/tls.hpp"
#include "http/webhook_registry.hpp"

namespace jumun::http {
class overview;  // http/console/overview.hpp
class inspector; // http/console/inspector.hpp

/// What `app` plugs into the edge: one small port for each concern. All of them outlive the server.
/// A null port is a concern that this server was not given: its routes answer 404.
struct ports {
  ports(shop& inside) : inside{inside} {} // NOLINT: a shop alone is a server, too

  shop& inside;
  audit_log* audit = nullptr;
  http::monitor* monitor = nullptr;
  http::overview* overview = nullptr;
  http::inspector* inspector = nullptr;
  http::logs* logs = nullptr;
  cluster_view* cluster = nullptr;
  http::backups* backups = nullptr;
  const authenticator* who = nullptr;                       // null: dev mode
  const tls_slot *public_tls = nullptr, *ops_tls = nullptr; // null: plain HTTP
  feed* events = nullptr;
  http::breakers* breakers = nullptr;
  http::faults* faults = nullptr; // only with --enable-faults
  payment_hooks* hooks = nullptr;
  webhook_registry* webhooks = nullptr;
  saga_desk* sagas = nullptr;
  elsewhere* others = nullptr; // null: there is no other node
};
} // namespace jumun::http
