#pragma once
#include "domain/request.hpp"

namespace jumun::actors {
/// Port: turns outcomes into the exact bytes of an answer. Actors say what happened; the edge says
/// how it reads. Called before the write set is appended, so that the bytes are stored with the
/// effect. Implementations are pure and thread-safe.
class presenter {
public:
  virtual ~presenter() = default;
  [[nodiscard]] virtual domain::stored_reply placed(const domain::order& o) const = 0; // 201
  [[nodiscard]] virtual domain::stored_reply cancellation(
    const domain::order& o) const = 0; // 202 | 200
  [[nodiscard]] virtual domain::stored_reply delivery(const domain::order& o) const = 0; // 200
  /// An operator's action, done or already so: 202 with the saga.
  [[nodiscard]] virtual domain::stored_reply acted(const domain::order& o) const = 0;
  /// Not an action for this saga now: 409 with those that are.
  [[nodiscard]] virtual domain::stored_reply not_allowed(const domain::order& o,
    domain::operator_action a, const domain::request_context& from) const = 0;
  [[nodiscard]] virtual domain::stored_reply adjusted(
    const domain::stock& s, const domain::movement& m) const = 0;                       // 201
  [[nodiscard]] virtual domain::stored_reply counted(const domain::stock& s) const = 0; // 200
  [[nodiscard]] virtual domain::stored_reply product_put(
    const domain::product& p, const domain::stock& s, bool is_new) const = 0; // 201 | 200
  /// `detail` is for people and names the field or the rule; `pointer` (RFC 6901) may be empty.
  [[nodiscard]] virtual domain::stored_reply refused(domain::refusal why, std::string_view detail,
    std::string_view pointer, const domain::request_context& from) const = 0;
};
} // namespace jumun::actors
