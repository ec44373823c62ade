#pragma once

#include <string>

#include "daemon/cases.h"
#include "daemon/instance.h"
#include "formats/names.h"

/// How a sealed document of a case gets to the other side, and is read there. Each may be repeated.
namespace veer {

/// In the state folder: the cases that are still open, sealed as they came. Only the service opens them.
inline constexpr const char* kCasesFolder = "cases";

/// The spool's file of the letter that this side sends about a case.
std::filesystem::path letter_file(const Instance& instance, const Case& quality_case, FileKind kind);
/// Where this side keeps the sealed letter of a case that came, with the numbers, until it is answered.
std::filesystem::path kept_letter(const Instance& instance, const Case& quality_case);
/// Signs and encrypts `json` into that file; the SHA-256 of what lies there then.
std::string seal_letter(Instance& instance, const Case& quality_case, FileKind kind, const std::string& json,
                        const Transfer& transfer);
/// Puts the letter, whose SHA-256 is `digest`, on the share and returns its name there. Throws L_IO when the
/// spool does not hold it as it was sealed, S_NAME_TAKEN when the name is not to be had: `quality_case` has
/// the next copy then, and is to be tried again.
std::string publish_letter(Instance& instance, Case quality_case, FileKind kind, const std::string& digest,
                           const Transfer& transfer);
/// answering → answered: what ended the case is sealed first, then put on the share as that kind of letter.
/// To be called until the case is answered. Throws what publish_letter() throws.
void tell_outcome(Instance& instance, Case quality_case, FileKind kind, const Transfer& transfer);
/// What a sealed letter says, once it is known to be the other side's. Throws what Seal::open throws.
struct OpenedLetter {
  std::string json;
  std::string signer;
};
OpenedLetter open_letter(Instance& instance, const std::filesystem::path& file, const Transfer& transfer);
/// Throws F_PARTY unless the other side wrote it, by the key that signed it, and to us; F_ENVIRONMENT.
void require_meant_for_us(const Instance& instance, const PartyKey& sender, const PartyKey& receiver,
                          const std::string& environment, const std::string& signer);

}  // namespace veer
