#include "cluster/link/inlet.hpp"
#include "cluster/link/outlet.hpp"
#include "cluster/messages.hpp"
#include "tests/fuzz/targets.hpp"

namespace jumun::fuzz {
namespace {
using namespace cluster;

/// By bytes: encode() writes all of a message, and not every one has an operator==.
template <class Message> void as(std::string_view bytes) {
  const auto m = cluster::decode<Message>(bytes);
  if (!m) return;
  const auto plain = encode(*m);
  const auto again = cluster::decode<Message>(plain);
  must(again.has_value(), "a message that was read can be sent on");
  must(encode(*again) == plain, "and is the same then");
}
template <class... Message> void as_each(std::string_view bytes) { (as<Message>(bytes), ...); }

void envelopes(std::string_view bytes) {
  item i;
  if (decode(bytes, i) != readable::yes || i.how != asked::answered) return;
  must(sendable(i.what), "an envelope that was read is in its bounds");
  item again;
  must(decode(encode(i), again) == readable::yes && again == i, "and comes back as it was");
}

/// Both ends of a link, each in a session, hear the same frame.
void frames(std::string_view bytes) {
  auto f = decode_frame(bytes);
  if (!f) return;
  must(f->items.size() <= bytes.size(), "a frame holds no more than it was sent");
  must(decode_frame(encode(*f)) == f, "and comes back as it was");
  const cluster::link::clocks still{[] { return 1'000'000; }, [] { return 1'000; }};
  cluster::link::terms few;
  few.envelopes = 8;
  int answers = 0;
  cluster::link::outlet out{{"shop", "a", 1, "0.1"}, "b", few, still, {[] {}, {}}};
  out.greet(f->session | 1);
  frame greeted;
  greeted.session = f->session | 1;
  greeted.greeted = welcome{"b", 2, "0.2", protocol_now, 8, 1 << 20};
  out.heard(greeted);
  envelope e;
  e.kind = 1;
  out.ask(e, [&](ask_result) { ++answers; });
  auto reply = *f;
  reply.session |= 1;
  out.heard(std::move(reply));
  out.lost("the end");
  must(answers == 1, "an ask ends once, whatever the peer sends");
  const auto in = std::make_shared<cluster::link::inlet>("a", f->session, few, still, [] {});
  cluster::link::handlers to;
  to.ask = [](const std::string&, envelope, reply_once again) { again(envelope{}); };
  if (in->heard(std::move(*f), to)) (void)in->next_frame();
  in->close();
}
} // namespace

void wire(std::string_view bytes) {
  using namespace domain;
  as_each<reserve_stock, commit_stock, release_stock, stock_answered, place_order, cancel_order,
    report_delivery, act_on_saga, adjust_stock, count_stock, put_product, remember_reply, take_hook,
    command_answered>(bytes);
  envelopes(bytes);
  frames(bytes);
}
} // namespace jumun::fuzz
