#include "app/presenter.hpp"
#include "http/render.hpp"

namespace jumun::app {
namespace {
using domain::stored_reply;

class rendering final : public actors::presenter {
public:
  stored_reply placed(const domain::order& o) const override { return to_.placed(o); }
  stored_reply cancellation(const domain::order& o) const override { return to_.cancellation(o); }
  stored_reply delivery(const domain::order& o) const override { return to_.delivery(o); }
  stored_reply acted(const domain::order& o) const override { return to_.acted(o); }
  stored_reply not_allowed(const domain::order& o, domain::operator_action a,
    const domain::request_context& from) const override {
    return to_.not_allowed(o, a, from);
  }
  stored_reply adjusted(const domain::stock& s, const domain::movement& m) const override {
    return to_.adjusted(s, m);
  }
  stored_reply counted(const domain::stock& s) const override { return to_.counted(s); }
  stored_reply product_put(
    const domain::product& p, const domain::stock& s, bool is_new) const override {
    return to_.product_put(p, s, is_new);
  }
  stored_reply refused(domain::refusal why, std::string_view detail, std::string_view pointer,
    const domain::request_context& from) const override {
    return to_.refused(why, detail, pointer, from);
  }

private:
  http::renderer to_;
};
} // namespace

std::unique_ptr<actors::presenter> make_presenter() { return std::make_unique<rendering>(); }
} // namespace jumun::app
