#include "core/exposure.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("what opens a folder of ours to others is told, with the remedy") {
  const TempFolder folder;
  const fs::path state = folder / "above" / "state";
  make_folder(state);
  CHECK_FALSE(exposure_of(state));
  for (const mode_t mode : {0710U, 0701U, 0770U, 0705U}) {
    REQUIRE(chmod(state.c_str(), mode) == 0);
    CHECK(exposure_of(state).value().find("chmod 700") != std::string::npos);
  }
  REQUIRE(chmod(state.c_str(), 0700) == 0);
  REQUIRE(chmod((folder / "above").c_str(), 0777) == 0);
  CHECK(exposure_of(state).value().find("chmod o-w") != std::string::npos);
  REQUIRE(chmod((folder / "above").c_str(), 01777) == 0);
  CHECK_FALSE(exposure_of(state));
  fs::create_directory_symlink(state, folder / "link");
  CHECK(exposure_of(folder / "link").value().find("is not a folder") != std::string::npos);
  CHECK(exposure_of(folder / "none").value().find("is not a folder") != std::string::npos);
}

TEST_CASE(
    "what opens a file of ours to others is told, with the remedy, and a file that is not there is none") {
  const TempFolder folder;
  const fs::path file = folder / "file";
  CHECK_FALSE(exposure_of_file(file));
  write_file(file, "x");
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    REQUIRE(chmod(file.c_str(), mode) == 0);
    CHECK(exposure_of_file(file).value().find("chmod 600") != std::string::npos);
  }
  REQUIRE(chmod(file.c_str(), 0600) == 0);
  CHECK_FALSE(exposure_of_file(file));
  fs::create_symlink(file, folder / "link");
  CHECK(exposure_of_file(folder / "link").value().find("is not a file") != std::string::npos);
  fs::create_symlink(folder / "none", folder / "astray");
  CHECK(exposure_of_file(folder / "astray").value().find("is not a file") != std::string::npos);
}

TEST_CASE("whoever may put something else in the place of a path is found in the folders above it") {
  const TempFolder folder;
  const fs::path above = folder / "a";
  const fs::path path = above / "b/configuration.toml";
  fs::create_directories(path.parent_path());
  CHECK_FALSE(exposure_above(path));
  fs::permissions(above, fs::perms(0777));
  CHECK(exposure_above(path));
  fs::permissions(above, fs::perms(01777));
  CHECK_FALSE(exposure_above(path));
  fs::permissions(above, fs::perms(0770));
  REQUIRE(chown(above.c_str(), geteuid(), 65533) == 0);
  CHECK(exposure_above(path));
  fs::permissions(above, fs::perms(0750));
  CHECK_FALSE(exposure_above(path));
  REQUIRE(chown(above.c_str(), 65533, getegid()) == 0);
  CHECK(exposure_above(path));
}
