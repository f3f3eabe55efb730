#pragma once
#include "actors/payment_provider.hpp"
#include "http/shop.hpp"
#include "storage/store.hpp"
#include <filesystem>
#include <memory>
#include <variant>

namespace jumun::app {
/// What a token makes the simulator do (API.md, "Payment simulator").
struct token_plan {
  enum class kind : std::uint8_t {
    approve,
    decline,
    timeout,         // never answers, charges nothing
    unknown_charged, // never answers, yet the money is taken
    flaky,           // fails `n` times for a payment, then approves
    refund_fails,    // approves; fails the first `n` cancels
    slow,            // approves after `n` milliseconds; nothing is taken before
    unknown_token,   // declined
  };
  kind does = kind::unknown_token;
  std::uint32_t n = 0;
  bool operator==(const token_plan&) const = default;
};
inline constexpr std::uint32_t simulator_fails_max = 1'000'000;
inline constexpr std::uint32_t simulator_slow_ms_max = 3'600'000;
/// Pure. Malformed or out of bounds: unknown_token.
[[nodiscard]] token_plan parse_token(std::string_view token);

/// The embedded default provider: approves and declines by token, and keeps a ledger of its own, on
/// disk, apart from our state, so that anyone can check money from outside.
///
/// The ledger, `DIR/simulator/ledger.jsonl`, is append-only: one line of JSON per charge, refund or
/// void. It is the only memory that survives: declines and the counts of failures begin anew with
/// the process. Group commit: all waiting requests, one fdatasync, then the answers. A request is
/// answered only once its line is on disk. A ledger that can't be read or written stops the
/// simulator for good
/// (`on_failure`, once) and nobody is answered any more: the process must end.
///
/// Thread-safe. Its own thread loads the ledger first (1.5 s for a million lines; requests
/// wait meanwhile, so a start does not depend on history), then serves. Callbacks run on that
/// thread and must not block. About 75 bytes of memory per payment.
class payment_simulator final : public actors::payment_provider {
public:
  struct options {
    std::filesystem::path dir; // the data folder
    /// Once, on the simulator's thread; errc full, io_failed or corrupt.
    std::function<void(const storage::failure&)> on_failure;
  };
  /// Makes the folder and the file when they are absent. Blocks for a few system calls.
  [[nodiscard]] static std::variant<std::unique_ptr<payment_simulator>, storage::failure> open(
    options how);
  /// Stops the thread. Whoever still waits is never called.
  ~payment_simulator() override;

  void charge(actors::provider_charge c, actors::provider_callback said) override;
  void inquire(actors::provider_charge c, actors::provider_callback said) override;
  void cancel(actors::provider_charge c, actors::provider_callback said) override;

  /// All that is on disk, oldest first. Blocks: waits for the load, then reads the file.
  [[nodiscard]] std::vector<http::ledger_entry> ledger() const;
  struct figures {
    std::uint64_t lines = 0; // written by this process
    std::uint64_t syncs = 0; // fdatasync calls they took
  };
  [[nodiscard]] figures stats() const;

private:
  class desk;
  explicit payment_simulator(std::unique_ptr<desk> d);
  std::unique_ptr<desk> desk_;
};

/// The ledger of a data folder whose server is stopped, for `jumun check`; nullopt: there is none.
/// A torn end is left out; any other damage is a failure (corrupt). Blocks, changes nothing.
[[nodiscard]] std::variant<std::optional<std::vector<http::ledger_entry>>, storage::failure>
read_simulator_ledger(const std::filesystem::path& dir);
} // namespace jumun::app
