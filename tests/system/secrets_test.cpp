// No secret of a share in anything that people read: logs at every level, notes, what the commands print, the
// audit trail.

#include <csignal>
#include <map>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "graph/graph_share.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;

namespace {

using Texts = std::map<std::string, std::string>;  ///< what people read, by where it stands
using Secrets = std::set<std::string>;

constexpr const char* kClientSecret = "Q~8uncommonly.secret-of_the.application~7";
// A list whose package is larger than what goes up in one request.
constexpr std::size_t kNumbers = 400'000;

/// Where which secret stands: "LOG: what".
std::set<std::string> leaks(const Texts& texts, const Secrets& secrets) {
  std::set<std::string> found;
  for (const auto& [where, text] : texts)
    for (const std::string& secret : secrets)
      if (has(text, secret)) found.insert(where + ": " + secret.substr(0, 40));
  return found;
}

/// Each line of a private key that holds a good piece of it.
void add_key(Secrets& secrets, const std::string& pem) {
  std::istringstream lines(pem);
  for (std::string line; std::getline(lines, line);)
    if (line.size() > 20 && !line.starts_with("-")) secrets.insert(line);
  secrets.insert("PRIVATE KEY");
}

/// What the service knew, sent and was given: addresses as they came, and what every token and assertion
/// begins with.
Secrets secrets_of(const GraphEmulator& graph, const std::string& key) {
  Secrets secrets = {kClientSecret, "eyJ", "Bearer", "tempauth", "client_assertion"};
  add_key(secrets, key);
  for (const GraphRequest& request : graph.requests()) {
    if (request.host != graph.storage_host()) continue;
    secrets.insert(request.target);
    secrets.insert(request.target.substr(0, request.target.find('?')));
  }
  return secrets;
}

/// Everything that a side shows: its log, its notes and what the commands print, in both forms.
void add_texts(Texts& texts, const Installation& both, const std::string& party, const std::string& when) {
  const std::string side = party + " " + when + " ";
  const auto run = [&](const std::string& arguments) {
    for (const char* form : {"", "--json "})
      texts[side + form + arguments] = both.veer(party, form + arguments).output;
  };
  for (const char* command :
       {"status", "list", "doctor", "audit verify", "audit anchors", "keys show", "version"})
    run(command);
  for (const nlohmann::json& exchange : json_of(both, party, "list"))
    run("show " + exchange.at("exchange").get<std::string>());
  const std::string ledger = (both.path(party) / "ledger.db").native();
  for (const char* table : {"audit", "alert", "note", "command", "arrival", "receipt"})
    texts[side + "table " + table] =
        shell("sqlite3 -readonly " + ledger + " \"SELECT * FROM " + table + "\"").output;
  texts[side + "log"] = text_in(both.path(party + ".log"));
  texts[side + "note"] = both.note(both.list_name());
}

/// Runs both services at a level of the log until the list is recorded, with `trouble` on the way.
void exchange_at(const Installation& both, const std::string& level, const std::function<void()>& trouble) {
  const auto serve = [&](const std::string& party) {
    return std::make_unique<Process>(
        std::vector<std::string>{VEER_PROGRAM, "--config", both.config(party).native(), "run", "--log-level",
                                 level},
        both.path(party + ".log"));
  };
  auto avsb = serve("avsb");
  auto aii = serve("aii");
  trouble();
  both.drop(both.list_name(), fictitious_csv(kNumbers, 5));
  try {
    wait_until([&] { return has(both.note(both.list_name()), "Recorded at the receiver"); }, 60);
  } catch (const std::runtime_error&) {
    UNSCOPED_INFO(text_in(both.path("aii.log")) << text_in(both.path("avsb.log")));
    throw;
  }
  CHECK(aii->end(SIGTERM) == 0);
  CHECK(avsb->end(SIGTERM) == 0);
}

/// Whatever an answer can go wrong with, each once.
void make_trouble(GraphEmulator& graph) {
  const std::string elsewhere = "https://files.example.org/download.aspx?tempauth=v1.elsewhere";
  graph.fail_next({.call = GraphCall::token}, {.status = 401, .code = "invalid_client"});
  graph.fail_next({.call = GraphCall::list},
                  {.status = 200, .body = "<html>sign in</html>", .content_type = "text/html"});
  graph.fail_next({.call = GraphCall::create_session}, {.status = 503});
  graph.fail_next({.call = GraphCall::fragment}, {.trick = GraphTrick::reset});
  graph.fail_next({.call = GraphCall::fragment}, {.status = 403});
  graph.fail_next({.call = GraphCall::session_status}, {.trick = GraphTrick::session_lost, .status = 404});
  graph.fail_next({.call = GraphCall::download}, {.status = 401}, 2);
  graph.fail_next({.call = GraphCall::content},
                  {.trick = GraphTrick::foreign_redirect, .location = elsewhere});
  graph.fail_next({.call = GraphCall::download}, {.status = 403, .code = "malwareDetected"});
}

/// Each secret, planted in one text, is found there, and there alone.
void check_search(const Texts& texts, const Secrets& secrets) {
  CHECK(secrets.size() > 5);
  for (const std::string& secret : secrets) {
    Texts planted = texts;
    const std::string where = planted.begin()->first;
    planted[where] += "x" + secret + "\n";
    CHECK(leaks(planted, {secret}) == std::set{where + ": " + secret.substr(0, 40)});
  }
}

}  // namespace

TEST_CASE("no secret of SharePoint stands in anything that people read, at any level of the log") {
  const std::string level = GENERATE(as<std::string>(), "debug", "info", "warn");
  CAPTURE(level);
  const Installation both("sharepoint");
  GraphEmulator& graph = both.graph();
  // One side signs in with its certificate, the other with a secret.
  const fs::path config = both.config("avsb");
  const std::string own = text_in(config);
  const std::string key_at = own.substr(own.find("key = \"file:") + 12);
  const std::string key = text_in(key_at.substr(0, key_at.find('"')));
  graph.set_secret(graph.options().apps.front().id, kClientSecret);
  write_file(both.path("secret"), kClientSecret);
  fs::permissions(both.path("secret"), fs::perms(0600));
  replace_line(config, "certificate ",
               "secret = \"file:" + both.path("secret").native() + "\"\nsecret_ends = 2099-12-31");
  replace_line(config, "key = \"file:", "");

  exchange_at(both, level, [&] { make_trouble(graph); });
  Texts texts;
  for (const char* party : {"aii", "avsb"}) add_texts(texts, both, party, "after it");
  CHECK(graph.pending_faults() == 0);
  CHECK(graph.count({.call = GraphCall::fragment}) > 1);
  CHECK(graph.count({.call = GraphCall::download}) > 1);
  // What the troubles leave for doctor.
  graph.fail_next({.call = GraphCall::fragment}, {.status = 500}, 20);
  texts["doctor without fragments"] = both.veer("aii", "doctor").output;
  graph.clear_faults();
  graph.fail_next({.call = GraphCall::token}, {.status = 401, .code = "invalid_client"}, 5);
  for (const char* party : {"aii", "avsb"})
    texts[std::string(party) + " doctor without sign-in"] = both.veer(party, "doctor").output;
  CHECK(has(texts["doctor without fragments"], "fail  share: put in fragments"));
  CHECK(has(texts["aii doctor without sign-in"], "fail  share: sign-in"));

  const Secrets secrets = secrets_of(graph, key);
  CHECK(leaks(texts, secrets) == std::set<std::string>{});
  check_search(texts, secrets);
}

TEST_CASE("no passphrase of our keys stands in anything that people read") {
  const Installation both;
  const Secrets secrets = {"uncommon first passphrase", "uncommon second passphrase"};
  const std::string first = both.path("first").native();
  const std::string second = both.path("second").native();
  write_file(first, "uncommon first passphrase\n");
  write_file(second, "uncommon second passphrase\n");
  replace_line(both.config("aii"), "[openpgp]", "[openpgp]\npassphrase = \"file:" + second + '"');
  Texts texts;
  const auto types = [&](const std::string& command, int exit_code) {
    const ShellResult told = both.veer("aii", command);
    CAPTURE(command, told.output);
    CHECK(told.exit_code == exit_code);
    texts[command] += told.output;
  };
  types("keys passphrase --new-passphrase-file " + first, 0);
  types("keys renew --days 900", 12);
  types("keys rotate", 12);
  types("keys passphrase --passphrase-file " + first + " --new-passphrase-file " + second, 0);
  types("keys renew --days 900", 0);
  exchange_at(both, "debug", [] {});
  add_texts(texts, both, "aii", "after it");
  CHECK(leaks(texts, secrets) == std::set<std::string>{});
}

TEST_CASE("no secret of an FTPS server stands in anything that people read, at any level of the log") {
  const std::string level = GENERATE(as<std::string>(), "debug", "info", "warn");
  CAPTURE(level);
  const Installation both("ftps");
  const fs::path server = both.server().root().parent_path();
  exchange_at(both, level, [&] { both.server().signal_sessions(SIGKILL); });
  Texts texts;
  for (const char* party : {"aii", "avsb"}) add_texts(texts, both, party, "after it");
  Secrets secrets = {FtpsServer::kPassword};
  add_key(secrets, text_in(server / "client.key"));
  // A password that the server refuses.
  write_file(server / "password", "another uncommon password");
  texts["doctor without sign-in"] = both.veer("aii", "doctor").output;
  CHECK(has(texts["doctor without sign-in"], "fail  share:"));
  secrets.insert("another uncommon password");
  CHECK(leaks(texts, secrets) == std::set<std::string>{});
  check_search(texts, secrets);
}
