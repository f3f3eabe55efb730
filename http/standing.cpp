#include "http/standing.hpp"
#include "domain/time_text.hpp"

namespace jumun::http {
void put_standing(json_writer& w, const domain::order& o) {
  using domain::ending;
  w.open("standing", '{');
  w.text_or_null("because", o.why == ending::cancel   ? "cancelled"
                            : o.why == ending::reject ? "rejected"
                                                      : "");
  w.text_or_null("failure_code", o.failure_code);
  w.flag("paused", o.paused);
  w.flag("blocked", o.blocked);
  w.flag("poisoned", o.poisoned);
  w.text_or_null("held_since", o.held_since_ms ? domain::time_text(o.held_since_ms) : "");
  w.text("delivery", name_of(o.delivery));
  w.flag("shipped", o.shipped);
  w.flag("settled_outside", o.payment == domain::payment_status::resolved);
  w.close('}');
}
} // namespace jumun::http
