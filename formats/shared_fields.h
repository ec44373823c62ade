#pragma once

#include <string_view>

#include "core/clock.h"
#include "formats/party.h"
#include "formats/strict_json.h"

/// What the documents that travel have in common.
namespace veer {

extern const TextShape kUuidShape;    ///< lower case
extern const TextShape kSha256Shape;  ///< 64 hex digits, lower case
extern const TextShape kEnvironmentShape;
extern const TextShape
    kSentenceShape;  ///< for a person to read: at most 500 characters, none of them control
extern const TextShape kGeneratorShape;  ///< the program that wrote it

void time_field(JsonFields& json, std::string_view key, Time& time);
void date_field(JsonFields& json, std::string_view key, Date& date);
void party_field(JsonFields& json, std::string_view key, PartyKey& party);
void audit_field(JsonFields& json, AuditHead& audit);

}  // namespace veer
