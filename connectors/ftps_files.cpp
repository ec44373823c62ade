#include "connectors/ftps_files.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "connectors/probe.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::size_t kTimesAtOnce = 50;

[[noreturn]] void throw_listing_too_long() {
  throw Error(Code::s_protocol,
              fmt::format("the listing of a folder is larger than {} bytes and tells of few files: have the "
                          "folder cleared",
                          kMostListing));
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

}  // namespace

void throw_refused(int code, const std::string& doing) {
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

void throw_folder_missing(const std::string& folder) {
  throw Error(
      Code::s_not_found,
      fmt::format("folder {} is not on the share, or the account may not enter it: ask the server's owner, "
                  "or put right what [share] outgoing and incoming say",
                  printable(folder)));
}

ShareEntry entry_of(const FtpFile& file) {
  std::string revision = fmt::format("{}-{}", file.modified, file.size);
  if (!file.unique.empty()) revision += "-" + file.unique;
  return {.name = file.name,
          .size = file.size,
          .revision = std::move(revision),
          .modified = parse_ftp_time(file.modified)};
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

std::optional<FtpFile> look(FtpsSession& session, const std::string& folder, const std::string& name) {
  return session.has_mlst() ? look_by_facts(session, folder + "/" + name)
                            : look_by_commands(session, folder, name);
}

}  // namespace veer
