#include "cluster/tunnel/basp_guard.hpp"
#include "cluster/tunnel/big_endian.hpp"
#include "cluster/tunnel/frames.hpp"
#include "cluster/tunnel/peer_name.hpp"
#include "cluster/tunnel/talk.hpp"
#include "domain/limits.hpp"
#include "tests/catch.hpp"
#include "tests/support/basp_message.hpp"

namespace {
using namespace jumun;
using namespace jumun::cluster;
using namespace std::chrono_literals;
using jumun::tests::basp_message;
using side = tunnel_talk::side;

/// What a reader makes of a stream that comes in pieces of `piece` bytes.
struct heard {
  std::vector<std::pair<frame_kind, std::string>> frames; // data: put together again
  tunnel_refusal why = tunnel_refusal::none;
};
heard read_all(const std::string& stream, std::size_t piece) {
  frame_reader reader;
  heard out;
  for (std::size_t at = 0; at < stream.size() && out.why == tunnel_refusal::none; at += piece)
    out.why = reader.feed(
      std::string_view{stream}.substr(at, piece), [&](frame_kind kind, std::string_view payload) {
        const bool more = kind == frame_kind::data && !out.frames.empty()
                          && out.frames.back().first == frame_kind::data;
        if (more)
          out.frames.back().second += payload;
        else
          out.frames.emplace_back(kind, payload);
        return tunnel_refusal::none;
      });
  return out;
}
std::string raw_frame(unsigned kind, std::size_t size, char fill = 'x') {
  std::string out;
  put_big_endian(out, static_cast<std::uint32_t>(kind << 24 | size));
  return out + std::string(size, fill);
}

talk_rules rules(std::string node, std::string peer) {
  return {"shop", std::move(node), std::move(peer), 1s, 4s};
}
/// Two sides, and the wire between them.
struct pair_of_talks {
  tunnel_talk a{side::dialler, rules("a", "b")}, b{side::listener, rules("b", "a")};
  std::chrono::nanoseconds now{1h};
  tunnel_refusal carry(tunnel_talk& from, tunnel_talk& to) {
    std::string bytes;
    if (!from.swap_for_peer(bytes)) return tunnel_refusal::none;
    return to.from_peer(bytes, now);
  }
  pair_of_talks() {
    REQUIRE(carry(a, b) == tunnel_refusal::none);
    REQUIRE(b.peer() == "a");
    b.welcome();
    REQUIRE(carry(b, a) == tunnel_refusal::none);
    REQUIRE(a.is_open());
    REQUIRE(b.is_open());
  }
};
std::string taken(tunnel_talk& from) {
  std::string bytes;
  if (from.swap_for_caf(bytes)) from.delivered(bytes.size());
  return bytes;
}
} // namespace

TEST_CASE("frames are read as they were written, wherever the stream is cut", "[tunnel]") {
  std::string stream;
  append_frame(stream, frame_kind::hello, "who");
  append_frame(stream, frame_kind::ping, "12345678");
  stream += raw_frame(200, 7); // of a newer release
  stream += raw_frame(255, 0);
  append_frame(stream, frame_kind::data, std::string(70, 'd'));
  append_frame(stream, frame_kind::end, std::string_view{"\0", 1});
  for (const std::size_t piece : {1, 2, 3, 4, 5, 7, 64, 1000}) {
    CAPTURE(piece);
    const auto got = read_all(stream, piece);
    CHECK(got.why == tunnel_refusal::none);
    REQUIRE(got.frames.size() == 4);
    CHECK(got.frames[0] == std::pair{frame_kind::hello, std::string{"who"}});
    CHECK(got.frames[1] == std::pair{frame_kind::ping, std::string{"12345678"}});
    CHECK(got.frames[2] == std::pair{frame_kind::data, std::string(70, 'd')});
    CHECK(got.frames[3] == std::pair{frame_kind::end, std::string(1, '\0')});
  }
}

TEST_CASE("a frame that is too long for its kind is refused by its head", "[tunnel]") {
  const auto bad = std::vector<std::pair<unsigned, std::size_t>>{{0, 1}, {1, 513}, {2, 513}, {3, 0},
    {3, limits::tunnel_frame_bytes_max + 1}, {4, 3}, {4, 5}, {5, 7}, {6, 9}, {7, 0}, {7, 2}, {8, 1},
    {127, 0}, {128, 513}, {255, 0xFF'FFFF}};
  for (const auto& [kind, size] : bad) {
    CAPTURE(kind, size);
    CHECK(read_all(raw_frame(kind, size).substr(0, 4), 1).why == tunnel_refusal::malformed);
  }
  CHECK(read_all(raw_frame(3, limits::tunnel_frame_bytes_max), 999).why == tunnel_refusal::none);
}

TEST_CASE("a greeting is read back, with what newer releases add behind it", "[tunnel]") {
  const tunnel_greeting said{1, 1 << 20, "shop", "node-1", std::string(63, 'z')};
  const auto text = render(said);
  for (const auto& wire : {text, text + "more of a newer release"}) {
    const auto read = parse_greeting(wire);
    REQUIRE(read);
    CHECK(read->version == 1);
    CHECK(read->window == 1 << 20);
    CHECK(read->cluster == "shop");
    CHECK(read->from == "node-1");
    CHECK(read->to == std::string(63, 'z'));
  }
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    CHECK_FALSE(parse_greeting(text.substr(0, cut)));
  CHECK_FALSE(parse_greeting(std::string(512, '\0')));
}

TEST_CASE("CAF's messages pass up to 8 MiB, and a longer one is known by its header", "[tunnel]") {
  const auto see = [](const std::string& stream, std::size_t piece) {
    basp_guard guard;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      if (const auto why = guard.see(std::string_view{stream}.substr(at, piece));
          why != tunnel_refusal::none)
        return std::pair{why, at};
    return std::pair{tunnel_refusal::none, stream.size()};
  };
  auto good = basp_message(0, "hello") + basp_message(6, "") + basp_message(2, "x");
  good += basp_message(3, std::string(limits::tunnel_message_bytes_max, 'y'));
  for (const std::size_t piece : {1, 7, 31, 32, 33, 65'536}) {
    CAPTURE(piece);
    CHECK(see(good, piece).first == tunnel_refusal::none);
    const auto limit = static_cast<std::uint32_t>(limits::tunnel_message_bytes_max);
    for (const auto size : {limit + 1, 0x7FFF'FFFFU, 0xFFFF'FFFFU}) {
      const auto start = basp_message(2, "abc");
      const auto [why, at] = see(start + jumun::tests::basp_header(2, size), piece);
      CHECK(why == tunnel_refusal::too_large);
      CHECK(at < start.size() + 8); // long before CAF has the whole header
    }
  }
  CHECK(see(basp_message(7, "x"), 64).first == tunnel_refusal::malformed);
  CHECK(see("GET / HTTP/1.1\r\n\r\n", 64).first == tunnel_refusal::malformed);
}

TEST_CASE("a certificate names a node by one URI, exactly", "[tunnel]") {
  CHECK(peer_uri("shop", "node-1") == "jumun://shop/node-1");
  const auto node = [](std::vector<std::string> uris) { return node_named(uris, "shop"); };
  using answer = std::variant<std::string, tunnel_refusal>;
  CHECK(node({"jumun://shop/node-1"}) == answer{"node-1"});
  CHECK(node({"spiffe://x/y", "jumun://shop/node-1", "https://shop/"}) == answer{"node-1"});
  CHECK(node({"jumun://shop2/node-1"}) == answer{tunnel_refusal::other_cluster});
  CHECK(node({"jumun://sho/node-1"}) == answer{tunnel_refusal::other_cluster});
  for (const std::string bad :
    {"", "jumun://shop", "jumun://shop/", "jumun:///node-1", "jumun://shop/node-1/",
      "jumun://shop/node-1?x", "jumun://shop/node 1", "jumun://shop/Node", "JUMUN://shop/node-1",
      "jumun://SHOP/node-1", "jumun://shop:1/node-1", "jumun://u@shop/node-1", "jumun://shop/a/b",
      " jumun://shop/node-1", "jumun:/shop/node-1"}) {
    CAPTURE(bad);
    CHECK(node({bad}) == answer{tunnel_refusal::no_name});
  }
  CHECK(node({std::string{"jumun://shop/node-1\0.evil", 25}}) == answer{tunnel_refusal::no_name});
  CHECK(node({"jumun://shop/" + std::string(64, 'n')}) == answer{tunnel_refusal::no_name});
  CHECK(node({}) == answer{tunnel_refusal::no_name});
  CHECK(node({"jumun://shop/a", "jumun://shop/b"}) == answer{tunnel_refusal::no_name});
  CHECK(node({"jumun://shop/a", "jumun://shop/a"}) == answer{tunnel_refusal::no_name});
}

TEST_CASE("what CAF says on one side comes out on the other", "[tunnel]") {
  pair_of_talks t;
  const auto message = basp_message(2, std::string(100'000, 'm'));
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    const auto n = std::min(t.a.caf_room(), message.size() - at);
    t.a.from_caf(std::string_view{message}.substr(at, n));
    at += n;
    REQUIRE(t.carry(t.a, t.b) == tunnel_refusal::none);
    out += taken(t.b);
    REQUIRE(t.carry(t.b, t.a) == tunnel_refusal::none); // grants
  }
  CHECK(out == message);
  CHECK(t.a.waiting() == 0);
  CHECK(t.b.waiting() == 0);
}

TEST_CASE(
  "a CAF that does not read stops the other side at the window, not its heartbeat", "[tunnel]") {
  pair_of_talks t;
  const auto message = basp_message(2, std::string(4'000'000, 'm'));
  std::size_t sent = 0;
  while (const auto room = t.a.caf_room()) {
    t.a.from_caf(std::string_view{message}.substr(sent, room));
    sent += room;
    REQUIRE(t.carry(t.a, t.b) == tunnel_refusal::none);
  }
  CHECK(sent == limits::tunnel_window_bytes);
  CHECK(t.b.waiting() == limits::tunnel_window_bytes);
  for (int i = 0; i < 20; ++i) {
    t.now += 1s;
    CHECK(t.a.tick(t.now) == tunnel_refusal::none);
    CHECK(t.b.tick(t.now) == tunnel_refusal::none);
    CHECK(t.carry(t.a, t.b) == tunnel_refusal::none);
    t.now += 3ms;
    CHECK(t.carry(t.b, t.a) == tunnel_refusal::none);
    CHECK(t.carry(t.a, t.b) == tunnel_refusal::none);
  }
  CHECK(t.a.rtt() == 3ms);
  CHECK(taken(t.b).size() == sent);
  CHECK(t.a.caf_room() == 0);
  CHECK(t.carry(t.b, t.a) == tunnel_refusal::none);
  CHECK(t.a.caf_room() > 0); // the grant came
  CHECK(t.a.counted().stalls == 1);
  CHECK(t.a.counted().beats_lost == 0);
  CHECK(t.a.counted().frames_out == t.b.counted().frames_in);
  CHECK(t.b.counted().frames_out == t.a.counted().frames_in);
}

TEST_CASE("a heartbeat that is not answered by the next one is lost, once", "[tunnel]") {
  pair_of_talks t;
  CHECK(t.a.tick(t.now += 1s) == tunnel_refusal::none);
  CHECK(t.carry(t.a, t.b) == tunnel_refusal::none);
  CHECK(t.a.tick(t.now += 1s) == tunnel_refusal::none); // b's answer is under way for long
  CHECK(t.a.counted().beats_lost == 1);
  CHECK(t.carry(t.b, t.a) == tunnel_refusal::none);
  CHECK(t.a.tick(t.now += 1s) == tunnel_refusal::none);
  CHECK(t.a.counted().beats_lost == 1);
}

TEST_CASE("a peer that sends ahead of the window is cut", "[tunnel]") {
  pair_of_talks t;
  std::string flood = jumun::tests::basp_header(2, limits::tunnel_message_bytes_max);
  std::string bytes;
  append_frame(bytes, frame_kind::data, flood);
  CHECK(t.b.from_peer(bytes, t.now) == tunnel_refusal::none);
  const auto piece = raw_frame(3, limits::tunnel_frame_bytes_max);
  auto why = tunnel_refusal::none;
  std::size_t pieces = 0;
  for (; why == tunnel_refusal::none && pieces < 1'000; ++pieces) why = t.b.from_peer(piece, t.now);
  CHECK(why == tunnel_refusal::malformed);
  CHECK(pieces == limits::tunnel_window_bytes / limits::tunnel_frame_bytes_max);
}

TEST_CASE("of a message that is too long, CAF sees nothing", "[tunnel]") {
  pair_of_talks t;
  std::string bytes;
  append_frame(bytes, frame_kind::data, basp_message(2, "fine"));
  append_frame(bytes, frame_kind::data, jumun::tests::basp_header(2, UINT32_MAX));
  CHECK(t.b.from_peer(bytes, t.now) == tunnel_refusal::too_large);
  CHECK(taken(t.b) == basp_message(2, "fine"));
}

TEST_CASE("pings without end make one pong each time we write", "[tunnel]") {
  pair_of_talks t;
  for (int i = 0; i < 10'000; ++i)
    CHECK(t.b.from_peer(raw_frame(5, 8, static_cast<char>(i)), t.now) == tunnel_refusal::none);
  std::string out;
  CHECK(t.b.swap_for_peer(out));
  CHECK(out.size() == frame_head_bytes + 8);
}

TEST_CASE("a silent peer is given up after four seconds, our own sleep aside", "[tunnel]") {
  pair_of_talks t;
  CHECK(t.a.tick(t.now) == tunnel_refusal::none); // it greeted just now
  for (int i = 0; i < 3; ++i) CHECK(t.a.tick(t.now += 1s) == tunnel_refusal::none);
  CHECK(t.a.tick(t.now += 1s) == tunnel_refusal::silent);
  pair_of_talks slept;
  CHECK(slept.a.tick(slept.now) == tunnel_refusal::none);
  CHECK(slept.a.tick(slept.now += 60s) == tunnel_refusal::none); // it was us who stood still
  CHECK(slept.a.tick(slept.now += 1s) == tunnel_refusal::none);
  CHECK(
    slept.a.tick(slept.now += 1s) == tunnel_refusal::silent); // and it does not answer now either
  pair_of_talks heard;
  CHECK(heard.a.tick(heard.now) == tunnel_refusal::none);
  for (int i = 0; i < 50; ++i) {
    CHECK(heard.a.from_peer(raw_frame(200, 0), heard.now) == tunnel_refusal::none);
    CHECK(heard.a.tick(heard.now += 3s) == tunnel_refusal::none);
  }
}

TEST_CASE(
  "a greeting must be of this cluster, from the node of the certificate, to us", "[tunnel]") {
  const auto greet = [](const tunnel_greeting& said, std::string certified = "a") {
    tunnel_talk b{side::listener, rules("b", std::move(certified))};
    std::string bytes;
    append_frame(bytes, frame_kind::hello, render(said));
    return b.from_peer(bytes, 1s);
  };
  CHECK(greet({1, 1000, "shop", "a", "b"}) == tunnel_refusal::none);
  CHECK(greet({2, 1000, "shop", "a", "b"}) == tunnel_refusal::none);           // a newer release
  CHECK(greet({1, 1000, "shop", "whoever", "b"}, "") == tunnel_refusal::none); // plain
  CHECK(greet({1, 1000, "bank", "a", "b"}) == tunnel_refusal::other_cluster);
  CHECK(greet({1, 1000, "shop", "c", "b"}) == tunnel_refusal::wrong_node);
  CHECK(greet({1, 1000, "shop", "a", "c"}) == tunnel_refusal::wrong_node);
  CHECK(greet({1, 1000, "shop", "b", "b"}, "b") == tunnel_refusal::wrong_node); // two of one name
  CHECK(greet({1, 1000, "shop", "", "b"}, "") == tunnel_refusal::malformed);
  CHECK(greet({1, UINT32_MAX, "shop", "a", "b"}) == tunnel_refusal::malformed);
}

TEST_CASE("nothing but a greeting comes first, and nothing but the end comes last", "[tunnel]") {
  for (const unsigned kind : {2U, 3U, 4U, 5U, 6U}) {
    CAPTURE(kind);
    tunnel_talk b{side::listener, rules("b", "a")};
    const std::size_t size = kind == 4 ? 4 : 8;
    CHECK(b.from_peer(raw_frame(kind, size), 1s) == tunnel_refusal::malformed);
  }
  pair_of_talks t;
  CHECK(t.b.from_peer(raw_frame(1, 8), t.now) == tunnel_refusal::malformed); // a second greeting
  pair_of_talks over;
  over.a.from_caf(basp_message(2, "last words"));
  over.a.end(tunnel_refusal::none);
  CHECK(over.a.caf_room() == 0);
  CHECK(over.carry(over.a, over.b) == tunnel_refusal::none);
  CHECK(over.b.ended_by_peer() == tunnel_refusal::none);
  CHECK(taken(over.b) == basp_message(2, "last words"));
  CHECK(
    over.b.from_peer(raw_frame(0, 0), over.now) == tunnel_refusal::none); // is not heard any more
  tunnel_talk refused{side::dialler, rules("a", "b")};
  CHECK(refused.from_peer(raw_frame(7, 1, static_cast<char>(tunnel_refusal::not_a_member)), 1s)
        == tunnel_refusal::none);
  CHECK(refused.ended_by_peer() == tunnel_refusal::not_a_member);
}
