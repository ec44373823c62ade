#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "daemon/alerts.h"

/// How the commands print JSON.
namespace veer {

using Json = nlohmann::ordered_json;

/// As people and programs read it. What is not UTF-8 (a file's name may be anything) becomes U+FFFD.
inline std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json json_of(const Alert& alert);

}  // namespace veer
