#include "formats/shared_fields.h"

#include <algorithm>

namespace veer {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool lower_hex(char c) { return digit(c) || (c >= 'a' && c <= 'f'); }
bool upper_hex(char c) { return digit(c) || (c >= 'A' && c <= 'F'); }
bool party_letter(char c) { return digit(c) || (c >= 'a' && c <= 'z'); }

bool all(std::string_view text, std::size_t size, bool (*allowed)(char)) {
  return text.size() == size && std::all_of(text.begin(), text.end(), allowed);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !lower_hex(text[i])) return false;
  }
  return true;
}

// Of text in UTF-8: C0, DEL and C1 (C2 80 to C2 9F).
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

constexpr std::size_t kMostText = 500;

const TextShape kDateShape{
    [](std::string_view text) { return text >= "1000" && parse_date(text).has_value(); },
    "a date such as 2026-01-01"};
const TextShape kTimeShape{[](std::string_view text) { return parse_time(text).has_value(); },
                           "a time in UTC such as 2026-01-15T09:30:00.123Z"};
const TextShape kPartyShape{[](std::string_view text) {
                              return !text.empty() && text.size() <= 16 &&
                                     all(text, text.size(), party_letter);
                            },
                            "1 to 16 lower-case letters and digits"};
const TextShape kFingerprintShape{[](std::string_view text) { return all(text, 40, upper_hex); },
                                  "a fingerprint of 40 upper-case hex digits"};

}  // namespace

const TextShape kUuidShape{is_uuid, "a UUID in lower case"};
const TextShape kSha256Shape{[](std::string_view text) { return all(text, 64, lower_hex); },
                             "64 lower-case hex digits"};
const TextShape kEnvironmentShape{
    [](std::string_view text) { return text == "test" || text == "production"; }, "test or production"};
const TextShape kSentenceShape{
    [](std::string_view text) { return characters(text) <= kMostText && !has_control(text); },
    "at most 500 characters without control characters"};
const TextShape kGeneratorShape{[](std::string_view text) {
                                  return !text.empty() && text.size() <= 100 &&
                                         std::all_of(text.begin(), text.end(),
                                                     [](char c) { return c >= ' ' && c <= '~'; });
                                },
                                "1 to 100 printable ASCII characters"};

void date_field(JsonFields& json, std::string_view key, Date& date) {
  std::string text = format_date(date);
  json.text(key, text, kDateShape);
  date = *parse_date(text);
}

void time_field(JsonFields& json, std::string_view key, Time& time) {
  std::string text = format_time(time);
  json.text(key, text, kTimeShape);
  time = *parse_time(text);
}

void party_field(JsonFields& json, std::string_view key, PartyKey& party) {
  json.object(key, [&](JsonFields& inner) {
    inner.text("party", party.party, kPartyShape);
    inner.text("key", party.key, kFingerprintShape);
  });
}

void audit_field(JsonFields& json, AuditHead& audit) {
  json.object("audit", [&](JsonFields& inner) {
    inner.number("seq", audit.seq, 0, kMostCount);
    inner.text("head", audit.head, kSha256Shape);
  });
}

}  // namespace veer
