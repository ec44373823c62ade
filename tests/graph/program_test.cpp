#include <csignal>
#include <fstream>
#include <map>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "graph/https.h"
#include "support/server_process.h"
#include "support/shell.h"
#include "support/temp_folder.h"

using namespace veer::test;
using Json = nlohmann::json;

TEST_CASE("the program prints what a client needs, and serves it") {
  const TempFolder folder;
  std::ofstream(folder / "secret") << "a secret\n";
  ServerProcess program;
  program.start({VEER_GRAPH_EMULATOR, "--folder", folder.path(), "--secret-file", folder / "secret",
                 "--library", "Lijsten", "--share-folder", "heen", "--share-folder", "terug"},
                folder / "log");
  wait_until([&] { return text_in(folder / "log").ends_with("ready\n") || program.has_ended(); });
  std::map<std::string, std::string> told;
  std::istringstream lines(text_in(folder / "log"));
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      told[line.substr(0, equals)] = line.substr(equals + 1);

  const Https https(text_in(told["ca"]));
  const HttpsAnswer token = https("POST", told["login"] + "/" + told["tenant"] + "/oauth2/v2.0/token", {},
                                  "grant_type=client_credentials&scope=https://graph.microsoft.com/.default"
                                  "&client_secret=a+secret&client_id=" +
                                      told["app"]);
  REQUIRE(token.status == 200);
  const std::vector<std::string> bearer = {"Authorization: Bearer " +
                                           Json::parse(token.body)["access_token"].get<std::string>()};
  const auto get = [&](const std::string& path) {
    const HttpsAnswer answer = https("GET", told["graph"] + "/v1.0" + path, bearer);
    REQUIRE(answer.status == 200);
    return Json::parse(answer.body);
  };
  const Json site = get("/sites/" + told["site_host"] + ":" + told["site"]);
  const Json drive = get("/sites/" + site["id"].get<std::string>() + "/drives")["value"][0];
  CHECK(drive["name"] == "Lijsten");
  const Json folders = get("/drives/" + drive["id"].get<std::string>() + "/root/children")["value"];
  REQUIRE(folders.size() == 2);
  CHECK(folders[0]["name"] == "heen");
  CHECK(folders[1]["name"] == "terug");
}

TEST_CASE("the program ends when it is told, and says what it does not understand") {
  const TempFolder folder;
  const std::string program = VEER_GRAPH_EMULATOR;
  const std::string log = folder / "log";
  const ShellResult ended = shell(program + " --folder " + folder.path().string() + " >" + log +
                                  " & pid=$!; for n in $(seq 400); do grep -qs ready " + log +
                                  " && break; sleep 0.05; done; kill $pid; wait $pid");
  CHECK(ended.exit_code == 0);
  CHECK(shell(program + " --help").output.find("--certificate") != std::string::npos);
  CHECK(shell(program + " --role editor 2>&1").exit_code != 0);
  CHECK(shell(program + " --certificate /nowhere 2>&1").exit_code != 0);
}
