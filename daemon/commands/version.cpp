#include <algorithm>

#include <CLI/CLI.hpp>
#include <archive.h>
#include <curl/curl.h>
#include <expat.h>
#include <fmt/format.h>
#include <gpgme.h>
#include <libssh2.h>
#include <openssl/crypto.h>
#include <soci/version.h>
#include <spdlog/version.h>
#include <sqlite3.h>
#include <toml++/toml.h>

#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/versions.h"

namespace veer {
namespace {

using Versions = std::vector<std::pair<std::string, std::string>>;

std::string dotted(int number) {
  return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

/// "2.5.0" of "expat_2.5.0" and of "libarchive 3.6.2".
std::string number_in(std::string_view text) {
  return std::string(text.substr(std::min(text.find_first_of("0123456789"), text.size())));
}

// What is loaded now where the library tells; what it was built with where it is headers alone.
Versions versions() {
  return {
      {"archive", number_in(archive_version_string())},
      {"cli11", CLI11_VERSION},
      {"curl", curl_version_info(CURLVERSION_NOW)->version},
      {"expat", number_in(XML_ExpatVersion())},
      {"fmt", dotted(FMT_VERSION)},
      {"gpgme", gpgme_check_version(nullptr)},
      {"libssh2", libssh2_version(0)},
      {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                    NLOHMANN_JSON_VERSION_PATCH)},
      {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"soci", fmt::format("{}.{}.{}", SOCI_VERSION / 100000, SOCI_VERSION / 100 % 1000, SOCI_VERSION % 100)},
      {"spdlog", dotted(SPDLOG_VERSION)},
      {"sqlite", sqlite3_libversion()},
      {"toml++", fmt::format("{}.{}.{}", TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH)}};
}

std::string gnupg_version() {
  gpgme_engine_info_t engine = nullptr;
  if (gpgme_get_engine_info(&engine) == 0)
    for (; engine != nullptr; engine = engine->next)
      if (engine->protocol == GPGME_PROTOCOL_OpenPGP && engine->version != nullptr) return engine->version;
  return "unknown";
}

void version(const Context& context) {
  if (context.json) {
    Json json = {{"veerdienst", VEER_VERSION}};
    for (const auto& [name, text] : versions()) json["libraries"][name] = text;
    context.print(text_of(json));
    return;
  }
  context.print(program_name() + "\n");
  for (const auto& [name, text] : versions()) context.print(fmt::format("  {} {}\n", name, text));
}

}  // namespace

std::string sbom() {
  Json json = {{"bomFormat", "CycloneDX"}, {"specVersion", "1.5"}, {"version", 1}};
  json["metadata"]["component"] = {
      {"type", "application"}, {"name", "veerdienst"}, {"version", VEER_VERSION}};
  json["components"] = Json::array();
  for (const auto& [name, text] : versions())
    json["components"].push_back({{"type", "library"}, {"name", name}, {"version", text}});
  json["components"].push_back({{"type", "application"}, {"name", "gnupg"}, {"version", gnupg_version()}});
  // cpprestsdk, libsystemd and what the libraries load themselves do not say their version.
  json["compositions"].push_back({{"aggregate", "incomplete"}});
  return text_of(json);
}

void add_version(CLI::App& app, Context& context) {
  app.add_subcommand("version", "Versions of the program and of every library")->callback([&context] {
    version(context);
  });
}

}  // namespace veer
