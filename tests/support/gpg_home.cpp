#include "support/gpg_home.h"

#include <fstream>

#include <fmt/format.h>

#include "core/files.h"
#include "formats/keyring.h"

namespace veer::test {

GpgHome::GpgHome() : path_(folder_ / "h") { prepare_home(path_); }

GpgHome::~GpgHome() {
  try {
    stop_agent(path_);
  } catch (const std::exception&) {
    // It ends by itself within seconds of its folder's end.
  }
}

std::string GpgHome::file(const std::string& name, std::string_view bytes) const {
  const auto path = folder_ / name;
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return fmt::format("'{}'", path.native());
}

std::string GpgHome::gpg(const std::string& arguments, std::string_view input, bool may_fail) const {
  const std::string in = file("stdin", input);
  const std::string out = file("stdout", {});
  const std::string command =
      fmt::format("gpg --homedir '{}' --batch --yes --no-tty --pinentry-mode loopback {} <{} >{} 2>/dev/null",
                  path_.native(), arguments, in, out);
  const int status = std::system(command.c_str());
  if (status != 0 && !may_fail) throw std::runtime_error("gpg failed: " + arguments);
  return read_file(folder_ / "stdout");
}

std::string GpgHome::create_key(const std::string& user_id) const {
  return veer::create_key(path_, user_id,
                          {.primary_life = std::chrono::days(0), .subkey_life = std::chrono::days(0)});
}

void GpgHome::take_key(const GpgHome& from, const std::string& fingerprint) const {
  import_public(path_, export_public(from.path(), fingerprint), fingerprint);
}

GpgPair::GpgPair()
    : sender_home(sender_.path()),
      receiver_home(receiver_.path()),
      sender_key(sender_.create_key("AII <exchange@aii.example.org>")),
      receiver_key(receiver_.create_key("AVSB <exchange@avsb.example.org>")) {
  sender_.take_key(receiver_, receiver_key);
  receiver_.take_key(sender_, sender_key);
}

}  // namespace veer::test
