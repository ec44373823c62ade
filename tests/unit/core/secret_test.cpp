#include "core/secret.h"

#include <cstdlib>
#include <optional>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "core/files.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

// Sets an environment variable for as long as it lives.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Setting() {
    if (before_) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

std::optional<Code> code_for(const std::string& reference) {
  return code_of([&] { read_secret(reference); });
}

}  // namespace

TEST_CASE("a secret is read from a file that only its owner may read") {
  const TempFolder folder;
  const std::string reference = "file:" + (folder / "key").native();
  write_file(folder / "key", "p4ss\n", 0600);
  CHECK(read_secret(reference).reveal() == "p4ss\n");
  for (const mode_t mode : {0640U, 0604U, 0610U, 0601U, 0620U, 0602U, 0666U}) {
    INFO(mode);
    REQUIRE(chmod((folder / "key").c_str(), mode) == 0);
    CHECK(code_for(reference) == Code::c_credential);
  }
  REQUIRE(chmod((folder / "key").c_str(), 0400) == 0);
  CHECK(read_secret(reference).reveal() == "p4ss\n");
}

TEST_CASE("a credential is read from the service's folder, by its plain name") {
  const TempFolder folder;
  write_file(folder / "sftp-key", "k3y", 0440);  // as systemd makes them
  const Setting setting("CREDENTIALS_DIRECTORY", folder.path());
  CHECK(read_secret("credential:sftp-key").reveal() == "k3y");
  for (const char* reference : {"credential:", "credential:none", "credential:.", "credential:..",
                                "credential:../sftp-key", "credential:/etc/hostname"})
    CHECK(code_for(reference) == Code::c_credential);
}

TEST_CASE("outside the service there are no credentials") {
  const Setting setting("CREDENTIALS_DIRECTORY", "");
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(code_for("credential:sftp-key") == Code::c_credential);
}

TEST_CASE("what is no secret's place is refused, and a secret written down itself is not repeated") {
  const TempFolder folder;
  const std::string at = "file:" + folder.path().native();
  write_file(folder / "empty", "");
  write_file(folder / "large", std::string(70'000, 'x'));
  write_file(folder / "key", "k3y");
  fs::create_symlink(folder / "key", folder / "link");
  CHECK(code_for(at) == Code::c_credential);
  CHECK(code_for(at + "/none") == Code::c_credential);
  CHECK(code_for(at + "/empty") == Code::c_credential);
  CHECK(code_for(at + "/large") == Code::c_credential);
  CHECK(code_for(at + "/link") == Code::c_credential);
  CHECK(code_for("") == Code::c_credential);
  CHECK(code_for("file:key") == Code::c_credential);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(code_for(at + "/pipe") == Code::c_credential);
  const auto error = thrown([&] { read_secret("hunter2"); });
  REQUIRE(error);
  CHECK(error->message().find("hunter2") == std::string::npos);
}

TEST_CASE("a secret that was moved leaves none of its bytes where it was") {
  for (const std::string text : {"short", "a secret that is too long to be kept in the object itself"}) {
    std::string source(text);
    const char* const bytes = source.data();
    Secret first(std::move(source));
    CHECK(first.reveal() == text);
    // NOLINTBEGIN(bugprone-use-after-move)
    if (text.size() < 16)
      CHECK(std::string_view(bytes, text.size()).find_first_not_of('\0') == std::string::npos);
    const char* const inner = first.reveal().data();
    Secret second(std::move(first));
    CHECK(second.reveal() == text);
    CHECK(first.empty());
    if (text.size() < 16)
      CHECK(std::string_view(inner, text.size()).find_first_not_of('\0') == std::string::npos);
    // NOLINTEND(bugprone-use-after-move)
    Secret third;
    third = std::move(second);
    CHECK(third.reveal() == text);
  }
}
