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

namespace veer {
namespace {

using Versions = std::vector<std::pair<std::string, std::string>>;

std::string dotted(int number) {
  return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

// What is loaded now where the library tells; what it was built with where it is headers alone.
Versions versions() {
  return {
      {"archive", archive_version_details()},
      {"cli11", CLI11_VERSION},
      {"curl", curl_version_info(CURLVERSION_NOW)->version},
      {"expat", XML_ExpatVersion()},
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

void add_version(CLI::App& app, Context& context) {
  app.add_subcommand("version", "Versions of the program and of every library")->callback([&context] {
    version(context);
  });
}

}  // namespace veer
