#pragma once

/// Bugs planted on purpose, to see that the checkers see them (scripts/planted.sh). In the product
/// JUMUN_PLANTED(name) is the constant false, and nothing of this is in the binary. Test binaries
/// that are built with JUMUN_PLANTED_BUGS=1 run the one that $JUMUN_PLANT names.
#if JUMUN_PLANTED_BUGS

// (name, what it breaks), found in the code by its name. Between nodes: the swarm of three knows.
// clang-format off
#define JUMUN_PLANTED_BUG_LIST(X) JUMUN_PLANTED_ALONE(X) JUMUN_PLANTED_BETWEEN_NODES(X)
#define JUMUN_PLANTED_ALONE(X)                                                                     \
  X(answer_before_sync, "clients are answered before the write")                                   \
  X(durable_though_failed, "the answers of a batch go out although its write failed")              \
  X(failed_write_ignored, "the journal goes on after a failed write")                              \
  X(batch_reordered, "write sets of one batch land in another order than they were appended")      \
  X(batch_in_two_writes, "half of a batch is written by itself first")                             \
  X(key_in_a_write_of_its_own, "idempotency records are written after their effects")              \
  X(epoch_check_dropped, "a former owner of a shard may still write to it")                        \
  X(version_check_dropped, "a write set may replace a row that it has not seen")                   \
  X(overlay_erased_early, "a row appended during a commit is read stale after it")                 \
  X(eviction_not_counted, "a row that memory has forgotten counts as one that never was")          \
  X(feed_offset_reused, "after a restart the feed counts from the begin again")                    \
  X(pause_lost_on_restart, "an operator's pause is not on disk")                                   \
  X(check_overlooks, "`jumun check` does not report a wrong sum of reservations")                  \
  X(oversell_by_one, "the last piece is promised twice")                                           \
  X(commit_twice, "a commit that is repeated takes the goods again")                               \
  X(release_twice, "a release that is repeated adds the goods again")                              \
  X(restock_forgotten, "goods that had left the shelf do not come back when they are released")    \
  X(release_forgotten, "a rejected order keeps its reservations")                                  \
  X(stock_tombstone_forgotten, "a reserve that comes after its release holds stock for ever")      \
  X(adjusted_below_reserved, "stock may be adjusted below what is reserved")                       \
  X(count_ignores_if_match, "a count overwrites what was sold while the clerk counted")            \
  X(provider_called_early, "the payment provider is asked before the row is durable")              \
  X(new_payment_id_on_retry, "a charge that is asked again has another payment id")                \
  X(payment_tombstone_forgotten, "no row says that a charge is being made void")                   \
  X(timeout_taken_for_refusal, "a charge without an answer counts as declined")                    \
  X(absent_taken_for_never, "a charge that the provider has not heard of yet is given up")         \
  X(void_skipped, "a charge of unknown outcome is not made void")                                  \
  X(undo_gives_up, "a refund or a void that is not confirmed is not asked again")                  \
  X(refund_forgotten, "what was paid is not given back")                                           \
  X(refund_amount_lost, "the payment's record does not say how much was given back")               \
  X(late_approval_revives, "an approval that comes during the void makes the order go on")         \
  X(breaker_burns_attempts, "a call that the breaker held back counts as an attempt")              \
  X(not_asked_taken_for_unknown, "a call that the breaker held back counts as one without answer") \
  X(delivery_tombstone_forgotten, "a delivery that was stopped before it started is started")      \
  X(shipped_is_cancellable, "an order that the courier has can be cancelled")                      \
  X(courier_goes_backward, "a delivered order can be picked up again")                             \
  X(cancellation_lost, "a cancellation is accepted while the goods leave, and nothing follows")    \
  X(pause_ignored, "commands of a paused order are sent")                                          \
  X(event_sequence_gap, "an order's events skip a number")                                         \
  X(event_forgotten, "only the first line of several has its StockDecreased")                      \
  X(events_out_of_order, "the events of one step are in the feed backward")                        \
  X(open_index_left_early, "a paid order is not in the index for recovery")                        \
  X(customer_index_forgotten, "an order is not in the index of its customer")                      \
  X(back_off_forgotten, "an order that waited when the process died waits for ever")               \
  X(timer_lost, "of the deadlines that are due at once only the last one counts")                  \
  X(retired_too_early, "a saga at rest is retired with a command in its mailbox")                  \
  X(sleeper_forgotten, "a sleeping saga is not told that the payment actor fell")                  \
  X(poison_takes_shard_down, "an order whose actor keeps falling takes its shard along")           \
  X(reply_lost_on_restart, "answers from before a restart are not replayed")                       \
  X(key_of_another_body, "an Idempotency-Key is taken with another body")                          \
  X(audit_line_forgotten, "an operator's action leaves no line in the audit log")                  \
  X(if_match_ignored, "an operator's action is done on a version that he has not seen")            \
  X(parked_hook_lost, "a hook that came before its order is forgotten by a restart")
#define JUMUN_PLANTED_BETWEEN_NODES(X)                                                             \
  X(epoch_stays_at_a_pass, "a shard's next owner has it at the epoch of the last one")             \
  X(passed_by_anybody, "a shard is passed on by a node that does not have it")                     \
  X(older_map_taken, "a node takes a map over that knows less than its own")                       \
  X(map_rebuilt_from_oldest, "a map that is made again takes each shard's lowest epoch")           \
  X(drain_forgets_last, "the last shard of a node that is drained stays there")                    \
  X(fence_left_down, "a shard that was given up may still be written at its old epoch")            \
  X(taken_sagas_sleep, "open orders of a shard that was taken are not woken")                      \
  X(keys_not_copied, "a shard moves without its idempotency records")                              \
  X(deletes_not_copied, "what was deleted while a shard was copied is not deleted in the copy")    \
  X(tail_left_behind, "what a shard's owner wrote last before it gave it up is not copied")        \
  X(gives_while_serving, "a shard is copied to its end while its owner still serves it")           \
  X(given_unsaid, "a shard is passed on before its giver's disk says so")                          \
  X(given_forgotten, "after a restart a shard that was given is not passed on")                    \
  X(missing_rows_given, "a node gives away a shard whose rows are not in its folder")              \
  X(missing_forgotten, "after a restart a node serves a shard whose rows are not in its folder")   \
  X(given_twice, "a shard that was given and not yet passed is moved once more")                   \
  X(old_rows_mixed_in, "a copy is written over old rows of the shard")                             \
  X(left_rows_kept, "rows of a shard that has moved away stay behind")                             \
  X(copy_said_early, "a copy is said to be whole before that is on the disk")                      \
  X(any_copy_served, "a node serves what the map gives it, whatever its disk holds")               \
  X(offsets_begin_anew, "a shard's new owner counts its feed from where it was itself")            \
  X(told_before_durable, "a command for another node leaves before the row that owes it")          \
  X(refused_start_counts, "an old copy of a folder is refused at its first start only")
// clang-format on

namespace jumun::planted {
enum class bug {
  none,
#define JUMUN_ONE(name, what) name,
  JUMUN_PLANTED_BUG_LIST(JUMUN_ONE)
#undef JUMUN_ONE
};
/// Whether this process runs with that one; tests/planted/planted.cpp.
[[nodiscard]] bool active(bug b);
} // namespace jumun::planted
#define JUMUN_PLANTED(name) (::jumun::planted::active(::jumun::planted::bug::name))

#else
#define JUMUN_PLANTED(name) false
#endif
