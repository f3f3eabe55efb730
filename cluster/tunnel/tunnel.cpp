#include "cluster/tunnel/tunnel.hpp"
#include "cluster/tunnel/link.hpp"
#include "domain/names.hpp"
#include "transport/door.hpp"

namespace jumun::cluster {
namespace asio = boost::asio;
using transport::door;
using transport::tcp_socket;

class tunnel::parts : public std::enable_shared_from_this<tunnel::parts> {
public:
  parts(asio::io_context& io, tunnel_options options, tunnel_neighbours neighbours)
      : core{std::make_shared<tunnel_core>(io, std::move(options), std::move(neighbours))},
        minute_{asio::make_strand(io)} {}

  const std::shared_ptr<tunnel_core> core;

  std::optional<std::string> start(std::uint16_t caf_port) {
    const auto& o = core->options;
    if (o.plain) {
      boost::system::error_code ec;
      const auto here = asio::ip::make_address(o.bind, ec);
      if (ec || !is_loopback(here))
        return "without certificates nodes meet on loopback addresses only, not on " + o.bind;
    } else if (!core->identity.current()) {
      return "there is no certificate";
    }
    const auto listener = std::make_shared<door>(core->io, [core = core](tcp_socket socket) {
      ++core->sockets;
      tunnel_link::accept(core, std::move(socket));
    });
    if (auto why = listener->bind(o.bind, o.port)) return why;
    core->caf_port = caf_port;
    listener->open();
    {
      const std::lock_guard lock{mutex_};
      listener_ = listener;
    }
    asio::dispatch(minute_.get_executor(), [self = shared_from_this()] { self->count_down(); });
    return {};
  }

  std::uint16_t port() const {
    const std::lock_guard lock{mutex_};
    return listener_ ? listener_->port() : 0;
  }

  std::uint16_t way_to(const std::string& node) {
    const std::lock_guard lock{mutex_};
    if (core->stopping) return 0;
    auto& way = ways_[node];
    if (way) return way->port();
    auto made = std::make_shared<door>(core->io,
      [core = core, node](tcp_socket socket) { tunnel_link::dial(core, std::move(socket), node); });
    if (made->bind("127.0.0.1", 0)) {
      ways_.erase(node);
      return 0;
    }
    way = std::move(made);
    way->open();
    static_cast<void>(core->peer(node));
    return way->port();
  }

  void forget(const std::string& node) {
    {
      const std::lock_guard lock{mutex_};
      if (const auto way = ways_.find(node); way != ways_.end()) {
        way->second->close();
        ways_.erase(way);
      }
    }
    for (const auto* crowd : {&core->accepted, &core->dialled})
      for (const auto& link : crowd->everyone(node)) link->cut(tunnel_refusal::not_a_member);
    core->forget(node);
  }

  void stop() {
    if (core->stopping.exchange(true)) return;
    {
      const std::lock_guard lock{mutex_};
      if (listener_) listener_->close();
      for (const auto& [node, way] : ways_) way->close();
    }
    for (const auto* crowd : {&core->greeting, &core->accepted, &core->dialled})
      for (const auto& link : crowd->everyone()) link->cut(tunnel_refusal::stopping);
    asio::dispatch(minute_.get_executor(), [self = shared_from_this()] {
      self->minute_.cancel();
      self->core->say_refused();
    });
  }

private:
  void count_down() {
    if (core->stopping) return;
    minute_.expires_after(core->options.within.log_period);
    minute_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (ec) return;
      self->core->say_refused();
      self->count_down();
    });
  }

  transport::strand_timer minute_;
  mutable std::mutex mutex_;
  std::shared_ptr<door> listener_;                    // from start() on
  std::map<std::string, std::shared_ptr<door>> ways_; // by node
};

tunnel::tunnel(asio::io_context& io, tunnel_options options, tunnel_neighbours neighbours)
    : parts_{std::make_shared<parts>(io, std::move(options), std::move(neighbours))} {}
tunnel::~tunnel() { stop(); }

std::optional<std::string> tunnel::take(
  std::string_view certificates, std::string_view key, std::string_view authorities) {
  return parts_->core->identity.take(certificates, key, authorities);
}
std::optional<std::string> tunnel::start(std::uint16_t caf_port) { return parts_->start(caf_port); }
std::uint16_t tunnel::port() const { return parts_->port(); }
std::uint16_t tunnel::way_to(const std::string& node) { return parts_->way_to(node); }
void tunnel::forget(const std::string& node) { parts_->forget(node); }
void tunnel::stop() { parts_->stop(); }
tunnel_figures tunnel::figures() const { return figures_of(*parts_->core); }
} // namespace jumun::cluster
