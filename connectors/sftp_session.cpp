#include "connectors/sftp_session.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "connectors/sftp_handles.h"
#include "connectors/ssh_algorithms.h"
#include "connectors/tcp.h"
#include "core/digest.h"
#include "core/log.h"

namespace veer {
namespace {

using Steady = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

constexpr long kFileMode = 0640;
constexpr Millis kSlice(500);  // how long a wait may go without a look at the stop token
constexpr std::uint64_t kLeastBytesPerSecond = 1024;
constexpr std::size_t kMostOfHello = std::size_t{32} << 10;

unsigned size_of(const std::string& path) { return static_cast<unsigned>(path.size()); }

bool tells_kind(const LIBSSH2_SFTP_ATTRIBUTES& attributes) {
  return (attributes.flags & LIBSSH2_SFTP_ATTR_PERMISSIONS) != 0;
}

// Whether `attributes` tell all that an entry needs: the kind and, of a file, the size.
bool is_told(const LIBSSH2_SFTP_ATTRIBUTES& attributes) {
  return tells_kind(attributes) &&
         (!LIBSSH2_SFTP_S_ISREG(attributes.permissions) || (attributes.flags & LIBSSH2_SFTP_ATTR_SIZE) != 0);
}

std::optional<ShareEntry> entry_of(std::string name, const LIBSSH2_SFTP_ATTRIBUTES& attributes) {
  if (!LIBSSH2_SFTP_S_ISREG(attributes.permissions)) return std::nullopt;
  return ShareEntry{.name = std::move(name),
                    .size = attributes.filesize,
                    .revision = fmt::format("{}-{}", attributes.mtime, attributes.filesize),
                    .modified = from_millis(static_cast<std::int64_t>(attributes.mtime) * 1000)};
}

}  // namespace

/// Freed with the connection shut, so that nothing waits for the server.
struct SftpSession::Library {
  explicit Library(Fd connected) : socket(std::move(connected)) {}
  ~Library() {
    shutdown(socket.get(), SHUT_RDWR);
    if (open != nullptr) libssh2_sftp_close_handle(open);
    if (sftp != nullptr) libssh2_sftp_shutdown(sftp);
  }

  // libssh2's way to the socket: what it sends and receives passes here. Both return -errno when they fail.
  static ssize_t send(int fd, const void* bytes, std::size_t size, int flags, void** library) {
    const ssize_t n = ::send(fd, bytes, size, flags | MSG_NOSIGNAL);
    if (n < 0) return -errno;
    static_cast<Library*>(*library)->sent += static_cast<std::uint64_t>(n);
    return n;
  }
  // A server that goes on talking keeps libssh2 from coming back: now and then it is told that there is
  // nothing.
  static ssize_t receive(int fd, void* into, std::size_t size, int flags, void** library) {
    if (Steady::now() - static_cast<Library*>(*library)->called > kSlice) return -EAGAIN;
    const ssize_t n = ::recv(fd, into, size, flags);
    if (n < 0) return -errno;
    std::string& hello = static_cast<Library*>(*library)->hello;
    hello.append(static_cast<const char*>(into),
                 std::min(static_cast<std::size_t>(n), kMostOfHello - hello.size()));
    return n;
  }

  Fd socket;
  Steady::time_point called;  // when libssh2 was called last
  std::uint64_t sent = 0;     // bytes that the socket took
  std::string hello;          // what the server sent first
  SessionHandle session;
  LIBSSH2_SFTP* sftp = nullptr;  // both live within the session
  LIBSSH2_SFTP_HANDLE* open = nullptr;
};

// Waiting.

void SftpSession::begin(const Transfer& transfer) {
  transfer_ = transfer;
  deadline_ = Steady::time_point::max();
  counted_from_ = Steady::now();
  counted_ = 0;
}

void SftpSession::end_within(Millis most) { deadline_ = Steady::now() + most; }

bool SftpSession::is_sound() const { return !broken_ && library_->open == nullptr; }

bool SftpSession::is_closed() const {
  pollfd watched{library_->socket.get(), POLLRDHUP, 0};
  return poll(&watched, 1, 0) != 0;
}

void SftpSession::give_up(const Error& error) {
  broken_ = true;
  throw error;
}

void SftpSession::look_up() {
  if (transfer_.stop.stop_requested())
    give_up({Code::l_stopped, "stopped on request; the work is taken up again"});
  const auto now = Steady::now();
  if (now - progressed_ > options_.timeout)
    give_up({Code::s_timeout, fmt::format("{} does not answer any more", printable(options_.host))});
  if (now > deadline_)
    give_up({Code::s_timeout, fmt::format("{} takes too long to answer", printable(options_.host))});
}

/// Calls `call` until it is not waiting for the server any more.
template <typename Call>
auto SftpSession::wait_for(Call call) {
  progressed_ = Steady::now();
  while (true) {
    look_up();
    library_->called = Steady::now();
    const auto result = call();
    if (result != LIBSSH2_ERROR_EAGAIN) return result;
    wait_for_socket();
  }
}

void SftpSession::wait_for_socket() {
  const int directions = libssh2_session_block_directions(library_->session.get());
  pollfd watched{library_->socket.get(), 0, 0};
  if ((directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0) watched.events |= POLLIN;
  if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) watched.events |= POLLOUT;
  if (watched.events == 0) watched.events = POLLIN;
  poll(&watched, 1, static_cast<int>(std::min(kSlice, options_.timeout).count()));
}

void SftpSession::moved(std::size_t bytes) {
  if (bytes == 0) return;
  progressed_ = Steady::now();
  counted_ += bytes;
  const auto elapsed = progressed_ - counted_from_;
  if (elapsed <= 2 * options_.timeout) return;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(elapsed).count();
  if (counted_ < kLeastBytesPerSecond * static_cast<std::uint64_t>(seconds))
    give_up({Code::s_timeout, fmt::format("{} is too slow to be of use", printable(options_.host))});
  counted_from_ = progressed_;
  counted_ = 0;
}

// Errors.

void SftpSession::must(long result, const std::string& doing, Asked asked) {
  require_connection(result, doing);
  if (result < 0) throw refusal(doing, asked);
}

/// Throws when a result of libssh2 below zero is no answer of the server's.
void SftpSession::require_connection(long result, const std::string& doing) {
  if (result < 0 && result != LIBSSH2_ERROR_SFTP_PROTOCOL)
    give_up({Code::s_unreachable, fmt::format("the connection to {} broke while {} (libssh2 {})",
                                              printable(options_.host), printable(doing), result)});
}

/// What the server's answer means.
Error SftpSession::refusal(const std::string& doing, Asked asked) const {
  const unsigned long status = libssh2_sftp_last_error(library_->sftp);
  const std::string what = printable(doing);
  switch (status) {
    case LIBSSH2_FX_NO_SUCH_FILE:
    case LIBSSH2_FX_NO_SUCH_PATH:
      return {Code::s_not_found,
              fmt::format("{}: there is none on the share. A folder: have it made, or correct outgoing "
                          "and incoming",
                          what)};
    case LIBSSH2_FX_PERMISSION_DENIED:
    case LIBSSH2_FX_WRITE_PROTECT:
      return {Code::s_rights,
              fmt::format("{}: the share's account has no right to; ask the server's owner", what)};
    case LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM:
    case LIBSSH2_FX_QUOTA_EXCEEDED:
      return {Code::s_full, fmt::format("{}: no room left on the share: make room", what)};
    case LIBSSH2_FX_FAILURE:
      // OpenSSH tells no more than this when the disk is full or a quota is reached.
      if (asked == Asked::write)
        return {Code::s_full, fmt::format("{}: the server could not (disk full, or a quota?)", what)};
      return {
          Code::s_protocol,
          fmt::format("{}: the server failed and does not say why: ask its owner to look in its log", what)};
    case LIBSSH2_FX_OK:
      return {Code::s_protocol, fmt::format("{}: the server's answers are not what SFTP demands", what)};
    default:
      return {Code::s_protocol, fmt::format("{}: the server refused (SFTP status {})", what, status)};
  }
}

// Connecting.

SftpSession::SftpSession(const SftpOptions& options, const Transfer& transfer) : options_(options) {
  static std::once_flag initialized;
  std::call_once(initialized, [] { libssh2_init(0); });
  begin(transfer);
  end_within(2 * options.timeout);
  library_ = std::make_unique<Library>(connect_tcp(options.host, options.port, options.timeout, transfer));
  library_->session.reset(libssh2_session_init_ex(nullptr, nullptr, nullptr, library_.get()));
  if (!library_->session) throw Error(Code::l_memory, "no memory for an SSH session");
  shake_hands();
  check_host_key();
  sign_in();
  open_channel();
}

SftpSession::~SftpSession() = default;

void SftpSession::shake_hands() {
  LIBSSH2_SESSION* const session = library_->session.get();
  libssh2_session_set_blocking(session, 0);
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, reinterpret_cast<void*>(&Library::send));
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, reinterpret_cast<void*>(&Library::receive));
  static constexpr SshAlgorithms kOurs;
  static constexpr std::array<std::pair<int, const char*>, 6> kPreferences = {{
      {LIBSSH2_METHOD_KEX, kOurs.key_exchange},
      {LIBSSH2_METHOD_HOSTKEY, kOurs.host_key},
      {LIBSSH2_METHOD_CRYPT_CS, kOurs.cipher},
      {LIBSSH2_METHOD_CRYPT_SC, kOurs.cipher},
      {LIBSSH2_METHOD_MAC_CS, kOurs.mac},
      {LIBSSH2_METHOD_MAC_SC, kOurs.mac},
  }};
  for (const auto& [method, names] : kPreferences)
    if (libssh2_session_method_pref(session, method, names) != 0)
      throw Error(Code::s_algorithm, "the SSH library lacks an algorithm that this program asks for");
  const int shaken = wait_for([&] { return libssh2_session_handshake(session, library_->socket.get()); });
  switch (shaken) {
    case 0:
      return;
    case LIBSSH2_ERROR_KEX_FAILURE:
    case LIBSSH2_ERROR_METHOD_NONE:
    case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
    case LIBSSH2_ERROR_HOSTKEY_INIT:
      throw Error(Code::s_algorithm, fmt::format("no session with {}: {}", printable(options_.host),
                                                 what_is_missing(library_->hello)));
    default:
      throw Error(Code::s_unreachable,
                  fmt::format("{} does not begin an SSH session (libssh2 {}): is it an SSH server?",
                              printable(options_.host), shaken));
  }
}

void SftpSession::check_host_key() {
  std::size_t size = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(library_->session.get(), &size, &type);
  if (key == nullptr) throw Error(Code::s_protocol, "the server showed no host key");
  const char* digest = libssh2_hostkey_hash(library_->session.get(), LIBSSH2_HOSTKEY_HASH_SHA256);
  if (digest == nullptr) throw Error(Code::s_protocol, "the server's host key cannot be read");
  std::string seen = "SHA256:" + base64({digest, 32});
  while (seen.ends_with('=')) seen.pop_back();
  const bool known =
      options_.known_hosts.empty()
          ? std::find(options_.host_keys.begin(), options_.host_keys.end(), seen) != options_.host_keys.end()
          : is_in_known_hosts({key, size}, type);
  if (known) return;
  throw Error(
      Code::s_host_key,
      fmt::format(
          "{} shows another host key than is pinned: {}. Ask the server's owner by telephone; only if "
          "it is right, put it into share.sftp.host_key",
          printable(options_.host), seen));
}

bool SftpSession::is_in_known_hosts(std::string_view key, int type) const {
  const KnownHostsHandle hosts(libssh2_knownhost_init(library_->session.get()));
  if (!hosts) throw Error(Code::l_memory, "no memory for known_hosts");
  const auto unusable = [&](std::string_view why) {
    return Error(Code::c_config, fmt::format("{} cannot serve as known_hosts: {}",
                                             printable(options_.known_hosts.native()), why));
  };
  std::ifstream file(options_.known_hosts);
  if (!file) throw unusable("it cannot be read");
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    // What a marker says of the plain lines is nothing that libssh2 knows.
    if (begin != std::string::npos && line[begin] == '@')
      throw unusable(
          "it has a line with a marker (@revoked, @cert-authority), which this program does not "
          "take: give it a file with nothing but this server's lines");
    if (libssh2_knownhost_readline(hosts.get(), line.c_str(), line.size(), LIBSSH2_KNOWNHOST_FILE_OPENSSH) !=
        0)
      throw unusable("every line must be one that OpenSSH writes");
  }
  const int kind = type == LIBSSH2_HOSTKEY_TYPE_ED25519     ? LIBSSH2_KNOWNHOST_KEY_ED25519
                   : type == LIBSSH2_HOSTKEY_TYPE_ECDSA_256 ? LIBSSH2_KNOWNHOST_KEY_ECDSA_256
                   : type == LIBSSH2_HOSTKEY_TYPE_ECDSA_384 ? LIBSSH2_KNOWNHOST_KEY_ECDSA_384
                                                            : LIBSSH2_KNOWNHOST_KEY_ECDSA_521;
  // Asked for with a port, libssh2 would take a line without one too.
  static constexpr int kStandardPort = 22;
  const std::string name =
      options_.port == kStandardPort ? options_.host : fmt::format("[{}]:{}", options_.host, options_.port);
  return libssh2_knownhost_check(hosts.get(), name.c_str(), key.data(), key.size(),
                                 LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | kind,
                                 nullptr) == LIBSSH2_KNOWNHOST_CHECK_MATCH;
}

void SftpSession::sign_in() {
  const std::string_view key = options_.key.reveal();
  const int accepted = wait_for([&] {
    return libssh2_userauth_publickey_frommemory(library_->session.get(), options_.user.c_str(),
                                                 options_.user.size(), nullptr, 0, key.data(), key.size(),
                                                 nullptr);
  });
  switch (accepted) {
    case 0:
      return;
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
    case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
      throw Error(Code::s_rights,
                  fmt::format("{} refuses user {} with this key: ask the server's owner to authorize it",
                              printable(options_.host), printable(options_.user)));
    case LIBSSH2_ERROR_KEYFILE_AUTH_FAILED:
      throw Error(Code::c_credential,
                  "the private key has a passphrase, which nobody is there to type: store it without one "
                  "(ssh-keygen -p -N ''), readable by the service alone");
    case LIBSSH2_ERROR_FILE:
    case LIBSSH2_ERROR_PROTO:  // what libssh2 says of a text that is no key
      throw Error(Code::c_credential,
                  "the private key cannot be read: it must be an ed25519 or ECDSA key without "
                  "passphrase (ssh-keygen -t ed25519 -N '')");
    default:
      throw Error(Code::s_unreachable,
                  fmt::format("signing in at {} failed (libssh2 {})", printable(options_.host), accepted));
  }
}

void SftpSession::open_channel() {
  const int opened = wait_for([&] {
    library_->sftp = libssh2_sftp_init(library_->session.get());
    return library_->sftp != nullptr ? 0 : libssh2_session_last_errno(library_->session.get());
  });
  if (opened != 0)
    throw Error(Code::s_protocol,
                fmt::format("{} offers no SFTP (libssh2 {}): ask its owner to enable the subsystem",
                            printable(options_.host), opened));
}

// Looking and naming.

bool SftpSession::exists(const std::string& path) {
  try {
    look_at(path, "");
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::s_not_found) throw;
    return false;
  }
}

struct SftpSession::Attributes : LIBSSH2_SFTP_ATTRIBUTES {};

int SftpSession::stat(const std::string& path, Attributes& into) {
  return wait_for([&] {
    return libssh2_sftp_stat_ex(library_->sftp, path.c_str(), size_of(path), LIBSSH2_SFTP_LSTAT, &into);
  });
}

bool SftpSession::is_folder(const std::string& path) {
  Attributes attributes{};
  const int looked = stat(path, attributes);
  require_connection(looked, "looking at " + path);
  return looked == 0 && is_told(attributes) && LIBSSH2_SFTP_S_ISDIR(attributes.permissions);
}

std::optional<ShareEntry> SftpSession::look_at(const std::string& path, const std::string& name) {
  Attributes attributes{};
  must(stat(path, attributes), "looking at " + path);
  if (!is_told(attributes))
    throw Error(Code::s_protocol,
                fmt::format("the server does not tell what {} is (no permissions or size among its "
                            "attributes): ask its owner for a server that does",
                            printable(path)));
  return entry_of(name, attributes);
}

void SftpSession::unlink(const std::string& path) {
  must(wait_for([&] { return libssh2_sftp_unlink_ex(library_->sftp, path.c_str(), size_of(path)); }),
       "removing " + path);
}

std::optional<Error> SftpSession::rename(const std::string& from, const std::string& to) {
  const std::string doing = "publishing " + to;
  const int renamed = wait_for([&] {
    return libssh2_sftp_rename_ex(library_->sftp, from.c_str(), size_of(from), to.c_str(), size_of(to), 0);
  });
  require_connection(renamed, doing);
  if (renamed == 0) return std::nullopt;
  return refusal(doing, Asked::look);
}

// What is open.

void SftpSession::open(const std::string& path, unsigned long flags, int type) {
  const int result = wait_for([&] {
    library_->open =
        libssh2_sftp_open_ex(library_->sftp, path.c_str(), size_of(path), flags, kFileMode, type);
    return library_->open != nullptr ? 0 : libssh2_session_last_errno(library_->session.get());
  });
  must(result, "opening " + path);
  opened_ = path;
}

void SftpSession::open_folder(const std::string& path) { open(path, 0, LIBSSH2_SFTP_OPENDIR); }

bool SftpSession::next(std::optional<ShareEntry>& file) {
  std::array<char, 4096> buffer{};
  LIBSSH2_SFTP_ATTRIBUTES attributes{};
  const int size = wait_for([&] {
    return libssh2_sftp_readdir_ex(library_->open, buffer.data(), buffer.size(), nullptr, 0, &attributes);
  });
  must(size, "listing " + opened_);
  if (size == 0) return false;
  const std::string name(buffer.data(), static_cast<std::size_t>(size));
  file.reset();
  if (is_told(attributes)) {
    file = entry_of(name, attributes);
  } else if (name != "." && name != "..") {
    try {
      file = look_at(opened_ + name, name);
    } catch (const Error& error) {  // what goes away between the two questions was not there
      if (error.code() != Code::s_not_found) throw;
    }
  }
  return true;
}

void SftpSession::open_file(const std::string& path, std::uint64_t offset) {
  open(path, LIBSSH2_FXF_READ, LIBSSH2_SFTP_OPENFILE);
  libssh2_sftp_seek64(library_->open, offset);
}

std::size_t SftpSession::read(std::span<char> into) {
  const ssize_t n = wait_for([&] { return libssh2_sftp_read(library_->open, into.data(), into.size()); });
  must(n, "reading " + opened_);
  moved(static_cast<std::size_t>(n));
  return static_cast<std::size_t>(n);
}

void SftpSession::create(const std::string& path) {
  static constexpr unsigned long kNew = LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL;
  try {
    open(path, kNew, LIBSSH2_SFTP_OPENFILE);
    return;
  } catch (const Error& error) {  // what version 3 says of a name that is taken
    if (error.code() != Code::s_protocol) throw;
  }
  if (exists(path)) unlink(path);
  open(path, kNew, LIBSSH2_SFTP_OPENFILE);
}

std::size_t SftpSession::write(std::string_view bytes) {
  // Much may be sent before any of it is answered for: what the socket takes shows that it goes on.
  const ssize_t n = wait_for([&] {
    const std::uint64_t before = library_->sent;
    const ssize_t written = libssh2_sftp_write(library_->open, bytes.data(), bytes.size());
    moved(static_cast<std::size_t>(library_->sent - before));
    return written;
  });
  must(n, "writing " + opened_, Asked::write);
  return static_cast<std::size_t>(n);
}

void SftpSession::sync() {
  const int synced = wait_for([&] { return libssh2_sftp_fsync(library_->open); });
  require_connection(synced, "syncing " + opened_);
  if (synced == 0) return;
  if (libssh2_sftp_last_error(library_->sftp) != LIBSSH2_FX_OP_UNSUPPORTED)
    throw refusal("syncing " + opened_, Asked::write);
  log(LogLevel::debug,
      "the server cannot sync files (fsync@openssh.com): what is put is durable when it says so");
}

void SftpSession::close() {
  LIBSSH2_SFTP_HANDLE* const handle = library_->open;
  const int closed = wait_for([&] { return libssh2_sftp_close_handle(handle); });
  library_->open = nullptr;
  must(closed, "closing " + opened_, Asked::write);
}

}  // namespace veer
