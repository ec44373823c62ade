#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

/// The rules of the house that a compiler does not see (CONTRIBUTING.md, The house).
namespace {

namespace fs = std::filesystem;

// Room → the rooms that it may include.
const std::map<std::string, std::set<std::string>> kRooms = {
    {"core", {"core"}},
    {"formats", {"core", "formats"}},
    {"connectors", {"connectors", "core"}},
    {"daemon", {"connectors", "core", "daemon", "formats"}},
};

// How the headers of other people's libraries begin. fmt is a word that all rooms share.
const std::vector<std::string> kForeign = {"CLI",    "archive", "boost",    "cpprest", "curl", "expat",
                                           "gpg",    "libssh2", "nlohmann", "openssl", "pplx", "soci",
                                           "spdlog", "sqlite3", "systemd/", "tinyxml", "toml", "zip"};

constexpr std::size_t kMostLines = 700;

bool is_handles(const std::string& path) { return path.ends_with("_handles.h"); }

bool is_foreign(const std::string& header) {
  return std::any_of(kForeign.begin(), kForeign.end(),
                     [&](const std::string& begin) { return header.starts_with(begin); });
}

std::string room_of(const std::string& path) { return path.substr(0, path.find('/')); }

// What the line includes; empty when it is no include.
std::string included_by(std::string line) {
  std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
  static constexpr std::string_view kDirective = "#include";
  if (!line.starts_with(kDirective)) return "";
  line.erase(0, kDirective.size() + 1);
  return line.substr(0, line.find_first_of(">\""));
}

// What is wrong with the includes of `path` (from the root, as "core/log.h"), whose content is `text`.
std::vector<std::string> faults(const std::string& path, const std::string& text) {
  const bool is_public = path.ends_with(".h") && !is_handles(path);
  const auto& allowed = kRooms.at(room_of(path));
  std::vector<std::string> found;
  const auto fault = [&](std::string_view what, const std::string& target) {
    found.push_back(path);
    found.back().append(what).append(target);
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string target = included_by(line);
    if (target.empty()) continue;
    if (line.find('"') < line.find('<')) {
      if (!allowed.contains(room_of(target)))
        fault(" looks into another room: ", target);
      else if (is_handles(target) && (is_public || room_of(target) != room_of(path)))
        fault(" makes a library's handles public: ", target);
    } else if (is_public && is_foreign(target)) {
      fault(" makes a library public: ", target);
    }
  }
  return found;
}

// Every source of the four rooms, by its path from the root.
std::map<std::string, std::string> sources() {
  const fs::path root = VEER_SOURCE_DIR;
  std::map<std::string, std::string> found;
  for (const auto& [room, allowed] : kRooms)
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      REQUIRE(file);
      found[entry.path().lexically_relative(root).generic_string()] = {std::istreambuf_iterator<char>(file),
                                                                       {}};
    }
  return found;
}

}  // namespace

TEST_CASE("every include of every room points the way that the house allows") {
  const auto files = sources();
  for (const auto& [room, allowed] : kRooms)
    CHECK(std::any_of(files.begin(), files.end(),
                      [&, &name = room](const auto& file) { return file.first.starts_with(name + "/"); }));
  for (const auto& [path, text] : files)
    for (const std::string& fault : faults(path, text)) FAIL_CHECK(fault);
}

TEST_CASE("no source is so long that it must have two jobs") {
  for (const auto& [path, text] : sources()) {
    INFO(path);
    CHECK(std::count(text.begin(), text.end(), '\n') <= static_cast<std::ptrdiff_t>(kMostLines));
  }
}

TEST_CASE("an include that the house forbids is found") {
  const auto found = [](const std::string& path, const std::string& text) {
    return faults(path, text).size() == 1;
  };
  CHECK(found("core/log.cpp", "#include \"formats/insz.h\"\n"));
  CHECK(found("formats/list.cpp", "#include <string>\n\n  #  include \"connectors/share.h\" // why\n"));
  CHECK(found("connectors/sftp.cpp", "#include \"formats/names.h\"\n"));
  CHECK(found("connectors/sftp.cpp", "#include \"daemon/ledger.h\""));
  CHECK(found("daemon/engine.cpp", "#include \"tests/support/shell.h\"\n"));
  CHECK(found("daemon/engine.cpp", "#include \"engine.h\"\n"));
  CHECK(found("daemon/database.h", "#include <soci/soci.h>\n"));
  CHECK(found("connectors/graph.h", "#include<cpprest/json.h>\n"));
  CHECK(found("formats/seal.h", "#include <gpgme.h>\n"));
  CHECK(found("formats/list.h", "#include \"formats/expat_handles.h\"\n"));
  CHECK(found("daemon/engine.cpp", "#include \"formats/gpgme_handles.h\"\n"));
  CHECK(faults("core/log.h", "#include <spdlog/spdlog.h>\n#include \"daemon/ledger.h\"\n").size() == 2);
}

TEST_CASE("an include that the house allows is left alone") {
  const auto fine = [](const std::string& path, const std::string& text) {
    return faults(path, text).empty();
  };
  CHECK(fine("core/log.h", "#include <string>\n#include <fmt/format.h>\n#include \"core/error.h\"\n"));
  CHECK(fine("core/log.cpp", "#include <spdlog/spdlog.h>\n"));
  CHECK(fine("formats/names.h", "#include \"core/clock.h\"\n#include \"formats/package.h\"\n"));
  CHECK(fine("connectors/sftp.cpp", "#include \"connectors/ssh_handles.h\"\n#include \"core/files.h\"\n"));
  CHECK(fine("connectors/ssh_handles.h", "#include <libssh2.h>\n"));
  CHECK(fine("daemon/engine.cpp", "#include \"connectors/share.h\"\n#include \"formats/names.h\"\n"));
  CHECK(fine("core/log.cpp", "// what #include \"daemon/ledger.h\" would do\n"));
}
