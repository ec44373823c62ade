#include "connectors/http.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <exception>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pplx/threadpool.h>

#include "connectors/http_pipe_handles.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

namespace web_http = web::http;

using Steady = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

constexpr Millis kLook(100);     // between two looks at the stop token
constexpr Millis kLetGo(50);     // for cpprestsdk to take a connection back
constexpr Millis kParting(300);  // for cpprestsdk to let go of a request that was cancelled
constexpr std::size_t kChunk = std::size_t{64}
                               << 10;  // measured: more and less are slower, in both directions
constexpr std::size_t kThreads =
    1;  // all of cpprestsdk runs in it: what cancels a request touches its socket
constexpr std::size_t kRecordHeader = 5;
constexpr std::uint64_t kLeastPerSecond = 1024;  // bytes, on the average
constexpr int kNoVerdict = -1;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using StoreHandle = std::shared_ptr<X509_STORE>;

/// What became of the server's certificate: an X509_V_… value.
using Verdict = std::shared_ptr<std::atomic<int>>;

/// How many certificates of `pem` were added.
int add_authorities(X509_STORE* store, const std::string& pem) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  int added = 0;
  while (true) {
    const std::unique_ptr<X509, FreeCertificate> one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    if (X509_STORE_add_cert(store, one.get()) == 1) ++added;
  }
  ERR_clear_error();
  return added;
}

int verify(X509_STORE_CTX* context, void* verdict) {
  const int result = X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  static_cast<std::atomic<int>*>(verdict)->store(
      result == 1 ? X509_V_OK : (error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error));
  return result;
}

/// Counts what comes, record by record, and ends what brings too much: cpprestsdk itself knows no bound.
void count_unread(int written, int /*version*/, int type, const void* bytes, std::size_t size, SSL* ssl,
                  void* counted) {
  if (written != 0 || type != SSL3_RT_HEADER || size < kRecordHeader) return;
  const auto* const header = static_cast<const unsigned char*>(bytes);
  auto* const unread = static_cast<HttpUnread*>(counted);
  unread->bytes += static_cast<std::size_t>(header[3]) << 8U | header[4];
  if (unread->bytes <= Http::kMostUnread) return;
  unread->too_many = true;
  SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

void prepare_tls(SSL_CTX* tls, X509_STORE* store, const HttpsUrl& url, std::atomic<int>* verdict,
                 HttpUnread* unread) {
  SSL_CTX_set_msg_callback(tls, count_unread);
  SSL_CTX_set_msg_callback_arg(tls, unread);
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  X509_STORE_up_ref(store);
  SSL_CTX_set_cert_store(tls, store);
  X509_VERIFY_PARAM* const demands = SSL_CTX_get0_param(tls);
  std::string_view host = url.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (X509_VERIFY_PARAM_set1_ip_asc(demands, std::string(host).c_str()) != 1)
    X509_VERIFY_PARAM_set1_host(demands, host.data(), host.size());
  ERR_clear_error();
  SSL_CTX_set_cert_verify_callback(tls, verify, verdict);
}

/// Where the system keeps its authorities. cpprestsdk has OpenSSL read all of them for each connection,
/// before ours take their place: longer than all else that a connection needs. Nothing else of this program
/// goes by these settings, and the commands that it starts get none of them (before main, where there is one
/// thread).
struct SystemAuthorities {
  std::string file = setting(X509_get_default_cert_file_env(), X509_get_default_cert_file());
  std::string folder = setting(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());

  SystemAuthorities() {
    setenv(X509_get_default_cert_file_env(), "/dev/null", 1);
    setenv(X509_get_default_cert_dir_env(), "/dev/null", 1);
  }
  static std::string setting(const char* name, const char* otherwise) {
    const char* const set = secure_getenv(name);
    return set != nullptr ? set : otherwise;
  }
};
const SystemAuthorities kSystem;

StoreHandle store_of(const HttpOptions& options) {
  const StoreHandle store(X509_STORE_new(), &X509_STORE_free);
  if (!store) throw std::bad_alloc();
  if (options.ca.empty()) {
    X509_STORE_load_file(store.get(), kSystem.file.c_str());
    X509_STORE_load_path(store.get(), kSystem.folder.c_str());
    ERR_clear_error();
  } else if (add_authorities(store.get(), options.ca) == 0) {
    throw Error(Code::c_credential,
                fmt::format("the authority to trust cannot be read: {} must be a PEM file with its "
                            "certificate (-----BEGIN CERTIFICATE-----)",
                            options.ca_setting));
  }
  return store;
}

/// Takes the body out of `request`.
web_http::http_request message_of(HttpRequest& request, const std::string& user_agent) {
  web_http::http_request message(request.method);
  try {
    message.set_request_uri(web::uri(request.url.target));
  } catch (const web::uri_exception&) {
    throw Error(Code::s_protocol,
                fmt::format("{} gave an address that cannot be asked", request.url.authority()));
  }
  if (request.once && !request.block)
    request.block = std::make_shared<const std::string>(std::move(request.body));
  if (request.block) {
    const std::size_t size = request.block->size();
    message.set_body(
        concurrency::streams::streambuf<std::uint8_t>(std::make_shared<HttpBody>(std::move(request.block)))
            .create_istream(),
        size);
  } else if (request.method != "GET" && request.method != "DELETE") {
    message.set_body(std::move(request.body));
  }
  for (const auto& [name, value] : request.headers) {
    message.headers().remove(name);
    message.headers().add(name, value);
  }
  message.headers().add("User-Agent", user_agent);
  if (request.bearer != nullptr)
    message.headers().add("Authorization", "Bearer " + std::string(request.bearer->reveal()));
  return message;
}

HttpAnswer head_of(const web_http::http_response& response) {
  HttpAnswer answer;
  answer.status = response.status_code();
  for (const auto& [name, value] : response.headers()) {
    std::string small = name;
    std::transform(small.begin(), small.end(), small.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    answer.headers[small] = value;
  }
  return answer;
}

void note_failure(HttpNews& news, const std::exception_ptr& thrown) {
  std::string text = "nothing that can be read";
  bool timed_out = false;
  try {
    std::rethrow_exception(thrown);
  } catch (const web_http::http_exception& error) {
    text = error.what();
    timed_out = error.error_code() == std::errc::timed_out;
  } catch (const std::exception& error) {
    text = error.what();
  } catch (...) {
  }
  const std::lock_guard lock(news.mutex);
  news.failure = std::move(text);
  news.timed_out = timed_out;
  news.ended = true;
  news.changed.notify_one();
}

/// Lets cpprestsdk's own thread do it.
template <typename Work>
void post(Work work) {
  boost::asio::post(crossplat::threadpool::shared_instance().service(), std::move(work));
}

/// Nobody here holds the request when it returns: it goes when cpprestsdk is through with it.
void start(web_http::client::http_client& client, web_http::http_request request,
           const std::shared_ptr<HttpNews>& news, const pplx::cancellation_token& token) {
  request.set_response_stream(
      concurrency::streams::streambuf<std::uint8_t>(std::make_shared<HttpPipe>(news)).create_ostream());
  request.set_progress_handler([news](web_http::message_direction::direction way, utility::size64_t bytes) {
    if (way != web_http::message_direction::upload) return;
    const std::lock_guard lock(news->mutex);
    news->sent = bytes;
    news->changed.notify_one();
  });
  client.request(std::move(request), token)
      .then([news](const pplx::task<web_http::http_response>& begun) {
        const web_http::http_response response = begun.get();
        {
          const std::lock_guard lock(news->mutex);
          news->head = head_of(response);
          news->changed.notify_one();
        }
        return response.content_ready();
      })
      .then([news](const pplx::task<web_http::http_response>& done) {
        try {
          done.get();
        } catch (...) {
          note_failure(*news, std::current_exception());
          return;
        }
        const std::lock_guard lock(news->mutex);
        news->ended = true;
        news->changed.notify_one();
      });
}

/// Takes a request's news as they come, until its end.
class Reception {
 public:
  /// `size`: bytes of the request's body.
  Reception(std::shared_ptr<HttpNews> news, pplx::cancellation_token_source& cancel, Millis timeout,
            std::uint64_t size)
      : news_(std::move(news)), cancel_(cancel), timeout_(timeout), size_(size) {}
  // Whatever ends it early: cpprestsdk is told, and waited for a moment.
  ~Reception() {
    news_->abandon();
    std::unique_lock lock(news_->mutex);
    if (news_->ended) return;
    lock.unlock();
    post([cancel = cancel_] { cancel.cancel(); });
    lock.lock();
    news_->changed.wait_for(lock, kParting, [&] { return news_->ended; });
  }
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  /// False when nothing came for too long.
  bool run(const HttpRequest& request, const std::function<Sink*(const HttpAnswer&)>& choose,
           const Transfer& transfer, HttpAnswer& answer) {
    std::unique_lock lock(news_->mutex);
    begun_ = progress_ = Steady::now();
    while (true) {
      if (sent_ != news_->sent) {
        sent_ = news_->sent;
        progress_ = Steady::now();
        if (request.sent) unlocked(lock, [&] { request.sent(sent_); });
      } else if (news_->head) {
        headed_ = true;
        headed_at_ = Steady::now();
        answer = *std::exchange(news_->head, std::nullopt);
        progress_ = Steady::now();
        unlocked(lock, [&] { sink_ = choose ? choose(answer) : nullptr; });
      } else if (headed_ && !news_->body.empty()) {
        const std::string piece = news_->take(lock);
        received_ += piece.size();
        unlocked(lock, [&] { give(piece, answer); });
        progress_ = Steady::now();
      } else if (news_->ended) {
        // Otherwise the next request would open another connection.
        news_->changed.wait_for(lock, kLetGo, [&] { return news_->let_go; });
        return true;
      } else {
        unlocked(lock, [&] { transfer.heed_stop(); });
        const Millis most = headed_ ? timeout_ : timeout_ * std::max(1, request.patience);
        const auto now = Steady::now();
        if (now - progress_ > most || is_too_slow(now)) return false;
        if (request.most.count() > 0 && now - begun_ > request.most) return false;
        if (!has_news()) news_->changed.wait_for(lock, kLook);
      }
    }
  }

 private:
  template <typename Work>
  static void unlocked(std::unique_lock<std::mutex>& lock, Work work) {
    lock.unlock();
    work();
    lock.lock();
  }
  /// A server that takes or gives a few bytes now and then would hold up everything else.
  bool is_too_slow(Steady::time_point now) const {
    const auto elapsed = now - (headed_ ? headed_at_ : begun_);
    if (elapsed <= 2 * timeout_ || (!headed_ && sent_ >= size_)) return false;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(elapsed).count();
    return (headed_ ? received_ : sent_) < static_cast<std::uint64_t>(seconds) * kLeastPerSecond;
  }
  bool has_news() const {
    return news_->ended || !news_->body.empty() || news_->head || sent_ != news_->sent;
  }
  void give(const std::string& piece, HttpAnswer& answer) const {
    if (sink_ != nullptr) return sink_->write(piece);
    if (answer.body.size() + piece.size() > Http::kMostBody)
      throw Error(Code::s_protocol, "the server's answer is longer than any answer should be");
    answer.body += piece;
  }

  std::shared_ptr<HttpNews> news_;
  pplx::cancellation_token_source& cancel_;
  Millis timeout_;
  std::uint64_t size_;
  Steady::time_point begun_;
  Steady::time_point headed_at_;
  Steady::time_point progress_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  bool headed_ = false;
  Sink* sink_ = nullptr;
};

}  // namespace

struct Http::Line {
  Line() = default;
  // Its connections are closed where they are used.
  ~Line() {
    post([gone = std::move(client)] {});
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Verdict verdict = std::make_shared<std::atomic<int>>(kNoVerdict);
  std::shared_ptr<HttpUnread> unread = std::make_shared<HttpUnread>();
  std::shared_ptr<web_http::client::http_client> client;
  bool answered = false;
};

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found != headers.end() ? found->second : "";
}

std::optional<Time> HttpAnswer::date() const { return parse_http_date(header("date")); }

std::optional<Time> parse_http_date(const std::string& text) {
  std::tm parts{};
  const char* const end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Time(std::chrono::seconds(timegm(&parts)));
}

Http::Http(HttpOptions options) : options_(std::move(options)) {
  static std::once_flag prepared;
  std::call_once(prepared, [] { crossplat::threadpool::initialize_with_threads(kThreads); });
  authorities_ = store_of(options_);
}

Http::~Http() = default;

Http::Line& Http::line_to(const HttpsUrl& url) {
  std::unique_ptr<Line>& line = lines_[url.origin()];
  if (line) return *line;
  line = std::make_unique<Line>();
  web_http::client::http_client_config config;
  config.set_max_redirects(0);
  config.set_chunksize(kChunk);
  config.set_timeout(options_.timeout * 10);  // the wait is ours
  config.set_proxy(options_.proxy.empty() ? web::web_proxy(web::web_proxy::disabled)
                                          : web::web_proxy(web::uri(options_.proxy)));
  config.set_ssl_context_callback([store = authorities_, url, verdict = line->verdict,
                                   unread = line->unread](boost::asio::ssl::context& context) {
    prepare_tls(context.native_handle(), store.get(), url, verdict.get(), unread.get());
  });
  line->client = std::make_shared<web_http::client::http_client>(web::uri(url.origin()), config);
  return *line;
}

HttpAnswer Http::ask(HttpRequest request, const Transfer& transfer) {
  return ask(std::move(request), {}, transfer);
}

HttpAnswer Http::ask(HttpRequest request, const std::function<Sink*(const HttpAnswer&)>& choose,
                     const Transfer& transfer) {
  transfer.heed_stop();
  Line& line = line_to(request.url);
  line.verdict->store(kNoVerdict);
  line.unread->bytes = 0;
  line.unread->too_many = false;
  const auto news = std::make_shared<HttpNews>(line.unread);
  const std::uint64_t size = request.block ? request.block->size() : request.body.size();
  HttpAnswer answer;
  pplx::cancellation_token_source cancel;
  bool in_time = true;
  {
    // The request is held there alone, so that it goes when cpprestsdk is through with it.
    post([client = line.client, message = message_of(request, options_.user_agent), news,
          token = cancel.get_token()] {
      try {
        start(*client, message, news, token);
      } catch (...) {
        note_failure(*news, std::current_exception());
      }
    });
    Reception reception(news, cancel, options_.timeout, size);
    in_time = reception.run(request, choose, transfer, answer);
  }
  if (!in_time || news->timed_out) {
    const bool trusted = line.verdict->load() == X509_V_OK || line.answered;
    reached_ = trusted ? HttpLink::answer : options_.proxy.empty() ? HttpLink::address : HttpLink::proxy;
    throw Error(Code::s_timeout,
                fmt::format("{} did not answer in time: look at network and proxy", request.url.authority()));
  }
  if (!news->failure.empty()) fail(request.url, line, news->failure);
  reached_ = HttpLink::answer;
  line.answered = true;
  return answer;
}

// By the words of cpprestsdk 2.10.18, which tell more than its codes.
void Http::fail(const HttpsUrl& url, const Line& line, const std::string& text) {
  const std::string where = url.authority();
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  const auto unreachable = [&](HttpLink link, const std::string& what) {
    reached_ = link;
    throw Error(Code::s_unreachable, what);
  };
  if (says("proxy")) {
    if (says("407"))
      unreachable(
          HttpLink::proxy,
          fmt::format("the proxy {} wants a sign-in (407), which this program does not do: have it let "
                      "this machine through to {} without one",
                      options_.proxy, where));
    if (says("Expected a 200"))
      unreachable(HttpLink::proxy,
                  fmt::format("the proxy {} does not let this machine through to {} ({}): have it allowed",
                              options_.proxy, where, text.substr(text.find_last_of(' ') + 1)));
    unreachable(HttpLink::proxy,
                fmt::format("the proxy {} cannot be reached: check [proxy] https", options_.proxy));
  }
  if (says("resolving"))
    unreachable(HttpLink::name,
                fmt::format("{}: the host's name is not known: check its spelling and DNS, or whether "
                            "[proxy] is needed",
                            where));
  if (says("connect to any"))
    unreachable(HttpLink::address,
                fmt::format("{} cannot be reached: check the firewall, or whether [proxy] is needed", where));
  if (line.unread->too_many) {
    reached_ = HttpLink::answer;
    throw Error(Code::s_protocol, fmt::format("{} answers with more than any answer should hold", where));
  }
  const int verdict = line.verdict->load();
  if (verdict != kNoVerdict && verdict != X509_V_OK) {
    const bool other_host =
        verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
    reached_ = other_host ? HttpLink::host_name : HttpLink::server_certificate;
    if (other_host)
      throw Error(
          Code::s_host_key,
          fmt::format("what answers at {} shows a certificate of another host: check the address, and "
                      "who answers in its place",
                      where));
    if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID)
      throw Error(
          Code::s_expired,
          fmt::format("the certificate of {} does not count at this date: set this machine's clock, or "
                      "ask who runs that server",
                      where));
    throw Error(
        Code::s_host_key,
        fmt::format("the certificate of {} comes from no authority that is trusted here: when a proxy "
                    "of yours opens TLS, name its authority in {}; otherwise somebody answers in its place",
                    where, options_.ca_setting));
  }
  if (says("SSL handshake"))
    unreachable(HttpLink::tls,
                fmt::format("{} does not speak TLS as it should (1.2 or later), or hangs up in it: check the "
                            "address, and firewalls that look into TLS",
                            where));
  reached_ = HttpLink::answer;
  if (says("parse") || says("Invalid") || says("nvalid HTTP") || says("malformed"))
    throw Error(Code::s_protocol, fmt::format("what {} answers is no HTTP", where));
  throw Error(Code::s_unreachable, fmt::format("{} hung up in the midst of a request", where));
}

}  // namespace veer
