#pragma once
#include "cluster/etcd/connection.hpp"
#include <cstdint>
#include <optional>

namespace jumun::cluster::etcd {
struct options {
  std::vector<endpoint> endpoints; // at least one
  tls_files tls;
  std::string user, password_file; // both empty: etcd asks for no user. The file is read each time
  std::chrono::milliseconds deadline; // of one call to one endpoint
};

struct row {
  std::string key, value;
  std::int64_t created = 0, modified = 0; // revisions
  std::int64_t lease = 0;                 // 0: none
  std::uint64_t writes = 0;               // of the key since it was made
};

/// Where etcd's history stands. Two that differ may have different data between them.
struct moment {
  std::int64_t revision = 0;
  std::uint64_t term = 0, cluster = 0, count = 0; // count: of keys in the range
  bool operator==(const moment&) const = default;
};
struct range {
  moment at;
  std::vector<row> rows;
};

/// What must hold for a transaction to be carried out. The revisions of a key that is not there are
/// 0.
struct condition {
  enum class of : std::uint8_t { created, modified } what = of::modified;
  std::string key;
  std::int64_t revision = 0;
};
struct change_of_key {
  std::string key;
  std::optional<std::string> value; // nullopt: it is deleted
  std::int64_t lease = 0;
};

struct lease_left {
  std::chrono::seconds left{0}, granted{0}; // left 0 or less: it is gone
  std::uint64_t term = 0;                   // of etcd's leader
};

/// A client of etcd's HTTP/JSON gateway (3.4 or later: /v3/…). A call that an endpoint does not
/// answer is asked of the next one; so it may be carried out twice, and the caller must make that
/// harmless: a second transaction under the same condition fails. For one thread.
class client {
public:
  client(net::io_context& on, options how);
  ~client();

  /// Keys that begin with `prefix`, as of now (linearizable). `count_only`: no rows, only where
  /// history stands.
  [[nodiscard]] net::awaitable<result<range>> read(std::string prefix, bool count_only);
  /// True: all conditions held, and the changes were made, all at once.
  [[nodiscard]] net::awaitable<result<bool>> commit(
    std::vector<condition> if_all, std::vector<change_of_key> then);
  [[nodiscard]] net::awaitable<result<std::int64_t>> grant(std::chrono::seconds ttl);
  [[nodiscard]] net::awaitable<result<lease_left>> keep_alive(std::int64_t lease);
  [[nodiscard]] net::awaitable<result<lease_left>> time_left(std::int64_t lease);
  [[nodiscard]] net::awaitable<result<std::monostate>> revoke(std::int64_t lease);
  /// A doorbell: `changed` is called when the watch stands and whenever something under `prefix`
  /// has changed. Ends when that can no longer be promised.
  [[nodiscard]] net::awaitable<failure> watch(std::string prefix, std::function<void()> changed);

  /// Breaks off what is under way, and everything that is asked from now on until mend(). From the
  /// same thread.
  void cut();
  void mend() { cut_ = false; }
  [[nodiscard]] const endpoint& asked_last() const { return how_.endpoints[at_]; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

private:
  template <class T> [[nodiscard]] net::awaitable<result<T>> ask(
    std::string path, std::string body, std::optional<T> (*meaning)(std::string_view));
  [[nodiscard]] net::awaitable<result<std::string>> ask_once(
    connection& at, const std::string& path, const std::string& body);
  [[nodiscard]] net::awaitable<std::optional<failure>> log_in(connection& at);

  net::io_context& on_;
  const options how_;
  std::vector<std::unique_ptr<connection>> connections_; // one for each endpoint
  std::unique_ptr<connection> watching_;
  std::size_t at_ = 0; // the endpoint that answered last
  std::string token_;
  std::uint64_t failures_ = 0;
  bool cut_ = false;
};

/// The options' faults, in words for whoever set them; empty: none. Reads the files; blocks.
[[nodiscard]] std::string fault_of(const options& how);
} // namespace jumun::cluster::etcd
