#pragma once
#include "domain/hook.hpp"
#include "tests/sim/life.hpp"
#include <variant>

namespace jumun::sim {
/// What can be asked of the shop.
using command = std::variant<domain::place_order, domain::cancel_order, domain::report_delivery,
  domain::adjust_stock, domain::count_stock, domain::put_product, domain::take_hook,
  domain::act_on_saga, domain::remember_reply>;
/// Where a command's record is kept, and where it is sent.
[[nodiscard]] domain::shard_id shard_for(const command& what);
[[nodiscard]] const domain::request_context& context_of(const command& what);

/// `done` is called at most once, and with `lost` when nobody will ever answer.
using answered = std::function<void(actors::command_result)>;
/// Sends it to the actor that it is for, as the edge of that process does.
void ask(life& process, const command& what, answered done);

/// Where people ask: the edges of the processes that are up, by the numbers of their doors.
class front {
public:
  virtual ~front() = default;
  /// One that is open; nullopt: none is.
  virtual std::optional<std::size_t> door() = 0;
  [[nodiscard]] virtual bool open(std::size_t door) const = 0;
  virtual void ask(std::size_t door, const command& what, answered done) = 0;
  [[nodiscard]] virtual const actors::presenter& present() const = 0;
};

/// The only process of a shop that is not a cluster.
class one_door final : public front {
public:
  void stands_for(life* process) { process_ = process; } // null: it is down
  std::optional<std::size_t> door() override {
    return process_ ? std::optional<std::size_t>{0} : std::nullopt;
  }
  bool open(std::size_t) const override { return process_ != nullptr; }
  void ask(std::size_t, const command& what, answered done) override {
    if (process_) sim::ask(*process_, what, std::move(done));
  }
  const actors::presenter& present() const override { return process_->env().present; }

private:
  life* process_ = nullptr;
};
} // namespace jumun::sim
