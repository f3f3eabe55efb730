#pragma once
#include "http/elsewhere.hpp"
#include "http/routes.hpp"

/// Requests that belong to another node of the cluster, and those that come from one.
namespace jumun::http {
/// Runs the request on the node that it belongs to: its handler here, or on the other node (asked
/// again while the answer is surely not there yet, or the request may be repeated), or on every
/// node that owns shards. @pre ex->at->to.others, and all checks that are the same everywhere are
/// done.
void run_where_it_belongs(const exchange_ptr& ex, const route& r);

/// Whether this node is the one that the request belongs to.
[[nodiscard]] bool belongs_here(const exchange_ptr& ex, const route& r);

/// The shard has left while the request waited here: it begins anew at its owner, and this is the
/// end of it here. False: the shard is here. For requests that may be repeated.
[[nodiscard]] bool moved_on(const exchange_ptr& ex, domain::shard_id shard);

/// Its actor was gone before it could answer: it begins anew after a pause, wherever it belongs by
/// then, and this is the end of it here. False: it may not be repeated, or that has gone on for
/// limits::resend_max: an actor that keeps falling is not waited for.
[[nodiscard]] bool begun_again(const exchange_ptr& ex);

/// Whether a read is answered (or anything else with 404) of rows that may have been deleted under
/// it, because its shard has left meanwhile: then it begins anew, too.
[[nodiscard]] bool read_too_late(const exchange_ptr& ex, unsigned status);

/// A request that another node sent: answers exactly once, from any thread. Returns at once.
void take_forwarded(
  const std::shared_ptr<edge>& at, forwarded_request r, done<forwarded_answer> reply);

/// A request that this node makes itself in the name of whoever `r` says: answered exactly once,
/// from any thread, by whichever node it belongs to. Returns at once.
void ask_own(const std::shared_ptr<edge>& at, forwarded_request r, done<response> reply);

/// The request for another node, with the credentials left out.
[[nodiscard]] forwarded_request forwarded(const exchange_ptr& ex);

/// All members; where there is no port to others, this server alone.
[[nodiscard]] std::vector<member> members_of(const edge& at);
/// What this node serves now.
[[nodiscard]] domain::shard_set served_by(const edge& at);

/// Sends `like` to each of `to` that is up, this node too, and hands their answers on in the same
/// order, on an I/O thread and guarded; who is away, or silent for `within`, is not_sent or
/// unknown.
void ask_each(const exchange_ptr& ex, const forwarded_request& like, const std::vector<member>& to,
  std::chrono::milliseconds within, std::function<void(std::vector<forwarded_answer>)> then);

/// The first answer that is a refusal of the request itself (a 4xx: every node would say the same).
[[nodiscard]] response* refusal_in(std::vector<forwarded_answer>& answers);
} // namespace jumun::http
