#include "tests/catch.hpp"
#include "raw_client.hpp"
#include "tests/support/shop_of_nodes.hpp"

// What a cluster's nodes count and show of themselves: /metrics, /admin/v1/cluster and shards, and
// `jumun cluster status`.
using namespace jumun;
using namespace jumun::tests;

namespace {
/// One series of a node's page, by its whole name; -1: it is not there.
double figure(server& of, const std::string& series) {
  const auto page = need(of.ops().get("/metrics"), 200).body;
  const auto at = page.find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
}
json cluster_of(server& of) { return need(of.ops().get("/admin/v1/cluster"), 200).json(); }
/// What node `by` says of `of`.
json sight(server& asked, const std::string& by, const std::string& of) {
  const auto c = cluster_of(asked);
  for (const auto& view : c.at("sees"))
    if (view.at("node") == by)
      for (const auto& p : view.at("peers"))
        if (p.at("node") == of) return p;
  return nullptr;
}
} // namespace

TEST_CASE("what goes between two nodes is counted on both, and a move by its ends", "[cluster]") {
  shop_of_nodes shop{2, {"--simulator-node", "n0"}};
  auto people = shop.client(0);
  const auto tea = shop.sku_of(1, "tea");
  people.sell(tea, 100, 1'000);
  std::string order; // one that n0 holds, so that its stock is asked for over there
  do order = shop.placed(0, {{tea, 1}});
  while (!shop.holds(0, order));
  people.wait_settled(order);
  auto &n0 = shop.at(0), &n1 = shop.at(1);

  CHECK(figure(n0, "jumun_cluster_shards_owned") + figure(n1, "jumun_cluster_shards_owned") == 256);
  CHECK(figure(n0, "jumun_cluster_shards_served") == figure(n0, "jumun_cluster_shards_owned"));
  CHECK(figure(n0, "jumun_cluster_shards_missing") == 0);
  CHECK(figure(n0, "jumun_cluster_members{state=\"up\"}") == 2);
  CHECK(figure(n0, "jumun_cluster_agreement_up") == 1);
  CHECK(figure(n0, "jumun_peer_up{peer=\"n1\"}") == 1);
  CHECK(figure(n0, "jumun_stock_commands_total{direction=\"out\"}") >= 2); // reserve, commit
  CHECK(figure(n1, "jumun_stock_commands_total{direction=\"in\"}")
        == figure(n0, "jumun_stock_commands_total{direction=\"out\"}"));
  CHECK(figure(n0, "jumun_peer_tells_total{peer=\"n1\"}") >= 2);
  CHECK(figure(n0, "jumun_peer_asks_total{peer=\"n1\",outcome=\"answered\"}") > 0);
  CHECK(figure(n0, "jumun_peer_answer_seconds_total{peer=\"n1\"}") > 0);
  CHECK(figure(n0, "jumun_tunnel_links{peer=\"n1\"}") >= 2);
  CHECK(figure(n0, "jumun_tunnel_frames_total{peer=\"n1\",direction=\"out\"}") > 0);
  CHECK(figure(n0, "jumun_tunnel_bytes_total{peer=\"n1\",direction=\"in\"}") > 0);
  CHECK(figure(n0, "jumun_journal_lag_seconds") >= 0);

  const auto seen = sight(n0, "n1", "n0"); // n1's word, by way of n0
  CHECK(seen.at("state") == "up");
  CHECK(seen.at("links").get<int>() >= 2);
  CHECK(seen.at("refused_for_credit") == 0);

  const auto shard = domain::shard_of(std::string_view{tea});
  const auto path = "/admin/v1/shards/" + std::to_string(shard) + "/move";
  need(n0.ops().post(path, {{"to", "n0"}}), 202);
  ask_until([&] { return figure(n1, "jumun_shard_moves_total{outcome=\"done\"}") == 1; });
  CHECK(figure(n0, "jumun_shard_moves_total{outcome=\"taken\"}") == 1);
  CHECK(figure(n1, "jumun_shard_moves_total{outcome=\"failed\"}") == 0);
  CHECK(figure(n1, "jumun_shard_move_not_served_seconds_count") == 1);
  CHECK(figure(n1, "jumun_shard_move_duration_seconds_count") == 1);
  CHECK(figure(n1, "jumun_shard_move_rows_total{direction=\"out\"}") > 0);
  CHECK(figure(n1, "jumun_shard_move_rows_total{direction=\"out\"}")
        == figure(n0, "jumun_shard_move_rows_total{direction=\"in\"}"));
  ask_until([&] {
    const auto s = shop.shards(1).at(shard);
    return s.at("owner") == "n0" && s.at("state") == "running" && s.at("move").is_null();
  });
}

TEST_CASE("the lag of a shard is its owner's word, and nobody's when the owner is away",
  "[cluster]") {
  shop_of_nodes shop{2};
  for (const auto& s : shop.shards(0)) {
    CHECK(s.at("lag_us").is_number_unsigned());
    CHECK(s.at("mailbox").is_number_unsigned());
  }
  const auto ops = "http://127.0.0.1:" + std::to_string(shop.at(0).ops_port());
  const auto well = run_jumun({"cluster", "status", "--ops", ops});
  CHECK(well.how.exit_code == 0);
  CHECK(well.out.find("LAG") != std::string::npos);
  CHECK(well.out.find("256 of 256 shards serve, 0 on their way") != std::string::npos);
  shop.at(1).kill9();
  ask_until([&] { return figure(shop.at(0), "jumun_peer_up{peer=\"n1\"}") == 0; });
  ask_until([&] { return figure(shop.at(0), "jumun_cluster_members{state=\"away\"}") == 1; });
  std::size_t unknown = 0;
  for (const auto& s : shop.shards(0)) {
    CHECK(s.at("lag_us").is_null() == (s.at("owner") == "n1"));
    unknown += s.at("lag_us").is_null();
  }
  CHECK(unknown == 128);
}

TEST_CASE("who is no node is refused by the tunnel, and counted by the reason", "[cluster]") {
  shop_of_nodes shop{1};
  const auto members = cluster_of(shop.at(0)).at("members");
  const auto tunnel = members.at(0).at("tunnel").get<std::string>();
  const auto port = static_cast<std::uint16_t>(std::stoi(tunnel.substr(tunnel.rfind(':') + 1)));
  raw_client scan{port};
  scan.send("GET / HTTP/1.1\r\n\r\n");
  const std::string malformed = "jumun_tunnel_refused_total{reason=\"malformed\"}";
  ask_until([&] { return figure(shop.at(0), malformed) == 1; });
  CHECK(figure(shop.at(0), "jumun_tunnel_sockets_total") == 1);
}
