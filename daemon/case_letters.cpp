#include "daemon/case_letters.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "daemon/outbox.h"
#include "daemon/shared_alerts.h"

namespace veer {

std::filesystem::path letter_file(const Instance& at, const Case& c, FileKind kind) {
  return at.spool / file_name(c.stem, kind, 1, c.number);
}

std::filesystem::path kept_letter(const Instance& at, const Case& c) {
  return at.config.state / kCasesFolder / (c.id + ".pgp");
}

std::string seal_letter(Instance& at, const Case& c, FileKind kind, const std::string& json,
                        const Transfer& transfer) {
  SpoolWriter file(letter_file(at, c, kind));
  DigestingSink sink(file);
  at.seal.seal(MemoryBlob(json), sink, transfer);
  file.finish();
  return sink.hex();
}

std::string publish_letter(Instance& at, Case c, FileKind kind, const std::string& digest,
                           const Transfer& transfer) {
  const fs::path path = letter_file(at, c, kind);
  std::error_code none;
  if (!fs::exists(path, none) || sha256_hex(FileBlob(path), {.stop = transfer.stop}) != digest)
    throw Error(Code::l_io, fmt::format("the sealed letter of case {} does not lie in the spool as it was "
                                        "sealed (a failing disk, a restored backup?): open the case again",
                                        c.name()));
  const std::string name = file_name(c.stem, kind, c.copy, c.number);
  const Published published = publish(at.share, name, FileBlob(path), digest, {}, c.wait, transfer);
  if (published == Published::now || published == Published::before) return name;
  c.copy = next_copy(c.copy);
  at.db.transaction([&] {
    if (published == Published::foreign)
      tell_name_taken(at, c.exchange, name);
    else
      tell_name_hidden(at, c.exchange, name);
    at.cases.save(c);
  });
  throw Error(Code::s_name_taken, fmt::format("{} is not to be had; another name is taken", name));
}

OpenedLetter open_letter(Instance& at, const std::filesystem::path& file, const Transfer& transfer) {
  MemFile plain(kCaseCap);
  const Opened opened = at.seal.open(FileBlob(file), plain, transfer);
  plain.seal();
  return {std::string(plain.bytes()), opened.signer};
}

void require_meant_for_us(const Instance& at, const PartyKey& sender, const PartyKey& receiver,
                          const std::string& environment, const std::string& signer) {
  const auto& own = at.config.own_keys;
  const bool ours = std::any_of(own.begin(), own.end(),
                                [&](const PinnedKey& key) { return key.fingerprint == receiver.key; });
  if (receiver.party != at.config.party || !ours)
    throw Error(Code::f_party, "it is authentic, but meant for another receiver");
  if (sender.party != at.config.counterparty || sender.key != signer)
    throw Error(Code::f_party, "it names another sender than the one that signed it");
  if (environment != environment_name(at.config.environment))
    throw Error(Code::f_environment, fmt::format("it is for '{}', this side is '{}'", environment,
                                                 environment_name(at.config.environment)));
}

}  // namespace veer
