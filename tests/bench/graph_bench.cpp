// veer-graph-bench LOGIN TENANT APP CERTIFICATE_FILE KEY_FILE CA_FILE STORAGE_HOST FILE COPY: puts FILE into
// "to_avsb" of the library "Documents" of veer-graph-emulator, whose Graph host is LOGIN, and fetches it back
// into COPY, with shares that have listed their folder before, as the service's have. Prints "put SECONDS
// fetch SECONDS memory BYTES": by how much the process grew.

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "connectors/sharepoint_share.h"
#include "core/error.h"
#include "core/files.h"

namespace {

constexpr const char* kName = "graph-bench.tar.gpg";

template <typename Work>
double seconds_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Kilobytes of "VmRSS" or "VmHWM" of this process.
std::uint64_t memory(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == what + ":") {
      std::uint64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes;
    }
  return 0;
}

std::string text_in(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void run(const std::vector<std::string>& words) {
  const auto options = [&](const std::string& outgoing, const std::string& incoming) {
    veer::SharePointOptions made;
    made.login = made.graph = words[0];
    made.scope = "https://graph.microsoft.com/.default";
    made.tenant = words[1];
    made.client_id = words[2];
    made.certificate = text_in(words[3]);
    made.key = veer::read_secret("file:" + words[4]);
    made.ca = text_in(words[5]);
    made.transfer_hosts = {words[6]};
    made.site = "https://contoso.sharepoint.com/sites/uitwisseling";
    made.library = "Documents";
    made.outgoing = outgoing;
    made.incoming = incoming;
    return made;
  };
  const veer::FileBlob file(words[7]);
  const std::uint64_t before = memory("VmRSS");
  veer::SharePointShare sender(options("to_avsb", "to_aii"));
  sender.list(veer::Folder::outgoing, {});
  const double put = seconds_of([&] { sender.put(kName, file, {}, {}); });
  veer::SharePointShare share(options("to_aii", "to_avsb"));
  const auto entries = share.list(veer::Folder::incoming, {});
  if (entries.size() != 1 || entries[0].size != file.size())
    throw veer::Error(veer::Code::s_protocol, "the share does not hold what was put, or more than that");
  const double fetch = seconds_of([&] {
    veer::SpoolWriter copy(words[8]);
    share.fetch(veer::Folder::incoming, entries[0], 0, copy, {});
  });
  share.remove(veer::Folder::incoming, kName, {});
  std::cout << fmt::format("put {:.4f} fetch {:.4f} memory {}\n", put, fetch,
                           (memory("VmHWM") - before) * 1024);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 9) {
    std::cerr << "usage: veer-graph-bench LOGIN TENANT APP CERTIFICATE_FILE KEY_FILE CA_FILE STORAGE_HOST "
                 "FILE COPY\n";
    return 2;
  }
  try {
    run(words);
    return 0;
  } catch (const veer::Error& error) {
    std::cerr << "veer-graph-bench: " << error.message() << "\n";
    return 1;
  }
}
