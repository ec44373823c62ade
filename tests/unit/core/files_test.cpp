#include "core/files.h"

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"
#include "support/child.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

void put(const fs::path& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a full disk has its own code, whatever the quota") {
  for (const int full : {ENOSPC, EDQUOT}) {
    const auto code = code_of([&] {
      errno = full;
      throw_errno("writing");
    });
    CHECK(code == Code::l_full);
  }
  const auto error = thrown([] {
    errno = EACCES;
    throw_errno("writing x");
  });
  REQUIRE(error);
  CHECK(error->code() == Code::l_io);
  CHECK(error->message() == "writing x: Permission denied");
}

TEST_CASE("a file is written with its mode, whole, and over what was there") {
  const TempFolder folder;
  const fs::path path = folder / "note";
  write_file(path, "one");
  CHECK(read_file(path) == "one");
  CHECK(mode_of(path) == 0600);
  write_file(path, std::string(3'000'000, 'x'), 0644);
  CHECK(read_file(path) == std::string(3'000'000, 'x'));
  CHECK(mode_of(path) == 0644);
  write_file(path, "");
  CHECK(read_file(path).empty());
  CHECK(names_in(folder.path()) == std::vector<std::string>{"note"});
}

TEST_CASE("a file that is being written holds its old or its new bytes, also when the writer is killed") {
  const TempFolder folder;
  const fs::path path = folder / "note";
  const std::array texts = {std::string(200'000, 'a'), std::string(300'000, 'b')};
  write_file(path, texts[0]);
  for (int round = 0; round < 10; ++round) {
    Child writer([&]() -> int {
      for (std::size_t i = 0;; ++i) write_file(path, texts[i % 2]);
    });
    for (int seen_new = 0; seen_new < 20;) {
      const std::string seen = read_file(path);
      REQUIRE((seen == texts[0] || seen == texts[1]));
      if (seen == texts[1]) ++seen_new;
    }
    writer.kill();
    const std::string left = read_file(path);
    REQUIRE((left == texts[0] || left == texts[1]));
  }
  write_file(path, "the leftover of a killed writer does not hinder the next");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"note"});
}

TEST_CASE("a write that fails half-way leaves the old bytes") {
  const TempFolder folder;
  const fs::path path = folder / "note";
  write_file(path, "old");
  Child writer([&]() -> int {
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
    return code_of([&] { write_file(path, std::string(2000, 'x')); }) == Code::l_io ? 0 : 1;
  });
  CHECK(writer.wait() == 0);
  CHECK(read_file(path) == "old");
}

TEST_CASE("writing a file does not follow, fill or wait for what somebody put in the way") {
  const TempFolder folder;
  put(folder / "precious", "precious");
  const fs::path in_the_way = folder / ".note.new";
  SECTION("a link") { fs::create_symlink(folder / "precious", in_the_way); }
  SECTION("a second name") { fs::create_hard_link(folder / "precious", in_the_way); }
  SECTION("a pipe") { REQUIRE(mkfifo(in_the_way.c_str(), 0600) == 0); }
  write_file(folder / "note", "new");
  CHECK(read_file(folder / "note") == "new");
  CHECK(read_file(folder / "precious") == "precious");
  CHECK_FALSE(fs::exists(in_the_way));
}

TEST_CASE("a file of ours is read up to its cap and not through a link") {
  const TempFolder folder;
  put(folder / "file", "12345");
  fs::create_symlink(folder / "file", folder / "link");
  CHECK(read_file(folder / "file", 5) == "12345");
  CHECK(code_of([&] { read_file(folder / "file", 4); }) == Code::i_size);
  CHECK(code_of([&] { read_file(folder / "link"); }) == Code::l_io);
  CHECK(code_of([&] { read_file(folder / "none"); }) == Code::l_io);
  CHECK(code_of([&] { read_file(folder.path()); }) == Code::l_io);
}

TEST_CASE("a dropped file is read once, with what tells it from another") {
  const TempFolder folder;
  put(folder / "list.csv", "insz\n");
  const ReadFile read = read_once(folder / "list.csv", 5);
  CHECK(read.bytes == "insz\n");
  CHECK(read.identity == identify(folder / "list.csv"));
  CHECK(read.identity.size == 5);
  CHECK(read.identity.owner == geteuid());
  put(folder / "empty.csv", "");
  CHECK(read_once(folder / "empty.csv", 0).bytes.empty());
  CHECK_FALSE(identify(folder / "none"));
}

TEST_CASE("only a regular file with one name, not too large and still there, is read from the drop") {
  const TempFolder folder;
  const fs::path path = folder / "list.csv";
  put(folder / "other", "12345");
  std::optional<Code> expected = Code::i_file;
  Fd listener;
  SECTION("a symbolic link") { fs::create_symlink(folder / "other", path); }
  SECTION("a link to nothing") { fs::create_symlink(folder / "none", path); }
  SECTION("a hard link") { fs::create_hard_link(folder / "other", path); }
  SECTION("a folder") { fs::create_directory(path); }
  SECTION("a pipe that nobody writes to") { REQUIRE(mkfifo(path.c_str(), 0600) == 0); }
  SECTION("a socket") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    listener = Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  SECTION("a file above the cap") {
    put(path, "12345");
    expected = Code::i_size;
  }
  SECTION("a file that is gone") { expected = Code::i_changed; }
  CHECK(code_of([&] { read_once(path, 4); }) == expected);
  if (expected == Code::i_file) CHECK(code_of([&] { identify(path); }) == Code::i_file);
}

TEST_CASE("a file that grows while it is read is noticed, and what was read is otherwise whole") {
  const TempFolder folder;
  const fs::path path = folder / "list.csv";
  put(path, std::string(8'000'000, 'x'));
  std::atomic<bool> seen = false;
  std::thread writer([&] {
    std::ofstream file(path, std::ios::binary | std::ios::app);
    while (!seen) file << 'x' << std::flush;
  });
  for (int attempt = 0; attempt < 1000 && !seen; ++attempt) {
    std::optional<ReadFile> read;
    const auto code = code_of([&] { read = read_once(path, std::uint64_t{1} << 30); });
    if (code == Code::i_changed) seen = true;
    if (read) CHECK(read->bytes.size() == read->identity.size);
  }
  CHECK(seen);
  seen = true;
  writer.join();
}

TEST_CASE("a file that is replaced while it is looked at is not taken for one with a second name") {
  const TempFolder folder;
  const fs::path path = folder / "list.csv";
  write_file(path, "12345");
  Child writer([&]() -> int {
    for (;;) {
      put(folder / "new", "12345");
      fs::rename(folder / "new", path);
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    const auto code = code_of([&] {
      identify(path);
      read_once(path, 100);
    });
    REQUIRE((!code || code == Code::i_changed));
  }
}

TEST_CASE("only the file that was read is removed") {
  const TempFolder folder;
  const fs::path path = folder / "list.csv";
  put(path, "12345");
  const FileIdentity identity = read_once(path, 100).identity;
  SECTION("the same file goes") {
    CHECK(remove_if_same(path, identity));
    CHECK_FALSE(fs::exists(path));
    CHECK_FALSE(remove_if_same(path, identity));
  }
  SECTION("one that was written to stays") {
    std::ofstream(path, std::ios::app) << "6";
    CHECK_FALSE(remove_if_same(path, identity));
    CHECK(read_file(path) == "123456");
  }
  SECTION("one that was put in its place stays") {
    put(folder / "new", "12345");
    fs::rename(folder / "new", path);
    CHECK_FALSE(remove_if_same(path, identity));
    CHECK(fs::exists(path));
  }
  SECTION("one that got a second name stays") {
    fs::create_hard_link(path, folder / "second");
    CHECK_FALSE(remove_if_same(path, identity));
    CHECK(fs::exists(path));
  }
  SECTION("a link in its place stays") {
    fs::rename(path, folder / "moved");
    fs::create_symlink(folder / "moved", path);
    CHECK_FALSE(remove_if_same(path, identity));
    CHECK(fs::exists(folder / "moved"));
  }
}

TEST_CASE("a file that is put in the place of the one that is removed is never lost, whenever it comes") {
  const TempFolder folder(TempFolder::Place::in_memory);
  const fs::path path = folder / "list.csv";
  for (int round = 0; round < 20'000; ++round) {
    put(path, "12345");
    put(folder / "new", "67890");
    const FileIdentity identity = identify(path).value();
    std::jthread putter([&] { fs::rename(folder / "new", path); });
    remove_if_same(path, identity);
    putter.join();
    REQUIRE(names_in(folder.path()) == std::vector<std::string>{"list.csv"});
    REQUIRE(read_file(path) == "67890");
  }
}

TEST_CASE("a file that a crash left claimed is removed by the next call, and put back when it is another") {
  const TempFolder folder;
  const fs::path path = folder / "list.csv";
  put(path, "12345");
  const FileIdentity identity = FileIdentity::parse(identify(path).value().text()).value();
  fs::rename(path, claimed_name(path));
  put(path, "another");
  CHECK(remove_if_same(path, identity));
  CHECK(names_in(folder.path()) == std::vector<std::string>{"list.csv"});
  CHECK(read_file(path) == "another");
  fs::rename(path, claimed_name(path));
  CHECK_FALSE(remove_if_same(path, identity));
  CHECK(rename_if_free(claimed_name(path), path));
  CHECK(read_file(path) == "another");
  CHECK_FALSE(rename_if_free(claimed_name(path), path));
  put(folder / "third", "");
  CHECK_FALSE(rename_if_free(folder / "third", path));
}

TEST_CASE("a file's identity is read back from its text, and nothing else is") {
  const TempFolder folder;
  put(folder / "a", "1");
  const FileIdentity identity = identify(folder / "a").value();
  CHECK(FileIdentity::parse(identity.text()).value().text() == identity.text());
  for (const char* text : {"", "1", "1:2:3:4", "1:2:3:4:5:6", "1:2:3:4:x", "1:2:3:4:5:", "I_FILE"})
    CHECK_FALSE(FileIdentity::parse(text));
}

TEST_CASE("files are removed and renamed, and one that is not there is no error to remove") {
  const TempFolder folder;
  put(folder / "a", "1");
  put(folder / "b", "2");
  fs::create_directory(folder / "sub");
  rename_file(folder / "a", folder / "sub" / "b");
  rename_file(folder / "b", folder / "sub" / "b");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"sub"});
  CHECK(read_file(folder / "sub" / "b") == "2");
  remove_file(folder / "sub" / "b");
  remove_file(folder / "sub" / "b");
  CHECK(names_in(folder / "sub").empty());
  CHECK(code_of([&] { rename_file(folder / "none", folder / "b"); }) == Code::l_io);
}

TEST_CASE("a folder of ours is open to nobody else, with or without a slash at its end") {
  const TempFolder folder;
  const fs::path state = folder / "parent" / "state";
  make_folder(state);
  make_folder(state);
  make_folder(folder / "other/");
  CHECK(mode_of(state) == 0700);
  CHECK(mode_of(folder / "other") == 0700);
  put(folder / "file", "");
  CHECK(code_of([&] { make_folder(folder / "file"); }) == Code::l_io);
  CHECK(code_of([&] { make_folder(folder / "file" / "below"); }) == Code::l_io);
}

TEST_CASE("the names in a folder come sorted, whatever bytes they have") {
  const TempFolder folder;
  for (const char* name : {"b", "a\nb", ".hidden", "\xff", "-rf"}) put(folder / name, "");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"-rf", ".hidden", "a\nb", "b", "\xff"});
  CHECK(code_of([&] { names_in(folder / "none"); }) == Code::l_io);
  CHECK(code_of([&] { names_in(folder / "b"); }) == Code::l_io);
}

TEST_CASE("writing to the spool goes on where it is told, and drops what was beyond") {
  const TempFolder folder;
  const fs::path path = folder / "package";
  {
    SpoolWriter file(path);
    file.write("0123456789");
    CHECK(file.size() == 10);
  }
  {
    SpoolWriter file(path, 4);
    file.write("abc");
    CHECK(file.size() == 7);
    file.finish();
  }
  CHECK(read_file(path) == "0123abc");
  CHECK(mode_of(path) == 0600);
  CHECK(code_of([&] { SpoolWriter(path, 8); }) == Code::l_io);
  CHECK(read_file(path) == "0123abc");
  SpoolWriter(path).finish();
  CHECK(read_file(path).empty());
  fs::create_symlink(path, folder / "link");
  CHECK(code_of([&] { SpoolWriter(folder / "link"); }) == Code::l_io);
}

TEST_CASE("a file is read anywhere, as far as it goes") {
  const TempFolder folder;
  put(folder / "file", "0123456789");
  const FileBlob blob(folder / "file");
  std::array<char, 4> into{};
  CHECK(blob.size() == 10);
  CHECK(blob.read(3, into) == 4);
  CHECK(std::string_view(into.data(), 4) == "3456");
  CHECK(blob.read(8, into) == 2);
  CHECK(blob.read(10, into) == 0);
  CHECK(blob.read(1000, into) == 0);
}

TEST_CASE("memory for plaintext holds its cap and not a byte more") {
  MemFile memory(10);
  memory.write("01234");
  CHECK(code_of([&] { memory.write("567890"); }) == Code::t_size);
  memory.write("56789");
  CHECK(code_of([&] { memory.write("0"); }) == Code::t_size);
  memory.seal();
  CHECK(memory.bytes() == "0123456789");
}

TEST_CASE("sealed memory cannot be changed by anybody who holds it") {
  MemFile memory(10);
  memory.write("01234");
  memory.seal();
  CHECK(code_of([&] { memory.write("5"); }) == Code::l_memory);
  CHECK(pwrite(memory.fd(), "x", 1, 0) < 0);
  CHECK(ftruncate(memory.fd(), 2) < 0);
  CHECK(mmap(nullptr, 5, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd(), 0) == MAP_FAILED);
  CHECK(fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_WRITE) < 0);
  CHECK(memory.bytes() == "01234");
  MemFile empty(10);
  empty.seal();
  CHECK(empty.bytes().empty());
}

TEST_CASE("a folder is locked by one process at a time, and free again when that one dies") {
  const TempFolder folder;
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  Child holder([&]() -> int {
    const auto lock = FolderLock::try_take(folder.path());
    const char held = lock ? 'y' : 'n';
    if (write(write_end.get(), &held, 1) != 1) return 1;
    for (;;) pause();
  });
  char held = '?';
  REQUIRE(read(read_end.get(), &held, 1) == 1);
  REQUIRE(held == 'y');
  CHECK_FALSE(FolderLock::try_take(folder.path()));
  CHECK(FolderLock::is_taken(folder.path()));
  holder.kill();
  CHECK_FALSE(FolderLock::is_taken(folder.path()));
  {
    const auto lock = FolderLock::try_take(folder.path(), "a service");
    CHECK(lock);
    CHECK(FolderLock::holder(folder.path()) == "a service");
    CHECK(FolderLock::is_taken(folder.path()));
    CHECK_FALSE(FolderLock::try_take(folder.path()));
  }
  CHECK(FolderLock::try_take(folder.path()));
  CHECK(code_of([&] { FolderLock::try_take(folder / "none"); }) == Code::l_io);
  CHECK_FALSE(FolderLock::is_taken(folder / "none"));
  CHECK_FALSE(FolderLock::holder(folder.path()));
  const auto another = FolderLock::try_take(folder.path(), "x");
  CHECK(FolderLock::holder(folder.path()) == "x");
}

TEST_CASE("a file that must be new replaces nothing") {
  const TempFolder folder;
  CHECK(write_new_file(folder / "a", "one", 0640));
  CHECK_FALSE(write_new_file(folder / "a", "two", 0640));
  CHECK(read_file(folder / "a") == "one");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a"});
}

TEST_CASE("a file that was handed over open is read from its beginning, and only while it has a name") {
  const TempFolder folder;
  const fs::path path = folder / "list.csv";
  put(path, "insz\n");
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(lseek(fd.get(), 3, SEEK_SET) == 3);
  for (int i = 0; i < 2; ++i) CHECK(read_open(fd.get(), "list.csv", 5).bytes == "insz\n");
  CHECK(code_of([&] { read_open(fd.get(), "list.csv", 4); }) == Code::i_size);
  const Fd for_writing(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  CHECK(code_of([&] { read_open(for_writing.get(), "list.csv", 5); }) == Code::l_io);
  fs::remove(path);
  CHECK(code_of([&] { read_open(fd.get(), "list.csv", 5); }) == Code::i_file);
}
