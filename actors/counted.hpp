#pragma once
#include "actors/registry.hpp"
#include <caf/all.hpp>

namespace jumun::actors {
/// What every actor of ours can be asked for by whoever spawned it.
struct counting {
  virtual ~counting() = default;
  const std::shared_ptr<vital_signs> signs = std::make_shared<vital_signs>();
};
template <class Handle> std::shared_ptr<vital_signs> signs_of(const Handle& actor) {
  const auto* own = dynamic_cast<const counting*>(caf::actor_cast<caf::abstract_actor*>(actor));
  return own ? own->signs : nullptr;
}

/// The text of an exception becomes the actor's exit reason.
[[nodiscard]] inline caf::error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
  }
}

/// A stateful typed actor that counts what comes in and what it has handled. CAF counts neither,
/// and its mailbox may be read only by the actor itself; so the two virtual functions through which
/// every message passes do the counting. An exception in a handler ends this actor alone, with its
/// text kept.
template <class State, class Interface>
class counted : public caf::stateful_actor<State, typename Interface::base>, public counting {
public:
  using super = caf::stateful_actor<State, typename Interface::base>;
  using behavior_type = typename Interface::behavior_type;

  explicit counted(caf::actor_config& config) : super(config) {
    this->set_exception_handler([](std::exception_ptr& thrown) { return error_of(thrown); });
  }

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* where) override {
    signs->received.fetch_add(1, std::memory_order_relaxed);
    if (auto* by = signs->watched.load(std::memory_order_acquire)) by->came(*what);
    super::enqueue(std::move(what), where);
  }

  using super::consume;
  caf::invoke_message_result consume(caf::mailbox_element& what) override {
    auto keep = signs; // handling may end us
    auto* by = keep->watched.load(std::memory_order_acquire); // null: nobody records it
    std::optional<recorded_message> noted;
    if (by) noted = by->begins(what, keep.get());
    const auto result = super::consume(what);
    if (noted && result != caf::invoke_message_result::skipped) by->ended(std::move(*noted));
    if (result != caf::invoke_message_result::skipped)
      keep->handled.fetch_add(1, std::memory_order_relaxed);
    return result;
  }
};

/// Ends an actor with a reason; its supervisor hears of it. Nothing, when it is gone already.
inline void stop_actor(const caf::actor_addr& who, caf::actor_addr from, const caf::error& why) {
  if (auto alive = caf::actor_cast<caf::actor>(who))
    caf::anon_send(alive, caf::exit_msg{std::move(from), why});
}

/// The text of an exit reason, for logs and the registry.
[[nodiscard]] inline std::string text_of(const caf::error& why) {
  if (!why) return "";
  if (why.context().empty()) return caf::to_string(why);
  try {
    return why.context().get_as<std::string>(0);
  } catch (const std::exception&) {
    return caf::to_string(why);
  }
}
} // namespace jumun::actors
