#include "bench/client/response.hpp"
#include "tests/catch.hpp"
#include <algorithm>

using namespace jumun::bench;
using state = response_reader::state;

namespace {
void put(response_reader& in, std::string_view text) {
  while (!text.empty()) {
    const auto room = in.room();
    const auto n = std::min(room.size(), text.size());
    std::copy_n(text.begin(), n, room.begin());
    in.took(n);
    text.remove_prefix(n);
  }
}
state after(std::string_view text, std::size_t bytes_max = 1 << 20) {
  response_reader in{bytes_max};
  put(in, text);
  response out;
  return in.next(out);
}
const std::string first =
  "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
  "Location: /v1/orders/ord_1\r\ncontent-length: 15\r\n\r\n{\"id\":\"ord_1\"}\n";
const std::string second = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
} // namespace

TEST_CASE("answers are read the same however the stream is cut", "[bench]") {
  const auto text = first + second + first;
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    response_reader in;
    response out;
    std::vector<unsigned> statuses;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      put(in, std::string_view{text}.substr(at, piece));
      for (; in.next(out) == state::whole; in.drop()) {
        statuses.push_back(out.status);
        if (out.status != 201) continue;
        REQUIRE(out.body == "{\"id\":\"ord_1\"}\n");
        REQUIRE(out.field("location") == "/v1/orders/ord_1");
        REQUIRE(out.field("etag").empty());
        REQUIRE(out.keeps);
      }
    }
    REQUIRE(statuses == std::vector<unsigned>{201, 204, 201});
  }
}

TEST_CASE("an answer that ends the connection says so", "[bench]") {
  response_reader in;
  put(in, second);
  response out;
  REQUIRE(in.next(out) == state::whole);
  CHECK_FALSE(out.keeps);
  CHECK(out.body.empty());
}

TEST_CASE("what is no answer with a length is broken", "[bench]") {
  CHECK(after("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n") == state::more);
  CHECK(after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == state::broken);
  CHECK(after("HTTP/1.1 200 OK\r\n\r\n") == state::broken);
  CHECK(after("HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\n") == state::broken);
  CHECK(after("HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\n") == state::broken);
  CHECK(after("SSH-2.0-server\r\n\r\n") == state::broken);
  CHECK(after("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n", 100) == state::broken);
  CHECK(after(std::string(200, 'x'), 100) == state::broken);
}
