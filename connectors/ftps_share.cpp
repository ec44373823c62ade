#include "connectors/ftps_share.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "connectors/client_certificate.h"
#include "connectors/ftps_files.h"
#include "connectors/ftps_session.h"
#include "connectors/ftps_upload.h"
#include "connectors/listing.h"
#include "connectors/probe.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"

namespace veer {
namespace {

constexpr int kTimeoutsForListing = 2;
constexpr std::int64_t kDaysToAct = 90;

bool breaks_session(Code code) {
  return code == Code::s_unreachable || code == Code::s_timeout || code == Code::s_protocol ||
         code == Code::s_algorithm || code == Code::s_host_key || code == Code::s_expired ||
         code == Code::l_stopped;
}

void require_same(FtpsSession& session, const std::string& folder, const ShareEntry& entry) {
  const auto now = look(session, folder, entry.name);
  if (!now) throw Error(Code::s_not_found, fmt::format("{} is not on the share any more", entry.name));
  if (now->kind != FtpKind::file || now->size != entry.size || entry_of(*now).revision != entry.revision)
    throw changed(entry.name);
}

/// Counts what passes.
class CountingSink : public Sink {
 public:
  explicit CountingSink(Sink& next) : next_(next) {}
  void write(std::string_view bytes) override {
    next_.write(bytes);
    size_ += bytes.size();
  }
  std::uint64_t size() const { return size_; }

 private:
  Sink& next_;
  std::uint64_t size_ = 0;
};

constexpr std::array kLinks = {
    std::pair{FtpsLink::name, "DNS"},
    std::pair{FtpsLink::address, "connection"},
    std::pair{FtpsLink::tls, "TLS"},
    std::pair{FtpsLink::server_certificate, "server certificate"},
    std::pair{FtpsLink::host_name, "host name"},
    std::pair{FtpsLink::client_certificate, "client certificate accepted"},
    std::pair{FtpsLink::login, "login"},
    std::pair{FtpsLink::commands, "commands"},
};

ProbeResult failed(const std::string& what, const Error& error) {
  return {what, false, fmt::format("{}: {}", code_name(error.code()), error.message())};
}

}  // namespace

FtpsShare::FtpsShare(FtpsOptions options) : options_(std::move(options)) {
  if (!options_.certificate.empty())
    require_pair(options_.certificate, options_.key.reveal(), options_.key_passphrase.reveal());
  // Each line of it would be a command.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  const std::string_view password = options_.password.reveal();
  if (std::any_of(password.begin(), password.end(), is_control))
    throw Error(Code::c_credential,
                "the password of the FTPS account holds a control character: it must be one line alone");
  if (read_certificates(options_.ca).empty())
    throw Error(
        Code::c_credential,
        "the pinned authority cannot be read: share.ftps.ca must be a PEM file with the certificate of "
        "the authority that issued the server's");
}

FtpsShare::~FtpsShare() = default;

template <typename Work>
auto FtpsShare::with_session(const Transfer& transfer, Work work) {
  transfer.heed_stop();
  try {
    if (!options_.certificate.empty())
      require_valid(read_certificates(options_.certificate).front(), SystemClock().now());
    if (!session_) {
      auto session = std::make_unique<FtpsSession>(options_);
      session->begin(transfer);
      session->open();
      session_ = std::move(session);
    }
    session_->begin(transfer);
    return work(*session_);
  } catch (const Error& error) {
    if (breaks_session(error.code())) session_.reset();
    throw;
  } catch (...) {
    session_.reset();
    throw;
  }
}

const std::string& FtpsShare::path_of(Folder folder) const {
  return folder == Folder::outgoing ? options_.outgoing : options_.incoming;
}

std::vector<ShareEntry> FtpsShare::list(Folder folder, const Transfer& transfer) {
  return with_session(transfer, [&](FtpsSession& session) {
    session.end_within(kTimeoutsForListing * options_.timeout);
    const FtpListing told = listing_of(session, path_of(folder));
    tell_unreadable(folder, told.unreadable);
    Listing listing;
    for (auto each = told.entries.begin(); each != told.entries.end() && !listing.is_full(); ++each) {
      if (each->kind == FtpKind::file)
        listing.add(entry_of(*each));
      else
        listing.pass_over();
    }
    std::vector<ShareEntry> files = listing.take();
    if (!session.has_mlst()) add_times(session, path_of(folder), files);
    return files;
  });
}

void FtpsShare::tell_unreadable(Folder folder, std::size_t count) {
  std::size_t& last = unreadable_.at(static_cast<std::size_t>(folder));
  if (count > 0 && count != last)
    log(LogLevel::warn, "{} line(s) of the listing of {} could not be read and are left out", count,
        printable(path_of(folder)));
  last = count;
}

void FtpsShare::put(const std::string& name, const Blob& content, ResumeNote resume,
                    const Transfer& transfer) {
  require_share_name(name);
  with_session(transfer, [&](FtpsSession& session) {
    FtpsUpload(session, options_.outgoing, name, content, resume, transfer).run();
  });
}

void FtpsShare::fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
                      const Transfer& transfer) {
  require_share_name(entry.name);
  const std::string& where = path_of(folder);
  with_session(transfer, [&](FtpsSession& session) {
    require_same(session, where, entry);
    if (offset >= entry.size) return;
    const std::uint64_t most = entry.size - offset;
    CountingSink counted(into);
    const FtpReply reply = session.retrieve(where + "/" + entry.name, offset, most, counted);
    require_same(session, where, entry);
    if (!reply.good()) throw_refused(reply.code, "fetching " + entry.name);
    if (counted.size() != most)
      throw Error(Code::s_protocol, fmt::format("the server handed over less of {} than it has", entry.name));
  });
}

void FtpsShare::remove(Folder folder, const std::string& name, const Transfer& transfer) {
  require_share_name(name);
  with_session(transfer, [&](FtpsSession& session) {
    const FtpReply reply = session.ask("DELE " + path_of(folder) + "/" + name);
    if (!reply.good() && look(session, path_of(folder), name)) throw_refused(reply.code, "removing " + name);
  });
}

std::vector<ProbeResult> FtpsShare::probe(const Transfer& transfer) {
  std::vector<ProbeResult> results = probe_certificate();
  if (results.empty() || results.back().good) {
    for (ProbeResult& link : probe_chain(transfer)) results.push_back(std::move(link));
  }
  if (!results.back().good) return results;
  for (ProbeResult& result : probe_by_verbs(*this, {}, transfer)) results.push_back(std::move(result));
  if (results.back().good) results.push_back(probe_rename(transfer));
  return results;
}

std::vector<ProbeResult> FtpsShare::probe_certificate() const {
  if (options_.certificate.empty()) return {};
  const Time now = SystemClock().now();
  const Validity own = read_certificates(options_.certificate).front();
  try {
    require_valid(own, now);
  } catch (const Error& error) {
    return {failed("client certificate", error)};
  }
  const auto days = std::chrono::floor<std::chrono::days>(own.until - now).count();
  const bool soon = days <= kDaysToAct;
  return {{"client certificate", true,
           fmt::format("{} day(s) left{}", days, soon ? ": ask for its successor now" : ""), soon}};
}

std::vector<ProbeResult> FtpsShare::probe_chain(const Transfer& transfer) {
  session_ = std::make_unique<FtpsSession>(options_);
  std::vector<ProbeResult> results;
  std::optional<Error> failure;
  try {
    session_->begin(transfer);
    session_->open();
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) throw;
    failure = error;
  }
  const FtpsLink reached = session_->reached();
  for (const auto& [link, what] : kLinks) {
    if (failure && link == reached) {
      results.push_back(failed(what, *failure));
      session_.reset();
      break;
    }
    results.push_back({what, true, link == FtpsLink::login ? options_.user : ""});
  }
  return results;
}

/// Renames onto a taken name without looking first.
ProbeResult FtpsShare::probe_rename(const Transfer& transfer) {
  const std::string what = "rename onto a taken name";
  SystemRandom random;  // a probe that was cut off leaves its file behind
  const std::string name = std::string(kProbeBegins) + make_uuid(random);
  const MemoryBlob first("first");
  const MemoryBlob second("another");
  const ResumeNote nothing;
  try {
    return with_session(transfer, [&](FtpsSession& session) -> ProbeResult {
      FtpsUpload(session, options_.outgoing, name, first, nothing, transfer).run();
      FtpsUpload again(session, options_.outgoing, name, second, nothing, transfer);
      again.write_part();
      again.try_rename();
      const auto now = look(session, options_.outgoing, name);
      const std::string path = options_.outgoing + "/";
      session.ask({"DELE " + path + name, "DELE " + path + part_name(name)});
      if (now && now->size == first.size()) return {what, true, "the server refuses it"};
      return {
          what, true,
          "the server overwrites: this program looks first and compares afterwards, but a file that another "
          "puts there in the same moment is lost. Let nobody else write in the outgoing folder, or ask the "
          "server's owner to forbid overwriting",
          true};
    });
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) throw;
    return failed(what, error);
  }
}

}  // namespace veer
