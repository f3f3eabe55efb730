#include "app/cluster/cluster_command.hpp"
#include "app/outbound/http_client.hpp"
#include "app/read_file.hpp"
#include "domain/ids.hpp"
#include "http/problem.hpp"
#include "http/render.hpp"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <unistd.h>
#include <utility>

namespace jumun::app {
namespace {
using nlohmann::json;
constexpr auto answer_by = std::chrono::seconds{10};
constexpr auto look_again = std::chrono::milliseconds{500};
constexpr std::size_t answer_bytes_max = 4 << 20;
/// With --within, nobody waits at a screen: so long a drain may be refused, or nobody be there who
/// takes shards. On a busy machine a node that is late with its lease is missed for some seconds.
constexpr auto without_taker_max = std::chrono::seconds{30};
constexpr int misses_max = 20; // looks without an answer, in a row: a node restarts in that time

std::atomic<bool> interrupted{false};

/// What went wrong, as a person reads it.
struct trouble {
  std::string why;
  std::string code{}; // of the problem that the node answered with, or no_answer
};
constexpr std::string_view no_answer = "no-answer";

/// The ops listener of one node.
class ops_client {
public:
  explicit ops_client(const cluster_request& asked)
      : base_{asked.ops}, client_{{asked.ca_file, "jumun/" JUMUN_VERSION}} {
    while (base_.ends_with('/')) base_.pop_back();
    if (asked.key_file.empty()) return;
    auto read = read_file(asked.key_file, limits::bearer_bytes_max + 2);
    if (const auto* failed = std::get_if<read_failed>(&read))
      throw trouble{"--key-file \"" + asked.key_file + "\": " + failed->why};
    key_ = std::get<std::string>(std::move(read));
    while (!key_.empty() && (key_.back() == '\n' || key_.back() == '\r')) key_.pop_back();
  }

  json get(const std::string& path) { return ask("GET", path, ""); }
  json post(const std::string& path, const std::string& body) { return ask("POST", path, body); }

private:
  json ask(const char* method, const std::string& path, const std::string& body) {
    outbound_request r;
    r.method = method, r.url = base_ + path, r.body = body;
    if (!key_.empty()) r.headers.emplace_back("Authorization", "Bearer " + key_);
    if (!body.empty()) r.headers.emplace_back("Content-Type", "application/json");
    r.deadline = answer_by, r.response_bytes_max = answer_bytes_max;
    std::promise<outbound_response> came;
    client_.send(std::move(r), [&](outbound_response a) { came.set_value(std::move(a)); });
    const auto a = came.get_future().get();
    if (a.status == 0)
      throw trouble{base_ + " does not answer: " + a.error, std::string{no_answer}};
    auto said = json::parse(a.body, nullptr, /*allow_exceptions=*/false);
    if (a.status / 100 == 2 && !said.is_discarded()) return said;
    auto why = "HTTP " + std::to_string(a.status);
    std::string code;
    if (said.is_object() && said.contains("code") && said["code"].is_string())
      code = said["code"].get<std::string>();
    for (const auto* part : {"code", "title", "detail"})
      if (said.is_object() && said.contains(part) && said[part].is_string())
        why += ": " + said[part].get<std::string>();
    throw trouble{base_ + " answered " + why, std::move(code)};
  }

  std::string base_, key_;
  outbound_client client_;
};

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump();
}

/// What the owner of shards says of them, together.
struct burden {
  std::uint64_t lag_us = 0, mailbox = 0; // the longest; all
};
std::map<std::string, burden> burdens(const json& shards) {
  std::map<std::string, burden> of;
  for (const auto& s : shards.at("data")) {
    if (!s.at("owner").is_string() || !s.at("lag_us").is_number()) continue;
    auto& b = of[s.at("owner").get<std::string>()];
    b.lag_us = std::max(b.lag_us, s.at("lag_us").get<std::uint64_t>());
    b.mailbox += s.at("mailbox").get<std::uint64_t>();
  }
  return of;
}

/// `0`, or tenths of milliseconds.
std::string lag_text(std::uint64_t us) {
  if (us == 0) return "0";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(us) / 1e3);
  return text;
}

void print_moves(const json& shards) {
  for (const auto& s : shards.at("data"))
    if (const auto& m = s.at("move"); !m.is_null())
      std::printf("shard %s: %s to %s, %s, %s rows, %s bytes\n", text_of(s.at("shard")).c_str(),
        text_of(m.at("from")).c_str(), text_of(m.at("to")).c_str(), text_of(m.at("step")).c_str(),
        text_of(m.at("rows")).c_str(), text_of(m.at("bytes")).c_str());
}

void print_status(const json& c, const json& shards) {
  std::printf("map %s by %s, assigner %s\n", text_of(c.at("map_version")).c_str(),
    text_of(c.at("coordinator")).c_str(), text_of(c.at("assigner")).c_str());
  std::printf("%-20s  %-8s  %-9s  %6s  %9s  %7s  %-12s  %s\n", "NODE", "ROLE", "STATE", "SHARDS",
    "LAG", "MAILBOX", "RELEASE", "SEEN BY");
  const auto burden_of = burdens(shards);
  for (const auto& m : c.at("members")) {
    std::string seen;
    for (const auto& view : c.at("sees"))
      for (const auto& p : view.at("peers"))
        if (p.at("node") == m.at("id"))
          seen += (seen.empty() ? "" : ", ") + text_of(view.at("node"))
                  + (p.at("state") == "up" ? " " + text_of(p.at("rtt_us")) + " us"
                                           : " (" + text_of(p.at("state")) + ")");
    const auto known = burden_of.find(text_of(m.at("id")));
    const bool said = known != burden_of.end();
    std::printf("%-20s  %-8s  %-9s  %6s  %9s  %7s  %-12s  %s\n", text_of(m.at("id")).c_str(),
      text_of(m.at("role")).c_str(), text_of(m.at("state")).c_str(),
      text_of(m.at("shards")).c_str(), said ? lag_text(known->second.lag_us).c_str() : "-",
      said ? std::to_string(known->second.mailbox).c_str() : "-", text_of(m.at("release")).c_str(),
      seen.c_str());
  }
  std::size_t moving = 0, unserved = 0;
  for (const auto& s : shards.at("data")) {
    moving += !s.at("moving_to").is_null();
    unserved += s.at("state") != "running";
  }
  std::printf("%zu of %zu shards serve, %zu on their way to another node\n",
    shards.at("data").size() - unserved, shards.at("data").size(), moving);
  print_moves(shards);
}

/// How many shards are not where they were asked to be.
std::size_t left_to_do(const cluster_request& asked, const json& shards) {
  std::size_t left = 0;
  for (const auto& s : shards.at("data")) {
    const bool there = s.at("owner") == asked.node && s.at("state") == "running";
    if (asked.what == cluster_request::doing::move)
      left += s.at("shard") == asked.shard && !there;
    else
      left += s.at("owner") == asked.node;
  }
  return left;
}

/// Whether a node is there that shards of a drained one can go to.
bool somebody_takes(const cluster_request& asked, const json& cluster) {
  const auto& all = cluster.at("members");
  return std::any_of(all.begin(), all.end(), [&](const json& m) {
    return m.at("id") != asked.node && m.at("state") == "up" && m.at("role") != "gateway";
  });
}

/// How far it has come.
struct progress {
  std::size_t left = 0; // shards
  bool goes_on = true;  // false: nobody is there who could take them
};
progress look(ops_client& ops, const cluster_request& asked) {
  progress now{left_to_do(asked, ops.get("/admin/v1/shards"))};
  if (asked.what == cluster_request::doing::drain && now.left > 0)
    now.goes_on = somebody_takes(asked, ops.get("/admin/v1/cluster"));
  return now;
}

using clock = std::chrono::steady_clock;
clock::duration patience_of(const cluster_request& asked) {
  return std::min<clock::duration>(std::chrono::seconds{asked.within_s}, without_taker_max);
}

void ask_for_drain(ops_client& ops, const cluster_request& asked) {
  const auto until = clock::now() + patience_of(asked);
  for (;; std::this_thread::sleep_for(look_again)) {
    try {
      (void)ops.post("/admin/v1/nodes/" + http::percent_encoded(asked.node) + "/drain", "");
      return;
    } catch (const trouble& t) {
      const bool passes = t.code == http::problems::no_other_node.code
                          || t.code == http::problems::overloaded.code || t.code == no_answer;
      if (!passes || clock::now() >= until) throw;
    }
  }
}

/// Shows how far it has come until it is done.
exit_code watch(ops_client& ops, const cluster_request& asked) {
  const auto before = std::signal(SIGINT, [](int) { interrupted = true; });
  const auto until = clock::now() + std::chrono::seconds{asked.within_s};
  auto taken_until = clock::now() + patience_of(asked); // when nobody is left who takes shards
  progress now{domain::shard_count + 1};
  int misses = 0;
  for (;;) {
    try {
      const auto shown = std::exchange(now, look(ops, asked)).left;
      misses = 0;
      if (now.left != shown) std::printf("%zu left\n", now.left);
      std::fflush(stdout);
    } catch (const trouble&) {
      if (++misses == misses_max) throw;
    }
    if (now.left == 0) break;
    if (now.goes_on)
      taken_until = clock::now() + patience_of(asked);
    else if (clock::now() >= taken_until)
      throw trouble{std::to_string(now.left) + " shards are left, and no other node takes any now"};
    if (asked.within_s > 0 && clock::now() >= until)
      throw trouble{"not done within " + std::to_string(asked.within_s) + " s; it goes on"};
    std::this_thread::sleep_for(look_again); // a signal ends it early
    if (interrupted) {
      std::printf("not watched any more; it goes on: jumun cluster status shows how far\n");
      break;
    }
  }
  std::signal(SIGINT, before);
  return exit_code::ok;
}

exit_code run(const cluster_request& asked) {
  using doing = cluster_request::doing;
  ops_client ops{asked};
  if (asked.what == doing::status) {
    const auto c = ops.get("/admin/v1/cluster"), shards = ops.get("/admin/v1/shards");
    if (asked.json)
      std::printf("%s\n", json{{"cluster", c}, {"shards", shards.at("data")}}.dump(2).c_str());
    else
      print_status(c, shards);
    return exit_code::ok;
  }
  if (asked.what == doing::resume) {
    (void)ops.post("/admin/v1/nodes/" + http::percent_encoded(asked.node) + "/resume", "");
    std::printf("asked for; %s gets shards again, by and by\n", asked.node.c_str());
    return exit_code::ok;
  }
  if (asked.what == doing::move)
    (void)ops.post(
      "/admin/v1/shards/" + std::to_string(asked.shard) + "/move", json{{"to", asked.node}}.dump());
  else
    ask_for_drain(ops, asked);
  std::printf("asked for; ");
  if (!asked.no_wait) return watch(ops, asked);
  std::printf("jumun cluster status shows how far it has come\n");
  return exit_code::ok;
}
} // namespace

CLI::App* add_cluster_command(CLI::App& app, cluster_request& into) {
  auto* cluster = app.add_subcommand(
    "cluster", "look at a running cluster, move its shards, empty a node or fill it again");
  cluster->require_subcommand(1);
  const auto verb = [&](const char* name, const char* doc, cluster_request::doing what) {
    auto* sub = cluster->add_subcommand(name, doc);
    sub->add_option("--ops", into.ops, "the ops listener of any node; default: " + into.ops);
    sub->add_option(
      "--key-file", into.key_file, "a file with an API key: viewer, or admin for a change");
    sub->add_option("--ca-file", into.ca_file, "PEM: who may vouch for it; default: the system's");
    sub->callback([&into, what] { into.what = what; });
    return sub;
  };
  using doing = cluster_request::doing;
  auto* status = verb("status", "who is there, who owns how much, who sees whom", doing::status);
  status->add_flag("--json", into.json, "print JSON instead of text");
  auto* move = verb("move", "hand one shard to another node", doing::move);
  move->add_option("SHARD", into.shard, "its number")
    ->required()
    ->check(CLI::Range(0U, static_cast<unsigned>(domain::shard_count - 1)));
  move->add_option("NODE", into.node, "where to")->required();
  auto* drain = verb("drain", "hand over all shards of a node", doing::drain);
  auto* resume = verb("resume", "take a drain back: the node gets shards again", doing::resume);
  for (auto* sub : {drain, resume})
    sub
      ->add_option(
        "NODE", into.node, "whose; default: $JUMUN_NODE_ID, so that a node can say so of itself")
      ->required()
      ->envname("JUMUN_NODE_ID");
  for (auto* sub : {move, drain})
    sub->add_flag("--no-wait", into.no_wait, "ask for it, and don't watch it being done");
  drain
    ->add_option("--within", into.within_s,
      "seconds to watch at most, 1..86400, and up to 30 of them without a node that takes shards; "
      "default: to its end, and none without")
    ->check(CLI::Range(1U, 86'400U));
  return cluster;
}

exit_code run_cluster(const cluster_request& asked) {
  try {
    return run(asked);
  } catch (const trouble& t) {
    std::fprintf(stderr, "jumun cluster: %s\n", t.why.c_str());
  } catch (const json::exception&) {
    std::fprintf(stderr, "jumun cluster: %s is no ops listener of Jumun's\n", asked.ops.c_str());
  }
  return exit_code::not_done;
}
} // namespace jumun::app
