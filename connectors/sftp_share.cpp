#include "connectors/sftp_share.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "connectors/listing.h"
#include "connectors/private_key.h"
#include "connectors/probe.h"
#include "connectors/sftp_session.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

// What is on its way to the server at a time. OpenSSH's server takes each piece the longer the more of them
// wait.
constexpr std::size_t kAhead = std::size_t{2} << 20;
constexpr std::size_t kReadChunk = std::size_t{1} << 20;
constexpr int kTimeoutsForListing = 2;

}  // namespace

SftpShare::SftpShare(SftpOptions options) : options_(std::move(options)) {
  if (is_rsa_key(options_.key.reveal()))
    throw Error(Code::s_algorithm,
                "the private key is an RSA key, which this program can only use with SHA-1 and servers "
                "refuse: make an ed25519 key (ssh-keygen -t ed25519 -N '') and have it authorized");
}

SftpShare::~SftpShare() = default;

template <typename Work>
auto SftpShare::with_session(const Transfer& transfer, Work work) {
  transfer.heed_stop();
  if (!session_ || session_->is_closed()) session_ = std::make_unique<SftpSession>(options_, transfer);
  session_->begin(transfer);
  try {
    return work(*session_);
  } catch (...) {
    if (!session_->is_sound()) session_.reset();
    throw;
  }
}

std::string SftpShare::path_of(Folder folder, const std::string& name) const {
  return (folder == Folder::outgoing ? options_.outgoing : options_.incoming) + "/" + name;
}

std::vector<ProbeResult> SftpShare::probe(const Transfer& transfer) {
  std::vector<ProbeResult> results;
  try {
    with_session(transfer, [](SftpSession&) {});
    results.push_back(
        {"connect", true, fmt::format("{} port {} as {}", options_.host, options_.port, options_.user)});
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) throw;
    return {{"connect", false, fmt::format("{}: {}", code_name(error.code()), error.message())}};
  }
  const auto publish_blindly = [&](const std::string& name, const Blob& content) {
    with_session(transfer, [&](SftpSession& session) {
      write_part(session, name, content, transfer);
      publish(session, name);
    });
  };
  for (ProbeResult& result : probe_by_verbs(*this, publish_blindly, transfer))
    results.push_back(std::move(result));
  return results;
}

std::vector<ShareEntry> SftpShare::list(Folder folder, const Transfer& transfer) {
  return with_session(transfer, [&](SftpSession& session) {
    session.end_within(kTimeoutsForListing * options_.timeout);
    Listing listing;
    session.open_folder(path_of(folder, ""));
    for (std::optional<ShareEntry> file; !listing.is_full() && session.next(file);) {
      if (file)
        listing.add(std::move(*file));
      else
        listing.pass_over();
    }
    session.close();
    return listing.take();
  });
}

void SftpShare::put(const std::string& name, const Blob& content, ResumeNote, const Transfer& transfer) {
  require_share_name(name);
  with_session(transfer, [&](SftpSession& session) {
    if (session.exists(path_of(Folder::outgoing, name))) throw name_taken(name);
    write_part(session, name, content, transfer);
    publish(session, name);
  });
}

void SftpShare::write_part(SftpSession& session, const std::string& name, const Blob& content,
                           const Transfer& transfer) const {
  const std::string part = path_of(Folder::outgoing, part_name(name));
  try {
    session.create(part);
  } catch (const Error& error) {
    const bool refused = error.code() == Code::s_protocol || error.code() == Code::s_rights;
    if (refused && session.is_folder(part)) throw part_in_the_way(name);
    throw;
  }
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(2 * kAhead, content.size())));
  std::string_view waiting;  // what was read and not answered for yet
  std::uint64_t offset = 0;
  for (bool more = true; more || !waiting.empty();) {
    if (more && waiting.size() < kAhead) {
      std::copy(waiting.begin(), waiting.end(), buffer.begin());
      const std::size_t n = content.read(offset, std::span(buffer).subspan(waiting.size()));
      waiting = {buffer.data(), waiting.size() + n};
      offset += n;
      more = n > 0 && offset < content.size();
    }
    if (!waiting.empty()) waiting.remove_prefix(session.write(waiting.substr(0, kAhead)));
    transfer.tick(offset - waiting.size());
  }
  require_whole(name, content, offset);
  session.sync();
  session.close();
  const auto kept = session.look_at(part, name);
  if (!kept || kept->size != content.size())
    throw Error(Code::s_protocol, fmt::format("the server kept another size of {} than was written", name));
}

void SftpShare::publish(SftpSession& session, const std::string& name) const {
  const std::string part = path_of(Folder::outgoing, part_name(name));
  const std::string final_path = path_of(Folder::outgoing, name);
  const auto refused = session.rename(part, final_path);
  if (!refused) return;
  const bool taken = session.exists(final_path);
  try {
    session.unlink(part);
  } catch (const Error& error) {  // why it was not published matters more
    log(LogLevel::debug, "{} stays on the share: {}", part_name(name), code_name(error.code()));
  }
  throw taken ? name_taken(name) : *refused;
}

void SftpShare::fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
                      const Transfer& transfer) {
  require_share_name(entry.name);
  const std::string path = path_of(folder, entry.name);
  with_session(transfer, [&](SftpSession& session) {
    const auto require_same = [&] {
      const auto now = session.look_at(path, entry.name);
      if (!now || now->size != entry.size || now->revision != entry.revision) throw changed(entry.name);
    };
    require_same();
    session.open_file(path, offset);
    std::vector<char> buffer(kReadChunk);
    while (offset < entry.size) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), entry.size - offset));
      const std::size_t n = session.read({buffer.data(), want});
      if (n == 0) throw changed(entry.name);
      into.write({buffer.data(), n});
      offset += n;
      transfer.tick(offset);
    }
    session.close();
    require_same();
  });
}

void SftpShare::remove(Folder folder, const std::string& name, const Transfer& transfer) {
  require_share_name(name);
  with_session(transfer, [&](SftpSession& session) {
    try {
      session.unlink(path_of(folder, name));
    } catch (const Error& error) {
      if (error.code() != Code::s_not_found) throw;
    }
  });
}

}  // namespace veer
