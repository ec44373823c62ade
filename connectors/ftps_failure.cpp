#include "connectors/ftps_failure.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {

std::string place_of(const FtpsOptions& options) {
  return fmt::format("{} port {}", printable(options.host), options.port);
}

void throw_ftps_timeout(const FtpsOptions& options, const Hearing& hearing) {
  const std::string where = place_of(options);
  if (hearing.opens_data())
    throw Error(Code::s_timeout,
                fmt::format("{} does not open its data connection: have the server's passive ports let "
                            "through the firewalls, to {}",
                            where, printable(options.host)));
  throw Error(Code::s_timeout, hearing.replies.empty()
                                   ? where + " does not answer: check host, port and firewall"
                                   : where + " does not answer any more");
}

/// Whether it was us who ended a TLS handshake over the server's certificate, be it on a data connection,
/// where libcurl tells of it in other words.
bool FtpsFailure::distrusts_server() const {
  if (end_.libcurl == CURLE_PEER_FAILED_VERIFICATION) return true;
  switch (static_cast<TlsAlert>(hearing_.alert_sent)) {
    case TlsAlert::bad_certificate:
    case TlsAlert::unsupported_certificate:
    case TlsAlert::certificate_revoked:
    case TlsAlert::certificate_expired:
    case TlsAlert::certificate_unknown:
    case TlsAlert::unknown_ca:
      return true;
    default:
      return false;
  }
}

FtpsLink FtpsFailure::link() const {
  if (!end_.name_known) return FtpsLink::name;
  if (!end_.connected && !hearing_.tls_begun && hearing_.replies.empty()) return FtpsLink::address;
  if (distrusts_server()) return hearing_.tls_done ? FtpsLink::host_name : FtpsLink::server_certificate;
  if (hearing_.refuses_certificate()) return FtpsLink::client_certificate;
  if (!hearing_.tls_done) return FtpsLink::tls;
  const std::string_view verb = hearing_.verb();
  if (verb == "PBSZ" || verb == "PROT") return FtpsLink::tls;
  return verb == "AUTH" || verb == "USER" || verb == "PASS" ? FtpsLink::login : FtpsLink::commands;
}

void FtpsFailure::raise() const {
  const std::string where = place_of(options_);
  if (hearing_.code() == 421)
    throw Error(Code::s_unreachable, where + " turns us away for now (421): it is tried again");
  if (distrusts_server()) raise_verification();
  if (link() == FtpsLink::client_certificate)
    throw Error(Code::s_rights,
                fmt::format("{} does not accept our client certificate{}: ask its owner to have this "
                            "certificate, or the authority that issued it, admitted",
                            where, options_.certificate.empty() ? " (none is configured)" : ""));
  switch (end_.libcurl) {
    case CURLE_COULDNT_RESOLVE_HOST:
      throw Error(Code::s_unreachable, where + ": the host's name is not known: check host and DNS");
    case CURLE_COULDNT_CONNECT:
      raise_connect();
    case CURLE_OPERATION_TIMEDOUT:
      throw_ftps_timeout(options_, hearing_);
    case CURLE_USE_SSL_FAILED:
      raise_protection();
    case CURLE_SSL_CONNECT_ERROR:
      raise_handshake();
    case CURLE_LOGIN_DENIED:
      throw Error(Code::s_rights,
                  fmt::format("{} refuses user {}: check user and password, and ask its owner whether the "
                              "account is open and bound to our certificate",
                              where, printable(options_.user)));
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      throw Error(Code::c_credential,
                  "certificate, key or ca cannot be used for TLS: check that they are PEM files of today's "
                  "key lengths (RSA from 2048 bits, or ECDSA)");
    case CURLE_OUT_OF_MEMORY:
      throw Error(Code::l_memory, "no memory for a connection");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      throw Error(Code::s_unreachable,
                  fmt::format("the connection to {} broke (libcurl {})", where, end_.libcurl));
    default:
      throw Error(Code::s_protocol,
                  fmt::format("{} does not do what is asked of an FTP server (libcurl {}, {} {})", where,
                              end_.libcurl, printable(hearing_.verb(), 8), hearing_.code()));
  }
}

void FtpsFailure::raise_connect() const {
  throw Error(Code::s_unreachable,
              place_of(options_) + (hearing_.opens_data()
                                        ? ": the data connection is refused: have the server's passive ports "
                                          "let through the firewalls"
                                        : " cannot be reached: check host, port and firewall"));
}

void FtpsFailure::raise_protection() const {
  throw Error(Code::s_algorithm,
              place_of(options_) +
                  (hearing_.tls_done
                       ? " refuses to protect the data connection (PROT P): nothing is sent in clear; ask "
                         "its owner to allow it"
                       : " offers no TLS (AUTH TLS): nothing is sent in clear; ask its owner for the port "
                         "with TLS, and whether it is tls = \"explicit\" or \"implicit\""));
}

void FtpsFailure::raise_handshake() const {
  const std::string where = place_of(options_);
  const auto alert =
      static_cast<TlsAlert>(hearing_.alert_received != 0 ? hearing_.alert_received : hearing_.alert_sent);
  if (alert == TlsAlert::handshake_failure || alert == TlsAlert::protocol_version ||
      alert == TlsAlert::insufficient_security)
    throw Error(Code::s_algorithm,
                where +
                    " and this program have no TLS version or cipher in common: the server needs TLS "
                    "1.2 or later with ciphers of today");
  throw Error(Code::s_unreachable,
              fmt::format("{} does not finish a TLS handshake (alert {}): is it an FTPS port, and tls = "
                          "\"explicit\" or \"implicit\" as the server has it?",
                          where, static_cast<int>(alert)));
}

void FtpsFailure::raise_verification() const {
  const std::string where = place_of(options_);
  if (hearing_.tls_done)
    throw Error(Code::s_host_key,
                where +
                    " shows a certificate for another host name: put the name that it bears into "
                    "share.ftps.host, or ask the server's owner");
  switch (end_.verified) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      throw Error(Code::s_expired,
                  where +
                      " shows a certificate that has expired, or whose authority has: ask the server's "
                      "owner to renew it, and look at this machine's clock");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      throw Error(Code::s_expired,
                  where + " shows a certificate that does not count yet: look at this machine's clock");
    default:
      throw Error(Code::s_host_key,
                  fmt::format("{} shows a certificate that the pinned authority did not issue (OpenSSL {}): "
                              "ask the server's owner which authority did; only if it is right, put that "
                              "into share.ftps.ca",
                              where, end_.verified));
  }
}

}  // namespace veer
