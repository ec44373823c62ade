#pragma once

#include <string_view>

#include "core/clock.h"
#include "formats/party.h"
#include "formats/strict_json.h"

/// What manifest.json and receipt.json have in common.
namespace veer {

extern const TextShape kUuidShape;    ///< lower case
extern const TextShape kSha256Shape;  ///< 64 hex digits, lower case

void time_field(JsonFields& json, std::string_view key, Time& time);
void party_field(JsonFields& json, std::string_view key, PartyKey& party);
void audit_field(JsonFields& json, AuditHead& audit);

}  // namespace veer
