// veer-share-bench PORT USER KEY_FILE HOST_KEY FOLDER FILE COPY: puts FILE into FOLDER of the SFTP server on
// 127.0.0.1 and fetches it back into COPY, each over a session of its own. Prints "put SECONDS fetch
// SECONDS", connecting included.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "connectors/sftp_share.h"
#include "core/error.h"
#include "core/files.h"

namespace {

constexpr const char* kName = "share-bench.tar.gpg";

template <typename Work>
double seconds_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void run(const std::vector<std::string>& words) {
  const auto options = [&] {
    return veer::SftpOptions{.host = "127.0.0.1",
                             .port = std::stoi(words[0]),
                             .user = words[1],
                             .key = veer::read_secret("file:" + words[2]),
                             .host_keys = {words[3]},
                             .known_hosts = {},
                             .outgoing = words[4],
                             .incoming = words[4] + ".unused"};
  };
  const veer::FileBlob file(words[5]);
  const double put = seconds_of([&] { veer::SftpShare(options()).put(kName, file, {}, {}); });
  veer::SftpShare share(options());
  const auto entries = share.list(veer::Folder::outgoing, {});
  if (entries.size() != 1 || entries[0].size != file.size())
    throw veer::Error(veer::Code::s_protocol, "the share does not hold what was put, or more than that");
  const double fetch = seconds_of([&] {
    veer::SpoolWriter copy(words[6]);
    veer::SftpShare(options()).fetch(veer::Folder::outgoing, entries[0], 0, copy, {});
  });
  share.remove(veer::Folder::outgoing, kName, {});
  std::cout << fmt::format("put {:.4f} fetch {:.4f}\n", put, fetch);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 7) {
    std::cerr << "usage: veer-share-bench PORT USER KEY_FILE HOST_KEY FOLDER FILE COPY\n";
    return 2;
  }
  try {
    run(words);
    return 0;
  } catch (const veer::Error& error) {
    std::cerr << "veer-share-bench: " << error.message() << "\n";
    return 1;
  }
}
