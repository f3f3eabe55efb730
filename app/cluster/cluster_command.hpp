#pragma once
#include "app/exit_codes.hpp"
#include <string>

namespace CLI {
class App;
}

namespace jumun::app {
/// What `jumun cluster …` was asked to do: of a running node, over its ops listener.
struct cluster_request {
  enum class doing : std::uint8_t { status, move, drain, resume } what = doing::status;
  std::string ops = "http://127.0.0.1:9090";
  std::string key_file;  // an API key, alone in a file; empty: none is sent
  std::string ca_file;   // PEM; empty: the system's
  std::string node;      // move: where to; drain, resume: who
  unsigned shard = 0;    // move
  bool json = false;     // status: what the node answered, as it is
  bool no_wait = false;  // move, drain: asked for, and not watched
  unsigned within_s = 0; // drain: watched for so long at most, and some time without a node that
                         // takes shards; 0: to its end, and none
};

/// Adds `cluster status|move|drain|resume` to the command line; parsing fills `into`, which must
/// outlive it.
[[nodiscard]] CLI::App* add_cluster_command(CLI::App& app, cluster_request& into);

/// Does it: what is there and how far it has come on stdout, what is wrong on stderr. Blocks until
/// the shards are where they were asked to be, or can't get there: nobody else takes shards, or the
/// time is over. SIGINT stops the watching and nothing else.
[[nodiscard]] exit_code run_cluster(const cluster_request& asked);
} // namespace jumun::app
