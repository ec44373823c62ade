#include "connectors/ftps_hearing.h"

#include <algorithm>
#include <string>

#include "core/log.h"

namespace veer {
namespace {

int code_of(std::string_view line) {
  if (line.size() < 3 || line.substr(0, 3).find_first_not_of("0123456789") != std::string_view::npos)
    return 0;
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

void Hearing::command(std::string_view line) {
  out_of_step |= answered_ < replies.size();
  replies.push_back({.verb = std::string(line.substr(0, line.find_first_of(" \r\n"))), .text = {}});
}

void Hearing::line(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with('\n')) line.remove_suffix(1);
  if (answered_ == replies.size()) replies.emplace_back();
  FtpReply& reply = replies[answered_];
  const int code = code_of(line);
  const bool goes_on = code != 0 && line.size() > 3 && line[3] == '-';
  if (unfinished_ != 0 && (code != unfinished_ || goes_on)) {
    reply.text.append(line).append("\n");
  } else if (goes_on) {
    unfinished_ = code;
    reply.text.clear();
  } else if (code != 0) {
    if (unfinished_ == 0) reply.text = line.substr(std::min<std::size_t>(4, line.size()));
    unfinished_ = 0;
    reply.code = code;
    if (code >= 200) ++answered_;
    log(LogLevel::debug, "ftps: {} {}", printable(reply.verb), reply.code);
  }
}

const FtpReply& Hearing::current() const {
  static const FtpReply kNone;
  if (replies.empty()) return kNone;
  return replies[std::min(answered_, replies.size() - 1)];
}

// Under TLS 1.3 a server says so after the handshake, and some just hang up then.
bool Hearing::refuses_certificate() const {
  switch (static_cast<TlsAlert>(alert_received)) {
    case TlsAlert::bad_certificate:
    case TlsAlert::unsupported_certificate:
    case TlsAlert::certificate_revoked:
    case TlsAlert::certificate_expired:
    case TlsAlert::certificate_unknown:
    case TlsAlert::unknown_ca:
    case TlsAlert::access_denied:
    case TlsAlert::certificate_required:
      return true;
    case TlsAlert::handshake_failure:
      return certificate_asked;
    default:
      return certificate_asked && tls_done &&
             (replies.empty() || verb() == "AUTH" || (verb() == "USER" && code() == 0));
  }
}

}  // namespace veer
