#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace veer {

enum class Purpose { list, rehearsal };
std::string_view purpose_name(Purpose purpose);

/// What the files of one exchange are called (docs/protocol.md, Names). Names are hints: what a file is
/// follows from its signed content.
enum class FileKind { package, recorded, refused, quality_case, answer, closing };

/// "vsb-inburgering-2026-r1_20260115093000123"; for a rehearsal "vsb-rehearsal-202601_20260115093000123",
/// whose month is that of `sealed_at`. Years are 1000 to 9999; revisions 1 to 999, and not looked at for a
/// rehearsal.
std::string make_stem(Purpose purpose, int reference_year, int revision, Time sealed_at);

/// How many cases a year may have.
inline constexpr int kMostNumber = 999;

/// "<stem>.pgp", "<stem>.recorded.tar", "<stem>.refused.tar"; `copy` > 1 gives "<stem>-<copy>.pgp" (at most
/// 99), for when foreign bytes hold the name. A case and what ends it bear a number, 1 to 999:
/// "<stem>.case-<number>.pgp", "<stem>.case-<number>.answer.pgp", "<stem>.case-<number>.closed.pgp".
std::string file_name(std::string_view stem, FileKind kind, int copy = 1, int number = 0);

struct ParsedName {
  std::string stem;
  FileKind kind;
  int copy = 1;
  int number = 0;  ///< of a case or what ends it, up to kMostNumber; else 0
};

/// Strict reverse of file_name(): empty for every other name.
std::optional<ParsedName> parse_file_name(std::string_view name);

/// What a stem that parse_file_name() gave says of its content; a hint like the name itself.
struct StemFacts {
  Purpose purpose = Purpose::list;
  int reference_year = 0;
  int revision = 1;
  Time sealed_at = {};
};
StemFacts facts_in_stem(std::string_view stem);

/// Whether the sending side makes files of that kind; the others are the receiving side's.
bool is_made_by_sender(FileKind kind);

/// Whether `name` is ".<one of ours>.part".
bool is_part_name(std::string_view name);

}  // namespace veer
