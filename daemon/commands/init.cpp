#include <functional>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "formats/keyring.h"

namespace veer {
namespace {

struct Wishes {
  std::string role;
  std::string party;
  std::string counterparty;
  std::string state;
  std::string drop;
  std::string share;
  std::string owner;
};

/// What a configuration names besides what was asked for.
struct Known {
  std::string own_key;
  std::string their_key;
  std::string host_key;
};

/// A TOML string.
std::string toml_text(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + '"';
}

std::string configuration(const Wishes& w, const Known& known) {
  const bool sender = w.role == "sender";
  const char* outgoing = sender ? "to_avsb" : "to_aii";
  const char* incoming = sender ? "to_aii" : "to_avsb";
  std::string text =
      fmt::format(R"(# Made by 'veer init'. Every key: docs/configuration.md. Check it with 'veer doctor'.
party       = {}
role        = "{}"
environment = "test"
language    = "nl"

[window]
first_reference_year = 2022
last_reference_year  = 2026
closes = 2026-12-31
receipt_within = "24h"
# list_due = "03-01"                 # as the agencies agreed

# What environment = "production" demands besides, filled in by the agency: docs/configuration.md
# [legal_basis]
# provision       = "the provision in force"
# document        = "/etc/veerdienst/legal-basis.pdf"
# document_sha256 = "what sha256sum says of it"
# confirmed_by    = "the role of whoever confirmed it"
# confirmed_on    = 2026-01-15
# valid_until     = 2026-12-31
# notice_given    = 2026-06-30       # of termination, by either agency

[paths]
state = {}
)",
                  toml_text(w.party), w.role, toml_text(w.state));
  if (sender) text += fmt::format("drop  = {}\n\n[intake]\nsettle = \"5s\"\n", toml_text(w.drop));
  text +=
      fmt::format(R"(
[openpgp]
home = {}
own  = [{{ key = "{}" }}]

[counterparty]
party = {}
# The other side's fingerprint, as it confirmed it by telephone: 'veer keys import FILE' fills it in
keys  = [{{ key = "{}" }}]
)",
                  toml_text(w.state + "/gnupg"), known.own_key, toml_text(w.counterparty), known.their_key);
  if (w.share == "folder")
    return text + fmt::format(R"(
[share]
kind = "folder"
outgoing = "/mnt/share/{}"
incoming = "/mnt/share/{}"
poll = "5m"
)",
                              outgoing, incoming);
  if (w.share == "ftps")
    return text + fmt::format(R"(
[share]
kind = "ftps"
outgoing = "to_vip"                  # folders as the server's owner names them for this account
incoming = "from_vip"
poll = "5m"

[share.ftps]
host = "ftps.example.org"
port = 21
tls  = "explicit"                    # or "implicit", on port 990 as a rule
user = {}
# when the account has one:
# password = {}
# our client certificate and its key: docs/magda.md
certificate = {}
key  = {}
# the authority that issued the server's certificate
ca   = {}
)",
                              toml_text(w.party), toml_text("file:" + w.state + "/ftps-password"),
                              toml_text(w.state + "/ftps.pem"), toml_text("file:" + w.state + "/ftps.key"),
                              toml_text(w.state + "/ftps-ca.pem"));
  if (w.share == "sharepoint")
    return text + fmt::format(R"(
[share]
kind = "sharepoint"
outgoing = "{}"                 # folders in the library
incoming = "{}"
poll = "5m"

[share.sharepoint]
# docs/sharepoint.md: how an administrator registers the application and grants it this one site
tenant    = "00000000-0000-0000-0000-000000000000"
client_id = "00000000-0000-0000-0000-000000000000"
site      = "https://contoso.sharepoint.com/sites/exchange"
library   = "Documents"
# openssl req -x509 -newkey rsa:3072 -sha256 -days 730 -nodes -subj /CN=veerdienst-{} -keyout KEY -out CERTIFICATE
certificate = {}
key  = {}
# instead of both, the lesser choice:
# secret = {}

# [proxy]
# https = "http://proxy.example.org:8080"
)",
                              outgoing, incoming, w.party, toml_text(w.state + "/sharepoint.pem"),
                              toml_text("file:" + w.state + "/sharepoint.key"),
                              toml_text("file:" + w.state + "/sharepoint-secret"));
  return text + fmt::format(R"(
[share]
kind = "sftp"
outgoing = "{}"
incoming = "{}"
poll = "5m"

[share.sftp]
host = "sftp.example.org"
port = 22
user = {}
# ssh-keygen -t ed25519 -N '' -f THIS-FILE
key  = {}
# from the server's owner: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
host_key = ["SHA256:{}"]
)",
                            outgoing, incoming, toml_text(w.party),
                            toml_text("file:" + w.state + "/sftp-key"), known.host_key);
}

bool is_there(const fs::path& path) {
  std::error_code error;
  const bool there = fs::exists(fs::symlink_status(path, error));
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(Code::l_io,
                fmt::format("{} cannot be looked at: {}", printable(path.native()), error.message()));
  return there;
}

fs::path whole(const std::string& path) {
  std::error_code error;
  fs::path all = fs::absolute(path, error).lexically_normal();
  if (error) throw Error(Code::l_io, fmt::format("this folder cannot be found: {}", error.message()));
  return all;
}

// What would be written is read first, as the service will: whatever is wrong with a name or a path shows
// before anything is made.
void require_readable(const Wishes& w) {
  try {
    parse_config(configuration(w, {std::string(40, 'A'), std::string(40, 'B'), std::string(43, 'A')}),
                 "init");
  } catch (const Error& error) {
    throw Error(Code::u_usage, fmt::format("nothing was made, for its configuration could not be read:\n{}",
                                           error.message()));
  }
}

[[noreturn]] void throw_there(const fs::path& path) {
  throw Error(Code::u_usage,
              fmt::format("{} is there already; nothing was changed", printable(path.native())));
}

/// What was made, which it takes away again unless it is kept: a failure leaves nothing half made.
class Unfinished {
 public:
  Unfinished() = default;
  ~Unfinished() {
    std::error_code none;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) fs::remove(*path, none);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  /// With the folders above it.
  void folder(const fs::path& path) {
    if (!path.has_relative_path() || is_there(path)) return;
    folder(path.parent_path());
    std::error_code error;
    fs::create_directory(path, error);
    if (error)
      throw Error(Code::l_io,
                  fmt::format("folder {} cannot be made: {}", printable(path.native()), error.message()));
    made_.push_back(path);
  }
  void private_folder(const fs::path& path) {
    folder(path.parent_path());
    if (std::find(made_.begin(), made_.end(), path) != made_.end())  // for what lies in it
      fs::permissions(path, fs::perms::owner_all);
    if (is_there(path)) return;
    make_folder(path);
    made_.push_back(path);
  }
  /// Open to a group, whoever makes it: files that come into it are for that group.
  void group_folder(const fs::path& path) {
    const bool there = is_there(path);
    folder(path);
    std::error_code error;
    if (!there)  // its members put files into it, and none takes another's away
      fs::permissions(
          path, fs::perms::set_gid | fs::perms::sticky_bit | fs::perms::owner_all | fs::perms::group_all,
          error);
    if (error)
      throw Error(Code::l_io, fmt::format("folder {} cannot be opened to its group: {}",
                                          printable(path.native()), error.message()));
  }
  void file(const fs::path& path, std::string_view bytes, unsigned mode) {
    if (!write_new_file(path, bytes, mode)) throw_there(path);
    made_.push_back(path);
  }
  void keep() { made_.clear(); }

 private:
  std::vector<fs::path> made_;
};

/// The key folder, with all that gpg puts there.
class UnfinishedHome {
 public:
  explicit UnfinishedHome(fs::path home) : home_(std::move(home)) {}
  ~UnfinishedHome() {
    std::error_code none;
    if (!kept_) fs::remove_all(home_, none);
  }
  UnfinishedHome(const UnfinishedHome&) = delete;
  UnfinishedHome& operator=(const UnfinishedHome&) = delete;
  void keep() { kept_ = true; }

 private:
  fs::path home_;
  bool kept_ = false;
};

bool is_plain(const std::string& answer) { return without_typed_numbers(answer) == answer; }

/// Asks a person at a terminal for what was not given. Elsewhere nothing is asked, and what is missing is
/// told.
void ask_for_missing(Context& context, Wishes& w) {
  const bool asks = at_terminal();
  const bool chatty = w.role.empty();
  const auto ask = [&](std::string& answer, std::string_view question, const std::string& usual,
                       const std::function<bool(const std::string&)>& is_good = is_plain) {
    while (answer.empty() && asks) {
      context.tell(fmt::format("{} [{}]: ", question, usual));
      if (!std::getline(std::cin, answer))
        throw Error(Code::u_usage, "not all was answered: nothing was made");
      if (answer.empty()) answer = usual;
      if (is_good(answer)) return;
      context.tell("That cannot be used here.\n");
      answer.clear();
    }
  };
  const auto one_of = [](std::initializer_list<std::string> words) {
    return [all = std::set(words)](const std::string& answer) { return all.contains(answer); };
  };
  ask(w.role, "Does this side send the lists, or receive them? sender or receiver", "sender",
      one_of({"sender", "receiver"}));
  const bool sender = w.role != "receiver";
  ask(w.party, "This side's name, 1 to 16 small letters or digits", sender ? "aii" : "avsb", is_party_name);
  ask(w.counterparty, "The other side's name, likewise", sender ? "avsb" : "aii",
      [&](const std::string& name) { return is_party_name(name) && name != w.party; });
  if (context.config_file.empty())
    ask(context.instance, "Name of the instance, and of its configuration in /etc/veerdienst", w.party);
  // The units let an instance write in the folders of its name, whichever party it is.
  const std::string name =
      context.config_file.empty() && context.instance.empty() ? w.party : context.bus_instance();
  ask(w.state, "Folder for its books, keys and spool, which nobody else may enter",
      "/var/lib/veerdienst/" + name);
  if (sender)
    ask(w.drop, "Folder in which operators put the list", fmt::format("/srv/veerdienst/{}/drop", name));
  if (chatty)
    ask(w.share, "What both sides share: sftp, ftps, sharepoint or folder", "sftp",
        one_of({"sftp", "ftps", "sharepoint", "folder"}));
  if (w.share.empty()) w.share = "sftp";
}

// Each by the name under which it was given.
void require_sound(const Wishes& w) {
  const auto refuse = [](const std::string& what) { throw Error(Code::u_usage, what); };
  if (w.role != "sender" && w.role != "receiver") refuse("--role must be sender or receiver");
  if (w.share != "sftp" && w.share != "ftps" && w.share != "sharepoint" && w.share != "folder")
    refuse("--share must be sftp, ftps, sharepoint or folder");
  for (const auto& [option, name] : {std::pair{"--party", w.party}, {"--counterparty", w.counterparty}})
    if (!is_party_name(name))
      refuse(fmt::format("{} must be 1 to 16 small letters or digits, and no number of a person", option));
  if (w.party == w.counterparty) refuse("--counterparty is this side's own name: name the other side");
  for (const auto& [option, text] : {std::pair{"--state", w.state}, {"--drop", w.drop}, {"--owner", w.owner}})
    if (!is_plain(text))
      refuse(fmt::format("{} holds what could be a national number: name another", option));
  if (printable(w.owner, w.owner.size()) != w.owner)
    refuse("--owner must be plain text without control characters or backslashes");
  const bool sender = w.role == "sender";
  if (w.state.empty()) refuse("--state names no folder");
  if (sender && w.drop.empty()) refuse("the sending side needs --drop FOLDER");
  if (!sender && !w.drop.empty()) refuse("--drop is for the sending side: leave it out");
}

void init(Context& context, Wishes w) {
  ask_for_missing(context, w);
  require_sound(w);
  const bool sender = w.role == "sender";
  const fs::path path = context.config_path();
  w.state = whole(w.state).native();
  if (sender) w.drop = whole(w.drop).native();
  if (w.owner.empty()) w.owner = fmt::format("{} <{}@{}.example.org>", w.party, "veerdienst", w.party);
  const fs::path home = fs::path(w.state) / "gnupg";
  const fs::path public_key = fs::path(w.state) / (w.party + ".public.asc");
  for (const fs::path& made : {path, home, public_key})
    if (is_there(made)) throw_there(made);
  require_readable(w);
  require_own(w.state);
  // Root may write anywhere, and the service could not use what it makes.
  if (geteuid() == 0) require_own(path.parent_path());
  Unfinished unfinished;
  unfinished.folder(path.parent_path());
  unfinished.private_folder(w.state);
  if (sender) unfinished.group_folder(w.drop);
  UnfinishedHome unfinished_home(home);
  prepare_home(home);
  const KeyVisit visit(home);
  const std::string fingerprint = create_key(home, w.owner);
  unfinished.file(public_key, export_public(home, fingerprint), 0644);
  unfinished.file(path, configuration(w, {fingerprint, "", ""}), 0640);
  unfinished.keep();
  unfinished_home.keep();
  if (context.json)
    context.print(text_of(
        Json{{"fingerprint", fingerprint}, {"config", path.native()}, {"public_key", public_key.native()}}));
  else
    context.print(fingerprint + "\n");
  context.tell(fmt::format(R"(made {0} and a key of our own. Next:
  1. give {1} to the other side, and confirm its fingerprint by telephone
  2. take in theirs: {2} keys import FILE --fingerprint …
  3. fill in [share] in {0}
  4. {2} doctor
)",
                           path.native(), public_key.native(), invocation(path)));
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  auto* command =
      app.add_subcommand("init",
                         "Make a configuration, a key and folders; asks on a terminal for what is "
                         "not given, and overwrites nothing");
  auto w = std::make_shared<Wishes>();
  command->add_option("--role", w->role, "sender or receiver");
  command->add_option("--party", w->party, "This side's name, for example aii");
  command->add_option("--counterparty", w->counterparty, "The other side's name, for example avsb");
  command->add_option("--state", w->state, "State folder, for example /var/lib/veerdienst/aii");
  command->add_option("--drop", w->drop, "Drop folder (sender)");
  command->add_option("--share", w->share, "sftp (the usual), ftps, sharepoint or folder");
  command->add_option("--owner", w->owner, "User id of the key: \"AII <exchange@aii.example.org>\"");
  command->callback([&context, w] { init(context, *w); });
}

}  // namespace veer
