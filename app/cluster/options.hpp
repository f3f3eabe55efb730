#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace jumun::app {
struct etcd_options {
  std::vector<std::string> endpoints;       // [http[s]://]host:port
  std::string ca_file, cert_file, key_file; // of an etcd that speaks TLS
  std::string user, password_file;          // empty: etcd asks for none
};

/// What a node of a cluster is told beside what a node alone is; see config.hpp.
struct cluster_options {
  std::string cluster, node, role; // role: all | gateway | shard
  etcd_options etcd;
  std::size_t owners_min = 1;               // before a new cluster gives its shards out
  std::string bind = "127.0.0.1";           // where peers come in
  std::uint16_t port = 0;                   // 0: any free one
  std::string advertise;                    // host:port; empty: bind and the port
  std::string cert_file, key_file, ca_file; // empty: plain, on loopback
  std::string simulator_node; // whose payment simulator is the cluster's; empty: each its own
  std::string die_at;         // --failpoints move.<step>: at this step of a move
  bool resumes = false;       // its start takes a drain of it back, be it done or not
};
} // namespace jumun::app
