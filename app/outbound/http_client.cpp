#include "app/outbound/http_client.hpp"
#include "app/outbound/address_policy.hpp"
#include <algorithm>
#include <atomic>
#include <csignal>
#include <curl/curl.h>
#include <mutex>
#include <netinet/in.h>
#include <pthread.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

namespace jumun::app {
namespace {
using steady = std::chrono::steady_clock;

template <auto Free> struct freed_by {
  template <class T> void operator()(T* what) const { Free(what); }
};
using easy_ptr = std::unique_ptr<CURL, freed_by<curl_easy_cleanup>>;
using list_ptr = std::unique_ptr<curl_slist, freed_by<curl_slist_free_all>>;
using url_ptr = std::unique_ptr<CURLU, freed_by<curl_url_cleanup>>;

/// One request under way. Its address is known to libcurl: it does not move.
struct transfer {
  outbound_request what;
  std::function<void(outbound_response)> then;
  steady::time_point due;
  easy_ptr easy;
  list_ptr fields;
  outbound_response answer;
  std::size_t head_bytes = 0;
  const char* refused = nullptr; // why one of our callbacks broke it off
};

/// What has no place in a request's head: it would end a line of it.
bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}
std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}
std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

// -- libcurl's callbacks: on the client's thread
// ---------------------------------------------------

std::size_t on_head(const char* bytes, std::size_t, std::size_t count, transfer* t) {
  t->head_bytes += count;
  if (t->head_bytes > limits::outbound_head_bytes_max) {
    t->refused = "the answer's head is too long";
    return 0;
  }
  const std::string_view line{bytes, count};
  if (line.starts_with("HTTP/")) t->answer.headers.clear(); // what came before was a 1xx
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && !line.starts_with("HTTP/"))
    t->answer.headers.emplace_back(
      lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  return count;
}

std::size_t on_body(const char* bytes, std::size_t, std::size_t count, transfer* t) {
  if (t->answer.body.size() + count > t->what.response_bytes_max) {
    t->refused = "the answer's body is too long";
    return CURL_WRITEFUNC_ERROR;
  }
  t->answer.body.append(bytes, count);
  return count;
}

bool public_socket_address(const sockaddr& a) {
  namespace ip = boost::asio::ip;
  if (a.sa_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(a);
    return publicly_routable(ip::address_v4{ntohl(in.sin_addr.s_addr)});
  }
  if (a.sa_family != AF_INET6) return false;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(a);
  ip::address_v6::bytes_type bytes;
  std::copy_n(in.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return publicly_routable(ip::address_v6{bytes});
}

/// Each address that libcurl is about to connect to, after the name was resolved.
curl_socket_t on_open_socket(transfer* t, curlsocktype, curl_sockaddr* to) {
  if (!t->what.allow_private && !public_socket_address(to->addr)) {
    t->refused = "the address is not allowed";
    return CURL_SOCKET_BAD;
  }
  t->refused = nullptr; // another address of the same host
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/// The connection that is about to be used: also one that another request has left.
int on_connected(transfer* t, const char* peer, const char*, int, int) {
  if (t->what.allow_private || publicly_routable(std::string_view{peer})) return CURL_PREREQFUNC_OK;
  t->refused = "the address is not allowed";
  return CURL_PREREQFUNC_ABORT;
}

// -- a request into libcurl's words
// ----------------------------------------------------------------

const char* fault_of(const outbound_request& r) {
  const bool token =
    !r.method.empty() && r.method.size() <= 16
    && std::all_of(r.method.begin(), r.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!token) return "the method is not one";
  for (const auto& [name, value] : r.headers)
    if (name.empty() || !one_line(name) || name.find(':') != std::string::npos || !one_line(value))
      return "a header is malformed";
  const url_ptr url{curl_url()};
  if (!one_line(r.url)
      || curl_url_set(url.get(), CURLUPART_URL, r.url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
    return "the URL is malformed";
  char* text = nullptr;
  if (curl_url_get(url.get(), CURLUPART_SCHEME, &text, 0) != CURLUE_OK)
    return "the URL is malformed";
  const std::unique_ptr<char, freed_by<curl_free>> scheme{text};
  const std::string_view s{text};
  return s == "http" || s == "https" ? nullptr : "the URL is not http or https";
}

/// A header without a value needs a `;` in libcurl's words.
list_ptr fields_of(const outbound_request& r) {
  curl_slist* all = nullptr;
  bool typed = false;
  for (const auto& [name, value] : r.headers) {
    all = curl_slist_append(all, (value.empty() ? name + ";" : name + ": " + value).c_str());
    typed = typed || lower(name) == "content-type";
  }
  all = curl_slist_append(all, "Expect:"); // no 100-continue: a round trip for nothing
  if (!typed) all = curl_slist_append(all, "Content-Type:"); // nor libcurl's guess
  return list_ptr{all};
}

void prepare_connection(CURL* easy, transfer& t, const outbound_client::options& how) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // never wait for a resolver's thread
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, ""); // no environment's proxy either
  curl_easy_setopt(easy, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!how.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, how.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, how.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &t);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &t);
}

void prepare(transfer& t, const outbound_client::options& how) {
  t.easy.reset(curl_easy_init());
  t.fields = fields_of(t.what);
  auto* easy = t.easy.get();
  prepare_connection(easy, t, how);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &t);
  curl_easy_setopt(easy, CURLOPT_URL, t.what.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t.fields.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
  if (t.what.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (t.what.method != "GET" || !t.what.body.empty()) { // its bytes stay ours: not copied
    curl_easy_setopt(
      easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.what.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t.what.body.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t.what.method.c_str());
}

/// True where nothing of the request can have left; after a retry on a second connection the first
/// one still counts.
bool nothing_left(CURL* easy) {
  long bytes = 0;
  curl_off_t ready_us = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
  return bytes == 0 && ready_us == 0;
}
} // namespace

std::string_view outbound_response::field(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

/// The thread. Requests wait in `inbox_`; all else is the thread's own.
class outbound_client::worker {
public:
  explicit worker(options how) : how_(std::move(how)) {
    static const auto once = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)once;
    multi_ = curl_multi_init();
    curl_multi_setopt(
      multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(how_.connections_per_host));
    curl_multi_setopt(
      multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(limits::outbound_connections_max));
    curl_multi_setopt(
      multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(limits::outbound_connections_kept));
    thread_ = std::thread{[this] { work(); }};
  }
  ~worker() { curl_multi_cleanup(multi_); }
  /// Whoever waits is told, and may send again (in vain): this must still be whole.
  void stop() {
    {
      const std::lock_guard held{guard_};
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
  }

  void put(std::unique_ptr<transfer> t) {
    {
      const std::lock_guard held{guard_};
      if (!stopping_) inbox_.push_back(std::move(t));
    }
    if (!t) return void(curl_multi_wakeup(multi_));
    outbound_response none; // sent by a callback of the end
    none.error = stopping;
    none.surely_not_sent = true;
    t->then(std::move(none));
  }

private:
  static constexpr auto stopping = "the client is stopping";
  static constexpr std::int64_t poll_ms_max = 250;

  void work() {
    sigset_t pipe; // a peer that is gone is an error, no signal: TLS writes can't say so themselves
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (take_in()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      hear_done();
      give_up_late();
      curl_multi_poll(multi_, nullptr, 0, patience_ms(), nullptr);
    }
    while (!open_.empty()) end(*open_.begin()->second, stopping);
  }

  /// False: to stop.
  bool take_in() {
    std::vector<std::unique_ptr<transfer>> fresh;
    bool stop = false;
    {
      const std::lock_guard held{guard_};
      fresh.swap(inbox_);
      stop = stopping_;
    }
    for (auto& t : fresh) begin(std::move(t));
    return !stop;
  }

  void begin(std::unique_ptr<transfer> fresh) {
    auto& t = *fresh;
    open_.emplace(&t, std::move(fresh));
    by_due_.emplace(t.due, &t);
    if (const auto* fault = fault_of(t.what)) return end(t, fault);
    if (open_.size() > limits::outbound_waiting_max) return end(t, "too many requests wait");
    prepare(t, how_);
    curl_multi_add_handle(multi_, t.easy.get());
  }

  void hear_done() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      transfer* t = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
      long status = 0;
      curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      const auto code = message->data.result; // the message dies with the handle
      if (code != CURLE_OK) {
        end(*t, t->refused ? t->refused : curl_easy_strerror(code));
      } else if (status <= 0) {
        end(*t, "the answer has no status");
      } else {
        t->answer.status = static_cast<int>(status);
        end(*t, nullptr);
      }
    }
  }
  void give_up_late() {
    const auto now = steady::now();
    while (!by_due_.empty() && by_due_.begin()->first <= now)
      end(*by_due_.begin()->second, "no answer within the deadline");
  }
  /// To the next deadline, and one more: poll() rounds down. While something is open, not for long:
  /// libcurl 7.88 wakes only one of those that wait for a connection when one becomes free, and
  /// forgets the others' turn now and then, until it is asked to perform again.
  int patience_ms() const {
    using std::chrono::milliseconds;
    if (by_due_.empty()) return 60'000;
    const auto left = by_due_.begin()->first - steady::now();
    const auto ms = std::chrono::duration_cast<milliseconds>(left).count() + 1;
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, poll_ms_max));
  }

  /// `why`: null for a whole answer.
  void end(transfer& t, const char* why) {
    auto answer = std::move(t.answer);
    if (why) {
      answer = {};
      answer.error = why;
      answer.surely_not_sent = !t.easy || nothing_left(t.easy.get());
    }
    if (t.easy) curl_multi_remove_handle(multi_, t.easy.get());
    const auto then = std::move(t.then);
    by_due_.erase({t.due, &t});
    open_.erase(&t);
    then(std::move(answer));
  }

  const options how_;
  CURLM* multi_ = nullptr;
  std::mutex guard_; // the part that callers touch
  std::vector<std::unique_ptr<transfer>> inbox_;
  bool stopping_ = false;
  std::unordered_map<transfer*, std::unique_ptr<transfer>> open_; // the thread's own from here on
  std::set<std::pair<steady::time_point, transfer*>> by_due_;
  std::thread thread_;
};

outbound_client::outbound_client(options how) : worker_(std::make_unique<worker>(std::move(how))) {}
outbound_client::~outbound_client() { worker_->stop(); }

void outbound_client::send(outbound_request what, std::function<void(outbound_response)> then) {
  auto t = std::make_unique<transfer>();
  t->due = steady::now() + what.deadline;
  t->what = std::move(what);
  t->then = std::move(then);
  worker_->put(std::move(t));
}
} // namespace jumun::app
