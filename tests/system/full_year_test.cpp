// A full year as people type it, on both sides: list, case, correction, hand-over, care funds, lookup,
// forgetting, evidence, and the end. What they typed and saw is docs/full-year.md, but for what differs each
// time.

#include <regex>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/files.h"
#include "formats/insz.h"
#include "support/fictitious.h"
#include "support/private_bus.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;

namespace {

// Debian's users of these names have a group each.
constexpr const char* kOperator = "games";
constexpr const char* kApprover = "mail";
constexpr const char* kAuditor = "man";
constexpr const char* kDesk = "news";

std::string csv_of(const std::vector<Insz>& numbers) {
  std::string csv = "insz\n";
  for (const Insz& number : numbers) csv += digits_of(number) + "\n";
  return csv;
}

std::string first_word(const std::string& text) { return text.substr(0, text.find_first_of(" \n")); }

/// Both agencies with a service each, on one bus; what people of theirs type is kept.
class FullYear {
 public:
  FullYear() : numbers(fictitious_list(1000, 3)) {
    REQUIRE(geteuid() == 0);
    fs::permissions(both.path(""), fs::perms(0711));
    fs::copy_file(VEER_PROGRAM, both.path("veer"));
    fs::create_directory(desk());
    fs::permissions(desk(), fs::perms(01777));
    fs::create_directory(both.path("export"));
    const std::string hand_out = fmt::format("\n[export]\nfolder = \"{}\"\n", both.path("export").native()) +
                                 care_funds(both, {"fund1", "fund2"}, 500);
    for (const std::string party : {"aii", "avsb"})
      write_file(both.config(party),
                 text_in(both.config(party)) +
                     fmt::format("\n[access]\noperators = [\"{}\"]\napprovers = [\"{}\"]\n"
                                 "auditors = [\"{}\"]\nservice_desk = [\"{}\"]\n",
                                 kOperator, kApprover, kAuditor, kDesk) +
                     (party == "avsb" ? hand_out : ""));
    replace_line(both.config("aii"), "settle ", "settle = \"20ms\"\nrelease = \"always\"");
    for (const char* party : {"aii", "avsb"}) services_.push_back(both.serve(party));
    for (const std::string party : {"aii", "avsb"})
      wait_until([&] { return has(text_in(both.path(party + ".log")), "can be asked on the bus"); }, 60);
  }

  fs::path desk() const { return both.path("desk"); }
  /// A file that the operator alone may read.
  std::string file(const std::string& name, const std::string& bytes) const {
    const passwd* const owner = getpwnam(kOperator);
    const fs::path path = desk() / name;
    write_file(path, bytes);
    REQUIRE(chown(path.c_str(), owner->pw_uid, owner->pw_gid) == 0);
    return path;
  }

  /// What somebody of a side types, with `given` on standard input; the exit status is to be `status`.
  std::string types(const std::string& party, const char* user, const std::string& arguments, int status = 0,
                    const std::string& given = "") {
    const passwd* const who = getpwnam(user);
    write_file(both.path("given"), given, 0644);
    const ShellResult result =
        shell(fmt::format("cd {} && setpriv --reuid {} --regid {} --init-groups {} --config {} {} <{} 2>&1",
                          desk().native(), who->pw_uid, who->pw_gid, both.path("veer").native(),
                          both.config(party).native(), arguments, both.path("given").native()));
    keep(fmt::format("{}@{}$ veer -i {} {}\n", role_of(user), party, party, arguments), result.output);
    INFO(arguments << "\n" << result.output << text_in(both.path(party + ".log")));
    REQUIRE(result.exit_code == status);
    return result.output;
  }
  /// What a person types who has bare tools alone.
  std::string types_bare(const std::string& shown, const std::string& command,
                         const std::string& who = "anybody") {
    const ShellResult result = shell("cd " + desk().native() + " && { " + command + "; } 2>&1");
    keep(who + "$ " + shown + "\n", result.output);
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    return result.output;
  }
  std::string own_key(const std::string& party) const {
    return first_word(
        shell(
            fmt::format("gpg --homedir {} -K --with-colons 2>/dev/null | grep ^fpr | head -1 | cut -d: -f10",
                        (both.path(party) / "gnupg").native()))
            .output);
  }
  void says(const std::string& text) { transcript_ += fmt::format("\n{}\n", text); }

  /// The transcript, without what differs each time.
  std::string transcript() const {
    std::string text = transcript_;
    const auto replace = [&](const std::string& what, const std::string& with) {
      text = std::regex_replace(text, std::regex(what), with);
    };
    replace(desk().native() + "/", "");
    replace(both.path("").native() + "/?", "/srv/");
    replace("veer -c /srv/(aii|avsb)\\.toml", "veer -i $1");
    replace("\\b[0-9]{11}\\b", "###########");
    replace("sha256:[0-9a-f]{64}|\\b[0-9a-f]{64}\\b", "<sha256>");
    replace("\\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\b", "<exchange>");
    replace("\\b[0-9A-F]{40}\\b", "<fingerprint>");
    replace("(approve|reject) [0-9a-f]{8}\\b", "$1 <exchange>");
    replace("_[0-9]{17}", "_<time>");
    replace("\\.[0-9a-f]{8}\\.json", ".<receipt>.json");
    replace("[0-9]{1,2} [A-Z][a-z]+ [0-9]{4}, [0-9:]{5} [A-Z]+", "<time>");
    replace("[0-9]{1,2} [A-Z][a-z]+ [0-9]{4} at the latest", "<date> at the latest");
    replace("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "<time>");
    replace(today_ + "|[0-9]{4}-[0-9]{2}-[0-9]{2}\\b", "<date>");
    replace(std::to_string(both.year() - 1), "2025");
    replace(std::to_string(both.year()), "2026");
    replace(std::to_string(both.year() + 1), "2027");
    replace("(distribute-2026|forget)-[0-9]+", "$1-<n>");
    replace("[0-9]+ record", "<n> record");
    replace("uid [0-9]+", "<user>");
    for (const auto& [user, role] : {std::pair{kOperator, "operator"}, {kApprover, "approver"}})
      replace(fmt::format("{} \\([0-9]+\\)", user), role);
    return text;
  }

  Installation both;
  std::vector<Insz> numbers;
  std::string year = std::to_string(both.year());

 private:
  static const char* role_of(const std::string& user) {
    return user == kOperator   ? "operator"
           : user == kApprover ? "approver"
           : user == kAuditor  ? "auditor"
                               : "desk";
  }
  void keep(const std::string& typed, const std::string& output) {
    std::istringstream lines(typed + output);
    transcript_ += '\n';
    for (std::string line; std::getline(lines, line);)
      transcript_ += (line.empty() ? "" : "    " + line) + '\n';
  }
  PrivateBus bus_{"root"};
  std::vector<std::unique_ptr<Process>> services_;
  std::string transcript_;
  std::string today_ = format_date(date_of(SystemClock().now()));
};

}  // namespace

TEST_CASE("a full year on both sides is what docs/full-year.md shows") {
  FullYear y;
  const Insz moved = y.numbers[3];
  const Insz dead = y.numbers[5];
  const std::string list = y.file(y.both.list_name(), csv_of(y.numbers));
  const auto acknowledged = [&](const std::string& id) {
    wait_until(
        [&] { return has(y.both.veer("aii", "--json show " + id).output, "\"stage\": \"acknowledged\""); });
  };

  y.says("**The list.** An operator at AII offers it, an approver releases it, and AVSB records it.");
  const std::string first = first_word(y.types("aii", kOperator, "send " + list, 20));
  y.types("aii", kApprover, "approve " + first.substr(0, 8) + " --yes");
  acknowledged(first);
  y.types("avsb", kOperator, "status");

  y.says("**A question.** The service desk asks about a person, whose number it gives on standard input.");
  y.types("avsb", kDesk, fmt::format("lookup --on {}-01-01 --purpose \"a call\"", y.year), 0,
          digits_of(moved));

  y.says("**A case.** AVSB finds that a person on the list moved abroad: the data are superfluous.");
  y.types("avsb", kOperator,
          fmt::format("case open {} --category superfluous --text \"moved abroad\"", y.year), 0,
          digits_of(moved));
  wait_until([&] { return has(y.both.veer("aii", "case list").output, y.year + "-1"); });
  y.types("avsb", kOperator, fmt::format("case mail {}-1", y.year));
  y.types("aii", kOperator, fmt::format("case show {}-1", y.year));
  CHECK(has(y.types("aii", kOperator, fmt::format("case persons {}-1", y.year)), digits_of(moved)));

  y.says("**The correction.** AII offers the list anew without that person; recorded, it answers the case.");
  std::vector<Insz> corrected = y.numbers;
  corrected.erase(corrected.begin() + 3);
  y.file(y.both.list_name(), csv_of(corrected));
  const std::string second = first_word(y.types("aii", kOperator, "send --correction " + list, 20));
  CHECK(json_of(y.both, "aii", "approve " + second.substr(0, 8))["answers"].at(0) == y.year + "-1");
  y.types("aii", kApprover, "approve " + second.substr(0, 8) + " --yes");
  acknowledged(second);
  wait_until([&] { return has(y.both.veer("avsb", "case list").output, "corrected in exchange"); });
  y.types("avsb", kOperator, "case list");

  y.says("**A mistake.** What AVSB reported by mistake it closes itself, and AII is told.");
  y.types("avsb", kOperator, fmt::format("case open {} --category wrong", y.year), 0,
          digits_of(corrected[7]));
  wait_until([&] { return has(y.both.veer("aii", "case list").output, y.year + "-2"); });
  y.types("avsb", kOperator, fmt::format("case close {}-2 --reason \"read in the wrong line\"", y.year));
  wait_until([&] { return has(y.both.veer("aii", "case list").output, "closed without an answer"); });
  y.types("aii", kOperator, "case list");

  y.says("**The hand-over.** The premium run at AVSB gets the list: one person asks, another releases.");
  y.types("avsb", kOperator, fmt::format("export {} --purpose \"premium run\"", y.year), 20);
  y.types("avsb", kApprover, fmt::format("approve export-{}-r2 --yes", y.year));
  CHECK(fs::exists(y.both.path("export") / fmt::format("inburgeringsplicht-{}-r2.csv", y.year)));

  y.says(
      "**The care funds.** Each gets its own members, sealed to its key, by the membership register of the "
      "day.");
  std::string register_ = "zorgkas;insz\n";
  for (std::size_t i = 0; i < 600; ++i)
    register_ += fmt::format("fund{};{}\n", i % 2 + 1, digits_of(y.numbers[i]));
  const std::string members = fmt::format("ledenbestand-{}.csv", format_date(date_of(SystemClock().now())));
  y.file(members, register_ + "einde;600\n");
  const std::string distribution =
      first_word(y.types("avsb", kOperator, fmt::format("distribute {} --members {}", y.year, members), 20));
  y.types("avsb", kApprover, "approve " + distribution + " --yes");
  wait_until([&] { return !fs::is_empty(y.both.path("fund1")) && !fs::is_empty(y.both.path("fund2")); });
  const std::string opened = y.types_bare(
      "gpg -d vsb-zorgkas-fund1-*.pgp | tar -xO list.csv | wc -l",
      fmt::format(
          "gpg --homedir {0} --batch --pinentry-mode loopback --passphrase '' -q -d {1}/*.pgp 2>/dev/null | "
          "tar -xO list.csv | wc -l; gpgconf --homedir {0} --kill gpg-agent",
          y.both.path("fund1-keys").native(), y.both.path("fund1").native()));
  CHECK(std::stoi(opened) == 301);  // its members on the list, and the heading

  y.says("**A death.** Two persons each give the number; then it stands nowhere any more.");
  const std::string request =
      first_word(y.types("avsb", kOperator, "forget --notice \"notice 12\"", 20, digits_of(dead)));
  y.types("avsb", kApprover, "approve " + request, 0, digits_of(dead));
  y.types("avsb", kDesk, fmt::format("lookup --on {}-01-01 --purpose \"a call\"", y.year), 0,
          digits_of(dead));

  y.says(
      "**Many deaths.** AII signs and seals a file of numbers, which both persons give in the place of the "
      "number.");
  std::string deaths;
  for (std::size_t i = 10; i < 13; ++i) deaths += digits_of(corrected[i]) + "\n";
  write_file(y.both.path("deaths.txt"), deaths);
  y.types_bare(
      "gpg --homedir …/aii/gnupg --local-user <fingerprint> --recipient <fingerprint> --sign --encrypt < "
      "deaths.txt > deaths.pgp",
      fmt::format(
          "gpg --homedir {} --batch --trust-model always --local-user {} --recipient {} --digest-algo SHA512 "
          "--cipher-algo AES256 --compress-algo none --set-filename '' --sign --encrypt < {} > {} "
          "2>/dev/null",
          (y.both.path("aii") / "gnupg").native(), y.own_key("aii"), y.own_key("avsb"),
          y.both.path("deaths.txt").native(), y.both.path("deaths.pgp").native()),
      "root@aii");
  fs::remove(y.both.path("deaths.txt"));
  const std::string sealed = read_file(y.both.path("deaths.pgp"));
  const std::string many =
      first_word(y.types("avsb", kOperator, "forget --notice \"deaths of March\"", 20, sealed));
  y.types("avsb", kApprover, "approve " + many, 0, sealed);
  CHECK(has(y.types("avsb", kOperator, "status", 3), "register: 995 numbers"));

  y.says("**The evidence.** An auditor of each side writes it; anybody verifies it with bare tools.");
  y.types("aii", kAuditor, fmt::format("evidence {} -o aii-evidence", y.year));
  y.types("avsb", kAuditor, fmt::format("evidence {} -o avsb-evidence", y.year));
  CHECK(has(y.types_bare("aii-evidence/verify.sh avsb-evidence/anchors.txt",
                         "aii-evidence/verify.sh avsb-evidence/anchors.txt"),
            "All of it holds."));

  y.says("**The end.** When the transition is over, an approver of each side closes the path.");
  wait_until([&] { return fs::is_empty(y.both.server().root() / "to_aii"); });
  y.types("aii", kApprover, "close-out --yes");
  CHECK(has(y.types("avsb", kApprover, "close-out --yes", 1), "alerts close"));
  y.says("The care funds and the premium run were told that somebody was forgotten since.");
  for (const auto& alert : json_of(y.both, "avsb", "alerts list"))
    if (alert["code"] == "EXPORT_STALE" || alert["code"] == "DISTRIBUTION_STALE")
      y.types("avsb", kOperator, "alerts close " + alert["number"].dump());
  y.types("avsb", kApprover, "close-out --yes");
  CHECK(has(y.types("aii", kOperator, "rehearse", 13), "C_CLOSED"));
  const std::string late = y.both.path("late-evidence");
  CHECK(y.both.veer("avsb", fmt::format("evidence {} -o {}", y.year, late)).exit_code == 0);
  CHECK(shell(late + "/verify.sh >/dev/null 2>&1").exit_code == 0);

  const std::string transcript = y.transcript();
  for (const Insz& number : y.numbers) REQUIRE_FALSE(has(transcript, digits_of(number)));
  const std::string page =
      "# A full year\n\nWhat people of both sides type in a year in which everything happens, and what they "
      "see. Every list is held for a second person, as production always does. A test types it and holds "
      "this "
      "page against what it saw; identifiers, digests and times are left out.\n" +
      transcript;
  const fs::path written = fs::path(VEER_PROGRAM).parent_path().parent_path() / "full-year.md";
  write_file(written, page);
  INFO("when this is right, copy " << written << " to docs/full-year.md");
  CHECK(page == read_file(fs::path(VEER_SOURCE_DIR) / "docs/full-year.md"));
}
