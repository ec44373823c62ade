#include "connectors/ftps_share.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "connectors/client_certificate.h"
#include "connectors/ftp_listing.h"
#include "connectors/ftps_session.h"
#include "connectors/listing.h"
#include "connectors/probe.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"

namespace veer {
namespace {

constexpr int kTimeoutsForListing = 4;
constexpr std::size_t kTimesAtOnce = 50;
constexpr std::size_t kTrial = std::size_t{16} << 10;
constexpr std::int64_t kDaysToAct = 90;

bool breaks_session(Code code) {
  return code == Code::s_unreachable || code == Code::s_timeout || code == Code::s_protocol ||
         code == Code::s_algorithm || code == Code::s_host_key || code == Code::l_stopped;
}

ShareEntry entry_of(const FtpFile& file) {
  std::string revision = fmt::format("{}-{}", file.modified, file.size);
  if (!file.unique.empty()) revision += "-" + file.unique;
  return {.name = file.name,
          .size = file.size,
          .revision = std::move(revision),
          .modified = parse_ftp_time(file.modified)};
}

/// Throws what a refusal means whose code alone says enough.
[[noreturn]] void throw_refused(int code, const std::string& doing) {
  switch (code) {
    case 0:
      throw Error(Code::s_unreachable, fmt::format("{}: the data connection ended early", doing));
    case 452:
    case 552:
      throw Error(Code::s_full, fmt::format("{}: no room left on the share ({}): make room", doing, code));
    case 425:
    case 426:
    case 522:
      throw Error(
          Code::s_unreachable,
          fmt::format("{}: the server does not go on with the data connection ({}): look at firewalls, and "
                      "at what the server's log says",
                      doing, code));
    case 450:
    case 451:
      throw Error(Code::s_unreachable,
                  fmt::format("{}: the server cannot for now ({}): it is tried again", doing, code));
    case 500:
    case 501:
    case 502:
    case 503:
    case 504:
      throw Error(
          Code::s_protocol,
          fmt::format("{}: the server does not know a command that this program needs ({})", doing, code));
    default:
      throw Error(
          Code::s_rights,
          fmt::format("{}: the share's account has no right to ({}); ask the server's owner", doing, code));
  }
}

[[noreturn]] void throw_listing_too_long() {
  throw Error(Code::s_protocol,
              fmt::format("the listing of a folder is larger than {} bytes and tells of few files: have the "
                          "folder cleared",
                          kMostListing));
}

[[noreturn]] void throw_folder_missing(const std::string& folder) {
  throw Error(
      Code::s_not_found,
      fmt::format("folder {} is not on the share, or the account may not enter it: ask the server's owner, "
                  "or put right what [share] outgoing and incoming say",
                  printable(folder)));
}

/// What is missing from a listing that was cut does not matter once there are files enough.
template <typename Parse>
FtpListing read_listing(const std::string& text, Parse parse) {
  FtpListing listing = parse(text);
  if (text.size() >= kMostListing && listing.entries.size() < kMostEntries) throw_listing_too_long();
  return listing;
}

FtpListing listing_by_programs(FtpsSession& session, const std::string& folder) {
  std::string text;
  const FtpReply reply = session.list("MLSD", folder, text);
  if (reply.good()) return read_listing(text, parse_mlsd);
  if (!session.can_enter(folder)) throw_folder_missing(folder);
  throw_refused(reply.code, "listing folder " + printable(folder));
}

// Of a folder that is not there many servers show an empty list; files that begin with a dot most hide,
// unless they know -a, which shows the folder itself too.
FtpListing listing_for_people(FtpsSession& session, const std::string& folder) {
  if (!session.can_enter(folder)) throw_folder_missing(folder);
  std::string text;
  FtpReply reply = session.list("LIST -a", folder, text);
  FtpListing listing = read_listing(text, parse_unix_list);
  if (reply.good() && listing.shows_itself) return listing;
  text.clear();
  reply = session.list("LIST", folder, text);
  if (!reply.good() && reply.code != 450) throw_refused(reply.code, "listing folder " + printable(folder));
  return read_listing(text, parse_unix_list);
}

FtpListing listing_of(FtpsSession& session, const std::string& folder) {
  FtpListing listing =
      session.has_mlst() ? listing_by_programs(session, folder) : listing_for_people(session, folder);
  if (listing.read == 0 && listing.unreadable > 0)
    throw Error(
        Code::s_protocol,
        "the server lists folders in a form that this program does not know: ask its owner for MLSD, or "
        "for listings in the Unix style");
  return listing;
}

/// Asks for the times of files, one by one, where the server has no MLSD. Names that nobody asks a share for
/// stay without.
void add_times(FtpsSession& session, const std::string& folder, std::vector<ShareEntry>& files) {
  std::vector<ShareEntry> done;
  std::vector<ShareEntry> asked;
  for (ShareEntry& file : files) (is_share_name(file.name) ? asked : done).push_back(std::move(file));
  for (std::size_t begin = 0; begin < asked.size(); begin += kTimesAtOnce) {
    std::vector<std::string> commands;
    for (std::size_t i = begin; i < std::min(begin + kTimesAtOnce, asked.size()); ++i)
      commands.push_back("MDTM " + folder + "/" + asked[i].name);
    const auto replies = session.ask(commands);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (!replies[i].good() || !parse_ftp_time(replies[i].text)) continue;  // gone meanwhile
      const ShareEntry& file = asked[begin + i];
      done.push_back(entry_of({.kind = FtpKind::file,
                               .name = file.name,
                               .size = file.size,
                               .modified = replies[i].text,
                               .unique = {}}));
    }
  }
  files = std::move(done);
}

std::optional<FtpFile> look_by_facts(FtpsSession& session, const std::string& path) {
  const FtpReply reply = session.ask("MLST " + path);
  if (!reply.good()) {
    if (reply.code != 550 && reply.code != 553 && reply.code != 450)
      throw_refused(reply.code, "looking at " + printable(path));
    return std::nullopt;
  }
  std::string_view line = reply.text;
  line = line.substr(0, line.find('\n'));
  if (line.starts_with(' ')) line.remove_prefix(1);
  auto file = parse_facts(line);
  if (!file) throw Error(Code::s_protocol, "the server tells neither size nor time of a file (MLST)");
  return file;
}

// SIZE counts only in binary mode with some servers, and is refused of what is no file as of what is not
// there: then the folder is looked through.
std::optional<FtpFile> look_by_commands(FtpsSession& session, const std::string& folder,
                                        const std::string& name) {
  const std::string path = folder + "/" + name;
  const auto replies = session.ask({"TYPE I", "SIZE " + path, "MDTM " + path});
  const auto size = parse_ftp_size(replies[1].text);
  if (replies[1].good() && replies[2].good() && size && parse_ftp_time(replies[2].text))
    return FtpFile{
        .kind = FtpKind::file, .name = name, .size = *size, .modified = replies[2].text, .unique = {}};
  for (const FtpFile& file : listing_for_people(session, folder).entries) {
    if (file.name != name) continue;
    if (file.kind != FtpKind::file) return file;
    throw Error(
        Code::s_protocol,
        "the server has neither MLST nor SIZE and MDTM, by which a file is known again: ask its owner for "
        "one of them");
  }
  return std::nullopt;
}

/// What is under a name, whatever kind it is; empty when nothing is.
std::optional<FtpFile> look(FtpsSession& session, const std::string& folder, const std::string& name) {
  return session.has_mlst() ? look_by_facts(session, folder + "/" + name)
                            : look_by_commands(session, folder, name);
}

class Nowhere : public Sink {
 public:
  void write(std::string_view) override {}
};

/// One file on its way to its name in a folder.
class Upload {
 public:
  Upload(FtpsSession& session, std::string folder, std::string name, const Blob& content,
         const Transfer& transfer)
      : session_(session),
        folder_(std::move(folder)),
        name_(std::move(name)),
        content_(content),
        transfer_(transfer) {}

  void run() {
    if (look(session_, folder_, name_)) throw name_taken(name_);
    write_part();
    const auto part = look(session_, folder_, part_name(name_));
    if (!part || part->kind != FtpKind::file || part->size != content_.size())
      throw Error(Code::s_protocol,
                  fmt::format("the server kept another size of {} than was written", name_));
    rename();
    if (!is_ours(part->unique)) throw name_taken(name_);
  }

  /// Whatever an earlier attempt left is removed first: some servers refuse to write over it, others give
  /// what comes another name.
  void write_part() {
    session_.ask("DELE " + part_path());
    FtpReply reply;
    try {
      reply = session_.store(part_path(), content_);
    } catch (const Error& error) {
      if (error.code() == Code::s_unreachable && !has_room()) throw_full(0);
      throw;
    }
    if (reply.good() || (reply.code == 426 && arrived_whole())) return;
    const bool may_be_full = reply.code == 426 || reply.code == 451;
    if (means_full(reply.code) || (may_be_full && !has_room())) throw_full(reply.code);
    if (!session_.can_enter(folder_)) throw_folder_missing(folder_);
    throw_refused(reply.code, "writing " + part_name(name_));
  }

  /// Whether the server said that it did, without a look at what holds the name.
  bool try_rename() { return session_.ask({"RNFR " + part_path(), "RNTO " + path()}).back().good(); }

 private:
  static bool means_full(int code) { return code == 452 || code == 552; }

  [[noreturn]] void throw_full(int code) const {
    if (means_full(code))
      throw Error(Code::s_full,
                  fmt::format("writing {}: the server has no room for it ({}): make room", name_, code));
    throw Error(
        Code::s_full,
        fmt::format("writing {}: the server broke off{} and does not store a little beside it either: make "
                    "room, if its disk is full or a quota reached, or see what its log says",
                    name_, code != 0 ? fmt::format(" ({})", code) : ""));
  }

  /// A server that cannot store what comes breaks off in the midst of it, and the reason is lost with the
  /// connection or told in general terms. So it is asked to store a little more beside it.
  bool has_room() {
    const std::string trial = part_path() + ".trial";
    try {
      const std::string little(kTrial, 'x');
      const int code = session_.store(trial, MemoryBlob(little)).code;
      session_.ask({"DELE " + trial, "DELE " + part_path()});
      return !means_full(code) && code != 451;
    } catch (const Error& error) {
      if (error.code() == Code::l_stopped) throw;
      return true;
    }
  }

  /// Some servers complain of how the data connection ended when all of it had come.
  bool arrived_whole() {
    const auto part = look(session_, folder_, part_name(name_));
    return part && part->kind == FtpKind::file && part->size == content_.size() &&
           has_our_bytes(part_name(name_)).value_or(false);
  }

  std::string path() const { return folder_ + "/" + name_; }
  std::string part_path() const { return folder_ + "/" + part_name(name_); }

  /// Looks as late as can be: many servers overwrite.
  void rename() {
    bool taken = look(session_, folder_, name_).has_value();
    if (!taken && try_rename()) return;
    if (!taken) taken = look(session_, folder_, name_).has_value();
    session_.ask("DELE " + part_path());
    if (taken) throw name_taken(name_);
    throw Error(
        Code::s_rights,
        fmt::format("the server does not rename {} to its final name: ask its owner to give the account the "
                    "right to rename",
                    name_));
  }

  /// Whether what holds the name now is what was uploaded: by the server's mark of the file, or else by its
  /// bytes. Who it is for may have fetched and removed it already.
  bool is_ours(const std::string& unique) {
    const auto now = look(session_, folder_, name_);
    if (!now) return true;
    if (now->kind != FtpKind::file || now->size != content_.size()) return false;
    if (!unique.empty() && now->unique == unique) return true;
    return has_our_bytes(name_).value_or(true);
  }

  /// Reads back what is under a name; empty when it is gone.
  std::optional<bool> has_our_bytes(const std::string& name) {
    Nowhere nowhere;
    DigestingSink digest(nowhere);
    try {
      const FtpReply reply = session_.retrieve(folder_ + "/" + name, 0, content_.size(), digest);
      if (reply.good()) return digest.hex() == sha256_hex(content_, {.stop = transfer_.stop, .progress = {}});
      if (!look(session_, folder_, name)) return std::nullopt;
      throw_refused(reply.code, "reading back " + name);
    } catch (const Error& error) {
      if (error.code() == Code::s_changed) return false;
      throw;
    }
  }

  FtpsSession& session_;
  std::string folder_;
  std::string name_;
  const Blob& content_;
  const Transfer& transfer_;
};

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

void FtpsShare::put(const std::string& name, const Blob& content, ResumeNote, const Transfer& transfer) {
  require_share_name(name);
  with_session(transfer, [&](FtpsSession& session) {
    Upload(session, options_.outgoing, name, content, transfer).run();
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

std::vector<ProbeResult> FtpsShare::probe() {
  std::vector<ProbeResult> results = probe_certificate();
  if (results.empty() || results.back().good) {
    for (ProbeResult& link : probe_chain()) results.push_back(std::move(link));
  }
  if (!results.back().good) return results;
  for (ProbeResult& result : probe_by_verbs(*this)) results.push_back(std::move(result));
  if (results.back().good) results.push_back(probe_rename());
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

std::vector<ProbeResult> FtpsShare::probe_chain() {
  session_ = std::make_unique<FtpsSession>(options_);
  std::vector<ProbeResult> results;
  std::optional<Error> failure;
  try {
    session_->open();
  } catch (const Error& error) {
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
ProbeResult FtpsShare::probe_rename() {
  const std::string what = "rename onto a taken name";
  SystemRandom random;  // a probe that was cut off leaves its file behind
  const std::string name = ".veer-probe-" + make_uuid(random);
  const MemoryBlob first("first");
  const MemoryBlob second("another");
  const Transfer transfer;
  try {
    return with_session({}, [&](FtpsSession& session) -> ProbeResult {
      Upload(session, options_.outgoing, name, first, transfer).run();
      Upload again(session, options_.outgoing, name, second, transfer);
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
    return failed(what, error);
  }
}

}  // namespace veer
