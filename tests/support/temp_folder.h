#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace veer::test {

/// Owns a new, empty folder of mode 0700 under /tmp and removes it with all that is in it. Its path is short
/// enough for the sockets of gpg-agent, whatever TMPDIR says. `in_memory` asks for one whose syncs cost
/// nothing.
class TempFolder {
 public:
  enum class Place { on_disk, in_memory };

  explicit TempFolder(Place place = Place::on_disk) {
    std::error_code none;
    const bool memory = place == Place::in_memory && std::filesystem::is_directory("/dev/shm", none);
    std::string name = memory ? "/dev/shm/veer-XXXXXX" : "/tmp/veer-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder could be made");
    path_ = name;
  }
  ~TempFolder() {
    // A server that ends removes its own sockets and may be faster: then what is left goes in the next round.
    std::error_code error;
    for (int round = 0; round < 100; ++round)
      if (std::filesystem::remove_all(path_, error); !error) return;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace veer::test
