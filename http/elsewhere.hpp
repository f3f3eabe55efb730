#pragma once
#include "domain/request.hpp"
#include "domain/stock.hpp"
#include "http/authenticator.hpp"
#include "http/limits.hpp"
#include "http/listed.hpp"
#include "http/listener.hpp"
#include "http/part.hpp"
#include "http/response.hpp"

namespace jumun::http {
/// Where a shard is served, as this node knows it.
struct place {
  enum class kind : std::uint8_t {
    here,
    there,  // by `node`
    moving, // on its way, or not given to anybody yet: look again in a moment
    away,   // by `node`, which is not there; or by nobody
  };
  kind is = kind::here;
  std::string node = {};
};

/// A node of the cluster.
struct member {
  std::string node;
  domain::shard_set shards = {}; // that it owns
  bool here = false;             // it is this one
  bool up = true;
};

/// A request on its way to the node that it belongs to. Who asks, and with which rights, has been
/// found by the node that sends it: only a node of the cluster is believed this.
struct forwarded_request {
  listener on = listener::on_public;
  std::string head; // request line and fields, none of them a credential
  std::string body;
  identity who;
  domain::request_context from;
  bool part = false;            // of a list: rows are wanted, not a page
  std::string part_after = {};  // of a whole list: those behind this key
  std::optional<feed_ask> feed; // of the feed: events are wanted, not a page or a stream
};

/// What became of it.
struct forwarded_answer {
  enum class kind : std::uint8_t {
    answered,
    not_here, // the receiver does not own it (any more): nothing was done
    not_sent, // surely not delivered
    unknown,  // sent, and no answer came: it may have been done
  };
  kind is = kind::answered;
  response what; // answered, without a part
  std::optional<list_part> rows;
  std::optional<feed_part> events;
};

/// Port to the other nodes of the cluster. Thread-safe; nothing of it blocks. A server without one
/// is alone.
class elsewhere {
public:
  virtual ~elsewhere() = default;
  /// For each request: does not allocate where the answer is `here`.
  [[nodiscard]] virtual place owner_of(domain::shard_id shard) = 0;
  /// Who takes what may go to any owner of shards: this node where it owns some.
  [[nodiscard]] virtual place any_owner() = 0;
  /// `here`, `there` or `away`; away without a name: no member is called so.
  [[nodiscard]] virtual place place_of(std::string_view node) = 0;
  /// All members, by name, this node too.
  [[nodiscard]] virtual std::vector<member> members() = 0;
  /// What this node serves at this moment.
  [[nodiscard]] virtual domain::shard_set served() = 0;

  using ms = std::chrono::milliseconds;
  /// Answers within `within`. `r` is for http::server::take() over there.
  virtual void forward(
    const std::string& node, forwarded_request r, ms within, done<forwarded_answer> reply) = 0;
  /// The products of these SKUs, of a node that owns their shards; what is no product is left out.
  /// nullopt: it did not answer in time, or owns them no more.
  using products = std::optional<std::vector<domain::product>>;
  virtual void find_products(
    const std::string& node, std::vector<std::string> skus, ms within, done<products> reply) = 0;
};
} // namespace jumun::http
