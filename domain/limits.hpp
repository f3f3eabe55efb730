#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound in the system, one line each. Settings tune inside these; they never lift one.
namespace jumun::limits {
using namespace std::chrono_literals;

// what a client may send (API.md, Conventions/Limits)
inline constexpr std::size_t head_bytes_max = 8 * 1024;   // more → 431
inline constexpr std::size_t head_fields_max = 64;        // more → 431
inline constexpr std::size_t target_bytes_max = 2 * 1024; // more → 414
inline constexpr std::size_t body_bytes_max = 64 * 1024;  // more → 413
inline constexpr std::size_t json_depth_max = 16;         // deeper → 400
inline constexpr auto head_read_max = 5s;                 // slower → 408
inline constexpr auto body_read_max = 10s;                // slower → 408
inline constexpr auto write_max = 10s;                    // slower → the connection is cut
inline constexpr auto idle_max = 30s;                     // then closed
inline constexpr auto prefer_wait_max = 30s;              // more is taken as this
inline constexpr auto running_key_wait_max = 5s;          // Idempotency-Key still running → 409
inline constexpr auto running_key_max = prefer_wait_max + 5s; // then its answer was lost on the way
inline constexpr auto idempotency_kept = 72h;
inline constexpr std::size_t idempotency_key_bytes_max = 255;

// who may ask (app/auth)
inline constexpr std::size_t bearer_bytes_max = 4 * 1024;   // a key or a JWT; more → 401
inline constexpr std::size_t principal_bytes_max = 64;      // a customer's is their customer_id
inline constexpr std::size_t auth_file_bytes_max = 4 << 20; // keys, JWKS, PEM: more is refused
inline constexpr auto api_key_life_max = 24h * 3'652;       // ten years
inline constexpr std::size_t api_keys_max = 10'000;         // in one keys file
inline constexpr std::size_t jwt_hs256_bytes_min = 32;      // RFC 7518 §3.2
inline constexpr int jwt_rsa_bits_min = 2048;               // RFC 7518 §3.3
inline constexpr auto jwt_leeway = 30s;                     // between our clock and the issuer's
inline constexpr auto file_watch_period = 250ms; // a changed file is in force well within 1 s

// what an order, a product, a stock may hold
inline constexpr std::size_t order_lines_max = 100;
inline constexpr std::int64_t quantity_max = 1'000'000;
inline constexpr std::int64_t stock_max = 1'000'000'000'000;
inline constexpr std::int64_t unit_price_max = 10'000'000'000; // minor units
inline constexpr std::size_t sku_bytes_max = 64;
inline constexpr std::size_t text_bytes_max = 256; // names, reasons, notes, address lines
// 100 lines of the largest quantity at the largest price still fit 63 bits.
static_assert(order_lines_max * quantity_max <= INT64_MAX / unit_price_max);
inline constexpr std::size_t page_default = 50;
inline constexpr std::size_t page_max = 200;

// the event feed and its readers (docs/events.md)
inline constexpr std::size_t feed_page_max = 1'000; // events read at once; an order's whole history
inline constexpr std::size_t event_readers_max = 1'024;         // SSE streams; more → 503
inline constexpr std::size_t event_readers_per_principal = 256; // more → 429
inline constexpr std::size_t event_reader_bytes_max = 1 << 20;  // waiting for one; more → cut off
inline constexpr int event_reader_socket_bytes = 128 * 1024;    // and in the kernel, besides
inline constexpr auto event_heartbeat = 15s;                    // a comment
inline constexpr auto event_retry = 2s;    // what a reader is told to wait before it comes again
inline constexpr auto event_gather = 20ms; // events go out at once, or together after this
inline constexpr std::size_t event_backlog_max = 65'536; // more → readers go back to the disk

// retention of events
inline constexpr std::size_t retention_batch = 400;                     // events in one write set
inline constexpr auto retention_pause = 10s;                            // between two looks
inline constexpr std::size_t archive_file_bytes_max = 64 * 1024 * 1024; // then another file

// admission at the edge (CAF mailboxes have no bound)
inline constexpr std::size_t connections_max = 10'000;     // in all; more → closed at accept
inline constexpr std::size_t connections_per_peer = 4'096; // per address; more → closed at accept
inline constexpr std::size_t requests_waiting_max = 4'096; // in all; more → 503
inline constexpr std::size_t requests_per_principal = 4'096; // more → 429
inline constexpr std::uint32_t rate_limit_max = 1'000'000;   // requests a second and principal
inline constexpr std::size_t rate_principals_max = 65'536;   // remembered by the rate limit
inline constexpr std::size_t cors_origins_max = 32;
inline constexpr std::size_t orders_per_shard_max =
  1'024;                                                // being accepted in one shard; more → 503
inline constexpr auto order_wait_target = 20ms;         // for acceptance; longer → 503 (ADR 0015)
inline constexpr std::size_t orders_entering_min = 128; // so many may always wait for it

// the saga's patience
inline constexpr auto answer_timeout = 5s; // one question to one actor, then it is asked again
inline constexpr auto provider_timeout_max = 100s; // one call to a payment provider
inline constexpr auto payment_answer_timeout =
  120s; // the payment actor has the call's own deadline
static_assert(provider_timeout_max < payment_answer_timeout);
inline constexpr auto retry_base = 100ms; // ×2 each time, full jitter
inline constexpr auto retry_cap_forward = 10s;
inline constexpr auto retry_cap_inverse = 5min;
inline constexpr std::uint32_t charge_attempts_max = 8;  // then void, then rejected
inline constexpr auto charge_pending_max = 5min;         // a provider that says "processing"
inline constexpr std::uint32_t inverse_attempts_max = 6; // then blocked, and still tried
inline constexpr auto held_jitter = 50ms;                // behind the time that a breaker names
/// Whatever can still come to it, a saga that has been idle for so long leaves memory (ADR 0014).
inline constexpr auto dormant_after = 5s;

// the payment provider's breaker and bulkhead
inline constexpr auto breaker_window = 10s;             // failures are counted over this long
inline constexpr std::size_t breaker_calls_min = 20;    // in the window, before it may open
inline constexpr std::size_t breaker_failures_each = 3; // of one order in the window; a bad card
inline constexpr std::size_t breaker_probes_max = 3;    // at once, half-open
inline constexpr auto breaker_open_max = 10s;           // of its back-off: ×2 each time
inline constexpr auto breaker_ramp = 10s;               // from a tenth of the drain rate to all
inline constexpr auto breaker_slots_max = 10min;        // held orders are spread over this long
/// Nothing waits longer than this: what seems to was set by a clock that has gone back since.
inline constexpr auto wait_max = retry_cap_inverse + breaker_slots_max;
static_assert(retry_cap_forward < wait_max && payment_answer_timeout < wait_max);
inline constexpr std::size_t provider_calls_max = 4'096;  // in flight; more are held back
inline constexpr std::size_t waiting_orders_max = 10'000; // unpaid, while some are held; then 503

// injected faults (--enable-faults)
inline constexpr std::chrono::milliseconds fault_delay_max = 10min;
inline constexpr std::int64_t fault_count_max = 1'000'000'000;

// the journal
inline constexpr std::size_t write_set_entries_max = 1'024;
inline constexpr std::size_t batch_sets_max = 4'096; // write sets in one fsync

// calls to others' servers: payment providers, webhooks
inline constexpr std::size_t outbound_connections_per_host = 128; // more wait for one
inline constexpr std::size_t outbound_connections_max = 512;      // to all hosts
inline constexpr std::size_t outbound_connections_kept = 128;     // open, for the next request
inline constexpr std::size_t outbound_waiting_max = 16'384;       // requests; more fail at once
inline constexpr std::size_t outbound_head_bytes_max = 32 * 1024; // of an answer

// names
inline constexpr std::size_t node_id_bytes_max = 63; // a DNS label
// a provider that is asked by our Idempotency-Key: Stripe keeps one for 24 h at least
inline constexpr auto provider_key_trusted = 23h;

// a payment provider's hooks: Stripe repeats one for 3 days
inline constexpr auto hook_tolerance = 5min;        // of the signature's time
inline constexpr auto hooks_kept = 96h;             // to know a repetition again
inline constexpr std::size_t hooks_parked_max = 64; // a shard, for orders that aren't here yet
// outgoing webhooks (Standard Webhooks 1.0)
inline constexpr std::size_t webhooks_max = 32; // endpoints; more → 409
inline constexpr std::size_t webhook_url_bytes_max = 2 * 1024;
inline constexpr std::size_t webhook_secret_bytes = 32;
inline constexpr std::size_t webhook_secrets_max = 8; // that sign at once; then the oldest stops
inline constexpr auto webhook_secret_overlap = 24h;
inline constexpr std::array<std::chrono::seconds, 10> webhook_schedule{
  0s, 5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}; // the wait before each try
inline constexpr auto webhook_retry_after_max = 24h;
inline constexpr auto webhook_deadline = 15s;                       // one try, whole
inline constexpr std::size_t webhook_payload_bytes_max = 64 * 1024; // longer → given up
inline constexpr std::size_t webhook_response_bytes_max = 8 * 1024; // longer → a failed try
inline constexpr std::uint32_t webhook_given_up_max = 2;    // in a row, some six days; then off
inline constexpr std::size_t webhook_attempts_kept = 20;    // of one message
inline constexpr std::size_t webhook_rows_kept = 300;       // delivered, and as many failed
inline constexpr std::size_t webhook_redeliveries_max = 50; // waiting, of one endpoint; more → 503
inline constexpr std::size_t webhook_tests_max = 8;         // under way at once; more → 503
inline constexpr std::size_t webhook_window_max = 200;      // events read ahead, of one endpoint
inline constexpr auto webhook_checkpoint_pause = 100ms;     // what a crash may have sent twice
inline constexpr std::size_t webhook_checkpoint_max = 200;  // rows; then at once
inline constexpr auto webhook_read_pause = 20ms;            // between two looks into the feed
inline constexpr std::uint64_t webhook_skipped_max =
  10'000; // unwanted offsets without a checkpoint
static_assert(webhook_window_max <= page_max);
// An endpoint goes with all of its rows in one write set.
static_assert(2 * webhook_rows_kept + webhook_checkpoint_max + webhook_redeliveries_max + 16
              < write_set_entries_max);

// the tunnel between nodes (cluster/tunnel, docs/cluster.md)
inline constexpr auto tunnel_heartbeat = 1s;
inline constexpr auto tunnel_silence_max = 4s;    // without a byte; then the link is cut
inline constexpr auto tunnel_first_byte_max = 3s; // slower → cut
inline constexpr auto tunnel_greeting_max = 6s;   // from there until both know who the other is
inline constexpr auto tunnel_linger_max = 1s;     // to say why, and to hand CAF the last bytes
inline constexpr auto tunnel_log_period = 60s;    // one line for all that was refused in it
inline constexpr std::size_t tunnel_greeting_per_address = 32; // unproved; then the oldest is cut
inline constexpr std::size_t tunnel_greeting_in_all = 256;     // the same
inline constexpr std::size_t tunnel_links_per_peer = 8;        // each direction
inline constexpr std::size_t tunnel_frame_bytes_max = 64 * 1024;
inline constexpr std::size_t tunnel_window_bytes = 1 << 20;      // sent ahead of what CAF takes
inline constexpr std::size_t tunnel_window_bytes_max = 16 << 20; // that a peer may offer
inline constexpr std::size_t tunnel_message_bytes_max = 8 << 20; // one of CAF's; more → cut
static_assert(3 * tunnel_heartbeat < tunnel_silence_max);

// supervision (DESIGN §7)
inline constexpr std::size_t child_restarts_max = 5; // per window, then escalate
inline constexpr auto child_restart_window = 60s;
inline constexpr auto child_restart_base = 10ms; // ×2 each time
inline constexpr auto child_restart_cap = 1s;

// who owns which shard (DESIGN §8)
inline constexpr std::size_t members_max = 256;      // nodes of a cluster; more are not seen
inline constexpr std::size_t moves_per_node_max = 2; // under way, from and to it together
inline constexpr std::size_t balance_slack = 16;     // loads may differ by 1 + mean / 16 at rest
inline constexpr auto first_assignment_quiet = 2s;   // without a change of members
inline constexpr auto rebalance_quiet = 30s;         // the same
inline constexpr auto wish_patience = 10s;           // to make known what an operator asked for
inline constexpr std::size_t wishes_max = 1'024;     // not made known yet; more → 503

// etcd
inline constexpr auto member_lease = 5s;        // then a silent node is away
inline constexpr auto etcd_period = 1s;         // between two looks, if nothing rings
inline constexpr auto etcd_call_deadline = 1s;  // one call to one endpoint
inline constexpr auto etcd_farewell = 500ms;    // giving the lease back
inline constexpr auto etcd_retry_base = 100ms;  // ×2 each time, up to etcd_period
inline constexpr auto etcd_watch_silence = 60s; // then the doorbell is hung anew
inline constexpr std::size_t etcd_endpoints_max = 16;
inline constexpr std::size_t etcd_head_bytes_max = 16 * 1024;          // of an answer
inline constexpr std::size_t etcd_answer_bytes_max = 16 * 1024 * 1024; // all maps of all members
inline constexpr std::size_t etcd_buffer_bytes_max = 128 * 1024;
inline constexpr std::size_t etcd_message_bytes_max = 200; // of its errors, in ours
inline constexpr std::size_t member_text_bytes_max = 256;  // one field of its record
static_assert(2 * etcd_call_deadline + etcd_period < member_lease);

// disk
inline constexpr unsigned disk_free_min_pct = 5; // below: new orders get 503
inline constexpr std::uint64_t disk_reserve_bytes = 16 * 1024 * 1024;

// shutdown
inline constexpr auto drain_max = 25s; // then whoever still waits is cut off
static_assert(answer_timeout < drain_max);
} // namespace jumun::limits
