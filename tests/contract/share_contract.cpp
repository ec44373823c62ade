// What every share promises (connectors/share.h), over each of them.

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <utility>

#include <catch2/catch.hpp>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "connectors/folder_share.h"
#include "connectors/probe.h"
#include "connectors/sharepoint_share.h"
#include "core/digest.h"
#include "core/files.h"
#include "graph/graph_share.h"
#include "support/child.h"
#include "support/ftps_server.h"
#include "support/scripted_share.h"
#include "support/sshd.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

/// One kind of share: ours, and the other side's view of the same place, whose folders the test can reach.
struct Place {
  TempFolder folder;
  std::unique_ptr<Sshd> server;
  std::unique_ptr<FtpsServer> ftps;
  std::unique_ptr<GraphShare> graph;
  fs::path out;  ///< over SharePoint: within the library
  fs::path in;
  std::unique_ptr<Share> ours;
  std::unique_ptr<Share> theirs;

  explicit Place(const std::string& kind) {
    if (kind == "sftp") {
      server = std::make_unique<Sshd>();
      out = server->root() / "to_avsb";
      in = server->root() / "to_aii";
      ours = std::make_unique<SftpShare>(server->share());
      theirs = std::make_unique<SftpShare>(server->other_side());
      return;
    }
    if (kind.starts_with("ftps")) {
      ftps = std::make_unique<FtpsServer>(ftps_server(kind));
      out = ftps->root() / "to_avsb";
      in = ftps->root() / "to_aii";
      ours = std::make_unique<FtpsShare>(ftps->share());
      theirs = std::make_unique<FtpsShare>(ftps->other_side());
      return;
    }
    if (kind.starts_with("sharepoint")) {
      const bool odd = kind == "sharepoint odd";
      graph =
          std::make_unique<GraphShare>(GraphOptions{.chunked = odd, .odd_urls = odd, .storage_apart = odd});
      out = "to_avsb";
      in = "to_aii";
      ours = std::make_unique<SharePointShare>(graph->share());
      theirs = std::make_unique<SharePointShare>(graph->other_side());
      return;
    }
    out = folder / "out";
    in = folder / "in";
    fs::create_directories(out);
    fs::create_directories(in);
    if (kind == "folder") {
      ours = std::make_unique<FolderShare>(out, in);
      theirs = std::make_unique<FolderShare>(in, out);
    } else {
      ours = std::make_unique<ScriptedShare>(out, in);
      theirs = std::make_unique<ScriptedShare>(in, out);
    }
  }

  // The share's folders, without the share.
  void write(const fs::path& path, const std::string& bytes) const {
    if (graph)
      graph->graph().put_file(GraphShare::kLibrary, path, bytes);
    else
      write_file(path, bytes);
  }
  bool holds(const fs::path& path) const {
    return graph ? graph->graph().file(GraphShare::kLibrary, path).has_value() : fs::exists(path);
  }
  bool is_empty(const fs::path& path) const {
    return graph ? graph->graph().list_files(GraphShare::kLibrary, path).empty() : fs::is_empty(path);
  }
  void make_folder(const fs::path& path) const {
    if (graph)
      graph->graph().make_folder(GraphShare::kLibrary, path);
    else
      fs::create_directories(path);
  }
  void remove_folder(const fs::path& path) const {
    if (graph)
      graph->graph().remove_file(GraphShare::kLibrary, path);
    else
      fs::remove_all(path);
  }
  void cut(const fs::path& path) const {
    if (graph)
      graph->graph().put_file(GraphShare::kLibrary, path, "x");
    else
      fs::resize_file(path, 1);
  }

  static FtpsServerOptions ftps_server(const std::string& kind) {
    if (kind == "ftps vsftpd") return {.kind = FtpServerKind::vsftpd};
    if (kind == "ftps pure-ftpd") return {.kind = FtpServerKind::pure_ftpd};
    return {};
  }
  static Names names(std::vector<ShareEntry> entries) {
    Names all;
    for (const ShareEntry& entry : entries) all.push_back(entry.name);
    std::sort(all.begin(), all.end());
    return all;
  }
  static std::string read(Share& share, Folder folder, const ShareEntry& entry, std::uint64_t offset = 0) {
    StringSink sink(std::size_t{1} << 28);
    share.fetch(folder, entry, offset, sink, {});
    return sink.take();
  }
  ShareEntry arrived(const std::string& name) const {
    for (const ShareEntry& entry : theirs->list(Folder::incoming, {}))
      if (entry.name == name) return entry;
    throw std::runtime_error("not listed");
  }
};

void put(Share& share, const std::string& name, std::string_view bytes) {
  share.put(name, MemoryBlob(bytes), {}, {});
}

std::string many_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return bytes;
}

/// Lets renameat2 with flags fail from now on, as a file system does that has no such flags. For good.
void forbid_sparing_rename() {
  static constexpr std::uint32_t kFlags = offsetof(seccomp_data, args) + 4 * sizeof(std::uint64_t);
  std::array<sock_filter, 6> rules = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFlags),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{static_cast<unsigned short>(rules.size()), rules.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    throw std::runtime_error("no seccomp");
}

#define OVER_EVERY_SHARE                                                                         \
  const std::string kind = GENERATE("folder", "scripted", "sftp", "ftps proftpd", "ftps vsftpd", \
                                    "ftps pure-ftpd", "sharepoint", "sharepoint odd");           \
  CAPTURE(kind);                                                                                 \
  Place place(kind);

}  // namespace

TEST_CASE("what one side puts, the other lists and fetches byte for byte, and removes") {
  OVER_EVERY_SHARE
  for (const std::size_t size : {0UL, 1UL, 1000UL, 1048576UL, 9000001UL}) {
    const std::string bytes = many_bytes(size);
    put(*place.ours, "a.pgp", bytes);
    const ShareEntry entry = place.arrived("a.pgp");
    CHECK(entry.size == size);
    REQUIRE(entry.modified);
    CHECK(*entry.modified <= SystemClock().now() + std::chrono::seconds(2));
    CHECK(Place::read(*place.theirs, Folder::incoming, entry) == bytes);
    place.theirs->remove(Folder::incoming, "a.pgp", {});
    CHECK(place.theirs->list(Folder::incoming, {}).empty());
    CHECK(place.is_empty(place.out));
  }
}

TEST_CASE("a name that is taken is never overwritten") {
  OVER_EVERY_SHARE
  put(*place.ours, "a.pgp", "first");
  CHECK(code_of([&] { put(*place.ours, "a.pgp", "second"); }) == Code::s_name_taken);
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == "first");
  CHECK(Place::names(place.ours->list(Folder::outgoing, {})) == Names{"a.pgp"});
}

TEST_CASE("a leftover of an earlier attempt does not hinder") {
  OVER_EVERY_SHARE
  place.write(place.out / ".a.pgp.part", "half of something that was much longer than this");
  put(*place.ours, "a.pgp", "whole");
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == "whole");
  // SharePoint needs no such name, so that a leftover of another kind of share stays.
  if (!place.graph) CHECK(Place::names(place.ours->list(Folder::outgoing, {})) == Names{"a.pgp"});
}

TEST_CASE("nothing is written through a link that stands where the leftover would") {
  OVER_EVERY_SHARE
  if (place.graph) return;  // has no links
  const fs::path target = place.folder / "somebody's";
  write_file(target, "untouched");
  fs::create_symlink(target, place.out / ".a.pgp.part");
  put(*place.ours, "a.pgp", "whole");
  CHECK(read_file(target) == "untouched");
  CHECK(fs::is_regular_file(fs::symlink_status(place.out / "a.pgp")));
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == "whole");
}

TEST_CASE("a folder that stands where the leftover would is told, with the name to have removed") {
  OVER_EVERY_SHARE
  if (place.graph) return;  // writes no part
  fs::create_directories(place.out / ".a.pgp.part" / "full");
  const auto error = thrown([&] { put(*place.ours, "a.pgp", "whole"); });
  REQUIRE(error);
  CAPTURE(error->message());
  CHECK(error->code() == Code::s_publish);
  CHECK(error->message().find(".a.pgp.part first, and a folder") != std::string::npos);
  CHECK(error->message().find("have it removed") != std::string::npos);
  CHECK_FALSE(fs::exists(place.out / "a.pgp"));
  fs::remove_all(place.out / ".a.pgp.part");
  put(*place.ours, "a.pgp", "whole");
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == "whole");
}

TEST_CASE("bytes that end before their size are not published") {
  /// Tells of more than it has, as a file that is cut while it is read.
  class Short : public MemoryBlob {
   public:
    using MemoryBlob::MemoryBlob;
    std::uint64_t size() const override { return 1000; }
  };
  OVER_EVERY_SHARE
  CHECK(code_of([&] { place.ours->put("a.pgp", Short("four"), {}, {}); }) == Code::l_io);
  CHECK_FALSE(place.holds(place.out / "a.pgp"));
  put(*place.ours, "a.pgp", "whole");
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == "whole");
}

TEST_CASE("a file that is cut while it is fetched is told as changed, or comes as it was listed") {
  /// Cuts the file when its first bytes come.
  class Cutting : public Sink {
   public:
    explicit Cutting(const Place& place) : place_(place) {}
    void write(std::string_view bytes) override {
      digest_.update(bytes);
      if (!std::exchange(done_, true)) place_.cut(place_.out / "a.pgp");
    }

    std::string digest() { return digest_.hex(); }

   private:
    const Place& place_;
    Sha256 digest_;
    bool done_ = false;
  };
  OVER_EVERY_SHARE
  const std::string bytes = many_bytes(40000000);
  put(*place.ours, "a.pgp", bytes);
  Cutting sink(place);
  const auto code =
      code_of([&] { place.theirs->fetch(Folder::incoming, place.arrived("a.pgp"), 0, sink, {}); });
  if (code)
    CHECK(code == Code::s_changed);
  else
    CHECK(sink.digest() == sha256_hex(bytes));
}

TEST_CASE("a flood of files is cut at the cap, and a flood of other things is told") {
  OVER_EVERY_SHARE
  if (kind == "ftps pure-ftpd") return;  // cuts the listing itself, at 10,000
  SECTION("files") {
    for (std::size_t i = 0; i <= kMostEntries; ++i) {
      const fs::path path = place.in / ("junk" + std::to_string(i));
      if (place.graph)
        place.write(path, "");
      else
        std::ofstream{path};  // syncing so many takes minutes
    }
    CHECK(place.ours->list(Folder::incoming, {}).size() == kMostEntries);
  }
  SECTION("links") {
    for (std::size_t i = 0; i <= kMostEntries; ++i) {
      if (place.graph)
        place.make_folder(place.in / std::to_string(i));
      else
        fs::create_symlink(".", place.in / std::to_string(i));
    }
    CHECK(code_of([&] { place.ours->list(Folder::incoming, {}); }) == Code::s_protocol);
  }
}

TEST_CASE("a fetch begins where it is told to") {
  OVER_EVERY_SHARE
  const std::string bytes = many_bytes(3000000);
  put(*place.ours, "a.pgp", bytes);
  const ShareEntry entry = place.arrived("a.pgp");
  for (const std::uint64_t offset : {0ULL, 1ULL, 1048576ULL, 2999999ULL, 3000000ULL})
    CHECK(Place::read(*place.theirs, Folder::incoming, entry, offset) == bytes.substr(offset));
}

TEST_CASE("a fetch of another file than was listed is noticed") {
  OVER_EVERY_SHARE
  put(*place.ours, "a.pgp", "first");
  ShareEntry entry = place.arrived("a.pgp");
  SECTION("another size") {
    place.ours->remove(Folder::outgoing, "a.pgp", {});
    put(*place.ours, "a.pgp", "another");
    CHECK(code_of([&] { Place::read(*place.theirs, Folder::incoming, entry); }) == Code::s_changed);
  }
  SECTION("another revision") {
    entry.revision += "x";
    CHECK(code_of([&] { Place::read(*place.theirs, Folder::incoming, entry); }) == Code::s_changed);
  }
  SECTION("gone") {
    place.ours->remove(Folder::outgoing, "a.pgp", {});
    CHECK(code_of([&] { Place::read(*place.theirs, Folder::incoming, entry); }) == Code::s_not_found);
  }
  SECTION("a link now") {
    place.ours->remove(Folder::outgoing, "a.pgp", {});
    if (place.graph)
      place.make_folder(place.out / "a.pgp");
    else
      fs::create_symlink("/etc/hostname", place.out / "a.pgp");
    CHECK(code_of([&] { Place::read(*place.theirs, Folder::incoming, entry); }) == Code::s_changed);
  }
}

TEST_CASE("removing what is not there is a success") {
  OVER_EVERY_SHARE
  CHECK_NOTHROW(place.ours->remove(Folder::outgoing, "nothing.pgp", {}));
}

TEST_CASE("names that are no share's names are refused, and never reach the share") {
  OVER_EVERY_SHARE
  for (const std::string& name :
       {std::string("../a"), std::string("a/b"), std::string(".."), std::string(""), std::string("a b"),
        std::string("A.pgp"), std::string("a\n"), std::string(101, 'a')}) {
    CAPTURE(name);
    CHECK(code_of([&] { put(*place.ours, name, "x"); }) == Code::t_name);
    CHECK(code_of([&] { place.ours->remove(Folder::outgoing, name, {}); }) == Code::t_name);
    CHECK(code_of([&] { Place::read(*place.ours, Folder::incoming, {name, 1, "", {}}); }) == Code::t_name);
  }
  CHECK(place.is_empty(place.out));
}

TEST_CASE("folders, links and pipes are not listed, and odd names are listed as they are") {
  OVER_EVERY_SHARE
  if (place.graph) {  // takes no such names
    place.write(place.in / "UPPER", "x");
    place.write(place.in / "c'd e", "x");
    place.make_folder(place.in / "folder");
    CHECK(Place::names(place.ours->list(Folder::incoming, {})) == Names{"UPPER", "c'd e"});
    return;
  }
  const Names odd = {"UPPER", "a\x1b[31m", "b\xff\xfe", "c d ", "-rf", std::string(250, 'x')};
  for (const std::string& name : odd) write_file(place.in / name, "x");
  fs::create_directories(place.in / "folder");
  fs::create_symlink("/etc/hostname", place.in / "link");
  REQUIRE(mkfifo((place.in / "pipe").c_str(), 0600) == 0);
  Names expected = odd;
  if (kind == "ftps pure-ftpd") std::erase(expected, "a\x1b[31m");  // hides such names itself
  if (kind == "ftps proftpd") expected.push_back("pipe");           // calls it a file
  std::sort(expected.begin(), expected.end());
  CHECK(Place::names(place.ours->list(Folder::incoming, {})) == expected);
}

TEST_CASE("a missing folder is told as missing") {
  OVER_EVERY_SHARE
  place.remove_folder(place.in);
  CHECK(code_of([&] { place.ours->list(Folder::incoming, {}); }) == Code::s_not_found);
  place.remove_folder(place.out);
  CHECK(code_of([&] { put(*place.ours, "a.pgp", "x"); }) == Code::s_not_found);
}

TEST_CASE("a stop ends a transfer, leaves nothing published, and the share goes on working") {
  OVER_EVERY_SHARE
  const std::string bytes = many_bytes(40000000);
  std::stop_source stop;
  const Transfer transfer{stop.get_token(), [&](std::uint64_t) { stop.request_stop(); }};
  CHECK(code_of([&] { place.ours->put("a.pgp", MemoryBlob(bytes), {}, transfer); }) == Code::l_stopped);
  CHECK(place.theirs->list(Folder::incoming, {}).size() <= 1);
  CHECK_FALSE(place.holds(place.out / "a.pgp"));

  put(*place.ours, "a.pgp", bytes);
  std::stop_source again;
  StringSink sink(bytes.size());
  CHECK(code_of([&] {
          place.theirs->fetch(Folder::incoming, place.arrived("a.pgp"), 0, sink,
                              {again.get_token(), [&](std::uint64_t) { again.request_stop(); }});
        }) == Code::l_stopped);
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == bytes);
}

TEST_CASE("every verb heeds a stop that was asked for before") {
  OVER_EVERY_SHARE
  put(*place.ours, "a.pgp", "bytes");
  const ShareEntry entry = place.arrived("a.pgp");
  std::stop_source stop;
  stop.request_stop();
  const Transfer stopped{stop.get_token(), {}};
  StringSink sink(100);
  CHECK(code_of([&] { place.ours->list(Folder::outgoing, stopped); }) == Code::l_stopped);
  CHECK(code_of([&] { place.ours->put("b.pgp", MemoryBlob("x"), {}, stopped); }) == Code::l_stopped);
  CHECK(code_of([&] { place.theirs->fetch(Folder::incoming, entry, 0, sink, stopped); }) == Code::l_stopped);
  CHECK(code_of([&] { place.ours->remove(Folder::outgoing, "a.pgp", stopped); }) == Code::l_stopped);
  CHECK(code_of([&] { place.ours->probe(stopped); }) == Code::l_stopped);
  CHECK(Place::names(place.ours->list(Folder::outgoing, {})) == Names{"a.pgp"});
}

TEST_CASE("an error of the sink passes through, and the share goes on working") {
  OVER_EVERY_SHARE
  put(*place.ours, "a.pgp", "more than fits");
  StringSink small(3);
  CHECK(code_of([&] { place.theirs->fetch(Folder::incoming, place.arrived("a.pgp"), 0, small, {}); }) ==
        Code::t_size);
  CHECK(Place::read(*place.theirs, Folder::incoming, place.arrived("a.pgp")) == "more than fits");
}

TEST_CASE("a probe finds a share that keeps its word good, and leaves nothing behind") {
  OVER_EVERY_SHARE
  const auto results = place.ours->probe();
  CHECK(results.size() >= 6);
  for (const ProbeResult& result : results) {
    CAPTURE(result.what, result.detail);
    CHECK(result.good);
  }
  CHECK(std::any_of(results.begin(), results.end(), [](const auto& r) { return r.what == "publish once"; }));
  CHECK(place.is_empty(place.out));
}

TEST_CASE("a probe that was cut off does not hinder the next") {
  OVER_EVERY_SHARE
  place.ours->probe();
  const auto by_tag = [&](const std::string& tag) {
    place.write(place.out / (".veer-probe-" + tag), "left by another");
  };
  by_tag(std::to_string(getpid()));
  by_tag("scripted");
  for (const ProbeResult& result : place.ours->probe()) {
    CAPTURE(result.what, result.detail);
    CHECK(result.good);
  }
}

TEST_CASE("a folder on a file system without renaming that spares is published once all the same") {
  // As on NFS. The process that may not rename so any more is another one.
  const TempFolder folder;
  fs::create_directories(folder / "out");
  fs::create_directories(folder / "in");
  Child child([&] {
    forbid_sparing_rename();
    FolderShare share(folder / "out", folder / "in");
    put(share, "a.pgp", "first");
    if (code_of([&] { put(share, "a.pgp", "second"); }) != Code::s_name_taken) return 1;
    for (const ProbeResult& result : share.probe())
      if (!result.good) return 2;
    return 0;
  });
  CHECK(child.wait() == 0);
  CHECK(Place::names(FolderShare(folder / "out", folder / "in").list(Folder::outgoing, {})) ==
        Names{"a.pgp"});
  CHECK(read_file(folder / "out/a.pgp") == "first");
}

TEST_CASE("a probe tells of a share that overwrites what was published") {
  /// Publishes over what is there, as many servers would.
  class Overwriting : public ScriptedShare {
   public:
    using ScriptedShare::ScriptedShare;
    void put(const std::string& name, const Blob& content, ResumeNote resume,
             const Transfer& transfer) override {
      remove(Folder::outgoing, name, transfer);
      ScriptedShare::put(name, content, std::move(resume), transfer);
    }
    std::vector<ProbeResult> probe(const Transfer& transfer = {}) override {
      return probe_by_verbs(*this, {}, transfer);
    }
  };
  const TempFolder folder;
  fs::create_directories(folder / "out");
  fs::create_directories(folder / "in");
  Overwriting share(folder / "out", folder / "in");
  const auto results = share.probe();
  const auto once =
      std::find_if(results.begin(), results.end(), [](const auto& r) { return r.what == "publish once"; });
  REQUIRE(once != results.end());
  CHECK_FALSE(once->good);
  CHECK(once->detail.starts_with("S_PUBLISH"));
}
