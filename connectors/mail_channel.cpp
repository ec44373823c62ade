#include "connectors/mail_channel.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>

#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "connectors/curl_handles.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::size_t kMostHeard = 64 << 10;
constexpr std::size_t kEncodedAtOnce = 42;  // bytes: 56 characters of base64, in a word of at most 75

struct FreeMime {
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
using MimeHandle = std::unique_ptr<curl_mime, FreeMime>;

/// A header's text (RFC 2047): as it is when it is printable ASCII, otherwise in encoded words.
std::string in_header(std::string_view text) {
  if (text.size() <= 200 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    return std::string(text);
  std::string words;
  while (!text.empty()) {
    std::size_t n = std::min(text.size(), kEncodedAtOnce);
    while (n < text.size() && n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) --n;
    words += fmt::format("{}=?utf-8?B?{}?=", words.empty() ? "" : "\r\n ", base64(text.substr(0, n)));
    text.remove_prefix(n);
  }
  return words;
}

/// RFC 5322, 3.3.
std::string mail_date(Time time) {
  return fmt::format(
      "{:%a, %d %b %Y %H:%M:%S} +0000",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time))));
}

/// With the ends of lines that mail has.
std::string in_mail(const std::string& text) {
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return lines;
}

using Steady = std::chrono::steady_clock;

std::string domain_of(const std::string& address) { return address.substr(address.find('@') + 1); }

/// One message, and what the server says meanwhile.
class Delivery {
 public:
  Delivery(const MailOptions& options, const Transfer& transfer)
      : options_(options), transfer_(transfer), curl_(curl_easy_init()) {
    if (!curl_) throw Error(Code::l_memory, "no memory for a connection");
    const bool at_once = options.security == MailSecurity::tls;
    set(CURLOPT_URL,
        fmt::format("{}://{}:{}/{}", at_once ? "smtps" : "smtp",
                    options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]",
                    options.port, domain_of(options.from))
            .c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);
    const auto longest = options.timeout + options.acceptance;
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(longest.count()));
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT,
        static_cast<long>(std::chrono::ceil<std::chrono::seconds>(longest).count()));
    // Otherwise the farewell waits where no callback is called.
    set(CURLOPT_FORBID_REUSE, 1L);
    if (options.security != MailSecurity::none) set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca.empty()) {
      // Debian's libcurl would trust the system's authorities beside it.
      set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
      set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
      curl_blob blob{const_cast<char*>(options.ca.data()), options.ca.size(), CURL_BLOB_NOCOPY};
      set(CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!options.user.empty()) {
      set(CURLOPT_USERNAME, options.user.c_str());
      set(CURLOPT_PASSWORD, options.password.reveal().data());  // a std::string's bytes: they end in zero
    }
    set(CURLOPT_MAIL_FROM, fmt::format("<{}>", options.from).c_str());
    for (const std::string& address : options.to) append(recipients_, fmt::format("<{}>", address));
    set(CURLOPT_MAIL_RCPT, recipients_.get());
    set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, &Delivery::on_debug);
    set(CURLOPT_DEBUGDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Delivery::on_answer);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Delivery::on_body);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Delivery::on_progress);
    set(CURLOPT_XFERINFODATA, this);
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void header(std::string_view name, std::string_view text) {
    append(headers_, fmt::format("{}: {}", name, text));
  }

  void body(const std::string& text, const std::string& html) {
    mime_.reset(curl_mime_init(curl_.get()));
    curl_mime* const both = curl_mime_init(curl_.get());
    add(both, text, "text/plain; charset=utf-8");
    add(both, html, "text/html; charset=utf-8");
    curl_mimepart* const part = curl_mime_addpart(mime_.get());
    if (curl_mime_subparts(part, both) != CURLE_OK ||
        curl_mime_type(part, "multipart/alternative") != CURLE_OK ||
        curl_mime_headers(part, curl_slist_append(nullptr, "Content-Disposition: inline"), 1) != CURLE_OK)
      throw Error(Code::l_memory, "no memory for a message");
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_MIMEPOST, mime_.get());
  }

  CURLcode perform() {
    begun_ = Steady::now();
    return curl_easy_perform(curl_.get());
  }
  void require(CURLcode result) const {
    if (result == CURLE_OK) return;
    if (thrown_) std::rethrow_exception(thrown_);
    transfer_.heed_stop();
    fail(result);
  }

  /// Whom the server refused, when it took the message for others, and when it did not.
  const std::vector<Missed>& missed() const { return missed_; }
  Mishap mishap() const {
    if (!at_data_) return Mishap::channel;
    if (!refusal_.empty()) return Mishap::message;
    return said_at_ ? Mishap::unanswered : Mishap::channel;
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK)
      throw Error(Code::s_algorithm, "libcurl lacks something that this program asks for: install Debian's");
  }

  static void append(WordsHandle& words, const std::string& word) {
    curl_slist* const longer = curl_slist_append(words.get(), word.c_str());
    if (longer == nullptr) throw Error(Code::l_memory, "no memory for a message");
    static_cast<void>(words.release());
    words.reset(longer);
  }

  static void add(curl_mime* mime, const std::string& content, const char* type) {
    curl_mimepart* const part = curl_mime_addpart(mime);
    if (curl_mime_data(part, content.data(), content.size()) != CURLE_OK ||
        curl_mime_type(part, type) != CURLE_OK || curl_mime_encoder(part, "quoted-printable") != CURLE_OK)
      throw Error(Code::l_memory, "no memory for a message");
  }

  std::string place() const { return fmt::format("the mail server {}:{}", options_.host, options_.port); }

  [[noreturn]] void fail(CURLcode result) const {
    const std::string said =
        refusal_.empty() ? std::string() : fmt::format(" ('{}')", printable(refusal_, 200));
    if (mishap() == Mishap::unanswered)
      throw Error(Code::s_timeout, place() + " does not say whether it took the message");
    switch (result) {
      case CURLE_COULDNT_RESOLVE_HOST:
        throw Error(Code::s_unreachable, place() + " has no address: check the name and the resolver");
      case CURLE_COULDNT_CONNECT:
        throw Error(Code::s_unreachable, place() + " does not take connections");
      case CURLE_ABORTED_BY_CALLBACK:
      case CURLE_OPERATION_TIMEDOUT:
        throw Error(Code::s_timeout, place() + " takes too long to answer");
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
        throw Error(Code::s_host_key,
                    place() + " shows a certificate that is not to be trusted: give its authority as 'ca'");
      case CURLE_USE_SSL_FAILED:
      case CURLE_SSL_CONNECT_ERROR:
        throw Error(Code::s_algorithm,
                    place() + " offers no TLS as it is configured: check port and security");
      case CURLE_LOGIN_DENIED:
        throw Error(Code::s_rights, place() + " refuses the sign-in: check user and password" + said);
      default:
        break;
    }
    if (refusal_.starts_with('4'))
      throw Error(Code::s_unreachable, place() + " asks to come back later" + said);
    if (refusal_.starts_with('5')) throw Error(Code::s_rights, place() + " refuses the message" + said);
    throw Error(Code::s_protocol, fmt::format("{} breaks off: {}", place(), curl_easy_strerror(result)));
  }

  static std::size_t on_answer(char* bytes, std::size_t one, std::size_t count, void* hook) noexcept {
    Delivery& delivery = *static_cast<Delivery*>(hook);
    const std::string_view line(bytes, one * count);
    delivery.heard_ += line.size();
    if (delivery.heard_ > kMostHeard) return 0;
    if (line.size() > 4 && (line[0] == '4' || line[0] == '5') && line[3] == ' ' && !delivery.at_end_) {
      delivery.refusal_ = line.substr(0, line.find_last_not_of("\r\n") + 1);
      if (!delivery.recipient_.empty())
        delivery.missed_.push_back({delivery.recipient_,
                                    line[0] == '4' ? Code::s_unreachable : Code::s_rights,
                                    printable(delivery.refusal_, 200)});
    }
    return line.size();
  }
  // Commands carry the password: what is none of these is not looked at.
  static int on_debug(CURL*, curl_infotype type, char* bytes, std::size_t size, void* hook) noexcept {
    static constexpr std::string_view kRecipient = "RCPT TO:<";
    static constexpr std::string_view kLastBoundary = "--\r\n";
    Delivery& delivery = *static_cast<Delivery*>(hook);
    const std::string_view command(bytes, size);
    if (type == CURLINFO_DATA_OUT && command.ends_with(kLastBoundary)) delivery.said_at_ = Steady::now();
    if (type != CURLINFO_HEADER_OUT) return 0;
    delivery.recipient_.clear();
    delivery.at_end_ = command.starts_with("QUIT");
    if (delivery.at_end_) return 0;
    delivery.refusal_.clear();
    delivery.at_data_ = command.starts_with("DATA");
    if (command.starts_with(kRecipient))
      delivery.recipient_ = command.substr(kRecipient.size(), command.find('>') - kRecipient.size());
    return 0;
  }
  static std::size_t on_body(char*, std::size_t one, std::size_t count, void*) noexcept {
    return one * count;
  }
  static int on_progress(void* hook, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    Delivery& delivery = *static_cast<Delivery*>(hook);
    try {
      return delivery.may_wait() ? 0 : 1;
    } catch (...) {
      delivery.thrown_ = std::current_exception();
      return 1;
    }
  }
  // Who waits for a slow server is not stuck: the seconds are its progress.
  bool may_wait() const {
    const auto now = Steady::now();
    transfer_.tick(
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(now - begun_).count()));
    return said_at_ && !at_end_ ? now - *said_at_ < options_.acceptance : now - begun_ < options_.timeout;
  }

  const MailOptions& options_;
  const Transfer& transfer_;
  CurlHandle curl_;
  WordsHandle recipients_;
  WordsHandle headers_;
  MimeHandle mime_;
  std::size_t heard_ = 0;
  std::string refusal_;    ///< of the last command
  std::string recipient_;  ///< whom the last command named
  std::vector<Missed> missed_;
  bool at_data_ = false;  ///< the last command asked for the message to be taken
  bool at_end_ = false;
  Steady::time_point begun_;
  std::optional<Steady::time_point> said_at_;  ///< the whole message; empty until then
  std::exception_ptr thrown_;
};

}  // namespace

bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return text.size() <= 254 && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f && std::string_view("\"<>(),;:\\[]").find(c) == std::string_view::npos;
         });
}

MailChannel::MailChannel(MailOptions options) : options_(std::move(options)) {
  static std::once_flag initialized;
  std::call_once(initialized, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string MailChannel::send(const AlertMessage& message, const Transfer& transfer) {
  Delivery delivery(options_, transfer);
  const std::string domain = domain_of(options_.from);
  delivery.header("Date", mail_date(message.at));
  delivery.header("From", fmt::format("Veerdienst <{}>", options_.from));
  delivery.header("To", fmt::format("{}", fmt::join(options_.to, ",\r\n ")));
  delivery.header("Subject", in_header(fmt::format("[{} {}] {}", message.instance, message.environment,
                                                   message.headline)));
  delivery.header("Message-ID", fmt::format("<{}@{}>", message.id, domain));
  if (message.id != message.thread) {
    delivery.header("In-Reply-To", fmt::format("<{}@{}>", message.thread, domain));
    delivery.header("References", fmt::format("<{}@{}>", message.thread, domain));
  }
  delivery.header("Auto-Submitted", "auto-generated");
  if (message.severity != "notice" && message.turn != "closed") delivery.header("Importance", "high");
  delivery.body(in_mail(to_text(message)), in_mail(to_html(message)));
  const CURLcode result = delivery.perform();
  missed_ = delivery.missed();
  mishap_ = delivery.mishap();
  delivery.require(result);
  if (missed_.empty()) return {};
  std::string who;
  for (const Missed& one : missed_)
    who += fmt::format("{}{}: '{}'", who.empty() ? "" : "; ", one.recipient, one.answer);
  return fmt::format(
      "the mail server refused {} of {} recipients ({}), and the message went to the others: look at those "
      "addresses and their mailboxes",
      missed_.size(), options_.to.size(), who);
}

}  // namespace veer
