// FTPS against Debian's real servers: every way to fail its own clear error.

#include "connectors/ftps_share.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "connectors/probe.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "support/child.h"
#include "support/ftps_server.h"
#include "support/text.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

const std::string kBytes(30'000'000, 'x');

/// The error that a listing ends in, as "CODE message"; empty when it does not.
std::string told(FtpsOptions options) {
  const auto error = thrown([&] { FtpsShare(std::move(options)).list(Folder::incoming, {}); });
  return error ? std::string(code_name(error->code())) + " " + error->message() : "";
}

const ProbeResult& result_of(const std::vector<ProbeResult>& results, const std::string& what) {
  const auto found =
      std::find_if(results.begin(), results.end(), [&](const auto& r) { return r.what == what; });
  if (found == results.end()) throw std::runtime_error("nothing was told of " + what);
  return *found;
}

/// Whether somebody told the server who he is.
bool was_named(const FtpsServer& server) {
  const std::string commands = server.commands();
  return has(commands, "USER 331") || has(commands, "\"USER ");
}

void fill(const fs::path& file, std::string_view bytes) { std::ofstream(file, std::ios::binary) << bytes; }

void fetch(FtpsShare& share, const ShareEntry& entry, std::uint64_t offset, Sink& into,
           std::function<void(std::uint64_t)> progress = {}) {
  share.fetch(Folder::incoming, entry, offset, into, {.stop = {}, .progress = std::move(progress)});
}

bool is_written(const char* file, std::string_view text) {
  const Fd fd(open(file, O_WRONLY | O_CLOEXEC));
  return write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

TEST_CASE("a server that the pinned authority did not vouch for is refused before anybody signs in") {
  const FtpsServer server;
  const FtpsServer other;
  FtpsOptions options = server.share();
  options.ca = other.share().ca;
  const std::string text = told(std::move(options));
  CHECK(has(text, "S_HOST_KEY"));
  CHECK(has(text, "the pinned authority did not issue"));
  CHECK_FALSE(was_named(server));
}

TEST_CASE("a certificate for another host name is refused, and so is one that has expired") {
  {
    const FtpsServer server({.hosts = {"DNS:elsewhere.example.org"}});
    CHECK(has(told(server.share()), "S_HOST_KEY"));
    CHECK(has(told(server.share()), "for another host name"));
  }
  const FtpsServer server({.until = std::chrono::hours(-2)});
  CHECK(has(told(server.share()), "S_EXPIRED"));
  CHECK(has(told(server.share()), "has expired"));
  CHECK_FALSE(was_named(server));
}

TEST_CASE("a second pinned authority serves while the server changes its own") {
  const FtpsServer server;
  const FtpsServer next;
  FtpsOptions options = server.share();
  options.ca = next.share().ca + options.ca;
  CHECK(told(std::move(options)).empty());
}

TEST_CASE("a server that does not accept our client certificate is a matter of rights") {
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  CAPTURE(static_cast<int>(kind));
  const FtpsServer server({.kind = kind});
  FtpsOptions options = server.share();
  SECTION("there is none") {
    options.certificate.clear();
    const std::string text = told(std::move(options));
    CHECK(has(text, "S_RIGHTS"));
    CHECK(has(text, "none is configured"));
  }
  SECTION("another authority issued it") {
    const Certificate stranger = Authority("Stranger").issue({.name = "aii"});
    options.certificate = stranger.certificate;
    options.key = Secret(std::string(stranger.key));
    const std::string text = told(std::move(options));
    CHECK(has(text, "S_RIGHTS"));
    CHECK(has(text, "does not accept our client certificate"));
  }
}

TEST_CASE("under TLS 1.2 a missing client certificate is told apart from a missing cipher") {
  const FtpsServer server({.lines = {"TLSProtocol TLSv1.2"}});
  CHECK(told(server.share()).empty());
  FtpsOptions options = server.share();
  options.certificate.clear();
  CHECK(has(told(std::move(options)), "S_RIGHTS"));
  const FtpsServer old({.lines = {"TLSProtocol TLSv1.2", "TLSCipherSuite ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"}});
  CHECK(has(told(old.share()), "S_ALGORITHM"));
}

TEST_CASE("TLS 1.2 and 1.3 work, and nothing before them") {
  CHECK(told(FtpsServer({.lines = {"TLSProtocol TLSv1.2"}}).share()).empty());
  CHECK(told(FtpsServer({.lines = {"TLSProtocol TLSv1.3"}}).share()).empty());
  const std::string text =
      told(FtpsServer({.lines = {"TLSProtocol TLSv1.1", "TLSCipherSuite ALL:@SECLEVEL=0"}}).share());
  CHECK(has(text, "S_ALGORITHM"));
  CHECK(has(text, "no TLS version or cipher in common"));
}

TEST_CASE("our own certificate that expired is told with its age, and the server is not asked") {
  const FtpsServer server;
  FtpsOptions options = server.share();
  const Certificate old = server.clients().issue(
      {.from = std::chrono::hours(-24 * 400), .until = std::chrono::hours(-24 * 10 - 1)});
  options.certificate = old.certificate;
  options.key = Secret(std::string(old.key));
  FtpsShare share(std::move(options));
  const auto error = thrown([&] { share.list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::c_credential);
  CHECK(has(error->message(), "expired 10 day(s) ago"));
  const auto results = share.probe();
  REQUIRE(results.size() == 1);
  CHECK(results[0].what == "client certificate");
  CHECK_FALSE(results[0].good);
  CHECK(server.sign_ins() == 0);
}

TEST_CASE("a certificate that ends soon is good still, and asks for its successor") {
  const FtpsServer server;
  FtpsOptions options = server.share();
  const Certificate ending = server.clients().issue({.until = std::chrono::hours(24 * 20 + 1)});
  options.certificate = ending.certificate;
  options.key = Secret(encrypted_key(ending.key, "sesame"));
  options.key_passphrase = Secret("sesame");
  const auto results = FtpsShare(std::move(options)).probe();
  const ProbeResult& own = result_of(results, "client certificate");
  CHECK(own.good);
  CHECK(own.attention);
  CHECK(has(own.detail, "20 day(s) left"));
  CHECK(results.back().good);
  CHECK_FALSE(result_of(FtpsShare(server.share()).probe(), "client certificate").attention);
}

TEST_CASE("a key, certificate or authority that cannot be used is the credential's fault at once") {
  const FtpsServer server;
  FtpsOptions options = server.share();
  SECTION("no key") { options.key = Secret("nonsense"); }
  SECTION("no certificate") { options.certificate = "nonsense"; }
  SECTION("no authority") { options.ca = "nonsense"; }
  SECTION("a password of two lines") { options.password = Secret("sesame\r\nDELE x"); }
  SECTION("another's key") { options.key = Secret(server.clients().issue({}).key); }
  CHECK(code_of([&] { FtpsShare(std::move(options)); }) == Code::c_credential);
}

TEST_CASE("a server without TLS, or on the wrong port for its kind of TLS, gets neither name nor password") {
  SECTION("in clear alone") {
    const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
    const FtpsServer server({.kind = kind, .with_tls = false});
    const std::string text = told(server.share());
    CHECK(has(text, "S_ALGORITHM"));
    CHECK(has(text, "offers no TLS"));
    CHECK_FALSE(was_named(server));
  }
  SECTION("explicit where we begin at once") {
    const FtpsServer server;
    FtpsOptions options = server.share();
    options.tls = FtpsTls::implicitly;
    CHECK(has(told(std::move(options)), "is it an FTPS port"));
    CHECK_FALSE(was_named(server));
  }
  SECTION("implicit where we wait for a greeting") {
    const FtpsServer server({.tls = FtpsTls::implicitly});
    FtpsOptions options = server.share();
    options.tls = FtpsTls::explicitly;
    options.timeout = std::chrono::milliseconds(700);
    CHECK(has(told(std::move(options)), "S_TIMEOUT"));
  }
}

TEST_CASE("a share whose TLS begins at once works as well") {
  const FtpsServer server({.tls = FtpsTls::implicitly});
  FtpsShare(server.share()).put("a.pgp", MemoryBlob("bytes"), {}, {});
  FtpsShare theirs(server.other_side());
  StringSink sink(100);
  fetch(theirs, theirs.list(Folder::incoming, {}).at(0), 2, sink);
  CHECK(sink.bytes() == "tes");
}

TEST_CASE("a server that refuses to protect the data connection gets no data") {
  const FtpsServer server({.kind = FtpServerKind::vsftpd, .lines = {"cmds_denied=PROT"}});
  const std::string text = told(server.share());
  CHECK(has(text, "S_ALGORITHM"));
  CHECK(has(text, "PROT P"));
  CHECK(code_of([&] { FtpsShare(server.share()).put("a.pgp", MemoryBlob("x"), {}, {}); }) ==
        Code::s_algorithm);
  CHECK(server.commands().find("STOR") == std::string::npos);
  CHECK(server.commands().find("LIST") == std::string::npos);
}

TEST_CASE("a user or password that the server refuses is a matter of rights") {
  const FtpsServer server;
  FtpsOptions options = server.share();
  SECTION("another password") { options.password = Secret("guessed"); }
  SECTION("none") { options.password = Secret(); }
  SECTION("no such user") { options.user = "nobody-of-that-name"; }
  const std::string text = told(std::move(options));
  CHECK(has(text, "S_RIGHTS"));
  CHECK(has(text, "refuses user"));
}

TEST_CASE("nobody at the port, and no such host, are unreachable") {
  const FtpsServer server;
  FtpsOptions options = server.share();
  SECTION("nobody") { options.port = 1; }
  SECTION("no such host") { options.host = "no-such-host.invalid"; }
  CHECK(has(told(std::move(options)), "S_UNREACHABLE"));
}

TEST_CASE("a server that has too many guests turns us away for now") {
  const FtpsServer server({.kind = FtpServerKind::vsftpd, .lines = {"max_clients=1"}});
  FtpsShare first(server.share());
  wait_until([&] { return !thrown([&] { first.list(Folder::incoming, {}); }); });
  CHECK(has(told(server.share()), "S_UNREACHABLE"));
  CHECK(has(told(server.share()), "turns us away for now"));
}

TEST_CASE("a folder that is not there is told by its name") {
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  const FtpsServer server({.kind = kind});
  FtpsOptions options = server.share();
  options.incoming = "from_vip";
  options.outgoing = "to_vip/deeper";
  FtpsShare share(std::move(options));
  CHECK(has(thrown([&] { share.list(Folder::incoming, {}); })->message(),
            "folder from_vip is not on the share"));
  const auto error = thrown([&] { share.put("a.pgp", MemoryBlob("x"), {}, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_not_found);
  CHECK(has(error->message(), "folder to_vip/deeper is not on the share"));
}

TEST_CASE("what the account may not do is a matter of rights, and told apart from what is not there") {
  SECTION("write") {
    const FtpsServer server({.lines = {"<Limit STOR>", "DenyAll", "</Limit>"}});
    FtpsShare share(server.share());
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); }) == Code::s_rights);
    const auto results = share.probe();
    CHECK(results.back().what == "write");
    CHECK_FALSE(results.back().good);
    CHECK(has(results.back().detail, "S_RIGHTS"));
  }
  SECTION("rename") {
    const FtpsServer server({.lines = {"<Limit RNTO RNFR>", "DenyAll", "</Limit>"}});
    FtpsShare share(server.share());
    const auto error = thrown([&] { share.put("a.pgp", MemoryBlob("x"), {}, {}); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_rights);
    CHECK(has(error->message(), "right to rename"));
    CHECK(fs::is_empty(server.root() / "to_avsb"));
  }
  SECTION("remove") {
    const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
    const bool pro = kind == FtpServerKind::proftpd;
    const FtpsServer server({.kind = kind,
                             .lines = pro ? std::vector<std::string>{"<Limit DELE>", "DenyAll", "</Limit>"}
                                          : std::vector<std::string>{"cmds_denied=DELE"}});
    fill(server.root() / "to_aii/a.pgp", "x");
    FtpsShare share(server.share());
    CHECK(code_of([&] { share.remove(Folder::incoming, "a.pgp", {}); }) == Code::s_rights);
    CHECK_NOTHROW(share.remove(Folder::incoming, "b.pgp", {}));
  }
  SECTION("read") {
    const FtpsServer server({.lines = {"<Limit RETR>", "DenyAll", "</Limit>"}});
    fill(server.root() / "to_aii/a.pgp", kBytes);
    FtpsShare share(server.share());
    StringSink sink(kBytes.size());
    CHECK(code_of([&] { fetch(share, share.list(Folder::incoming, {}).at(0), 0, sink); }) == Code::s_rights);
    CHECK_NOTHROW(share.list(Folder::incoming, {}));
  }
}

TEST_CASE("a full disk on the server is told as full, and what was half written does not hinder later") {
  REQUIRE(geteuid() == 0);  // a small file system of its own needs root
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  CAPTURE(static_cast<int>(kind));
  const FtpsServer server({.kind = kind});
  const fs::path out = server.root() / "to_avsb";
  REQUIRE(mount("tmpfs", out.c_str(), "tmpfs", 0, "size=1m,mode=0777") == 0);
  {
    FtpsShare share(server.share());
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); }) == Code::s_full);
    CHECK_FALSE(fs::exists(out / "a.pgp"));
    CHECK_NOTHROW(share.put("a.pgp", MemoryBlob("small"), {}, {}));
  }
  umount2(out.c_str(), MNT_DETACH);
}

TEST_CASE("a server that stalls is left within the time allowed, and used again when it goes on") {
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server({.kind = kind});
  fill(server.root() / "to_aii/a.pgp", kBytes);
  FtpsOptions options = server.share();
  options.timeout = std::chrono::milliseconds(700);
  FtpsShare share(std::move(options));
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  const auto stall = [&](std::uint64_t) { server.signal_sessions(SIGSTOP); };
  const auto start = std::chrono::steady_clock::now();
  SECTION("before a command") {
    stall(0);
    CHECK(code_of([&] { share.list(Folder::incoming, {}); }) == Code::s_timeout);
  }
  SECTION("in a put") {
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {.stop = {}, .progress = stall}); }) ==
          Code::s_timeout);
    CHECK_FALSE(fs::exists(server.root() / "to_avsb/a.pgp"));
  }
  SECTION("in a fetch") {
    StringSink sink(kBytes.size());
    CHECK(code_of([&] { fetch(share, entry, 0, sink, stall); }) == Code::s_timeout);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  server.signal_sessions(SIGKILL);
  CHECK_NOTHROW(share.put("b.pgp", MemoryBlob("x"), {}, {}));
}

TEST_CASE("a stop is noticed within a second while the server stalls") {
  const FtpsServer server;
  fill(server.root() / "to_aii/a.pgp", kBytes);
  FtpsShare share(server.share());
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  std::stop_source stop;
  std::chrono::steady_clock::time_point asked;
  std::jthread stopper;
  const auto stall_and_stop = [&](std::uint64_t) {
    if (stopper.joinable()) return;
    server.signal_sessions(SIGSTOP);
    stopper = std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // by then it waits
      asked = std::chrono::steady_clock::now();
      stop.request_stop();
    });
  };
  const Transfer transfer{.stop = stop.get_token(), .progress = stall_and_stop};
  SECTION("for a command") {
    stall_and_stop(0);
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, transfer); }) == Code::l_stopped);
  }
  SECTION("for data to go") {
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, transfer); }) == Code::l_stopped);
  }
  SECTION("for data to come") {
    StringSink sink(kBytes.size());
    CHECK(code_of([&] { share.fetch(Folder::incoming, entry, 0, sink, transfer); }) == Code::l_stopped);
  }
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(1));
  server.signal_sessions(SIGCONT);
}

TEST_CASE("a stop is noticed within a second while the host's name is looked up") {
  REQUIRE(geteuid() == 0);  // a resolver of its own that does not answer needs root
  const FtpsServer server;
  const TempFolder folder;
  write_file(folder / "resolv.conf", "nameserver 127.0.0.1\n");
  Child child([&] {
    // In a container root may set up no interface, but in a user namespace of its own it may.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0 ||
        !is_written("/proc/self/uid_map", "0 0 1") ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount((folder / "resolv.conf").c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0)
      return 2;
    const Fd resolver(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ioctl(resolver.get(), SIOCSIFFLAGS, &loopback) != 0 ||
        bind(resolver.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return 3;
    std::stop_source stop;
    std::chrono::steady_clock::time_point asked;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // by then it waits
      asked = std::chrono::steady_clock::now();
      stop.request_stop();
    });
    FtpsOptions options = server.share();
    options.host = "ftps.example.org";
    {
      FtpsShare share(std::move(options));
      const Transfer transfer{.stop = stop.get_token(), .progress = {}};
      if (code_of([&] { share.list(Folder::incoming, transfer); }) != Code::l_stopped) return 4;
    }
    return std::chrono::steady_clock::now() - asked < std::chrono::seconds(1) ? 0 : 5;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("a session killed in mid-put publishes nothing, and the next call works") {
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  CAPTURE(static_cast<int>(kind));
  const FtpsServer server({.kind = kind});
  FtpsShare share(server.share());
  share.list(Folder::outgoing, {});
  CHECK(code_of([&] {
          share.put("a.pgp", MemoryBlob(kBytes), {},
                    {.stop = {}, .progress = [&](std::uint64_t) { server.signal_sessions(SIGKILL); }});
        }) == Code::s_unreachable);
  CHECK_FALSE(fs::exists(server.root() / "to_avsb/a.pgp"));
  share.put("a.pgp", MemoryBlob(kBytes), {}, {});
  CHECK(fs::file_size(server.root() / "to_avsb/a.pgp") == kBytes.size());
  CHECK_FALSE(fs::exists(server.root() / "to_avsb/.a.pgp.part"));
}

TEST_CASE("a session killed in mid-fetch is an error, and the fetch goes on from there at the next call") {
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server({.kind = kind});
  std::string bytes = kBytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i / 251 + i);
  fill(server.root() / "to_aii/a.pgp", bytes);
  FtpsShare share(server.share());
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  StringSink first(bytes.size());
  CHECK(code_of([&] {
          fetch(share, entry, 0, first, [&](std::uint64_t) { server.signal_sessions(SIGKILL); });
        }) == Code::s_unreachable);
  CHECK_FALSE(first.bytes().empty());
  CHECK(first.bytes().size() < bytes.size());
  StringSink rest(bytes.size());
  fetch(share, entry, first.bytes().size(), rest);
  CHECK(first.bytes() + rest.bytes() == bytes);
}

TEST_CASE("one connection serves many calls, and one that died in idle time is made anew unnoticed") {
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server({.kind = kind});
  fill(server.root() / "to_aii/a.pgp", "x");
  FtpsShare share(server.share());
  StringSink sink(1000);
  for (int i = 0; i < 20; ++i) fetch(share, share.list(Folder::incoming, {}).at(0), 0, sink);
  CHECK(server.sign_ins() == 1);
  server.signal_sessions(SIGKILL);
  wait_until([&] { return server.sessions().empty(); });
  CHECK_NOTHROW(share.list(Folder::incoming, {}));
  CHECK(server.sign_ins() == 2);
}

TEST_CASE("puts, listings and fetches in turn please a server that insists on resumed TLS sessions") {
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server({.kind = kind});
  FtpsShare ours(server.share());
  FtpsShare theirs(server.other_side());
  for (int i = 0; i < 4; ++i) {
    ours.put("a.pgp", MemoryBlob("some bytes"), {}, {});
    ours.list(Folder::outgoing, {});
    StringSink sink(100);
    fetch(theirs, theirs.list(Folder::incoming, {}).at(0), 0, sink);
    CHECK(sink.bytes() == "some bytes");
    theirs.remove(Folder::incoming, "a.pgp", {});
  }
}

TEST_CASE("what is put arrives whole, also when the server still talks while we are done") {
  // Under TLS 1.3 it sends session tickets after the handshake, and may come to that when all was sent.
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  CAPTURE(static_cast<int>(kind));
  const FtpsServer server({.kind = kind});
  FtpsShare share(server.share());
  for (int i = 0; i < 30; ++i) {
    CAPTURE(i);
    const auto bytes = std::string_view(kBytes).substr(0, i % 3 == 0 ? 3'000'000 : 1 << 20);
    REQUIRE_NOTHROW(share.put("a.pgp", MemoryBlob(bytes), {}, {}));
    CHECK(fs::file_size(server.root() / "to_avsb/a.pgp") == bytes.size());
    share.remove(Folder::outgoing, "a.pgp", {});
  }
}

TEST_CASE("a probe tells what the server does with a name that is taken") {
  const auto told_by = [](FtpsServerOptions options) {
    const FtpsServer server(std::move(options));
    const auto results = FtpsShare(server.share()).probe();
    CHECK(result_of(results, "publish once").good);
    CHECK(fs::is_empty(server.root() / "to_avsb"));
    return result_of(results, "rename onto a taken name");
  };
  const ProbeResult refusing = told_by({});
  CHECK(refusing.good);
  CHECK_FALSE(refusing.attention);
  CHECK(has(refusing.detail, "refuses"));
  for (const FtpsServerOptions& options :
       {FtpsServerOptions{.lines = {"AllowOverwrite on"}}, FtpsServerOptions{.kind = FtpServerKind::vsftpd},
        FtpsServerOptions{.kind = FtpServerKind::pure_ftpd}}) {
    const ProbeResult overwriting = told_by(options);
    CHECK(overwriting.good);
    CHECK(overwriting.attention);
    CHECK(has(overwriting.detail, "overwrites"));
  }
}

TEST_CASE("foreign bytes that take the name during the upload are kept, whatever the server would do") {
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  CAPTURE(static_cast<int>(kind));
  const FtpsServer server({.kind = kind});
  const fs::path taken = server.root() / "to_avsb/a.pgp";
  FtpsShare share(server.share());
  const auto take = [&](std::uint64_t) {
    if (!fs::exists(taken)) fill(taken, "foreign");
  };
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {.stop = {}, .progress = take}); }) ==
        Code::s_name_taken);
  CHECK(read_file(taken) == "foreign");
  CHECK_FALSE(fs::exists(server.root() / "to_avsb/.a.pgp.part"));
}

TEST_CASE("a server that tells nothing by which a file is known has what was published read back") {
  const FtpsServer server({.kind = FtpServerKind::vsftpd});
  FtpsShare(server.share()).put("a.pgp", MemoryBlob("bytes"), {}, {});
  CHECK(has(server.commands(), "RETR"));
  const FtpsServer knowing;
  FtpsShare(knowing.share()).put("a.pgp", MemoryBlob("bytes"), {}, {});
  CHECK_FALSE(has(knowing.commands(), "RETR"));
}

TEST_CASE("data goes to the host of the commands, wherever the server points") {
  const FtpsServer server(
      {.kind = FtpServerKind::vsftpd, .lines = {"cmds_denied=EPSV", "pasv_address=192.0.2.1"}});
  FtpsShare share(server.share());
  share.put("a.pgp", MemoryBlob("bytes"), {}, {});
  CHECK(has(server.commands(), "PASV"));
  CHECK(share.list(Folder::outgoing, {}).size() == 1);
}

TEST_CASE("a server that tells neither size nor time of a file cannot serve") {
  const FtpsServer server({.kind = FtpServerKind::vsftpd, .lines = {"cmds_denied=SIZE,MDTM"}});
  fill(server.root() / "to_aii/a.pgp", "x");
  FtpsShare share(server.share());
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob("x"), {}, {}); }) == Code::s_protocol);
}

TEST_CASE("a file that grows while it is fetched never hands over more than was listed") {
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server({.kind = kind});
  const fs::path file = server.root() / "to_aii/a.pgp";
  fill(file, kBytes);
  FtpsShare share(server.share());
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  StringSink sink(2 * kBytes.size());
  const auto grow = [&](std::uint64_t) { std::ofstream(file, std::ios::app) << "more"; };
  CHECK(code_of([&] { fetch(share, entry, 0, sink, grow); }) == Code::s_changed);
  CHECK(sink.bytes().size() <= kBytes.size());
}

TEST_CASE("half-written files show in a listing, also where the server hides such names") {
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server({.kind = kind});
  fill(server.root() / "to_avsb/.a.pgp.part", "half");
  const auto entries = FtpsShare(server.share()).list(Folder::outgoing, {});
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].name == ".a.pgp.part");
  CHECK(entries[0].modified.has_value());
}

TEST_CASE("a probe names the link of the chain that fails") {
  const FtpsServer server;
  const auto failing = [](FtpsOptions options) {
    const auto results = FtpsShare(std::move(options)).probe();
    for (std::size_t i = 0; i + 1 < results.size(); ++i) CHECK(results[i].good);
    CHECK_FALSE(results.back().good);
    return results.back().what;
  };
  const auto with = [&](const auto& change) {
    FtpsOptions options = server.share();
    change(options);
    return failing(std::move(options));
  };
  CHECK(with([](auto& o) { o.host = "no-such-host.invalid"; }) == "DNS");
  CHECK(with([](auto& o) { o.port = 1; }) == "connection");
  CHECK(with([](auto& o) { o.tls = FtpsTls::implicitly; }) == "TLS");
  CHECK(with([](auto& o) { o.ca = Authority("Another").certificate(); }) == "server certificate");
  CHECK(with([](auto& o) {
          const Certificate stranger = Authority("Stranger").issue({});
          o.certificate = stranger.certificate;
          o.key = Secret(std::string(stranger.key));
        }) == "client certificate accepted");
  CHECK(with([](auto& o) { o.password = Secret("guessed"); }) == "login");
  CHECK(with([](auto& o) { o.incoming = "from_vip"; }) == "list");
  const FtpsServer elsewhere({.hosts = {"DNS:elsewhere.example.org"}});
  CHECK(failing(elsewhere.share()) == "host name");
  const FtpsServer clear({.with_tls = false});
  CHECK(failing(clear.share()) == "TLS");
  const FtpsServer unprotected({.kind = FtpServerKind::vsftpd, .lines = {"cmds_denied=PROT"}});
  CHECK(failing(unprotected.share()) == "TLS");
}

TEST_CASE("no password, key or passphrase stands in a log line or an error, at any level") {
  const FtpsServer server;
  const TempFolder folder;
  const Fd kept(dup(STDERR_FILENO));
  {
    const Fd file(open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(dup2(file.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  log_to(LogTarget::stderr_plain, LogLevel::debug);
  std::string said;
  const auto with = [&](const auto& change) {
    FtpsOptions options = server.share();
    const std::string key(options.key.reveal());
    options.key = Secret(encrypted_key(key, "sesame-open"));
    options.key_passphrase = Secret("sesame-open");
    change(options);
    try {
      FtpsShare share(std::move(options));
      for (const ProbeResult& result : share.probe()) said += result.what + " " + result.detail + "\n";
      share.put("a.pgp", MemoryBlob(kBytes), {}, {});
    } catch (const Error& error) {
      said += error.message() + "\n";
    }
  };
  with([](auto&) {});
  with([](auto& o) { o.user = "nobody"; });
  with([](auto& o) { o.key_passphrase = Secret("sesame-wrong"); });
  with([](auto& o) { o.ca = Authority("Another").certificate(); });
  with([](auto& o) { o.tls = FtpsTls::implicitly; });
  with([](auto& o) { o.port = 1; });
  log_to(LogTarget::stderr_plain, LogLevel::warn);
  dup2(kept.get(), STDERR_FILENO);
  const std::string all = said + read_file(folder / "log");
  CHECK(has(all, "debug ftps: PASS 230"));
  CHECK(has(all, "debug ftps: PASS 530"));
  const std::string key(server.share().key.reveal());
  for (const std::string& secret :
       {std::string(FtpsServer::kPassword), std::string("sesame"), std::string("BEGIN"), key.substr(40, 40)})
    CHECK_FALSE(has(all, secret));
}
