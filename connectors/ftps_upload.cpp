#include "connectors/ftps_upload.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "connectors/ftps_files.h"
#include "connectors/probe.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::size_t kTrial = std::size_t{16} << 10;
constexpr std::uint64_t kWorthResuming = std::uint64_t{1} << 20;
constexpr std::string_view kNoteBegins = "ftps ";

bool means_full(int code) { return code == 452 || code == 552; }

/// Throws S_CHANGED at the first byte that is another than that of `content`.
class ComparingSink : public Sink {
 public:
  explicit ComparingSink(const Blob& content) : content_(content) {}
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::size_t n =
          content_.read(offset_, std::span(buffer_).first(std::min(bytes.size(), buffer_.size())));
      if (n == 0 || bytes.substr(0, n) != std::string_view(buffer_.data(), n))
        throw Error(Code::s_changed, "what lies on the share is not what was uploaded");
      offset_ += n;
      bytes.remove_prefix(n);
    }
  }
  /// Up to where it is the same.
  std::uint64_t offset() const { return offset_; }

 private:
  const Blob& content_;
  std::uint64_t offset_ = 0;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{64} << 10);
};

}  // namespace

FtpsUpload::FtpsUpload(FtpsSession& session, std::string folder, std::string name, const Blob& content,
                       const ResumeNote& resume, const Transfer& transfer)
    : session_(session),
      folder_(std::move(folder)),
      name_(std::move(name)),
      content_(content),
      resume_(resume),
      transfer_(transfer) {
  if (resume_.keep && content_.size() >= kWorthResuming)
    digest_ = sha256_hex(content_, {.stop = transfer_.stop, .progress = {}});
}

std::string FtpsUpload::path() const { return folder_ + "/" + name_; }
std::string FtpsUpload::part_path() const { return folder_ + "/" + part_name(name_); }

void FtpsUpload::run() {
  if (look(session_, folder_, name_)) throw name_taken(name_);
  const std::uint64_t there = already_there();
  if (there == 0 || !append(there)) write_part();
  const auto part = look(session_, folder_, part_name(name_));
  if (!part || part->kind != FtpKind::file || part->size != content_.size())
    throw Error(Code::s_protocol, fmt::format("the server kept another size of {} than was written", name_));
  rename();
  if (!is_ours(part->unique)) throw name_taken(name_);
}

/// How many bytes of the content lie under the part name, 0 when none can be gone on from. All are compared
/// each time: the server may have lost since what it showed then.
std::uint64_t FtpsUpload::already_there() {
  const std::string begins = fmt::format("{}{} ", kNoteBegins, digest_);
  if (digest_.empty() || !resume_.note.starts_with(begins)) return 0;
  const auto verified = parse_ftp_size(std::string_view(resume_.note).substr(begins.size()));
  const auto part = look(session_, folder_, part_name(name_));
  if (!verified || !part || part->kind != FtpKind::file || part->size == 0 || part->size < *verified ||
      part->size > content_.size())
    return 0;
  ComparingSink same(content_);
  try {
    if (!session_.retrieve(part_path(), 0, part->size, same).good()) return 0;
    if (same.offset() != part->size) return 0;
  } catch (const Error& error) {
    if (error.code() == Code::s_changed) return 0;
    throw;
  }
  keep_note(part->size);
  return part->size;
}

void FtpsUpload::keep_note(std::uint64_t verified) const {
  if (!digest_.empty()) resume_.keep(fmt::format("{}{} {}", kNoteBegins, digest_, verified));
}

/// False when the server does not take the rest.
bool FtpsUpload::append(std::uint64_t from) {
  log(LogLevel::info, "{}: {} of {} bytes lie on the share already", name_, from, content_.size());
  return from == content_.size() || store(from);
}

/// Whatever an earlier attempt left is removed first: some servers refuse to write over it, others give what
/// comes another name.
void FtpsUpload::write_part() {
  session_.ask("DELE " + part_path());
  keep_note(0);
  store(0);
}

/// False when the server refuses to append; throws every other failure.
bool FtpsUpload::store(std::uint64_t from) {
  FtpReply reply;
  try {
    reply = session_.store(part_path(), content_, from);
  } catch (const Error& error) {
    if (error.code() == Code::s_unreachable && !has_room()) throw_full(0);
    throw;
  }
  if (reply.good() || (reply.code == 426 && arrived_whole())) return true;
  if (const auto part = look(session_, folder_, part_name(name_)); part && part->kind != FtpKind::file)
    throw part_in_the_way(name_);
  const bool may_be_full = reply.code == 426 || reply.code == 451;
  if (means_full(reply.code) || (may_be_full && !has_room())) throw_full(reply.code);
  if (from > 0 && reply.code != 426) return false;
  if (!session_.can_enter(folder_)) throw_folder_missing(folder_);
  throw_refused(reply.code, "writing " + part_name(name_));
}

/// Some servers complain of how the data connection ended when all of it had come.
bool FtpsUpload::arrived_whole() {
  const auto part = look(session_, folder_, part_name(name_));
  return part && part->kind == FtpKind::file && part->size == content_.size() &&
         has_our_bytes(part_name(name_)).value_or(false);
}

/// A server that cannot store what comes breaks off in the midst of it, and the reason is lost with the
/// connection or told in general terms. So it is asked to store a little more beside it, under a name that is
/// cleared like a probe's when we do not come to it.
bool FtpsUpload::has_room() {
  const std::string trial = fmt::format("{}/{}room", folder_, kProbeBegins);
  try {
    const std::string little(kTrial, 'x');
    session_.ask("DELE " + trial);
    const int code = session_.store(trial, MemoryBlob(little), 0).code;
    session_.ask("DELE " + trial);
    return !means_full(code) && code != 451;
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) throw;
    return true;
  }
}

void FtpsUpload::throw_full(int code) {
  session_.ask("DELE " + part_path());
  if (means_full(code))
    throw Error(Code::s_full,
                fmt::format("writing {}: the server has no room for it ({}): make room", name_, code));
  throw Error(
      Code::s_full,
      fmt::format("writing {}: the server broke off{} and does not store a little beside it either: make "
                  "room, if its disk is full or a quota reached, or see what its log says",
                  name_, code != 0 ? fmt::format(" ({})", code) : ""));
}

bool FtpsUpload::try_rename() {
  return session_.ask({"RNFR " + part_path(), "RNTO " + path()}).back().good();
}

/// Looks as late as can be: many servers overwrite.
void FtpsUpload::rename() {
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
bool FtpsUpload::is_ours(const std::string& unique) {
  const auto now = look(session_, folder_, name_);
  if (!now) {
    if (look(session_, folder_, part_name(name_)))
      throw Error(Code::s_protocol, fmt::format("the server says that it renamed {} and did not", name_));
    return true;
  }
  if (now->kind != FtpKind::file || now->size != content_.size()) return false;
  if (!unique.empty() && now->unique == unique) return true;
  return has_our_bytes(name_).value_or(true);
}

/// Reads back what is under a name; empty when it is gone.
std::optional<bool> FtpsUpload::has_our_bytes(const std::string& name) {
  ComparingSink same(content_);
  try {
    const FtpReply reply = session_.retrieve(folder_ + "/" + name, 0, content_.size(), same);
    if (reply.good()) return same.offset() == content_.size();
    if (!look(session_, folder_, name)) return std::nullopt;
    throw_refused(reply.code, "reading back " + name);
  } catch (const Error& error) {
    if (error.code() == Code::s_changed) return false;
    throw;
  }
}

}  // namespace veer
