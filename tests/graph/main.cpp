// veer-graph-emulator: see --help and docs/graph-emulator.md.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "graph/graph_emulator.h"

namespace {

using namespace veer::test;
namespace fs = std::filesystem;

constexpr const char* kAbout =
    "Microsoft Graph, SharePoint Online and their sign-in on 127.0.0.1, for tests and demonstrations.\n"
    "Nothing it holds outlives it. It prints what a client needs, one KEY=VALUE a line, and runs until it is "
    "ended.";

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw CLI::ValidationError(file, "cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Wishes {
  GraphOptions options;
  std::string folder = ".";
  std::vector<std::string> certificates;
  std::string secret_file;
  std::vector<std::string> folders = {"to_avsb", "to_aii"};
  std::string library = "Documents";
  std::string site = "/sites/uitwisseling";
  std::string role = "write";
  bool lenient = false;
};

void read_words(CLI::App& program, Wishes& wishes) {
  GraphOptions& options = wishes.options;
  program.add_option("--port", options.port, "port of 127.0.0.1; 0: a free one")->capture_default_str();
  program.add_option("--folder", wishes.folder, "where graph-ca.pem, the authority to trust, is written")
      ->capture_default_str();
  program.add_option("--tenant", options.tenant, "tenant id")->capture_default_str();
  program.add_option("--app", options.apps[0].id, "application (client) id")->capture_default_str();
  program.add_option("--certificate", wishes.certificates,
                     "PEM file with a certificate of the application (RSA); more than one may be given");
  program.add_option("--secret-file", wishes.secret_file, "file with the application's client secret");
  program.add_option("--site", wishes.site, "path of the site")->capture_default_str();
  program.add_option("--role", wishes.role, "what the application is granted there")
      ->check(CLI::IsMember({"read", "write", "owner", "fullcontrol", "none"}))
      ->capture_default_str();
  program.add_option("--library", wishes.library, "name of the document library")->capture_default_str();
  program.add_option("--share-folder", wishes.folders, "folder in it; more than one may be given")
      ->capture_default_str();
  program.add_option("--page-size", options.page_size, "most items in a page of a listing")
      ->capture_default_str();
  program.add_option("--storage-host", options.storage_host,
                     "HOST or HOST:PORT of upload and download URLs instead of localhost:PORT");
  program.add_flag("--chunked", options.chunked, "answer in chunks, without a length");
  program.add_flag(
      "--odd-urls", options.odd_urls,
      "make upload and download URLs long, and of characters that clients write in several ways");
  program.add_flag("--storage-apart", options.storage_apart,
                   "let upload and download URLs lead to another port");
  program.add_flag("--lenient", wishes.lenient,
                   "take an Authorization header on upload and download URLs, as some clients send it");
}

void settle(Wishes& wishes) {
  GraphApp& app = wishes.options.apps[0];
  for (const std::string& file : wishes.certificates) app.certificates.push_back(text_of(file));
  if (!wishes.secret_file.empty()) {
    app.secret = text_of(wishes.secret_file);
    while (app.secret.ends_with('\n')) app.secret.pop_back();
  }
  app.grants.clear();
  if (wishes.role != "none") app.grants[wishes.site] = wishes.role;
  wishes.options.sites = {{wishes.site, {{wishes.library, wishes.folders}}}};
  wishes.options.refuse_authorization_on_storage = !wishes.lenient;
}

}  // namespace

int main(int argc, char** argv) {
  // Before any thread begins, so that all of them leave these signals to sigwait.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  CLI::App program(kAbout, "veer-graph-emulator");
  Wishes wishes;
  read_words(program, wishes);
  try {
    program.parse(argc, argv);
    settle(wishes);
    const GraphEmulator emulator(wishes.options);
    const fs::path authority = fs::absolute(fs::path(wishes.folder) / "graph-ca.pem").lexically_normal();
    std::ofstream(authority) << emulator.ca_pem();
    std::cout << fmt::format(
                     "port={}\nlogin={}\ngraph={}\nstorage={}\nca={}\ntenant={}\napp={}\nsite_host={}\nsite={"
                     "}\nlibrary={}\n",
                     emulator.port(), emulator.login_url(), emulator.graph_url(), emulator.storage_host(),
                     authority.string(), wishes.options.tenant, wishes.options.apps[0].id,
                     wishes.options.site_host, wishes.site, wishes.library)
              << "ready" << std::endl;
    int signal = 0;
    sigwait(&ending, &signal);
    return 0;
  } catch (const CLI::ParseError& error) {
    return program.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "veer-graph-emulator: " << error.what() << "\n";
    return 1;
  }
}
