#include "app/cluster/agreement.hpp"
#include "app/node.hpp"
#include "cluster/etcd_coordinator.hpp"

namespace jumun::app {
namespace {
std::optional<cluster::etcd::endpoint> endpoint_in(const std::string& text) {
  const bool bare = text.find("://") == std::string::npos;
  return cluster::etcd::endpoint::parse(bare ? "http://" + text : text);
}

/// Without the endpoints that are none.
cluster::etcd::options options_of(const etcd_options& how) {
  cluster::etcd::options o;
  for (const auto& text : how.endpoints)
    if (auto parsed = endpoint_in(text)) o.endpoints.push_back(std::move(*parsed));
  o.tls = {how.ca_file, how.cert_file, how.key_file};
  o.user = how.user;
  o.password_file = how.password_file;
  o.deadline = limits::etcd_call_deadline;
  return o;
}
} // namespace

std::optional<std::string> why_no_etcd(const etcd_options& how) {
  for (const auto& text : how.endpoints)
    if (!endpoint_in(text))
      return "etcd: \"" + text + "\" is not allowed; allowed: [http[s]://]HOST:PORT";
  const auto why = cluster::etcd::fault_of(options_of(how));
  return why.empty() ? std::nullopt : std::optional{"etcd: " + why};
}

std::unique_ptr<cluster::coordinator> agreement_by_etcd(
  const cluster_options& how, domain::shard_map stored, self_of_folder self) {
  cluster::etcd_coordinator::options o;
  o.at = options_of(how.etcd);
  o.cluster = how.cluster;
  o.node = how.node;
  o.self.role = how.role;
  o.stored = std::move(stored);
  o.incarnation = std::move(self.incarnation);
  o.previous = std::move(self.previous);
  o.life = self.life;
  o.life_before = self.life_before;
  o.resumes = how.resumes;
  o.rules.owners_min = how.owners_min;
  o.random = random_bits;
  return std::make_unique<cluster::etcd_coordinator>(std::move(o));
}
} // namespace jumun::app
