#include "daemon/case_letters.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
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

void tell_outcome(Instance& at, Case c, FileKind kind, const Transfer& transfer) {
  std::error_code none;
  // Sealed anew where the spool lost it, as after a restore.
  if (c.answer_sha256.empty() || !fs::exists(letter_file(at, c, kind), none)) {
    const CaseAnswer answer{c.id,
                            std::string(environment_name(at.config.environment)),
                            c.outcome.value(),
                            c.correction,
                            c.reply,
                            c.answered_at.value(),
                            {at.config.party, at.seal.own_key()},
                            {at.config.counterparty, at.seal.counterparty_key()},
                            at.audit.head(),
                            program_name()};
    c.answer_sha256 = seal_letter(at, c, kind, answer_json(answer), transfer);
    at.db.transaction([&] { at.cases.save(c); });
    return;
  }
  const std::string name = publish_letter(at, c, kind, c.answer_sha256, transfer);
  c.stage = CaseStage::answered;
  c.wait = {};
  at.db.transaction([&] {
    at.cases.save(c);
    at.audit.append("answer-sent", c.exchange,
                    {{"case", c.name()}, {"name", name}, {"sha256", c.answer_sha256}});
  });
  remove_file(letter_file(at, c, kind));
  log(LogLevel::info, "{} is told what came of case {}", at.config.counterparty, c.name());
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
