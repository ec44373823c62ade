#include "daemon/outbox.h"

#include <algorithm>

#include "connectors/probe.h"
#include "core/digest.h"
#include "core/error.h"

namespace veer {
namespace {

class Nowhere : public Sink {
 public:
  void write(std::string_view) override {}
};

std::string digest_at(Share& share, const ShareEntry& entry, const Transfer& transfer) {
  Nowhere nowhere;
  DigestingSink sink(nowhere);
  share.fetch(Folder::outgoing, entry, 0, sink, transfer);
  return sink.hex();
}

/// What holds the name.
Published holder(Share& share, const std::string& name, std::uint64_t size, const std::string& digest,
                 const Wait& wait, const Transfer& transfer) {
  const auto entries = share.list(Folder::outgoing, transfer);
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.name == name; });
  if (entry == entries.end()) {
    if (wait.problem_code == code_name(Code::s_changed) && wait.attempts >= kHiddenTries)
      return Published::hidden;
    throw Error(
        Code::s_changed,
        "the share says that the name is taken, and then that it is not; it is tried again, and under "
        "another name when it stays so");
  }
  if (entry->size != size) return Published::foreign;
  return digest_at(share, *entry, transfer) == digest ? Published::before : Published::foreign;
}

}  // namespace

Published publish(Share& share, const std::string& name, const Blob& content, const std::string& digest,
                  const ResumeNote& resume, const Wait& wait, const Transfer& transfer) {
  try {
    share.put(name, content, resume, transfer);
    return Published::now;
  } catch (const Error& error) {
    if (error.code() != Code::s_name_taken) throw;
  }
  return holder(share, name, content.size(), digest, wait, transfer);
}

bool unpublish(Share& share, const std::string& name, const std::string& digest, const std::string& note,
               const Transfer& transfer) {
  share.abandon(name, note, transfer);
  share.remove(Folder::outgoing, part_name(name), transfer);
  for (const ShareEntry& entry : share.list(Folder::outgoing, transfer))
    if (entry.name == name && digest_at(share, entry, transfer) == digest) {
      share.remove(Folder::outgoing, name, transfer);
      return true;
    }
  return false;
}

int next_copy(int copy) {
  static constexpr int kMostCopies = 9;
  if (copy >= kMostCopies)
    throw Error(Code::s_publish,
                "every name that this file may bear on the share is taken: have the folder cleared");
  return copy + 1;
}

}  // namespace veer
