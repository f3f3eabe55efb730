#pragma once
#include "actors/payment_provider.hpp"
#include "app/outbound/http_client.hpp"
#include "app/providers/secret_file.hpp"
#include "app/providers/stripe_answers.hpp"
#include <atomic>
#include <functional>
#include <memory>

namespace jumun::app::stripe {
/// The version of Stripe's API that this adapter was written for; theirs changes by this header.
inline constexpr auto api_version = "2024-06-20";

/// Speaks Stripe's PaymentIntents API. A charge is one create-and-confirm whose Idempotency-Key is
/// our payment id; it keeps no state of its own. How it asks for what it never heard:
/// docs/adr/0008. Thread-safe; answers come on the client's thread.
///
/// A charge that needs the customer (3-D Secure) is declined: nobody is there who could answer.
/// 401 and 403 are unknown outcomes, said loudly: a wrong key must not reject anybody's order.
class provider final : public actors::payment_provider {
public:
  struct options {
    std::string url; // of the API, without a slash at its end
    std::string secret_path;
    std::chrono::milliseconds timeout{1000}; // for each request
    std::function<std::int64_t()> now_ms;    // unix
  };
  /// `by` must end before this does: its last callbacks come here.
  provider(outbound_client& by, options how);

  void charge(actors::provider_charge c, actors::provider_callback said) override;
  void inquire(actors::provider_charge c, actors::provider_callback said) override;
  void cancel(actors::provider_charge c, actors::provider_callback said) override;

private:
  /// One question of ours: what it is about, and who waits. It may take several requests.
  struct job {
    actors::provider_charge about;
    actors::provider_callback said;
  };
  using job_ptr = std::shared_ptr<const job>;
  using fields = std::vector<std::pair<std::string, std::string>>;
  using hear = std::function<void(const outbound_response&)>;
  using hear_intent = std::function<void(const intent&)>;

  void send(const job_ptr& j, const char* method, const std::string& path, const fields& form,
    const std::string& key, hear then);
  void tell(const job_ptr& j, actors::provider_said what);
  void unknown(const job_ptr& j, heard what, std::string reason, bool surely_not = false);

  [[nodiscard]] bool key_may_be_forgotten(const job& j) const;
  void create(const job_ptr& j, hear then);
  void create_unconfirmed(const job_ptr& j, hear then);
  void retrieve(const job_ptr& j, const std::string& id, hear_intent then);
  void search(const job_ptr& j, hear_intent then, std::function<void()> none);

  void charge_by_key(const job_ptr& j);
  void judge(const job_ptr& j, const intent& i);
  void give_up(const job_ptr& j, const intent& i, std::function<void()> canceled);

  void occupy_key(const job_ptr& j);
  void undo_first_outcome(const job_ptr& j);
  void undo(const job_ptr& j, const std::string& id);
  void give_back(const job_ptr& j, const intent& i);

  outbound_client& by_;
  options how_;
  secret_file secret_;
  std::atomic<std::int64_t> next_complaint_ms_{0};
};
} // namespace jumun::app::stripe
