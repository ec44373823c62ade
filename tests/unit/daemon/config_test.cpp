#include "daemon/config.h"

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "daemon/config_values.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

const std::string kGood = R"(party = "aii"
role = "sender"
environment = "test"

[paths]
drop = "/srv/drop"
state = "/var/lib/veerdienst/aii"

[openpgp]
home = "/var/lib/veerdienst/aii/gnupg"
own = [{ key = "A11A11A11A11A11A11A11A11A11A11A11A11A11A", from = 2026-01-01, until = 2026-12-31 }]

[counterparty]
party = "avsb"
keys = [{ key = "B22B22B22B22B22B22B22B22B22B22B22B22B22B" }]

[share]
kind = "sftp"

[share.sftp]
host = "sftp.example.org"
user = "aii"
key = "credential:sftp-key"
host_key = ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
)";

/// kGood with one text replaced by another.
std::string with(const std::string& old, const std::string& changed) {
  std::string text = kGood;
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), changed);
}

/// kGood with another share.
std::string with_share(const std::string& share) { return kGood.substr(0, kGood.find("[share]")) + share; }

const std::string kFtps = R"([share]
kind = "ftps"
outgoing = "to_vip"
incoming = "from_vip"

[share.ftps]
host = "ftps.example.org"
user = "aii"
certificate = "/etc/veerdienst/aii.pem"
key = "credential:ftps-key"
ca = "/etc/veerdienst/ftps-ca.pem"
)";

const std::string kSharePoint = R"([share]
kind = "sharepoint"

[share.sharepoint]
tenant = "7d9b4a10-0000-4000-8000-0123456789ab"
client_id = "0a1b2c3d-1111-4222-8333-444455556666"
site = "https://contoso.sharepoint.com/sites/exchange"
library = "Documents"
)";
const std::string kSharePointKey =
    "certificate = \"/etc/veerdienst/sharepoint.pem\"\nkey = \"credential:sp-key\"\n";

/// What is said about a configuration; empty when it is good.
std::string told(const std::string& text) {
  const auto error = thrown([&] { parse_config(text, "aii.toml"); });
  return error ? std::string(code_name(error->code())) + " " + error->message() : "";
}

bool says(const std::string& text, const std::string& part) {
  const std::string all = told(text);
  CAPTURE(all);
  return all.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a whole configuration is read, with its defaults") {
  const Config config = parse_config(kGood, "aii.toml");
  CHECK(config.party == "aii");
  CHECK(config.role == Role::sender);
  CHECK(config.language == Language::nl);
  CHECK(config.window.last_reference_year == 2026);
  CHECK(config.share.poll == std::chrono::minutes(5));
  CHECK(config.database_url == "sqlite:/var/lib/veerdienst/aii/ledger.db");
  REQUIRE(config.own_keys.size() == 1);
  CHECK(format_time(*config.own_keys[0].from) == "2026-01-01T00:00:00.000Z");
  CHECK(format_time(*config.own_keys[0].until) == "2026-12-31T23:59:59.999Z");
  const auto& sftp = std::get<SftpShareConfig>(config.share.kind);
  CHECK(sftp.outgoing == "to_avsb");
  CHECK(sftp.incoming == "to_aii");
  CHECK(sftp.port == 22);
}

TEST_CASE("which lists wait for a second person is told in words and percents; production knows but one") {
  const auto read = [](const std::string& intake) {
    return parse_config(with("[openpgp]", "[intake]\n" + intake + "\n[openpgp]"), "aii.toml").intake;
  };
  CHECK(read("").release == Release::never);
  CHECK(read("release = \"always\"").release == Release::always);
  const IntakeConfig unusual = read("release = \"unusual\"\nunusual_change = \"5%\"");
  CHECK(unusual.release == Release::unusual);
  CHECK(unusual.unusual_percent == 5);
  const auto with_intake = [](const std::string& intake) {
    return with("[openpgp]", "[intake]\n" + intake + "\n[openpgp]");
  };
  CHECK(says(with_intake("release = \"seldom\""),
             "intake.release must be \"always\" or \"unusual\" or \"never\""));
  for (const char* percent : {"30", "0%", "101%", "%", "3.5%", "-3%"})
    CHECK(says(with_intake(std::string("unusual_change = \"") + percent + "\""),
               "intake.unusual_change must be"));
  std::string production = with_intake("release = \"unusual\"");
  production.replace(production.find("\"test\""), 6, "\"production\"");
  CHECK(says(production, "intake.release must be \"always\" in production"));
}

TEST_CASE("a metrics file is one that a collector reads, and lies in no folder of ours or of people's") {
  const auto with_file = [](const std::string& file) {
    return kGood + "[metrics]\nfile = \"" + file + "\"\n";
  };
  CHECK(parse_config(kGood, "aii.toml").metrics_file.empty());
  CHECK(parse_config(with_file("/var/lib/collected/aii.prom"), "aii.toml").metrics_file ==
        "/var/lib/collected/aii.prom");
  CHECK(says(with_file("aii.prom"), "metrics.file must be a whole path"));
  CHECK(says(with_file("/var/lib/collected/aii.txt"), "metrics.file must end in .prom"));
  for (const char* file : {"/var/lib/veerdienst/aii/aii.prom", "/srv/drop/aii.prom"})
    CHECK(says(with_file(file), "metrics.file lies in /"));
  CHECK(says(kGood + "[metrics]\nport = 9100\n", "metrics.port is not a known key"));
}

TEST_CASE("an FTPS share is read, with the port that its kind of TLS has as a rule") {
  const auto read = [](const std::string& more) {
    return std::get<FtpsShareConfig>(parse_config(with_share(kFtps + more), "aii.toml").share.kind);
  };
  const FtpsShareConfig plain = read("");
  CHECK(plain.host == "ftps.example.org");
  CHECK(plain.tls == FtpsTls::explicitly);
  CHECK(plain.port == 21);
  CHECK(plain.outgoing == "to_vip");
  CHECK(plain.incoming == "from_vip");
  CHECK(plain.password.empty());
  CHECK(plain.key == "credential:ftps-key");
  CHECK(plain.timeout == std::chrono::seconds(30));
  CHECK(read("tls = \"implicit\"\n").port == 990);
  const FtpsShareConfig whole = read(
      "tls = \"implicit\"\nport = 2990\npassword = \"file:/etc/pw\"\nkey_passphrase = \"credential:pp\"\n"
      "timeout = \"5s\"\n");
  CHECK(whole.port == 2990);
  CHECK(whole.tls == FtpsTls::implicitly);
  CHECK(whole.password == "file:/etc/pw");
  CHECK(whole.key_passphrase == "credential:pp");
  CHECK(whole.timeout == std::chrono::seconds(5));
}

TEST_CASE("every problem of an FTPS share is told at once, with its line and the remedy") {
  const std::string all = told(with_share(
      "[share]\nkind = \"ftps\"\noutgoing = \"to_vip/\"\nincoming = \"a\\r\\nDELE b\"\n[share.ftps]\n"
      "host = \"ftp://example.org\"\ntls = \"none\"\nport = 0\npassword = \"hunter2\"\nkey = \"hunter3\"\n"
      "certificate = \"aii.pem\"\ncolour = \"red\"\n"));
  CAPTURE(all);
  for (const char* part :
       {"C_CONFIG", "share.outgoing must be a folder on the server",
        "share.incoming must be a folder on the server", "share.ftps.host must be a host name",
        "share.ftps.tls must be \"explicit\" or \"implicit\"", "share.ftps.port must be 1 to 65535",
        "share.ftps.user is missing", "share.ftps.password must say where", "share.ftps.key must say where",
        "share.ftps.certificate must be a whole path", "share.ftps.ca is missing",
        "share.ftps.colour is not a known key"})
    CHECK(all.find(part) != std::string::npos);
  CHECK(all.find("aii.toml:22: share.ftps.host") != std::string::npos);
  CHECK(all.find("hunter") == std::string::npos);
}

TEST_CASE(
    "a SharePoint share signs in with a certificate or with a secret, at Microsoft's unless told otherwise") {
  const auto read = [](const std::string& more) {
    return std::get<SharePointShareConfig>(
        parse_config(with_share(kSharePoint + more), "aii.toml").share.kind);
  };
  const SharePointShareConfig plain = read(kSharePointKey);
  CHECK(plain.site == "https://contoso.sharepoint.com/sites/exchange");
  CHECK(plain.library == "Documents");
  CHECK(plain.certificate == "/etc/veerdienst/sharepoint.pem");
  CHECK(plain.key == "credential:sp-key");
  CHECK(plain.secret.empty());
  CHECK(plain.login == "https://login.microsoftonline.com");
  CHECK(plain.graph == "https://graph.microsoft.com");
  CHECK(plain.outgoing == "to_avsb");
  CHECK(plain.incoming == "to_aii");
  CHECK(plain.timeout == std::chrono::seconds(60));
  const SharePointShareConfig whole = read(
      "secret = \"file:/etc/secret\"\nsecret_ends = 2028-11-30\nlogin = "
      "\"https://login.microsoftonline.us\"\n"
      "graph = \"https://graph.microsoft.us\"\nscope = \"https://graph.microsoft.us/.default\"\n"
      "transfer_hosts = [\".example.org\", \"localhost:8443\"]\nca = \"/etc/ca.pem\"\ntimeout = \"5s\"\n");
  CHECK(whole.secret == "file:/etc/secret");
  CHECK(whole.secret_ends == std::chrono::November / 30 / 2028);
  CHECK(whole.certificate.empty());
  CHECK(whole.graph == "https://graph.microsoft.us");
  CHECK(whole.transfer_hosts == std::vector<std::string>{".example.org", "localhost:8443"});
  CHECK(whole.ca == "/etc/ca.pem");
}

TEST_CASE(
    "the two directions over SharePoint may have a library or a site each, and folders of one name there") {
  const std::string folders = "outgoing = \"lists\"\nincoming = \"lists\"\n";
  const auto with = [&](const std::string& more) {
    std::string text = kSharePoint + kSharePointKey + more;
    text.insert(text.find("\n[share.sharepoint]"), folders);
    return with_share(text);
  };
  const auto apart = std::get<SharePointShareConfig>(
      parse_config(with("incoming_site = \"https://contoso.sharepoint.com/sites/back\"\nincoming_library = "
                        "\"Back\"\n"),
                   "aii.toml")
          .share.kind);
  CHECK(apart.incoming_site == "https://contoso.sharepoint.com/sites/back");
  CHECK(apart.incoming_library == "Back");
  CHECK(apart.outgoing == apart.incoming);
  CHECK(told(with("incoming_library = \"Back\"\n")).empty());
  CHECK(says(with(""), "share.incoming is the outgoing folder"));
  CHECK(says(with("incoming_library = \"Documents\"\n"), "share.incoming is the outgoing folder"));
  CHECK(says(with("incoming_site = \"https://fabrikam.sharepoint.com/sites/back\"\n"),
             "share.sharepoint.incoming_site must be a site of the same tenant"));
  CHECK(says(with("incoming_site = \"http://x\"\n"), "share.sharepoint.incoming_site must be the address"));
  CHECK(says(with("incoming_library = \"a/b\"\n"), "share.sharepoint.incoming_library must be a library's"));
}

TEST_CASE("every problem of a SharePoint share is told at once, with the remedy") {
  const std::string all = told(with_share(
      "[share]\nkind = \"sharepoint\"\n[share.sharepoint]\ntenant = \"a/b\"\n"
      "site = \"http://contoso.sharepoint.com/sites/x\"\nlibrary = \"a/b\"\nkey = \"hunter2\"\n"
      "secret = \"hunter3\"\nlogin = \"login.example.org\"\ngraph = \"https://graph.example.org/v1.0\"\n"
      "transfer_hosts = [\"https://x\"]\nca = \"ca.pem\"\ntimeout = \"1\"\ncolour = \"red\"\n"));
  CAPTURE(all);
  for (const char* part :
       {"share.sharepoint.tenant must be an id", "share.sharepoint.client_id is missing",
        "share.sharepoint.site must be the address of the site alone", "share.sharepoint.library must be",
        "share.sharepoint.key must say where", "share.sharepoint.secret must say where",
        "share.sharepoint.secret and a certificate are both given",
        "share.sharepoint.secret_ends must be given with a secret",
        "share.sharepoint.login must be a server's", "share.sharepoint.graph must be a server's",
        "share.sharepoint.transfer_hosts must hold hosts", "share.sharepoint.ca must be a whole path",
        "share.sharepoint.timeout must be", "share.sharepoint.colour is not a known key"})
    CHECK(all.find(part) != std::string::npos);
  CHECK(all.find("hunter") == std::string::npos);
  CHECK(says(with_share(kSharePoint), "share.sharepoint.key is missing"));
  CHECK(says(with_share(kSharePoint), "share.sharepoint.certificate is missing"));
}

TEST_CASE("a proxy serves SharePoint alone, is refused for what would go without it, and wants no sign-in") {
  CHECK(parse_config(kGood, "aii.toml").proxy.empty());
  const auto with_proxy = [](const std::string& address) {
    return with_share(kSharePoint + kSharePointKey) + "[proxy]\nhttps = \"" + address + "\"\n";
  };
  const std::string ignored = told(kGood + "[proxy]\nhttps = \"http://proxy.example.org:8080\"\n");
  CHECK(ignored.find("goes to its server without a proxy. Take [proxy] out") != std::string::npos);
  CHECK(parse_config(with_proxy("http://proxy.example.org:8080"), "aii.toml").proxy ==
        "http://proxy.example.org:8080");
  const std::string refused = told(with_proxy("http://user:hunter2@proxy.example.org:8080"));
  CHECK(refused.find("does not sign in to a proxy") != std::string::npos);
  CHECK(refused.find("hunter2") == std::string::npos);
  for (const char* wrong :
       {"proxy.example.org:8080", "https://proxy.example.org:8080", "http://proxy.example.org",
        "http://proxy.example.org:8080/", "http://proxy.example.org:8080/x", ""}) {
    CAPTURE(wrong);
    CHECK(says(with_proxy(wrong), "proxy.https must be a proxy's address"));
  }
}

TEST_CASE("every problem is told at once, with its line and the remedy") {
  const std::string all =
      told("party = \"A!\"\nrole = 5\nenvironment = \"life\"\ncolour = \"red\"\n[paths]\nstate = \"x\"\n");
  CAPTURE(all);
  for (const char* part :
       {"C_CONFIG", "aii.toml:1: party must be", "aii.toml:2: role must be a text",
        "aii.toml:3: environment must be", "aii.toml:4: colour is not a known key",
        "aii.toml:6: paths.state must be a whole path", "openpgp.home is missing",
        "openpgp.own must name at least one key", "counterparty.party is missing", "share.kind is missing"})
    CHECK(all.find(part) != std::string::npos);
}

TEST_CASE("a text that is not TOML is told with its line") {
  CHECK(says("party = \n", "aii.toml:1: not TOML"));
}

TEST_CASE("each rule has its own words") {
  CHECK(says(with("\"aii\"\nrole", "\"aii\"\nrol"), "rol is not a known key; is it role?"));
  CHECK(says(with("\"sender\"", "\"receiver\""), "paths.drop is for the sending side only"));
  CHECK(says(with("drop = \"/srv/drop\"\n", ""), "paths.drop is missing"));
  CHECK(says(with("/var/lib/veerdienst/aii/gnupg", "/" + std::string(90, 'x')),
             "longer than the 86 characters"));
  CHECK(says(with("A11A11", "a11a11"), "40 hex digits, capitals"));
  CHECK(says(with("until = 2026-12-31", "until = 2025-12-31"), "lies before from"));
  CHECK(says(with("until = 2026-12-31", "until = \"soon\""), "must be a date like"));
  CHECK(says(with("B22B22B22B22B22B22B22B22B22B22B22B22B22B", "A11A11A11A11A11A11A11A11A11A11A11A11A11A"),
             "a key of our own"));
  CHECK(says(with("party = \"avsb\"", "party = \"aii\""), "this side's own name"));
  CHECK(says(with("kind = \"sftp\"", "kind = \"pigeon\""),
             "must be \"folder\", \"sftp\", \"ftps\" or \"sharepoint\""));
  CHECK(says(with("kind = \"sftp\"", "kind = \"sftp\"\nincoming = \"to_avsb\""),
             "the two directions need a folder each"));
  CHECK(says(with("kind = \"sftp\"", "kind = \"sftp\"\npoll = \"often\""), "share.poll must be a time like"));
  CHECK(says(with("credential:sftp-key", "hunter2"), "never the secret itself"));
  CHECK(says(with("user = \"aii\"", "user = \"aii\"\nport = 70000"), "must be 1 to 65535"));
  CHECK(says(with("SHA256:AAAA", "MD5:AAAA"), "as ssh-keygen -lf prints them"));
  CHECK(says(with("host_key = [", "known_hosts = \"/etc/hosts\"\nhost_key = ["), "one of them"));
  CHECK(says(kGood + "[database]\nurl = \"postgresql://x\"\n", "must be \"sqlite:"));
  CHECK(says(kGood + "[window]\nlast_reference_year = 2030\n", "at most four years after the first"));
  for (const char* year : {"2021", "-1", "10000", "99999", "4294969318"})  // the last is 2022 in 32 bits
    for (const char* key : {"first_reference_year", "last_reference_year"})
      CHECK(says(kGood + "[window]\n" + key + " = " + year + "\n",
                 std::string("window.") + key + " must be 2022 or later, in four digits"));
  CHECK(says(kGood + "[intake]\nname = \"(\"\n", "not a regular expression"));
  CHECK(says(kGood + "[intake]\nname = \"list.csv\"\n", "needs a group for the reference year"));
}

namespace {

const std::string kLegalBasis =
    "[legal_basis]\nprovision = \"a provision\"\ndocument = \"/etc/veerdienst/basis.pdf\"\n"
    "document_sha256 = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n"
    "confirmed_by = \"legal service\"\nconfirmed_on = 2026-01-15\nvalid_until = 2026-12-31\n";

}  // namespace

TEST_CASE("Q13: production demands a legal basis on record, an agreed day and a way to reach people") {
  const std::string production = with("\"test\"", "\"production\"");
  CHECK(says(production, "which demands [legal_basis]"));
  CHECK(says(production, "window.list_due must be given in production"));
  CHECK(says(production, "a way to reach people in [alerts]"));
  const std::string rest = "[window]\nlist_due = \"03-01\"\n[alerts]\nhook = \"/usr/local/bin/tell\"\n";
  const Config config = parse_config(production + kLegalBasis + rest, "aii.toml");
  REQUIRE(config.legal_basis);
  CHECK(config.legal_basis->provision == "a provision");
  CHECK(config.legal_basis->confirmed_by == "legal service");
  CHECK(format_date(config.legal_basis->valid_until) == "2026-12-31");
  CHECK_FALSE(config.legal_basis->notice_given);
  CHECK(config.intake.release == Release::always);
  CHECK(says(production + kLegalBasis + rest + "[intake]\nrelease = \"never\"\n",
             "must be \"always\" in production"));
}

TEST_CASE("what is wrong with the record of the legal basis is told, in test too") {
  const auto but = [](const std::string& line, const std::string& instead) {
    std::string text = kLegalBasis;
    const std::size_t at = text.find(line);
    REQUIRE(at != std::string::npos);
    return kGood + text.replace(at, line.size(), instead);
  };
  CHECK(parse_config(kGood + kLegalBasis, "aii.toml").legal_basis.has_value());
  CHECK(says(but("provision = \"a provision\"\n", ""), "legal_basis.provision"));
  CHECK(says(but("\"/etc/", "\"etc/"), "legal_basis.document"));
  CHECK(says(but("0123456789abcdef0123", "0123456789ABCDEF0123"), "64 small hex digits"));
  CHECK(says(but("confirmed_on = 2026-01-15\n", ""), "legal_basis.confirmed_on must be given"));
  CHECK(says(but("valid_until = 2026-12-31", "valid_until = 2025-12-31"), "lies before confirmed_on"));
  CHECK(says(but("\"legal service\"", "\"85.07.30-033.61\""), "without a national number"));
  CHECK(says(kGood + kLegalBasis + "surprise = 1\n", "legal_basis.surprise"));
  CHECK(format_date(*parse_config(kGood + kLegalBasis + "notice_given = 2026-02-01\n", "aii.toml")
                         .legal_basis->notice_given) == "2026-02-01");
  CHECK(says(kGood + "[review]\nsecurity_plan = \"tomorrow\"\n",
             "review.security_plan must be a month and a day"));
}

TEST_CASE("durations have a unit, and nothing else") {
  using namespace std::chrono_literals;
  CHECK(parse_duration("90d") == 90 * 24h);
  CHECK(parse_duration("24h") == 24h);
  CHECK(parse_duration("5m") == 5min);
  CHECK(parse_duration("2s") == 2s);
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("0s") == 0s);
  for (const char* text : {"", "5", "m", "-5m", "5 m", "5M", "1h30m", "9999999999d"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("the examples in the documentation are good once their blanks are filled in") {
  for (const char* name :
       {"aii.toml", "avsb.toml", "aii-magda.toml", "aii-sharepoint.toml", "avsb-folder.toml"}) {
    CAPTURE(name);
    CHECK(told(read_file(fs::path(VEER_SOURCE_DIR) / "docs/examples" / name)).empty());
  }
}

TEST_CASE(
    "a path that no database could be opened under is refused, one with blanks and apostrophes is not") {
  const std::string state = "state = \"/var/lib/veerdienst/aii\"";
  CHECK(says(with(state, "state = '/srv/a\"b'"), "paths.state must not hold a quotation mark"));
  CHECK(says(with(state, "state = \"/srv/a\\nb\""), "paths.state must not hold a quotation mark"));
  CHECK(
      says(kGood + "[database]\nurl = 'sqlite:/srv/a\"b'\n", "database.url must not hold a quotation mark"));
  CHECK(told(with(state, "state = \"/srv/it's a b=c\"")).empty());
}

TEST_CASE("the drop folder lies apart from the service's folders and from a share's") {
  for (const char* drop : {"/var/lib/veerdienst/aii", "/var/lib/veerdienst/aii/drop", "/var/lib/veerdienst",
                           "/", "/var/lib/veerdienst/aii/gnupg/", "/srv/../var/lib/veerdienst/aii"})
    CHECK(says(with("drop = \"/srv/drop\"", std::string("drop = \"") + drop + "\""),
               "paths.drop and the state folder lie in one another"));
  CHECK(told(with("drop = \"/srv/drop\"", "drop = \"/var/lib/veerdienst/aii2\"")).empty());
  std::string folders =
      with("kind = \"sftp\"", "kind = \"folder\"\noutgoing = \"/srv/drop\"\nincoming = \"/x\"");
  folders.erase(folders.find("[share.sftp]"));
  CHECK(says(folders, "paths.drop and the share's outgoing folder"));
}

TEST_CASE("the two directions of a share have a folder each, however their names are written") {
  const auto directions = [](const std::string& kind, const std::string& outgoing,
                             const std::string& incoming) {
    std::string text = with("kind = \"sftp\"", "kind = \"" + kind + "\"\noutgoing = \"" + outgoing +
                                                   "\"\nincoming = \"" + incoming + "\"");
    if (kind == "folder") text.erase(text.find("[share.sftp]"));
    return text;
  };
  for (const char* incoming :
       {"/mnt/out", "/mnt/out/", "/mnt/in/../out", "/mnt//out/.", "/mnt/out/in", "/mnt"})
    CHECK(says(directions("folder", "/mnt/out", incoming), "the two directions need a folder each"));
  CHECK(says(directions("folder", "/mnt/in/../out", "/mnt/out/"), "the two directions need a folder each"));
  CHECK(told(directions("folder", "/mnt/out", "/mnt/out2")).empty());
  for (const char* incoming : {"out", "./out", "in/../out"})
    CHECK(says(directions("sftp", "out", incoming), "the two directions need a folder each"));
  CHECK(told(directions("sftp", "in/out", "in")).empty());  // how a server lies is not ours to say
}

TEST_CASE("a party is not called like a person's number, and text that is no TOML is one problem") {
  CHECK(says(with("party = \"aii\"", "party = \"85070999751\""), "party must be 1 to 16"));
  const std::string all = told("party = \"aii\"\nrole = sender\n");
  CHECK(all.starts_with("C_CONFIG aii.toml:2: not TOML"));
  CHECK(all.find('\n') == std::string::npos);
}

TEST_CASE("groups of the machine have rights, by default the package's") {
  const Config plain = parse_config(kGood, "aii.toml");
  CHECK(plain.access.operators == std::vector<std::string>{"veer-operators"});
  CHECK(plain.access.approvers == std::vector<std::string>{"veer-approvers"});
  const Config own =
      parse_config(kGood + "[access]\noperators = [\"burgering\", \"ict\"]\nauditors = []\n", "aii.toml");
  CHECK(own.access.operators == std::vector<std::string>{"burgering", "ict"});
  CHECK(own.access.auditors.empty());
}

TEST_CASE("the ways by which people are told are read, with their defaults") {
  const Config plain = parse_config(kGood, "aii.toml");
  CHECK(plain.alerts.rules().channels.empty());
  const Config whole = parse_config(kGood + R"([alerts]
repeat = "12h"
hook = "/usr/local/bin/page"
[alerts.mail]
server = "mail.example.org"
user = "aii"
password = "credential:mail-password"
from = "veerdienst@aii.example.org"
to = ["operator@aii.example.org", "approver@aii.example.org"]
escalate_to = ["head@aii.example.org"]
[alerts.webhook]
url = "credential:teams-url"
format = "teams"
)",
                                    "aii.toml");
  const TellingRules rules = whole.alerts.rules();
  CHECK(rules.channels == std::vector<std::string>{"mail", "webhook", "hook"});
  CHECK(rules.repeat == std::chrono::hours(12));
  CHECK(rules.escalate_after == std::chrono::hours(48));
  CHECK(rules.escalates);
  CHECK(whole.alerts.mail->port == 587);
  CHECK(whole.alerts.mail->security == MailSecurity::starttls);
  CHECK(whole.alerts.webhook->body == WebhookBody::teams);
}

TEST_CASE("every problem of the ways by which people are told is told at once, with the remedy") {
  const auto error = thrown([] {
    parse_config(kGood + R"([alerts]
repeat = "1s"
hook = "page"
[alerts.mail]
server = "smtp://mail.example.org"
security = "none"
user = "aii"
from = "Veerdienst"
to = ["operator@aii.example.org\r\nBcc: all@example.org"]
[alerts.webhook]
url = "http://hooks.example.org/x"
secret = "geheim"
format = "slack"
)",
                 "aii.toml");
  });
  REQUIRE(error);
  for (const char* part :
       {"repeat must be a time", "hook must be a whole path", "server must be a host name",
        "is for a relay on this machine alone", "belong together", "from must be a mail address",
        "to must hold mail addresses", "url must begin with https://", "secret must say where the secret is",
        "format must be"}) {
    CAPTURE(part, error->message());
    CHECK(error->message().find(part) != std::string::npos);
  }
  CHECK(error->message().find("geheim") == std::string::npos);
}

TEST_CASE("the last day of the yearly list is a month and a day of every year") {
  using namespace std::chrono;
  CHECK(parse_config(kGood + "[window]\nlist_due = \"03-01\"\n", "aii.toml").window.list_due == March / 1);
  for (const char* bad : {"02-29", "13-01", "3-1", "2026-03-01", "march"})
    CHECK(thrown([&] { parse_config(kGood + "[window]\nlist_due = \"" + bad + "\"\n", "aii.toml"); })
              ->message()
              .find("agreed between the agencies") != std::string::npos);
}

namespace {

/// kGood as a receiver's, with what follows.
std::string receiver_with(const std::string& more) {
  std::string text = with("role = \"sender\"", "role = \"receiver\"");
  const std::string drop = "drop = \"/srv/drop\"\n";
  return text.erase(text.find(drop), drop.size()) + more;
}

std::string fund(const std::string& name, char key, const std::string& more = "") {
  return "  { name = \"" + name + "\", key = \"" + std::string(40, key) + "\", folder = \"/srv/" + name +
         "\"" + more + " },\n";
}

}  // namespace

TEST_CASE("Q20: six care funds and no seventh, each with a key of its own") {
  std::string funds;
  for (char digit = '1'; digit <= '6'; ++digit) funds += fund(std::string("fund") + digit, digit);
  const std::string table = "[distribution]\nmembers_at_least = 1000\ncare_funds = [\n";
  const Config config = parse_config(receiver_with(table + funds + "]\n"), "avsb.toml");
  REQUIRE(config.distribution.recipients.size() == 6);
  CHECK(config.distribution.find("fund3")->keys.front().fingerprint == std::string(40, '3'));
  CHECK(std::get<FolderShareConfig>(config.distribution.find("fund3")->share.kind).outgoing == "/srv/fund3");
  CHECK(config.distribution.members_no_older == std::chrono::days(35));
  CHECK(also_pinned(config).size() == 6);

  CHECK(says(receiver_with(table + funds + fund("fund7", '7') + "]\n"), "seventh care fund"));
  CHECK(
      says(receiver_with(table + fund("alfa", '1') + fund("beta", '1') + "]\n"), "a key each of their own"));
  CHECK(says(receiver_with(table + fund("alfa", '1') + fund("alfa", '2') + "]\n"), "a name and a key each"));
  CHECK(says(receiver_with(table + fund("Fund One", '1') + "]\n"), "small letters or digits"));
  CHECK(says(receiver_with("[distribution]\ncare_funds = [\n" + fund("alfa", '1') + "]\n"),
             "members_at_least"));
  CHECK(says(receiver_with(table + "  { name = \"alfa\", key = \"x\" },\n]\n"), "or share must be given"));
  CHECK(says(receiver_with(
                 table + "  { name = \"alfa\", key = \"B22B22B22B22B22B22B22B22B22B22B22B22B22B\", folder = "
                         "\"/srv/alfa\" },\n]\n"),
             "a key of one of the agencies"));
  CHECK(says(kGood + "[distribution]\nmembers_at_least = 1\n", "for the receiving side only"));
}

TEST_CASE("Q24: whoever is no care fund stands in the configuration with the notification to AII") {
  const std::string table = "[distribution]\nmembers_at_least = 1000\nother_recipients = [\n";
  const Config config = parse_config(
      receiver_with(table + fund("other", '8', ", notification = \"letter 12\", notified_on = 2026-02-01") +
                    "]\n"),
      "avsb.toml");
  REQUIRE(config.distribution.recipients.size() == 1);
  CHECK(format_date(config.distribution.recipients.front().notified_on.value()) == "2026-02-01");
  CHECK(says(receiver_with(table + fund("other", '8') + "]\n"), "notified_on"));
}
