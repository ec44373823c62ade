// SFTP against the real OpenSSH server: every way to fail its own clear error.

#include "connectors/sftp_share.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connectors/private_key.h"
#include "core/error.h"
#include "core/files.h"
#include "support/shell.h"
#include "support/sshd.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

std::optional<Code> listing(SftpOptions options) {
  return code_of([&] { SftpShare(std::move(options)).list(Folder::incoming, {}); });
}

/// The whole text of the error that a listing ends in.
std::string told(SftpOptions options) {
  const auto error = thrown([&] { SftpShare(std::move(options)).list(Folder::incoming, {}); });
  return error ? error->message() : "";
}

/// A server with one of the habits of support/odd_sftp.cpp.
SshdOptions odd(const std::string& habit) { return {.subsystem = std::string(VEER_ODD_SFTP) + " " + habit}; }

class Stopwatch {
 public:
  bool is_below(std::chrono::milliseconds most) const {
    return std::chrono::steady_clock::now() - start_ < most;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A port of loopback where connections are taken and nothing is ever said.
class SilentListener {
 public:
  SilentListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_.get(), 16) != 0 ||
        getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(address.sin_port);
  }
  int port() const { return port_; }
  Fd accept() const { return Fd(::accept(fd_.get(), nullptr, nullptr)); }

 private:
  Fd fd_;
  int port_ = 0;
};

const std::string kBytes(30'000'000, 'x');

}  // namespace

TEST_CASE("ed25519 and ECDSA work, as host key and as user key") {
  const std::string host = GENERATE("ed25519", "ecdsa");
  const std::string user = GENERATE("ed25519", "ecdsa");
  CAPTURE(host, user);
  const Sshd server({.host_key = host, .user_key = user});
  CHECK(listing(server.share()) == std::nullopt);
}

TEST_CASE("a server that has an RSA host key alone is told what is missing") {
  const Sshd server({.host_key = "rsa"});
  CHECK(listing(server.share()) == Code::s_algorithm);
  CHECK(told(server.share()).find("RSA host key alone") != std::string::npos);
  CHECK(told(server.share()).find("add an ed25519 or ECDSA host key") != std::string::npos);
}

TEST_CASE("an RSA user key is refused before anything is sent, with the remedy") {
  const Sshd server({.user_key = "rsa"});
  CHECK(listing(server.share()) == Code::s_algorithm);
  CHECK(told(server.share()).find("ssh-keygen -t ed25519") != std::string::npos);
  CHECK(server.sign_ins() == 0);
}

TEST_CASE("a server without a cipher, MAC or key exchange in common is told which it lacks") {
  const auto [line, remedy] = GENERATE(table<std::string, std::string>(
      {{"Ciphers aes128-gcm@openssh.com",
        "no cipher in common with this program: ask its owner to allow aes128-ctr"},
       {"MACs hmac-sha2-256-etm@openssh.com",
        "no MAC in common with this program: ask its owner to allow hmac-sha2-256"},
       {"KexAlgorithms sntrup761x25519-sha512@openssh.com",
        "no key exchange in common with this program: ask its owner to allow curve25519-sha256"}}));
  CAPTURE(line);
  const Sshd server({.lines = {line}});
  CHECK(listing(server.share()) == Code::s_algorithm);
  CHECK(told(server.share()).find(remedy) != std::string::npos);
}

TEST_CASE("another host key than is pinned is refused, with the fingerprint that was seen") {
  const Sshd server;
  SftpOptions options = server.share();
  options.host_keys = {"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  SECTION("a wrong pin") {}
  SECTION("no pin: nothing is taken on trust") { options.host_keys.clear(); }
  const std::string pin = server.pin();
  try {
    SftpShare(std::move(options)).list(Folder::incoming, {});
    FAIL("a host key was taken on trust");
  } catch (const Error& error) {
    CHECK(error.code() == Code::s_host_key);
    CHECK(error.message().find(pin) != std::string::npos);
  }
  CHECK(server.sign_ins() == 0);
}

TEST_CASE("a second pin serves while a server changes its key") {
  const Sshd server;
  SftpOptions options = server.share();
  options.host_keys.insert(options.host_keys.begin(), "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  CHECK(listing(std::move(options)) == std::nullopt);
}

TEST_CASE("known_hosts counts for exactly this host and port") {
  const Sshd server;
  const Sshd other;
  SftpOptions options = server.share();
  options.host_keys.clear();
  options.known_hosts = server.folder() / "known_hosts";
  const auto line = [](const Sshd& of, int port) {
    return "[127.0.0.1]:" + std::to_string(port) + " " + read_file(of.folder() / "host.pub");
  };
  SECTION("its line") {
    write_file(options.known_hosts, line(server, server.port()));
    CHECK(listing(std::move(options)) == std::nullopt);
  }
  SECTION("another key") {
    write_file(options.known_hosts, line(other, server.port()));
    CHECK(listing(std::move(options)) == Code::s_host_key);
  }
  SECTION("another port") {
    write_file(options.known_hosts, line(server, 1));
    CHECK(listing(std::move(options)) == Code::s_host_key);
  }
  SECTION("no port, which means the standard one") {
    write_file(options.known_hosts, "127.0.0.1 " + read_file(server.folder() / "host.pub"));
    CHECK(listing(std::move(options)) == Code::s_host_key);
  }
  SECTION("its line, hashed") {
    write_file(options.known_hosts, line(server, server.port()));
    REQUIRE(shell("ssh-keygen -q -H -f " + options.known_hosts.native() + " 2>&1").exit_code == 0);
    CHECK(read_file(options.known_hosts).starts_with("|1|"));
    CHECK(listing(std::move(options)) == std::nullopt);
  }
  SECTION("comments and empty lines") {
    write_file(options.known_hosts, "# a comment\n\n" + line(server, server.port()));
    CHECK(listing(std::move(options)) == std::nullopt);
  }
  SECTION("not there") { CHECK(listing(std::move(options)) == Code::c_config); }
}

TEST_CASE("known_hosts with a marker is refused, and nobody signs in") {
  const Sshd server;
  SftpOptions options = server.share();
  options.host_keys.clear();
  options.known_hosts = server.folder() / "known_hosts";
  const std::string plain =
      "[127.0.0.1]:" + std::to_string(server.port()) + " " + read_file(server.folder() / "host.pub");
  const std::string marker = GENERATE("@revoked ", "  @revoked ", "@cert-authority ");
  write_file(options.known_hosts, plain + marker + plain);
  const auto error = thrown([&] { SftpShare(std::move(options)).list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::c_config);
  CHECK(error->message().find("nothing but this server's lines") != std::string::npos);
  CHECK(server.sign_ins() == 0);
}

TEST_CASE("a user or key that the server refuses is a matter of rights") {
  const Sshd server;
  const Sshd other;
  SftpOptions options = server.share();
  SECTION("another key") { options.key = Secret(read_file(other.user_key())); }
  SECTION("no such user") { options.user = "nobody-of-that-name"; }
  CHECK(listing(std::move(options)) == Code::s_rights);
}

TEST_CASE("a key that cannot be read is the credential's fault") {
  const Sshd server;
  SftpOptions options = server.share();
  options.key = Secret("not a key");
  const std::string text = told(std::move(options));
  CAPTURE(text);
  CHECK(text.find("private key cannot be read") != std::string::npos);
}

TEST_CASE("a key with a passphrase is the credential's fault, and told so") {
  const Sshd server;
  const std::string format = GENERATE("-t ed25519", "-t ecdsa", "-t ecdsa -m PEM", "-t ecdsa -m PKCS8");
  CAPTURE(format);
  const std::string path = (server.folder() / "closed").native();
  REQUIRE(shell("ssh-keygen -q -N 'open sesame' -f " + path + " " + format).exit_code == 0);
  SftpOptions options = server.share();
  options.key = Secret(read_file(path));
  const auto error = thrown([&] { SftpShare(std::move(options)).list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::c_credential);
  CHECK(error->message().find("passphrase") != std::string::npos);
}

TEST_CASE("nobody at the port, no such host, and something that is no SSH server are unreachable") {
  const Sshd server;
  SftpOptions options = server.share();
  SECTION("nobody") { options.port = 1; }
  SECTION("no such host") { options.host = "no-such-host.invalid"; }
  CHECK(listing(std::move(options)) == Code::s_unreachable);
}

TEST_CASE("a server that stalls is left within the time allowed, and used again when it goes on") {
  const Sshd server;
  SftpOptions options = server.share();
  options.timeout = std::chrono::milliseconds(700);
  SftpShare share(std::move(options));
  share.list(Folder::incoming, {});
  server.signal_sessions(SIGSTOP);
  const Stopwatch watch;
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); }) == Code::s_timeout);
  CHECK(watch.is_below(std::chrono::milliseconds(1400)));  // waited for once
  server.signal_sessions(SIGKILL);
  CHECK_NOTHROW(share.put("a.pgp", MemoryBlob("x"), {}, {}));
}

TEST_CASE("a server that stalls in mid-transfer is left within the time allowed") {
  const Sshd server;
  SftpOptions options = server.share();
  options.timeout = std::chrono::seconds(2);
  SftpShare share(std::move(options));
  std::optional<Stopwatch> watch;
  const auto stall = [&](std::uint64_t) {
    server.signal_sessions(SIGSTOP);
    watch.emplace();
  };
  SECTION("a put") {
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {.stop = {}, .progress = stall}); }) ==
          Code::s_timeout);
  }
  SECTION("a fetch") {
    { std::ofstream(server.root() / "to_aii/a.pgp") << kBytes; }
    const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
    StringSink sink(kBytes.size());
    CHECK(code_of([&] { share.fetch(Folder::incoming, entry, 0, sink, {.stop = {}, .progress = stall}); }) ==
          Code::s_timeout);
  }
  REQUIRE(watch);
  CHECK(watch->is_below(std::chrono::milliseconds(3500)));
}

TEST_CASE("a server that says nothing is left, at once when a stop is asked for") {
  const SilentListener listener;
  const Sshd server;
  SftpOptions options = server.share();
  options.port = listener.port();
  SECTION("stop") {
    SftpShare share(std::move(options));
    std::stop_source stop;
    std::jthread stopper([&] {
      const Fd connected = listener.accept();
      stop.request_stop();
    });
    const Stopwatch watch;
    CHECK(code_of([&] { share.list(Folder::incoming, {stop.get_token(), {}}); }) == Code::l_stopped);
    CHECK(watch.is_below(std::chrono::seconds(2)));
  }
  SECTION("no stop") {
    options.timeout = std::chrono::milliseconds(500);
    const Stopwatch watch;
    CHECK(listing(std::move(options)) == Code::s_timeout);
    CHECK(watch.is_below(std::chrono::seconds(2)));
  }
}

TEST_CASE("a server that is no end of talk before it begins is left") {
  const SilentListener listener;
  const Sshd server;
  SftpOptions options = server.share();
  options.port = listener.port();
  options.timeout = std::chrono::milliseconds(500);
  std::jthread talker([&] {
    const Fd connected = listener.accept();
    while (send(connected.get(), "welcome\r\n", 9, MSG_NOSIGNAL) > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  const Stopwatch watch;
  CHECK(listing(std::move(options)) == Code::s_timeout);
  CHECK(watch.is_below(std::chrono::seconds(3)));
}

TEST_CASE("a server that sends nothing but packets to be ignored is left, and meanwhile a stop is noticed") {
  const bool is_stopped = GENERATE(false, true);
  const SilentListener listener;
  const Sshd server;
  SftpOptions options = server.share();
  options.port = listener.port();
  options.timeout = std::chrono::seconds(is_stopped ? 60 : 1);
  std::jthread talker([&] {
    const Fd connected = listener.accept();
    std::string talk = "SSH-2.0-talker\r\n";
    // RFC 4253, 6 and 11.2: length, padding's length, SSH_MSG_IGNORE with an empty text, padding.
    for (int i = 0; i < 1000; ++i) talk += std::string("\0\0\0\x0c\x06\x02\0\0\0\0\0\0\0\0\0\0", 16);
    while (send(connected.get(), talk.data(), talk.size(), MSG_NOSIGNAL) > 0)
      talk.erase(0, talk.find('\n') + 1);
  });
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (is_stopped) stop.request_stop();
  });
  SftpShare share(std::move(options));
  const Stopwatch watch;
  CHECK(code_of([&] { share.list(Folder::incoming, {.stop = stop.get_token(), .progress = {}}); }) ==
        (is_stopped ? Code::l_stopped : Code::s_timeout));
  CHECK(watch.is_below(std::chrono::seconds(6)));
}

TEST_CASE("a stop is noticed within seconds while the server stalls") {
  const Sshd server;
  SftpShare share(server.share());
  share.list(Folder::incoming, {});
  server.signal_sessions(SIGSTOP);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto start = std::chrono::steady_clock::now();
  CHECK(code_of([&] {
          share.put("a.pgp", MemoryBlob(kBytes), {}, {.stop = stop.get_token(), .progress = {}});
        }) == Code::l_stopped);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  server.signal_sessions(SIGCONT);
}

TEST_CASE("a session killed in mid-put publishes nothing, and the next call works") {
  const Sshd server;
  SftpShare share(server.share());
  share.list(Folder::outgoing, {});
  std::vector<std::uint64_t> done;
  const auto kill = [&](std::uint64_t bytes) {
    done.push_back(bytes);
    server.signal_sessions(SIGKILL);
  };
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {.stop = {}, .progress = kill}); }) ==
        Code::s_unreachable);
  // One call is one attempt: what was on its way may still be answered for, but nothing begins again.
  CHECK(std::adjacent_find(done.begin(), done.end(), std::greater_equal<>()) == done.end());
  CHECK(server.sign_ins() == 1);
  CHECK_FALSE(fs::exists(server.root() / "to_avsb/a.pgp"));
  share.put("a.pgp", MemoryBlob(kBytes), {}, {});
  CHECK(fs::file_size(server.root() / "to_avsb/a.pgp") == kBytes.size());
}

TEST_CASE("a session killed in mid-fetch is an error, and the fetch goes on from there at the next call") {
  const Sshd server;
  { std::ofstream(server.root() / "to_aii/a.pgp") << kBytes; }
  SftpShare share(server.share());
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  StringSink first(kBytes.size());
  CHECK(code_of([&] {
          share.fetch(Folder::incoming, entry, 0, first,
                      {.stop = {}, .progress = [&](std::uint64_t) { server.signal_sessions(SIGKILL); }});
        }) == Code::s_unreachable);
  CHECK(first.bytes().size() < kBytes.size());
  StringSink rest(kBytes.size());
  share.fetch(Folder::incoming, entry, first.bytes().size(), rest, {});
  CHECK(first.bytes() + rest.bytes() == kBytes);
}

TEST_CASE("one session serves many calls, and one that died in idle time is made anew unnoticed") {
  const Sshd server;
  SftpShare share(server.share());
  for (int i = 0; i < 20; ++i) share.list(Folder::incoming, {});
  CHECK(server.sign_ins() == 1);
  server.signal_sessions(SIGKILL);
  wait_until([&] { return server.sessions().empty(); });
  CHECK_NOTHROW(share.list(Folder::incoming, {}));
  CHECK(server.sign_ins() == 2);
}

TEST_CASE("a sparse file of five tebibytes is listed with its size") {
  const Sshd server;
  { std::ofstream(server.root() / "to_aii/huge.pgp"); }
  fs::resize_file(server.root() / "to_aii/huge.pgp", 5ULL << 40);
  SftpShare share(server.share());
  CHECK(share.list(Folder::incoming, {}).at(0).size == 5ULL << 40);
}

TEST_CASE("a server that lets nobody write is a matter of rights") {
  const Sshd server({.subsystem = "internal-sftp -R"});
  SftpShare share(server.share());
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob("x"), {}, {}); }) == Code::s_rights);
  const auto results = share.probe();
  CHECK_FALSE(results.back().good);
}

TEST_CASE("a full disk on the server is told as full, and what was half written does not hinder later") {
  REQUIRE(geteuid() == 0);  // a small file system of its own needs root
  const Sshd server;
  const fs::path out = server.root() / "to_avsb";
  REQUIRE(mount("tmpfs", out.c_str(), "tmpfs", 0, "size=1m") == 0);
  {
    SftpShare share(server.share());
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); }) == Code::s_full);
    CHECK_FALSE(fs::exists(out / "a.pgp"));
    CHECK_NOTHROW(share.put("a.pgp", MemoryBlob("small"), {}, {}));
  }
  umount2(out.c_str(), MNT_DETACH);
}

TEST_CASE("a server that ends a file before its size changed it") {
  const Sshd server(odd("cuts"));
  write_file(server.root() / "to_aii/a.pgp", std::string(1000, 'x'));
  SftpShare share(server.share());
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  REQUIRE(entry.size == 1000);
  StringSink sink(1000);
  CHECK(code_of([&] { share.fetch(Folder::incoming, entry, 0, sink, {}); }) == Code::s_changed);
  StringSink rest(1000);
  CHECK(code_of([&] { share.fetch(Folder::incoming, entry, 500, rest, {}); }) == Code::s_changed);
}

TEST_CASE("a probe finds out a server whose rename overwrites") {
  const Sshd server(odd("overwrites"));
  const auto results = SftpShare(server.share()).probe();
  const auto once =
      std::find_if(results.begin(), results.end(), [](const auto& r) { return r.what == "publish once"; });
  REQUIRE(once != results.end());
  CHECK_FALSE(once->good);
  CHECK(once->detail.starts_with("S_PUBLISH"));
  CHECK(fs::is_empty(server.root() / "to_avsb"));
}

TEST_CASE("why a server does not publish is told, whatever else it refuses") {
  const auto [habit, code] = GENERATE(
      table<std::string, Code>({{"keeps-names", Code::s_rights}, {"cannot-rename", Code::s_protocol}}));
  CAPTURE(habit);
  const Sshd server(odd(habit));
  SftpShare share(server.share());
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob("x"), {}, {}); }) == code);
  CHECK_FALSE(fs::exists(server.root() / "to_avsb/a.pgp"));
}

TEST_CASE("a name that was taken meanwhile is told as taken, even when nothing may be removed") {
  const Sshd server(odd("keeps-names"));
  SftpShare share(server.share());
  const auto take = [&](std::uint64_t) { write_file(server.root() / "to_avsb/a.pgp", "another's"); };
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob("x"), {}, {.stop = {}, .progress = take}); }) ==
        Code::s_name_taken);
}

TEST_CASE("a failure without a reason is not taken for a full disk unless something is written") {
  const Sshd server(odd("cannot-list"));
  const auto error = thrown([&] { SftpShare(server.share()).list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_protocol);
  CHECK(error->message().find("does not say why") != std::string::npos);
}

TEST_CASE("entries without permissions are looked at one by one") {
  const Sshd server(odd("untold"));
  write_file(server.root() / "to_aii/a.pgp", "bytes");
  fs::create_directories(server.root() / "to_aii/folder");
  fs::create_symlink("a.pgp", server.root() / "to_aii/link");
  const auto entries = SftpShare(server.share()).list(Folder::incoming, {});
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].name == "a.pgp");
  CHECK(entries[0].size == 5);
}

TEST_CASE("a server that never tells what is a file is told as such") {
  const Sshd server(odd("secretive"));
  CHECK(listing(server.share()) == std::nullopt);  // an empty folder holds nothing to ask about
  write_file(server.root() / "to_aii/a.pgp", "bytes");
  CHECK(listing(server.share()) == Code::s_protocol);
  CHECK(told(server.share()).find("does not tell what to_aii/a.pgp is") != std::string::npos);
}

TEST_CASE("a listing without end is cut at the cap, or told when there are no files in it") {
  SECTION("files") {
    const Sshd server(odd("floods"));
    SftpShare share(server.share());
    CHECK(share.list(Folder::incoming, {}).size() == kMostEntries);
    CHECK_NOTHROW(share.put("a.pgp", MemoryBlob("x"), {}, {}));
    CHECK(server.sign_ins() == 1);
  }
  SECTION("folders") {
    const Sshd server(odd("mazy"));
    CHECK(listing(server.share()) == Code::s_protocol);
    CHECK(told(server.share()).find("have it cleared") != std::string::npos);
  }
}

TEST_CASE("a listing that goes on and on is left in time, and at once when a stop is asked for") {
  const Sshd server(odd("dawdles"));
  SftpOptions options = server.share();
  SECTION("left") {
    options.timeout = std::chrono::seconds(2);
    CHECK(told(std::move(options)).find("takes too long") != std::string::npos);
  }
  SECTION("stopped") {
    SftpShare share(std::move(options));
    std::stop_source stop;
    std::jthread stopper([&] {
      wait_until([&] { return server.sign_ins() == 1; });
      stop.request_stop();
    });
    const Stopwatch watch;
    CHECK(code_of([&] { share.list(Folder::incoming, {stop.get_token(), {}}); }) == Code::l_stopped);
    CHECK(watch.is_below(std::chrono::seconds(5)));
  }
}

TEST_CASE("a server that hands over byte by byte is left as too slow") {
  const Sshd server(odd("trickles"));
  write_file(server.root() / "to_aii/a.pgp", std::string(5000, 'x'));
  SftpOptions options = server.share();
  options.timeout = std::chrono::seconds(2);
  SftpShare share(std::move(options));
  const ShareEntry entry = share.list(Folder::incoming, {}).at(0);
  StringSink sink(5000);
  const auto error = thrown([&] { share.fetch(Folder::incoming, entry, 0, sink, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_timeout);
  CHECK(error->message().find("too slow") != std::string::npos);
}

TEST_CASE("a narrow line is not taken for a server that stalls") {
  const Sshd server(odd("narrow"));
  SftpOptions options = server.share();
  options.timeout = std::chrono::seconds(2);
  SftpShare share(std::move(options));
  const std::string bytes(8'000'000, 'x');  // eight seconds' worth, in one write
  CHECK_NOTHROW(share.put("a.pgp", MemoryBlob(bytes), {}, {}));
  CHECK(fs::file_size(server.root() / "to_avsb/a.pgp") == bytes.size());
}

TEST_CASE("RSA keys are recognised in every format, others are not taken for one") {
  const TempFolder folder;
  const auto key = [&](const std::string& options) {
    fs::remove(folder / "key");
    REQUIRE(shell("ssh-keygen -q -N '' -f " + (folder / "key").native() + " " + options).exit_code == 0);
    return read_file(folder / "key");
  };
  CHECK(is_rsa_key(key("-t rsa")));
  CHECK(is_rsa_key(key("-t rsa -m PEM")));
  CHECK(is_rsa_key(key("-t rsa -m PKCS8")));
  CHECK_FALSE(is_rsa_key(key("-t ed25519")));
  CHECK_FALSE(is_rsa_key(key("-t ed25519 -C 'made beside ssh-rsa'")));
  CHECK_FALSE(is_rsa_key(key("-t ecdsa")));
  CHECK_FALSE(is_rsa_key(key("-t ecdsa -m PKCS8")));
  CHECK_FALSE(is_rsa_key(key("-t ecdsa -m PEM")));
  CHECK_FALSE(is_rsa_key(""));
}
