#include "support/odd_ftps.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/files.h"
#include "support/temp_folder.h"

namespace veer::test {
namespace {

using namespace std::chrono_literals;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeTls {
  void operator()(SSL* tls) const { SSL_free(tls); }
};
using TlsHandle = std::unique_ptr<SSL, FreeTls>;

/// Thrown where a connection is over.
struct Gone {};

struct Listening {
  Fd socket;
  int port = 0;
};

Listening listen_somewhere() {
  Listening made{Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!made.socket || bind(made.socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(made.socket.get(), 8) != 0 ||
      getsockname(made.socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port to listen on");
  made.port = ntohs(address.sin_port);
  return made;
}

void await(int socket, short what, const std::atomic<bool>& ending) {
  pollfd waiting{.fd = socket, .events = what, .revents = 0};
  while (poll(&waiting, 1, 20) == 0)
    if (ending) throw Gone();
}

/// Bytes to and from a socket, under TLS once it was begun. Each wait ends when the server does.
class Line {
 public:
  Line(Fd socket, const std::atomic<bool>& ending) : socket_(std::move(socket)), ending_(ending) {}

  void begin_tls(SSL_CTX* context) {
    TlsHandle tls(SSL_new(context));
    SSL_set_fd(tls.get(), socket_.get());
    await(socket_.get(), POLLIN, ending_);
    if (SSL_accept(tls.get()) != 1) throw Gone();
    tls_ = std::move(tls);
  }
  void send_ticket() {
    if (!tls_ || SSL_new_session_ticket(tls_.get()) != 1 || SSL_do_handshake(tls_.get()) != 1) throw Gone();
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const int most = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 16));
      const auto n = tls_ ? SSL_write(tls_.get(), bytes.data(), most)
                          : static_cast<int>(send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (n <= 0) throw Gone();
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// Empty at the end.
  std::string read() {
    if (!tls_ || SSL_pending(tls_.get()) == 0) await(socket_.get(), POLLIN, ending_);
    std::array<char, 1 << 16> buffer{};
    const auto n = tls_ ? SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()))
                        : static_cast<int>(recv(socket_.get(), buffer.data(), buffer.size(), 0));
    if (n > 0) return {buffer.data(), static_cast<std::size_t>(n)};
    ended_in_order_ = !tls_ || SSL_get_error(tls_.get(), n) == SSL_ERROR_ZERO_RETURN;
    return {};
  }
  std::string read_line() {
    while (rest_.find('\n') == std::string::npos) {
      const std::string more = read();
      if (more.empty()) throw Gone();
      rest_ += more;
    }
    const std::size_t end = rest_.find('\n');
    std::string line = rest_.substr(0, end);
    rest_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }
  bool is_under_tls() const { return tls_ != nullptr; }
  bool ended_in_order() const { return ended_in_order_; }
  void say_farewell() {
    if (tls_) SSL_shutdown(tls_.get());
  }
  /// Until the other side has closed its half, or a while has passed.
  void await_end() {
    pollfd waiting{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
    for (int i = 0; i < 50 && !ending_ && poll(&waiting, 1, 10) == 0; ++i) continue;
  }

 private:
  Fd socket_;
  const std::atomic<bool>& ending_;
  TlsHandle tls_;
  std::string rest_;
  bool ended_in_order_ = false;
};

std::string facts_of(const std::string& name, const std::string& bytes) {
  return fmt::format("type=file;size={};modify=20260115093000;unique=u{:x}; {}", bytes.size(),
                     std::hash<std::string>()(bytes) & 0xffff, name);
}

}  // namespace

struct OddFtps::Context {
  explicit Context(const Authority& authority) {
    const Certificate own = authority.issue({.name = "odd", .hosts = {"IP:127.0.0.1"}});
    const TempFolder folder;
    write_file(folder / "certificate", own.certificate);
    write_file(folder / "key", own.key);
    if (SSL_CTX_use_certificate_file(tls.get(), (folder / "certificate").c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls.get(), (folder / "key").c_str(), SSL_FILETYPE_PEM) != 1)
      throw std::runtime_error("an odd server cannot use its certificate");
  }
  std::unique_ptr<SSL_CTX, FreeContext> tls{SSL_CTX_new(TLS_server_method())};
};

/// One connection for commands.
class OddFtps::Session {
 public:
  Session(OddFtps& server, Fd socket) : server_(server), line_(std::move(socket), server.ending_) {}

  void run() {
    line_.write(server_.habits().greeting);
    while (true) {
      const std::string command = line_.read_line();
      {
        const std::lock_guard lock(server_.mutex_);
        server_.commands_.push_back(command);
        if (!line_.is_under_tls()) server_.in_clear_.push_back(command);
      }
      const FtpsHabits habits = server_.habits();
      const auto instead = habits.instead ? habits.instead(command) : std::nullopt;
      if (instead)
        line_.write(*instead);
      else
        obey(command, habits);
    }
  }

 private:
  void obey(const std::string& command, const FtpsHabits& habits) {
    const std::size_t blank = std::min(command.find(' '), command.size());
    const std::string verb = command.substr(0, blank);
    const std::string path = command.substr(std::min(blank + 1, command.size()));
    if (verb == "AUTH") {
      line_.write("234 go\r\n");
      line_.begin_tls(server_.context_->tls.get());
    } else if (verb == "EPSV") {
      passive_ = listen_somewhere();
      line_.write(fmt::format("229 here (|||{}|)\r\n", passive_.port));
    } else if (verb == "PASV") {
      passive_ = listen_somewhere();
      line_.write(fmt::format("227 here (127,0,0,1,{},{})\r\n", passive_.port / 256, passive_.port % 256));
    } else if (away_ && (verb == "STOR" || verb == "RETR" || verb == "LIST")) {
      line_.write("550 no\r\n");
    } else if (verb == "STOR" || verb == "APPE") {
      take(path, verb == "APPE", habits);
    } else if (verb == "RETR" || verb == "MLSD" || verb == "LIST") {
      hand_over(verb, path, habits);
    } else {
      line_.write(answer(verb, path, habits));
    }
  }

  std::string answer(const std::string& verb, const std::string& path, const FtpsHabits& habits) {
    const std::lock_guard lock(server_.mutex_);
    const auto found = server_.files_.find(path);
    const bool there = found != server_.files_.end() && !away_;
    if (verb == "USER") return "331 password\r\n";
    if (verb == "PASS") return "230 in\r\n";
    if (verb == "PWD") return fmt::format("257 \"{}\"\r\n", habits.home);
    if (verb == "FEAT")
      return habits.knows_mlst ? "211-knows\r\n MLST type*;size*;modify*;unique*;\r\n211 end\r\n"
                               : "211 end\r\n";
    if (verb == "RNFR" && there) from_ = path;
    if (verb == "REST") restart_ = std::stoull(path);
    if (verb == "RNTO" && server_.files_.contains(from_)) {
      server_.files_[path] = server_.files_[from_];
      server_.files_.erase(from_);
      return "250 renamed\r\n";
    }
    if (verb == "REST" || verb == "RNFR") return "350 go on\r\n";
    if (verb == "MLST" && there) return "250-is\r\n " + facts_of(path, found->second) + "\r\n250 end\r\n";
    if (verb == "SIZE" && there) return fmt::format("213 {}\r\n", found->second.size());
    if (verb == "MDTM" && there) return "213 20260115093000\r\n";
    if (verb == "DELE" && there) server_.files_.erase(found);
    if (verb == "CWD") {
      away_ = path != habits.home;
      return path == "/" || path == habits.home || path.starts_with("to_") ? "250 there\r\n" : "550 no\r\n";
    }
    static const std::vector<std::string> kOfFiles = {"MLST", "SIZE", "MDTM", "DELE"};
    if (!there && std::find(kOfFiles.begin(), kOfFiles.end(), verb) != kOfFiles.end()) return "550 no\r\n";
    return "200 fine\r\n";
  }

  Line open_data(const FtpsHabits& habits) {
    await(passive_.socket.get(), POLLIN, server_.ending_);
    Line data(Fd(accept4(passive_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC)), server_.ending_);
    line_.write("150 go\r\n");
    if (!habits.data_in_clear)
      data.begin_tls((habits.other_for_data ? server_.data_context_ : server_.context_)->tls.get());
    return data;
  }

  void take(const std::string& path, bool append, const FtpsHabits& habits) {
    {
      Line data = open_data(habits);
      if (habits.late_tickets) {
        data.await_end();
        data.send_ticket();
      }
      std::string bytes;
      for (std::string more = data.read(); !more.empty(); more = data.read()) bytes += more;
      if (habits.keeps) bytes = habits.keeps(path, bytes);
      {
        const std::lock_guard lock(server_.mutex_);
        std::string& file = server_.files_[path];
        file = (append ? file : "") + bytes;
      }
      if (!data.ended_in_order()) {
        line_.write("426 cut\r\n");
        return;
      }
      if (!habits.no_farewell) data.say_farewell();
      if (habits.data_stays) left_open_.push_back(std::move(data));
    }
    line_.write(habits.after_upload);
  }

  void hand_over(const std::string& verb, const std::string& path, const FtpsHabits& habits) {
    std::string bytes;
    {
      const std::lock_guard lock(server_.mutex_);
      if (verb == "RETR") {
        if (!server_.files_.contains(path)) {
          line_.write("550 no\r\n");
          return;
        }
        bytes = server_.files_[path].substr(std::min<std::size_t>(restart_, server_.files_[path].size()));
      } else {
        for (const auto& [file, content] : server_.files_)
          if (file.starts_with(path + "/")) bytes += facts_of(file.substr(path.size() + 1), content) + "\r\n";
      }
    }
    restart_ = 0;
    if (habits.hands_over) bytes = habits.hands_over(verb + " " + path, bytes);
    try {
      Line data = open_data(habits);
      data.write(bytes);
      if (!habits.no_farewell) data.say_farewell();
    } catch (const Gone&) {
    }
    line_.write("226 done\r\n");
  }

  OddFtps& server_;
  Line line_;
  Listening passive_;
  std::string from_;
  std::size_t restart_ = 0;
  bool away_ = false;  ///< from home: no path leads to a file
  std::list<Line> left_open_;
};

OddFtps::OddFtps(FtpsHabits habits)
    : context_(std::make_unique<Context>(authority_)),
      data_context_(std::make_unique<Context>(other_)),
      habits_(std::move(habits)) {
  if (habits_.late_tickets) SSL_CTX_set_num_tickets(context_->tls.get(), 0);
  Listening made = listen_somewhere();
  port_ = made.port;
  listening_ = made.socket.release();
  acceptor_ = std::jthread([this] { accept_all(); });
}

OddFtps::~OddFtps() {
  ending_ = true;
  shutdown(listening_, SHUT_RDWR);
  acceptor_.join();
  sessions_.clear();
  close(listening_);
}

void OddFtps::accept_all() {
  while (!ending_) {
    Fd socket(accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    ++open_sessions_;
    sessions_.emplace_back([this, fd = socket.release()] {
      sigset_t broken_pipe;
      sigemptyset(&broken_pipe);
      sigaddset(&broken_pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
      try {
        Session(*this, Fd(fd)).run();
      } catch (const Gone&) {
      }
      --open_sessions_;
    });
  }
}

FtpsHabits OddFtps::habits() const {
  const std::lock_guard lock(mutex_);
  return habits_;
}

void OddFtps::turn(FtpsHabits habits) {
  const std::lock_guard lock(mutex_);
  habits_ = std::move(habits);
}

FtpsOptions OddFtps::share() const {
  FtpsOptions options;
  options.host = "127.0.0.1";
  options.port = port_;
  options.user = "aii";
  options.password = Secret("correct horse battery staple");
  options.ca = authority_.certificate();
  options.outgoing = "to_avsb";
  options.incoming = "to_aii";
  options.timeout = 5s;
  return options;
}

std::map<std::string, std::string> OddFtps::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

void OddFtps::lay(const std::string& path, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  files_[path] = bytes;
}

std::vector<std::string> OddFtps::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

std::vector<std::string> OddFtps::commands_in_clear() const {
  const std::lock_guard lock(mutex_);
  return in_clear_;
}

std::size_t OddFtps::count(const std::string& verb) const {
  const auto all = commands();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const auto& each) { return each.starts_with(verb); }));
}

}  // namespace veer::test
