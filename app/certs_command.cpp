#include "app/certs_command.hpp"
#include "app/log.hpp"
#include "app/node.hpp"
#include "app/read_file.hpp"
#include "app/replace_file.hpp"
#include "cluster/tunnel/peer_name.hpp"
#include "domain/names.hpp"
#include "transport/issue.hpp"
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

namespace jumun::app {
namespace {
namespace fs = std::filesystem;
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t days_max = 3'650;
constexpr std::int64_t ca_days = days_max, node_days = 365;
constexpr std::int64_t skew_s = 3'600; // clocks differ: what was made just now is good already
constexpr const char* authority_name = "jumun authority";

exit_code refuse(const std::string& why) {
  std::fprintf(stderr, "jumun certs: %s\n", why.c_str());
  return exit_code::usage;
}
std::string not_allowed(
  const std::string& flag, const std::string& given, std::string_view allowed) {
  return flag + ": \"" + given + "\" is not allowed; allowed: " + std::string{allowed};
}

bool is_host(const std::string& text) {
  boost::system::error_code ec;
  boost::asio::ip::make_address(text, ec);
  if (!ec) return true;
  return !text.empty() && text.size() <= 253
         && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-.")
              == std::string::npos;
}

std::string until(std::int64_t unix_s) { return rfc3339(unix_s * 1'000).substr(0, 10); }

/// The two files of an identity in the folder: `name`.pem and `name`.key.
struct files {
  fs::path certificate, key;
  files(const std::string& dir, const std::string& name)
      : certificate{fs::path{dir} / (name + ".pem")}, key{fs::path{dir} / (name + ".key")} {}
};

std::optional<std::string> in_the_way(const files& to, bool force) {
  std::error_code ignored;
  for (const auto& path : {to.certificate, to.key})
    if (!force && fs::exists(path, ignored))
      return "\"" + path.string() + "\" is there already; --force replaces it";
  return {};
}

exit_code write(const files& to, const transport::identity_pem& made) {
  // The key first: whoever watches both waits until they fit.
  auto why = replace_file(to.key, made.key, 0600);
  if (!why) why = replace_file(to.certificate, made.certificate, 0644);
  if (!why) return exit_code::ok;
  std::fprintf(stderr, "jumun certs: %s\n", why->c_str());
  return exit_code::io_failed;
}

exit_code make_ca(const certs_request& asked, std::int64_t now_s) {
  const files to{asked.dir, "ca"};
  std::error_code ec;
  fs::create_directories(asked.dir, ec);
  if (ec) return refuse("--dir: \"" + asked.dir + "\": " + ec.message());
  if (const auto why = in_the_way(to, asked.force))
    return refuse(*why + ", and then every node needs a new certificate");
  // A little longer: a node that is made right after it may be good for as many days.
  const auto end = now_s + (asked.days ? asked.days : ca_days) * day_s + skew_s;
  const auto made =
    transport::make_authority({asked.cluster, authority_name}, {now_s - skew_s, end});
  if (const auto failed = write(to, made); failed != exit_code::ok) return failed;
  std::printf("%s: the authority of cluster \"%s\", until %s\n%s: its key; whoever has it can make "
              "nodes, so keep it off them\n",
    to.certificate.c_str(), asked.cluster.c_str(), until(end).c_str(), to.key.c_str());
  return exit_code::ok;
}

exit_code make_node(const certs_request& asked, std::int64_t now_s) {
  const files ca{asked.ca_dir.empty() ? asked.dir : asked.ca_dir, "ca"};
  const files to{asked.dir, asked.node};
  transport::identity_pem authority;
  for (const auto& [path, into] :
    {std::pair{ca.certificate, &authority.certificate}, std::pair{ca.key, &authority.key}}) {
    auto read = read_file(path.string(), limits::auth_file_bytes_max);
    if (const auto* failed = std::get_if<read_failed>(&read))
      return refuse(
        "\"" + path.string() + "\": " + failed->why + "; `jumun certs ca` makes an authority");
    *into = std::get<std::string>(std::move(read));
  }
  const auto of = transport::facts_of(authority.certificate);
  if (const auto* why = std::get_if<std::string>(&of))
    return refuse("\"" + ca.certificate.string() + "\": " + *why);
  const auto& is = std::get<transport::certificate_facts>(of);
  // One that others made may sign for many clusters; ours is of one.
  if (is.who.name == authority_name && is.who.organization != asked.cluster)
    return refuse("--cluster: \"" + ca.certificate.string() + "\" is of cluster \""
                  + is.who.organization + "\"");
  const auto days = asked.days ? asked.days : node_days;
  const auto end = now_s + days * day_s;
  if (end > is.when.until)
    return refuse(not_allowed("--days", std::to_string(days),
      "at most " + std::to_string((is.when.until - now_s) / day_s) + ": the authority ends on "
        + until(is.when.until)));
  if (const auto why = in_the_way(to, asked.force)) return refuse(*why);
  const auto uri = cluster::peer_uri(asked.cluster, asked.node);
  const auto made = transport::make_member(
    authority, {{asked.cluster, asked.node}, {uri}, asked.hosts, {now_s - skew_s, end}});
  if (const auto* why = std::get_if<std::string>(&made))
    return refuse("\"" + ca.certificate.string() + "\": " + *why);
  if (const auto failed = write(to, std::get<0>(made)); failed != exit_code::ok) return failed;
  std::printf("%s, %s: node %s, until %s\nthat node: --cluster-cert %s --cluster-key %s "
              "--cluster-ca %s\n",
    to.certificate.c_str(), to.key.c_str(), uri.c_str(), until(end).c_str(), to.certificate.c_str(),
    to.key.c_str(), ca.certificate.c_str());
  return exit_code::ok;
}
} // namespace

CLI::App* add_certs_command(CLI::App& app, certs_request& into) {
  auto* certs = app.add_subcommand(
    "certs", "make the certificates by which the nodes of a cluster know each other");
  certs->require_subcommand(1);
  const auto verb = [&](const char* name, const char* doc, certs_request::doing what,
                      std::int64_t days) {
    auto* sub = certs->add_subcommand(name, doc);
    sub->add_option("--dir", into.dir, "the folder of the files")->required();
    sub
      ->add_option(
        "--cluster", into.cluster, "the cluster's name: " + std::string{domain::node_names_allowed})
      ->required();
    sub->add_option("--days", into.days,
      "how long it is good: 1.." + std::to_string(days_max) + "; default " + std::to_string(days));
    sub->add_flag("--force", into.force, "replace files that are there");
    sub->callback([&into, what, sub] {
      into.what = what;
      if (sub->count("--days") > 0 && into.days == 0) into.days = -1; // 0 is not the default
    });
    return sub;
  };
  verb("ca", "make the cluster's authority: ca.pem, ca.key", certs_request::doing::ca, ca_days);
  auto* node = verb(
    "node", "make a node's certificate: ID.pem, ID.key", certs_request::doing::node, node_days);
  node
    ->add_option(
      "--node", into.node, "the node's --node-id: " + std::string{domain::node_names_allowed})
    ->required();
  node->add_option("--ca-dir", into.ca_dir, "the folder of ca.pem and ca.key; default: --dir");
  node->add_option("--host", into.hosts,
    "an address or a DNS name of the node, for other programs; may be repeated");
  return certs;
}

exit_code run_certs(const certs_request& asked) {
  if (!domain::is_node_name(asked.cluster))
    return refuse(not_allowed("--cluster", asked.cluster, domain::node_names_allowed));
  if (asked.days < 0 || asked.days > days_max)
    return refuse(not_allowed("--days", std::to_string(std::max<std::int64_t>(asked.days, 0)),
      "1.." + std::to_string(days_max)));
  const auto now_s = wall_clock_us() / 1'000'000;
  if (asked.what == certs_request::doing::ca) return make_ca(asked, now_s);
  if (!domain::is_node_name(asked.node))
    return refuse(not_allowed("--node", asked.node, domain::node_names_allowed));
  if (asked.node == "ca") return refuse(not_allowed("--node", asked.node, "any but \"ca\""));
  for (const auto& host : asked.hosts)
    if (!is_host(host))
      return refuse(not_allowed("--host", host, "an IP address, or 1..253 of a-z, 0-9, - and ."));
  return make_node(asked, now_s);
}
} // namespace jumun::app
