// veer-odd-sftp HABIT -d ROOT: an SFTP server (version 3, on stdin and stdout, as sshd starts it) for files
// in ROOT, with one habit that OpenSSH's server does not have:
//
//   overwrites    a rename replaces what stands there
//   keeps-names   a rename and a removal are refused for lack of rights
//   cannot-rename a rename fails, for no reason told
//   cannot-list   a folder fails to open, for no reason told
//   cuts          a file ends after 500 bytes, whatever its size says
//   trickles      a read gets one byte, a while later
//   narrow        takes 1 MB/s
//   untold        entries of a listing come without permissions
//   secretive     nothing ever comes with permissions
//   floods        a folder has no end of files
//   mazy          a folder has no end of folders
//   dawdles       the same, a while for each

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

enum Kind : std::uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kLstat = 7,
  kOpendir = 11,
  kReaddir = 12,
  kRemove = 13,
  kStat = 17,
  kRename = 18,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kAttrs = 105,
};
enum Status : std::uint32_t {
  kOk = 0,
  kEof = 1,
  kNoSuchFile = 2,
  kDenied = 3,
  kFailure = 4,
  kUnsupported = 8
};

/// Thrown where a request ends in a status.
struct Refused {
  Status status;
};

Refused refused_by_errno() {
  return {errno == ENOENT ? kNoSuchFile : errno == EACCES || errno == EPERM ? kDenied : kFailure};
}

class Request {
 public:
  explicit Request(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t number() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t large() { return big_endian(8); }
  std::string text() { return std::string(take(number())); }

 private:
  std::uint64_t big_endian(std::size_t size) {
    std::uint64_t value = 0;
    for (const char c : take(size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > bytes_.size() - at_) throw std::runtime_error("a request is cut short");
    at_ += size;
    return std::string_view(bytes_).substr(at_ - size, size);
  }

  std::string bytes_;
  std::size_t at_ = 0;
};

class Answer {
 public:
  Answer& byte(std::uint8_t value) {
    bytes_ += static_cast<char>(value);
    return *this;
  }
  Answer& number(std::uint32_t value) { return big_endian(value, 4); }
  Answer& large(std::uint64_t value) { return big_endian(value, 8); }
  Answer& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  Answer& attributes(const struct stat& status, bool tells_kind) {
    number(1 | 8 | (tells_kind ? 4 : 0)).large(static_cast<std::uint64_t>(status.st_size));
    if (tells_kind) number(status.st_mode);
    return number(static_cast<std::uint32_t>(status.st_atime))
        .number(static_cast<std::uint32_t>(status.st_mtime));
  }
  void send() const {
    Answer framed;
    framed.text(bytes_);
    for (std::string_view rest = framed.bytes_; !rest.empty();) {
      const ssize_t n = write(STDOUT_FILENO, rest.data(), rest.size());
      if (n <= 0) std::exit(0);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  Answer& big_endian(std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) byte(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }

  std::string bytes_;
};

std::string read_exactly(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t n = read(STDIN_FILENO, bytes.data() + done, size - done);
    if (n <= 0) std::exit(0);
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

struct stat look(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) throw refused_by_errno();
  return status;
}

class Server {
 public:
  explicit Server(std::string habit) : habit_(std::move(habit)) {}

  [[noreturn]] void run() {
    while (true) {
      Request request(read_exactly(Request(read_exactly(4)).number()));
      const std::uint8_t kind = request.byte();
      const std::uint32_t id = request.number();  // of the first request: the version
      if (kind == kInit) {
        Answer().byte(kVersion).number(3).send();
        continue;
      }
      try {
        answer(kind, id, request).send();
      } catch (const Refused& refused) {
        Answer().byte(kStatus).number(id).number(refused.status).text("no").text("").send();
      }
    }
  }

 private:
  struct Opened {
    int fd = -1;
    std::string path;
    std::vector<std::string> names;  // still to be listed
  };

  bool has(std::string_view habit) const { return habit_ == habit; }
  static void dawdle(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  }

  Answer answer(std::uint8_t kind, std::uint32_t id, Request& request) {
    switch (kind) {
      case kOpen:
      case kOpendir:
        return Answer().byte(kHandle).number(id).text(kind == kOpen ? open_file(request)
                                                                    : open_folder(request));
      case kRead:
        return Answer().byte(kData).number(id).text(read_file(request));
      case kReaddir:
        return next_name(id, opened_.at(request.text()));
      case kStat:
      case kLstat:
        return Answer().byte(kAttrs).number(id).attributes(look(request.text()), !has("secretive"));
      case kClose:
        close(opened_.at(request.text()).fd);
        break;
      case kWrite:
        write_file(request);
        break;
      case kRemove:
        if (has("keeps-names")) throw Refused{kDenied};
        if (unlink(request.text().c_str()) != 0) throw refused_by_errno();
        break;
      case kRename:
        rename_file(request);
        break;
      default:
        throw Refused{kUnsupported};
    }
    throw Refused{kOk};
  }

  std::string keep(Opened opened) {
    const std::string handle = std::to_string(++handles_);
    opened_[handle] = std::move(opened);
    return handle;
  }
  std::string open_file(Request& request) {
    const std::string path = request.text();
    const std::uint32_t asked = request.number();
    const int flags = ((asked & 2) != 0 ? O_WRONLY : O_RDONLY) | ((asked & 8) != 0 ? O_CREAT : 0) |
                      ((asked & 16) != 0 ? O_TRUNC : 0) | ((asked & 32) != 0 ? O_EXCL : 0);
    const int fd = open(path.c_str(), flags | O_CLOEXEC, 0640);
    if (fd < 0) throw refused_by_errno();
    return keep({fd, path, {}});
  }
  std::string open_folder(Request& request) {
    if (has("cannot-list")) throw Refused{kFailure};
    Opened opened{-1, request.text(), {".", ".."}};
    if (!fs::is_directory(opened.path)) throw Refused{kNoSuchFile};
    for (const auto& entry : fs::directory_iterator(opened.path))
      opened.names.push_back(entry.path().filename().native());
    return keep(std::move(opened));
  }
  std::string read_file(Request& request) {
    const int fd = opened_.at(request.text()).fd;
    const std::uint64_t offset = request.large();
    std::uint64_t most = request.number();
    if (has("cuts")) most = offset < 500 ? std::min<std::uint64_t>(most, 500 - offset) : 0;
    if (has("trickles")) {
      most = std::min<std::uint64_t>(most, 1);
      dawdle(20);
    }
    std::string bytes(most, '\0');
    const ssize_t n = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n <= 0) throw Refused{kEof};
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
  void write_file(Request& request) {
    const int fd = opened_.at(request.text()).fd;
    const std::uint64_t offset = request.large();
    const std::string bytes = request.text();
    if (has("narrow")) dawdle(static_cast<int>(bytes.size() / 1000));
    if (pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) < 0) throw refused_by_errno();
  }
  void rename_file(Request& request) {
    const std::string from = request.text();
    const std::string to = request.text();
    if (has("keeps-names")) throw Refused{kDenied};
    if (has("cannot-rename")) throw Refused{kFailure};
    if (!has("overwrites") && fs::exists(fs::symlink_status(to))) throw Refused{kFailure};
    if (rename(from.c_str(), to.c_str()) != 0) throw refused_by_errno();
  }
  Answer next_name(std::uint32_t id, Opened& opened) {
    const bool endless = has("floods") || has("mazy") || has("dawdles");
    if (has("dawdles")) dawdle(100);
    if (!endless && opened.names.empty()) throw Refused{kEof};
    Answer answer;
    if (endless) {
      static constexpr std::uint32_t kAtOnce = 100;
      struct stat status = look(opened.path);
      if (has("floods")) status.st_mode = S_IFREG | 0640;
      answer.byte(kName).number(id).number(kAtOnce);
      for (std::uint32_t i = 0; i < kAtOnce; ++i)
        answer.text("junk" + std::to_string(++made_up_)).text("").attributes(status, true);
      return answer;
    }
    const std::string name = opened.names.back();
    opened.names.pop_back();
    const struct stat status = look(fs::path(opened.path) / name);
    return answer.byte(kName).number(id).number(1).text(name).text("").attributes(
        status, !has("untold") && !has("secretive"));
  }

  std::string habit_;
  std::map<std::string, Opened> opened_;
  int handles_ = 0;
  int made_up_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || chdir(argv[3]) != 0) return 2;
  try {
    Server(argv[1]).run();
  } catch (const std::exception&) {  // what asks so is no client of ours
    return 1;
  }
}
