#include "connectors/ftps_session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "connectors/curl_handles.h"
#include "connectors/ftps_failure.h"
#include "connectors/ftps_hearing.h"
#include "connectors/ftps_sockets.h"
#include "connectors/probe.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

using Steady = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

constexpr long kBuffer = 512L << 10;
constexpr std::size_t kMostReplies = std::size_t{256}
                                     << 10;  // libcurl itself gives up at 300 KiB, for no reason told
constexpr Millis kLook(10);  // libcurl 7.88 forgets to wait for some sockets while a data connection begins

std::string in_url(std::string_view path) {
  std::string url;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || (c == '/' && i > 0);
    url += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return url;
}

}  // namespace

class FtpsSession::Talk {
 public:
  explicit Talk(const FtpsOptions& options) : options_(options) {
    static std::once_flag initialized;
    std::call_once(initialized, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    renew();
  }
  ~Talk() { hang_up(); }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  void begin(const Transfer& transfer) {
    transfer_ = transfer;
    deadline_ = Steady::time_point::max();
  }
  void end_within(Millis most) { deadline_ = Steady::now() + most; }

  void open() {
    const FtpReply features = ask({"FEAT"}).front();
    std::string_view rest = features.text;
    while (!rest.empty() && !has_mlst) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
      has_mlst = rest.starts_with("MLST") || rest.starts_with("mlst");
      rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
    }
    const char* path = nullptr;
    curl_easy_getinfo(curl_.get(), CURLINFO_FTP_ENTRY_PATH, &path);
    entry_path_ = path != nullptr ? path : "";
  }

  bool can_enter(const std::string& folder) {
    std::vector<std::string> commands = {"CWD " + folder};
    if (!entry_path_.empty()) commands.push_back("CWD " + entry_path_);
    const auto replies = ask(commands);
    if (!replies.back().good() && replies.size() > 1)
      throw Error(Code::s_protocol, "the server does not lead back to where it began");
    if (entry_path_.empty()) renew();  // it does not tell where that is: a new sign-in leads there
    return replies.front().good();
  }

  std::vector<FtpReply> ask(const std::vector<std::string>& commands) {
    prepare("");
    WordsHandle words;
    for (const std::string& command : commands)
      words.reset(curl_slist_append(words.release(), ("*" + command).c_str()));
    set(CURLOPT_NOBODY, 1L);
    set(CURLOPT_QUOTE, words.get());
    const CURLcode result = perform();
    if (result != CURLE_OK) fail(result);
    std::vector<FtpReply>& all = hearing_.replies;
    if (all.size() < commands.size())
      throw Error(Code::s_protocol, "the server answered less than was asked");
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(commands.size()));
    return std::move(all);
  }

  FtpReply list(const std::string& command, const std::string& folder, std::string& text) {
    prepare_data(folder + "/");
    set(CURLOPT_CUSTOMREQUEST, command.c_str());
    take_ = [&](std::string_view bytes) { text.append(bytes.substr(0, kMostListing - text.size())); };
    return answer(perform());
  }

  FtpReply retrieve(const std::string& path, std::uint64_t offset, std::uint64_t most, Sink& into) {
    prepare_data(path);
    set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(offset));
    take_ = [&, taken = std::uint64_t{0}](std::string_view bytes) mutable {
      if (bytes.size() > most - taken)
        throw Error(Code::s_changed, "the file grew on the share while it was fetched");
      into.write(bytes);
      taken += bytes.size();
      transfer_.tick(offset + taken);
    };
    const CURLcode result = perform();
    if (result == CURLE_PARTIAL_FILE) return {};
    return answer(result);
  }

  FtpReply store(const std::string& path, const Blob& content, std::uint64_t from) {
    prepare_data(path);
    worn_ = true;
    set(CURLOPT_UPLOAD, 1L);
    // libcurl ends TLS as soon as it has passed on as much as it knows to come, also when the socket has no
    // room for the farewell, and a server must take what ends without one for cut. Not knowing, it asks for
    // more once there is room.
    set(CURLOPT_INFILESIZE_LARGE, curl_off_t{-1});
    set(CURLOPT_APPEND, from > 0 ? 1L : 0L);
    give_ = [&, offset = from](std::span<char> into) mutable -> std::size_t {
      const std::size_t n = content.read(offset, into);
      offset += n;
      if (n == 0) require_whole(path, content, offset);
      all_given_ = n == 0;
      transfer_.tick(offset);
      return n;
    };
    return answer(perform());
  }

  FtpsLink reached = FtpsLink::name;
  bool has_mlst = false;

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK)
      throw Error(Code::s_algorithm, "libcurl lacks something that this program asks for: install Debian's");
  }
  void set_blob(CURLoption option, std::string_view bytes) {
    // libcurl reads it only.
    curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
    set(option, &blob);
  }
  void set_secret(CURLoption option, const Secret& secret) {
    if (!secret.empty()) set(option, secret.reveal().data());  // a std::string's bytes: they end in zero
  }

  // With the connection shut, nothing waits for the server's farewell.
  void hang_up() {
    sockets_.shut();
    curl_.reset();
    multi_.reset();
  }

  /// The next request makes a new connection.
  void renew() {
    hang_up();
    sockets_.reopen();
    worn_ = false;
    curl_.reset(curl_easy_init());
    multi_.reset(curl_multi_init());
    if (!curl_ || !multi_) throw Error(Code::l_memory, "no memory for a connection");
  }

  /// Servers demand that a data connection resumes the TLS session of the one for commands. Under TLS 1.3 it
  /// can be resumed once, and who only sends does not hear of the next: after an upload the connection is of
  /// no more use.
  void prepare_data(const std::string& path) {
    if (worn_) renew();
    prepare(path);
  }

  /// Forgets the last request, but not the connection.
  void prepare(const std::string& path) {
    take_ = {};
    give_ = {};
    all_given_ = false;
    curl_easy_reset(curl_.get());
    const bool at_once = options_.tls == FtpsTls::implicitly;
    set(CURLOPT_URL,
        fmt::format("{}://{}:{}/{}", at_once ? "ftps" : "ftp",
                    options_.host.find(':') == std::string::npos ? options_.host : "[" + options_.host + "]",
                    options_.port, in_url(path))
            .c_str());
    set(CURLOPT_PROTOCOLS_STR, "ftp,ftps");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // or a stop would wait as long as the resolver does
    set(CURLOPT_USERNAME, options_.user.c_str());
    set_secret(CURLOPT_PASSWORD, options_.password);
    set(CURLOPT_FTP_FILEMETHOD, static_cast<long>(CURLFTPMETHOD_NOCWD));
    set(CURLOPT_FTP_USE_EPSV, 1L);
    set(CURLOPT_FTP_SKIP_PASV_IP, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT,
        static_cast<long>(std::chrono::ceil<std::chrono::seconds>(options_.timeout).count()) + 1);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_BUFFERSIZE, kBuffer);
    set(CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
    prepare_tls();
    prepare_callbacks();
  }

  void prepare_tls() {
    set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    set(CURLOPT_FTPSSLAUTH, static_cast<long>(CURLFTPAUTH_TLS));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    // Debian's libcurl would trust the system's authorities beside the pinned one.
    set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    set_blob(CURLOPT_CAINFO_BLOB, options_.ca);
    if (!options_.certificate.empty()) {
      set_blob(CURLOPT_SSLCERT_BLOB, options_.certificate);
      set_blob(CURLOPT_SSLKEY_BLOB, options_.key.reveal());
      set_secret(CURLOPT_KEYPASSWD, options_.key_passphrase);
    }
    set(CURLOPT_SSL_CTX_FUNCTION, &Talk::on_context);
    set(CURLOPT_SSL_CTX_DATA, this);
  }

  void prepare_callbacks() {
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, &Talk::on_debug);
    set(CURLOPT_DEBUGDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Talk::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Talk::on_write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_READFUNCTION, &Talk::on_read);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Talk::on_progress);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &Talk::on_open);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_CLOSESOCKETFUNCTION, &Talk::on_close);
    set(CURLOPT_CLOSESOCKETDATA, this);
  }

  CURLcode perform() {
    require_going_on();
    hearing_ = {};
    started_ = last_progress_ = Steady::now();
    bytes_ = 0;
    thrown_ = nullptr;
    CURLcode result = CURLE_OK;
    {
      const std::stop_callback on_stop(transfer_.stop, [this] { sockets_.shut(); });
      result = run();
    }
    // libcurl would read the late answer as the next one's.
    if (hearing_.out_of_step) renew();
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    if (result != CURLE_OK) require_going_on();
    return result;
  }

  CURLcode run() {
    CURLM* const multi = multi_.get();
    CURL* const easy = curl_.get();
    if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
    const auto remove = [multi](CURL* handle) { curl_multi_remove_handle(multi, handle); };
    const std::unique_ptr<CURL, decltype(remove)> added(easy, remove);
    for (int running = 1; running > 0;) {
      if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
      const bool on = guarded(false, [&] {
        watch(bytes_);
        return true;
      });
      if (!on) return CURLE_ABORTED_BY_CALLBACK;
      if (running > 0) curl_multi_poll(multi, nullptr, 0, static_cast<int>(kLook.count()), nullptr);
    }
    int left = 0;
    const CURLMsg* const done = curl_multi_info_read(multi, &left);
    return done != nullptr ? done->data.result : CURLE_OUT_OF_MEMORY;
  }

  void require_going_on() const {
    if (transfer_.stop.stop_requested())
      throw Error(Code::l_stopped, "stopped on request; the work is taken up again");
  }

  /// Throws when the wait must end: a stop, nothing moving for too long, or too little in all.
  void watch(std::uint64_t bytes) {
    require_going_on();
    const auto now = Steady::now();
    if (std::exchange(bytes_, bytes) != bytes) last_progress_ = now;
    if (now - last_progress_ > options_.timeout) throw_ftps_timeout(options_, hearing_);
    if (now > deadline_) throw Error(Code::s_timeout, place_of(options_) + " takes too long to answer");
    const auto elapsed = now - started_;
    const auto seconds = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(elapsed).count());
    if (elapsed > 2 * options_.timeout && bytes < seconds * kLeastPerSecond)
      throw Error(Code::s_timeout, "the share is too slow to be of use");
  }

  /// The answer to the transfer, when the server ended it by one; otherwise the connection failed.
  FtpReply answer(CURLcode result) {
    if (result == CURLE_OK) return std::move(hearing_.replies.back());
    for (const FtpReply& reply : hearing_.replies)
      if (reply.code >= 400 && reply.code != 421 && is_of_transfer(reply.verb)) return reply;
    fail(result);
  }

  static bool is_of_transfer(std::string_view verb) {
    static constexpr std::array<std::string_view, 7> kVerbs = {"APPE", "LIST", "MLSD", "REST",
                                                               "RETR", "SIZE", "STOR"};
    return std::find(kVerbs.begin(), kVerbs.end(), verb) != kVerbs.end();
  }

  /// Throws the error of ours that a result of libcurl means.
  [[noreturn]] void fail(CURLcode result) {
    const auto passed = [&](CURLINFO what) {
      curl_off_t time = 0;
      curl_easy_getinfo(curl_.get(), what, &time);
      return time > 0;
    };
    long verified = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_SSL_VERIFYRESULT, &verified);
    const FtpsFailure failure(options_, hearing_,
                              {.libcurl = result,
                               .name_known = passed(CURLINFO_NAMELOOKUP_TIME_T),
                               .connected = passed(CURLINFO_CONNECT_TIME_T),
                               .verified = verified});
    reached = failure.link();
    failure.raise();
  }

  /// Runs `work` for libcurl, which no exception may pass through: it is thrown again when libcurl has
  /// returned.
  template <typename Result, typename Work>
  Result guarded(Result otherwise, Work work) noexcept {
    try {
      return work();
    } catch (...) {
      if (!thrown_) thrown_ = std::current_exception();
      return otherwise;
    }
  }
  static Talk& self(void* talk) { return *static_cast<Talk*>(talk); }

  static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* talk) {
    // Commands carry the password: their first word alone is kept.
    if (type == CURLINFO_HEADER_OUT)
      self(talk).guarded(0, [&] {
        self(talk).hearing_.command({data, size});
        return 0;
      });
    return 0;
  }
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* talk) {
    return self(talk).guarded(std::size_t{0}, [&] {
      Hearing& hearing = self(talk).hearing_;
      hearing.bytes += size;
      if (hearing.bytes > kMostReplies) throw Error(Code::s_protocol, "the server does not stop talking");
      hearing.line({data, size});
      return size;
    });
  }
  static std::size_t on_write(char* data, std::size_t, std::size_t size, void* talk) {
    return self(talk).guarded(std::size_t{0}, [&] {
      if (self(talk).take_) self(talk).take_({data, size});
      return size;
    });
  }
  static std::size_t on_read(char* into, std::size_t, std::size_t size, void* talk) {
    return self(talk).guarded(std::size_t{CURL_READFUNC_ABORT}, [&] {
      return self(talk).give_({into, size});
    });
  }
  static int on_progress(void* talk, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
    return self(talk).guarded(1, [&] {
      self(talk).watch(static_cast<std::uint64_t>(down + up) + self(talk).hearing_.bytes);
      return 0;
    });
  }
  static curl_socket_t on_open(void* talk, curlsocktype, curl_sockaddr* address) {
    return self(talk).guarded(curl_socket_t{CURL_SOCKET_BAD}, [&] {
      return self(talk).sockets_.open(address->family, address->socktype, address->protocol);
    });
  }
  static int on_close(void* talk, curl_socket_t which) {
    if (self(talk).all_given_ && self(talk).sockets_.is_for_data(which))
      self(talk).guarded(0, [&] {
        self(talk).sockets_.see_off(which, self(talk).options_.timeout);
        return 0;
      });
    self(talk).sockets_.close(which);
    return 0;
  }

  static int context_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }
  static CURLcode on_context(CURL*, void* context, void* talk) {
    auto* const tls = static_cast<SSL_CTX*>(context);
    SSL_CTX_set_ex_data(tls, context_index(), talk);
    SSL_CTX_set_info_callback(tls, &Talk::on_tls);
    return CURLE_OK;
  }
  static void on_tls(const SSL* tls, int event, int value) {
    Hearing& hearing = self(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), context_index())).hearing_;
    const int alert = value & 0xff;
    if ((event & SSL_CB_ALERT) != 0 && alert != SSL3_AD_CLOSE_NOTIFY)
      ((event & SSL_CB_READ) != 0 ? hearing.alert_received : hearing.alert_sent) = alert;
    if ((event & SSL_CB_HANDSHAKE_START) != 0) {
      hearing.tls_begun = true;
      hearing.tls_done = false;
    }
    hearing.tls_done |= (event & SSL_CB_HANDSHAKE_DONE) != 0;
    hearing.certificate_asked |= SSL_get_state(tls) == TLS_ST_CR_CERT_REQ;
  }

  const FtpsOptions& options_;
  std::string entry_path_;  ///< where the sign-in leads to; empty when the server does not say
  Transfer transfer_;
  Hearing hearing_;
  std::function<void(std::string_view)> take_;
  std::function<std::size_t(std::span<char>)> give_;
  Steady::time_point deadline_ = Steady::time_point::max();
  Steady::time_point started_{};
  Steady::time_point last_progress_{};
  std::uint64_t bytes_ = 0;
  std::exception_ptr thrown_;
  bool worn_ = false;
  bool all_given_ = false;  ///< of an upload
  FtpsSockets sockets_;
  MultiHandle multi_;
  CurlHandle curl_;
};

FtpsSession::FtpsSession(const FtpsOptions& options) : talk_(std::make_unique<Talk>(options)) {}
FtpsSession::~FtpsSession() = default;

void FtpsSession::begin(const Transfer& transfer) { talk_->begin(transfer); }
void FtpsSession::end_within(Millis most) { talk_->end_within(most); }
void FtpsSession::open() { talk_->open(); }
FtpsLink FtpsSession::reached() const { return talk_->reached; }
bool FtpsSession::has_mlst() const { return talk_->has_mlst; }

std::vector<FtpReply> FtpsSession::ask(const std::vector<std::string>& commands) {
  return talk_->ask(commands);
}
FtpReply FtpsSession::ask(const std::string& command) { return talk_->ask({command}).front(); }

bool FtpsSession::can_enter(const std::string& folder) { return talk_->can_enter(folder); }
FtpReply FtpsSession::list(const std::string& command, const std::string& folder, std::string& text) {
  return talk_->list(command, folder, text);
}
FtpReply FtpsSession::retrieve(const std::string& path, std::uint64_t offset, std::uint64_t most,
                               Sink& into) {
  return talk_->retrieve(path, offset, most, into);
}
FtpReply FtpsSession::store(const std::string& path, const Blob& content, std::uint64_t from) {
  return talk_->store(path, content, from);
}

}  // namespace veer
