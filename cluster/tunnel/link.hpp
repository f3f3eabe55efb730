#pragma once
#include "cluster/tunnel/core.hpp"
#include "cluster/tunnel/talk.hpp"
#include "transport/stream.hpp"
#include <string>
#include <vector>

namespace jumun::cluster {
/// One connection between two nodes' CAFs: our CAF's socket on one side, the peer's tunnel on the
/// other. Moves bytes, keeps the deadlines; what they mean is tunnel_talk's. Everything runs on the
/// strand that both sockets share; nothing blocks.
class tunnel_link : public std::enable_shared_from_this<tunnel_link> {
public:
  using side = tunnel_talk::side;
  /// Begins with a peer's socket; or with our CAF's, which wants to go to `node`.
  static void accept(std::shared_ptr<tunnel_core> core, transport::tcp_socket from_peer);
  static void dial(
    std::shared_ptr<tunnel_core> core, transport::tcp_socket from_caf, const std::string& node);
  tunnel_link(std::shared_ptr<tunnel_core> core, side on, transport::tcp_socket peer,
    transport::tcp_socket caf, std::string address);
  tunnel_link(const tunnel_link&) = delete;
  tunnel_link& operator=(const tunnel_link&) = delete;

  /// Tells the peer, if it listens, and closes. Any thread.
  void cut(tunnel_refusal why);

private:
  enum class state { greeting, open, draining, ending, closed };
  using error = boost::system::error_code;

  // link_greeting.cpp: until both know who the other is
  void begin();
  void await_peer();
  void await_caf();
  void find_peer();
  void resolve(const peer_address& where);
  void connect(const std::vector<boost::asio::ip::tcp::endpoint>& to);
  void shake_hands();
  void judge_certificate();
  void begin_talk(const std::string& proven);
  void admit();
  void come_up();

  // link.cpp
  void pump();
  void read_peer();
  void write_peer();
  void read_caf();
  void write_caf();
  void heard(std::string_view bytes);
  void on_timer();
  void on_heartbeat();
  void within(std::chrono::milliseconds time);
  void finish(tunnel_refusal why, const std::string& text);
  void lose(const std::string& text);
  void note_end(const std::string& text);
  void close();
  void account();
  [[nodiscard]] const char* direction() const { return side_ == side::dialler ? "out" : "in"; }
  /// Runs on our strand, as long as we are not closed.
  template <class Then> auto on_done(Then then) {
    return [self = shared_from_this(), then = std::move(then)](error ec, auto&&... more) {
      if (self->state_ != state::closed) then(ec, more...);
    };
  }

  const std::shared_ptr<tunnel_core> core_;
  const side side_;
  const std::string address_; // whence an accepted one came
  transport::tcp_socket caf_;
  transport::tcp_socket early_; // the peer's, until there is a stream
  std::unique_ptr<transport::stream> stream_;
  std::shared_ptr<tunnel_identity::held> identity_; // what we proved our name with
  std::shared_ptr<tunnel_peer> peer_;               // null: not known yet
  std::optional<tunnel_talk> talk_;                 // from the handshake on
  transport::strand_timer timer_;
  state state_ = state::greeting;
  std::vector<char> from_peer_, from_caf_; // what a read fills
  std::string to_peer_, to_caf_;           // what a write empties
  std::size_t to_caf_done_ = 0;            // of to_caf_
  std::size_t waiting_ = 0;                // as the peer's figures know it
  tunnel_talk::counts counted_; // of them, what the peer's figures have
  bool reading_peer_ = false, writing_peer_ = false, reading_caf_ = false, writing_caf_ = false;
  bool has_been_up_ = false, shut_ = false;
};
} // namespace jumun::cluster
