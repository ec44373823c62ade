#include "support/installation.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "graph/graph_share.h"

namespace veer::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kLongestEnd(2);  // what has not ended by then hangs

void write_text(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

int told(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

// Empty for what is no process, or has ended.
std::string command_line(const fs::path& process) {
  try {
    return text_in(process / "cmdline");
  } catch (const std::ios_base::failure&) {
    return {};
  }
}

class SftpBetween : public ServerBetween {
 public:
  fs::path root() const override { return server_.root(); }
  void signal_sessions(int signal) const override { server_.signal_sessions(signal); }
  std::size_t sign_ins() const override { return server_.sign_ins(); }
  void fill_in(const fs::path& config, bool) const override {
    replace_line(config, "host ", "host = \"127.0.0.1\"");
    replace_line(config, "port ", fmt::format("port = {}", server_.port()));
    replace_line(config, "user ", fmt::format("user = \"{}\"", server_.share().user));
    replace_line(config, "key ", fmt::format("key = \"file:{}\"", server_.user_key().native()));
    replace_line(config, "host_key ", fmt::format("host_key = [\"{}\"]", server_.pin()));
  }

 private:
  Sshd server_;
};

class FtpsBetween : public ServerBetween {
 public:
  fs::path root() const override { return server_.root(); }
  void signal_sessions(int signal) const override { server_.signal_sessions(signal); }
  std::size_t sign_ins() const override { return server_.sign_ins(); }
  void fill_in(const fs::path& config, bool sender) const override {
    const std::string folder = server_.folder().native();
    replace_line(config, "outgoing ", fmt::format("outgoing = \"{}\"", sender ? "to_avsb" : "to_aii"));
    replace_line(config, "incoming ", fmt::format("incoming = \"{}\"", sender ? "to_aii" : "to_avsb"));
    replace_line(config, "host ", "host = \"127.0.0.1\"");
    replace_line(config, "port ", fmt::format("port = {}", server_.port()));
    replace_line(config, "user ", fmt::format("user = \"{}\"", server_.share().user));
    replace_line(config, "# password ", fmt::format("password = \"file:{}/password\"", folder));
    replace_line(config, "certificate ", fmt::format("certificate = \"{}/client.pem\"", folder));
    replace_line(config, "key ", fmt::format("key = \"file:{}/client.key\"", folder));
    replace_line(config, "ca ", fmt::format("ca = \"{}/ca.pem\"", folder));
  }

 private:
  FtpsServer server_{{.lines = {"AllowStoreRestart on"}}};  // uploads go on where they were cut
};

class SharePointBetween : public ServerBetween {
 public:
  SharePointBetween() {
    write_private("client.pem", place_->certificate().certificate);
    write_private("client.key", place_->certificate().key);
    write_private("ca.pem", place_->graph().ca_pem());
  }
  fs::path root() const override { throw std::logic_error("a library is no folder of this machine"); }
  bool is_empty(const std::string& folder) const override {
    return place_->graph().list_files(GraphShare::kLibrary, folder).empty();
  }
  void signal_sessions(int) const override { place_->graph().fail_next({}, {.trick = GraphTrick::reset}); }
  std::size_t sign_ins() const override { return place_->graph().count({.call = GraphCall::token}); }
  GraphEmulator* graph() override { return &place_->graph(); }
  void fill_in(const fs::path& config, bool) const override {
    const SharePointOptions options = place_->share();
    const std::string folder = folder_.path().native();
    replace_line(config, "tenant ", fmt::format("tenant = \"{}\"", options.tenant));
    replace_line(config, "client_id ", fmt::format("client_id = \"{}\"", options.client_id));
    replace_line(config, "site ", fmt::format("site = \"{}\"", options.site));
    replace_line(config, "library ", fmt::format("library = \"{}\"", options.library));
    replace_line(config, "certificate ", fmt::format("certificate = \"{}/client.pem\"", folder));
    replace_line(config, "key ", fmt::format("key = \"file:{}/client.key\"", folder));
    replace_line(config, "# secret ",
                 fmt::format("login = \"{}\"\ngraph = \"{}\"\ntransfer_hosts = [\"{}\"]\nca = \"{}/ca.pem\"",
                             options.login, options.graph, options.transfer_hosts.front(), folder));
  }

 private:
  void write_private(const std::string& name, const std::string& text) const {
    write_text(folder_ / name, text);
    fs::permissions(folder_ / name, fs::perms(0600));
  }

  TempFolder folder_;
  std::unique_ptr<GraphShare> place_ = std::make_unique<GraphShare>();
};

std::unique_ptr<ServerBetween> start_server(const std::string& share) {
  if (share == "sharepoint") return std::make_unique<SharePointBetween>();
  if (share == "ftps") return std::make_unique<FtpsBetween>();
  return std::make_unique<SftpBetween>();
}

}  // namespace

void replace_line(const fs::path& file, const std::string& beginning, const std::string& line) {
  std::istringstream old(text_in(file));
  std::string text;
  bool found = false;
  for (std::string each; std::getline(old, each);) {
    const bool this_one = each.starts_with(beginning);
    found |= this_one;
    text += (this_one ? line : each) + "\n";
  }
  if (!found) throw std::runtime_error("no line begins with " + beginning);
  write_text(file, text);
}

Process::Process(const std::vector<std::string>& command, const fs::path& log)
    : pid_(start_program(command, log)) {}

std::optional<int> Process::ended() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return told(status);
}

int Process::end(int signal) {
  if (pid_ <= 0) return 0;
  ::kill(pid_, signal);
  int status = 0;
  const auto end = std::chrono::steady_clock::now() + kLongestEnd;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) ::kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  pid_ = -1;
  return told(status);
}

Installation::Installation(const std::string& share)
    : share_(share),
      server_(start_server(share)),
      year_(static_cast<int>(date_of(SystemClock().now()).year())) {
  set_up("aii", "avsb", "--role sender --drop " + path("drop").native());
  set_up("avsb", "aii", "--role receiver");
  connect("aii", "avsb");
  connect("avsb", "aii");
}

Installation::~Installation() {
  for (const char* party : {"aii", "avsb"})
    shell(fmt::format("gpgconf --homedir {} --kill gpg-agent 2>/dev/null", (path(party) / "gnupg").native()));
}

void Installation::set_up(const std::string& party, const std::string& other, const std::string& options) {
  const ShellResult made =
      veer(party, fmt::format("init --party {} --counterparty {} --share {} --state {} {}", party, other,
                              share_, path(party).native(), options));
  if (made.exit_code != 0) throw std::runtime_error(made.output);
}

void Installation::connect(const std::string& party, const std::string& other) {
  const fs::path file = config(party);
  std::string theirs;
  std::istringstream lines(text_in(config(other)));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("own ")) theirs = line.substr(line.find('"') + 1, 40);
  replace_line(file, "keys ", fmt::format("keys = [{{ key = \"{}\" }}]", theirs));
  server_->fill_in(file, party == "aii");
  replace_line(file, "poll ", "poll = \"50ms\"\nretry_first = \"50ms\"\nretry_most = \"500ms\"");
  replace_line(file, "language ", "language = \"en\"");
  replace_line(file, "first_reference_year ", fmt::format("first_reference_year = {}", year_ - 4));
  replace_line(file, "last_reference_year ", fmt::format("last_reference_year = {}", year_));
  if (party == "aii") replace_line(file, "settle ", "settle = \"20ms\"");
  const fs::path key = path(other) / (other + ".public.asc");
  const ShellResult taken = veer(party, fmt::format("keys import {} --fingerprint {}", key.native(), theirs));
  if (taken.exit_code != 0) throw std::runtime_error(taken.output);
}

ShellResult Installation::veer(const std::string& party, const std::string& arguments) const {
  return shell(
      fmt::format("{} --config {} {} 2>&1 </dev/null", VEER_PROGRAM, config(party).native(), arguments));
}

std::unique_ptr<Process> Installation::serve(const std::string& party) const {
  return std::make_unique<Process>(
      std::vector<std::string>{VEER_PROGRAM, "--config", config(party).native(), "run"},
      path(party + ".log"));
}

void Installation::drop(const std::string& name, std::string_view bytes) const {
  write_text(path("drop") / ".being-copied", bytes);
  fs::rename(path("drop") / ".being-copied", path("drop") / name);
}

std::vector<pid_t> Installation::agents(const std::string& party) const {
  const std::string home = (path(party) / "gnupg").native();
  std::vector<pid_t> found;
  for (const auto& process : fs::directory_iterator("/proc")) {
    const std::string words = command_line(process.path());
    const bool is_agent = words.substr(0, words.find('\0')).ends_with("gpg-agent");
    if (is_agent && words.find(home + '\0') != std::string::npos)
      found.push_back(std::stoi(process.path().filename()));
  }
  return found;
}

std::string Installation::note(const std::string& name) const {
  return text_in(path("drop") / (name + ".result.txt"));
}

}  // namespace veer::test
