#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
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

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Every file below a folder of the project with one of these endings, by its path from the root.
std::map<std::string, std::string> files_below(const std::string& folder,
                                               const std::set<std::string>& endings) {
  const fs::path root = VEER_SOURCE_DIR;
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder))
    if (endings.contains(entry.path().extension()))
      found[entry.path().lexically_relative(root).generic_string()] = text_of(entry.path());
  return found;
}

// Every source of the four rooms.
std::map<std::string, std::string> sources() {
  std::map<std::string, std::string> found;
  for (const auto& [room, allowed] : kRooms) found.merge(files_below(room, {".h", ".cpp"}));
  return found;
}

/// What tests assert: the names of those in C++ and, with blanks, of those on machines.
std::string all_test_names() {
  static const std::regex kCase(R"re(TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+))re");
  static const std::regex kPiece(R"re("((?:[^"\\]|\\.)*)")re");
  static const std::regex kMethod(R"(def (\w+)\(self)");
  using Matches = std::sregex_iterator;
  std::string names;
  for (const auto& [path, text] : files_below("tests", {".cpp"}))
    for (auto found = Matches(text.begin(), text.end(), kCase); found != Matches(); ++found) {
      const std::string literals = (*found)[1];
      for (auto piece = Matches(literals.begin(), literals.end(), kPiece); piece != Matches(); ++piece)
        names += (*piece)[1];
      names += '\n';
    }
  for (const auto& [path, text] : files_below("tests/machine", {".py"}))
    for (auto found = Matches(text.begin(), text.end(), kMethod); found != Matches(); ++found) {
      std::string name = (*found)[1];
      std::replace(name.begin(), name.end(), '_', ' ');
      names += name + '\n';
    }
  return names;
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

TEST_CASE("every test that the table of requirements names is there") {
  // Between apostrophes that are no genitives and hold no command; "…" stands for what is left out.
  static const std::regex kQuoted("[^A-Za-z]'([A-Za-z0-9][^'`|<]{14,})'");
  const std::string names = all_test_names();
  std::istringstream lines(text_of(fs::path(VEER_SOURCE_DIR) / "docs/requirements.md"));
  std::size_t looked_at = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| Q")) continue;
    const std::string tests = line.substr(line.rfind('|', line.size() - 2));
    for (auto found = std::sregex_iterator(tests.begin(), tests.end(), kQuoted);
         found != std::sregex_iterator(); ++found) {
      std::string name = (*found)[1];
      name = name.substr(0, name.find("…"));
      while (name.ends_with(' ')) name.pop_back();
      INFO(name);
      CHECK(names.find(name) != std::string::npos);
      ++looked_at;
    }
  }
  CHECK(looked_at > 50);
}

TEST_CASE("every planted bug can still be planted") {
  const auto bugs = files_below("tests/planted", {".patch"});
  CHECK(bugs.size() >= 10);
  for (const auto& [path, text] : bugs) {
    INFO(path);
    CHECK(std::system(("cd '" VEER_SOURCE_DIR "' && patch -p1 --dry-run -s -f < '" + path + "'").c_str()) ==
          0);
  }
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
