#pragma once
#include "domain/ids.hpp"
#include "tests/support/etcd_server.hpp"
#include "tests/support/shop_client.hpp"
#include <set>

namespace jumun::tests {
/// Processes of one cluster on free ports of this machine, with an etcd of their own.
class shop_of_nodes {
public:
  /// Named n0, n1, …; `more` goes to each, `program` is what they run. Returns once all shards are
  /// served, and asked through any node.
  explicit shop_of_nodes(std::size_t count, texts more = {}, std::string program = {})
      : count_(count), more_(std::move(more)), program_(std::move(program)) {
    for (std::size_t i = 0; i < count; ++i) add();
    await_whole();
  }
  [[nodiscard]] static std::string name(std::size_t i) { return "n" + std::to_string(i); }
  server& at(std::size_t i) { return *nodes_.at(i); }
  [[nodiscard]] const server& at(std::size_t i) const { return *nodes_.at(i); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] shop_client client(std::size_t i) const { return shop_client{*nodes_.at(i)}; }
  etcd_servers& etcd() { return etcd_; }
  [[nodiscard]] std::filesystem::path folder(std::size_t i) const { return dir_.path() / name(i); }
  [[nodiscard]] texts args(std::size_t i, texts extra = {}) const {
    texts all{"--cluster", "shop", "--node-id", name(i), "--etcd", etcd_.url(), "--cluster-port",
      "0", "--cluster-owners-min", std::to_string(count_)};
    all.insert(all.end(), more_.begin(), more_.end());
    all.insert(all.end(), extra.begin(), extra.end());
    return all;
  }
  /// One more node, as yet without shards.
  server& add(const texts& extra = {}) {
    const auto i = nodes_.size();
    nodes_.push_back(std::make_unique<server>(folder(i), args(i, extra), program_));
    return *nodes_.back();
  }

  /// What node `i` knows of the shards: owner, epoch, state.
  json shards(std::size_t i) {
    auto ops = at(i).ops();
    return need(ops.get("/admin/v1/shards"), 200).json().at("data");
  }
  std::size_t served(std::size_t i) {
    const auto all = shards(i);
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(),
      [&](const json& s) { return s.at("owner") == name(i) && s.at("state") == "running"; }));
  }
  /// Until every shard is served by one of them.
  void await_served() {
    ask_until([this] {
      std::size_t all = 0;
      for (std::size_t i = 0; i < size(); ++i)
        if (at(i).child().running()) all += served(i);
      return all == domain::shard_count;
    });
  }
  /// Until each node that runs can send to each other one. One that is served may not be reached
  /// yet: after a restart its peers dial it again.
  void await_linked() {
    for (std::size_t i = 0; i < size(); ++i)
      if (at(i).child().running()) ask_until([&] { return linked(i); });
  }
  /// Until whatever is asked of any node can be answered.
  void await_whole() {
    await_served();
    await_linked();
  }
  /// A SKU of that node's, by what it is called.
  std::string sku_of(std::size_t i, const std::string& stem) {
    const auto all = shards(i);
    for (int n = 0;; ++n) {
      auto sku = stem + std::to_string(n);
      const auto& s = all.at(domain::shard_of(std::string_view{sku}));
      if (s.at("owner") == name(i) && s.at("state") == "running") return sku;
    }
  }
  /// An order by way of node `i`, whose shard, or that of one of its SKUs, may be away or on its
  /// way just now: asked again with the same key, as a client is told to.
  std::string placed(std::size_t i, const order_lines& lines) {
    auto people = client(i);
    placing how;
    how.key = "placed-" + std::to_string(++placed_);
    std::string id;
    ask_until([&] {
      const auto r = people.place("tok_approve", lines, how);
      if (r.status == 503) return false;
      id = need(r, 201).json().at("id");
      return true;
    });
    return id;
  }
  /// Returns once that node serves it.
  void move(domain::shard_id shard, std::size_t to) {
    auto ops = at(0).ops();
    need(ops.post("/admin/v1/shards/" + std::to_string(shard) + "/move", {{"to", name(to)}}), 202);
    ask_until([&] {
      const auto s = shards(to).at(shard);
      return s.at("owner") == name(to) && s.at("state") == "running";
    });
  }
  [[nodiscard]] static domain::shard_id shard_of_order(const std::string& order) {
    const auto id = domain::parse_id(domain::id_kind::order, order);
    if (!id) throw std::runtime_error("no order id: " + order);
    return domain::shard_of(*id);
  }
  /// Whether that node has the order's saga.
  bool holds(std::size_t i, const std::string& order) {
    const auto s = shards(i).at(shard_of_order(order)); // whoever is asked tells of all of them
    return s.at("owner") == name(i) && s.at("state") == "running";
  }
  /// Stops all of them, and verifies each folder and all together. Empty: they are sound.
  std::string books() {
    std::string wrong;
    texts all{"check"};
    for (std::size_t i = 0; i < size(); ++i) {
      if (at(i).child().running() && at(i).stop() != 0) wrong += folder(i).string() + " crashed\n";
      all.push_back(folder(i).string());
      const auto alone = run_jumun({"check", folder(i).string()});
      if (alone.how.exit_code != 0) wrong += alone.out + alone.err;
    }
    const auto together = run_jumun(all);
    if (together.how.exit_code != 0) wrong += together.out + together.err;
    return wrong;
  }

private:
  /// Whether that node has a link to all that run, and knows that they are there.
  bool linked(std::size_t i) {
    auto ops = at(i).ops();
    const auto now = need(ops.get("/admin/v1/cluster"), 200).json();
    std::set<std::string> members, peers;
    for (const auto& m : now.at("members"))
      if (m.at("state") != "away") members.insert(m.at("id"));
    for (const auto& view : now.at("sees"))
      for (const auto& p : view.at("peers"))
        if (view.at("node") == name(i) && p.at("state") == "up") peers.insert(p.at("node"));
    for (std::size_t other = 0; other < size(); ++other)
      if (other != i && at(other).child().running()
          && (members.count(name(other)) == 0 || peers.count(name(other)) == 0))
        return false;
    return true;
  }

  temp_dir dir_;
  etcd_servers etcd_;
  std::size_t count_;
  texts more_;
  std::string program_; // see process::options
  std::vector<std::unique_ptr<server>> nodes_;
  int placed_ = 0;
};
} // namespace jumun::tests
