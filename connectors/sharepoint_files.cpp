#include "connectors/sharepoint_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

// Addresses of content live for minutes.
bool is_stale(int status) { return status == 401 || status == 404 || status == 410; }

/// The library of a folder: "/drives/…".
std::string library_of(const std::string& folder) {
  return folder.substr(0, folder.find('/', std::string_view("/drives/").size()));
}

/// Hands on what comes after the first bytes, and no more than it should.
class Window : public Sink {
 public:
  Window(Sink& next, std::uint64_t most, std::uint64_t offset, const Transfer& transfer)
      : next_(next), most_(most), offset_(offset), transfer_(transfer) {}

  void skip(std::uint64_t bytes) { skipped_ = bytes; }
  std::uint64_t passed() const { return passed_; }
  void write(std::string_view bytes) override {
    const std::size_t skipping = std::min<std::uint64_t>(skipped_, bytes.size());
    skipped_ -= skipping;
    bytes.remove_prefix(skipping);
    if (bytes.size() > most_ - passed_)
      throw Error(Code::s_changed, "the file grew on the share while it was fetched");
    if (!bytes.empty()) next_.write(bytes);
    passed_ += bytes.size();
    transfer_.tick(offset_ + passed_);
  }

 private:
  Sink& next_;
  std::uint64_t most_;
  std::uint64_t offset_;
  const Transfer& transfer_;
  std::uint64_t skipped_ = 0;
  std::uint64_t passed_ = 0;
};

/// A fresh address, from which the content can be had without a token.
std::string content_address(Graph& graph, const std::string& folder, const GraphItem& item,
                            const Transfer& transfer) {
  const std::string doing = "fetching " + printable(item.name);
  const GraphAnswer answer =
      graph.call({"GET", library_of(folder) + "/items/" + in_path(item.id) + "/content", doing}, transfer);
  if (answer.status() == 404) throw Error(Code::s_changed, doing + ": it is gone by now");
  if (answer.status() < 300 || answer.status() > 399) throw refusal(answer, doing);
  return answer.http.header("location");
}

}  // namespace

std::string item_path(const std::string& folder, const std::string& name) {
  return folder + (folder.find("/root:") == std::string::npos ? ":/" : "/") + in_path(name) + ":";
}

std::optional<GraphItem> find_item(Graph& graph, const std::string& folder, const std::string& name,
                                   const Transfer& transfer) {
  const std::string doing = "looking at " + printable(name);
  const GraphAnswer answer = graph.call({"GET", item_path(folder, name), doing}, transfer);
  if (answer.status() == 404) return std::nullopt;
  if (!answer.good()) throw refusal(answer, doing);
  return parse_item(answer.http.body);
}

std::optional<GraphItem> find_file(Graph& graph, const std::string& folder, const std::string& name,
                                   const Transfer& transfer) {
  auto item = find_item(graph, folder, name, transfer);
  if (item && (!item->is_file || item->name != name)) item.reset();
  return item;
}

bool download(Graph& graph, const std::string& folder, const GraphItem& item, std::uint64_t offset,
              Sink& into, const Transfer& transfer) {
  const std::string doing = "fetching " + printable(item.name);
  const std::string first =
      item.download.empty() ? content_address(graph, folder, item, transfer) : item.download;
  const std::uint64_t most = item.size - offset;
  const bool proves = offset == 0 && !item.hash.empty();
  HashingSink hashed(&into);
  Window window(proves ? static_cast<Sink&>(hashed) : into, most, offset, transfer);
  const auto attempt = [&](const std::string& url) {
    StorageCall call{.method = "GET", .url = url, .doing = doing};
    if (offset > 0) call.headers["Range"] = fmt::format("bytes={}-", offset);
    call.choose = [&](const HttpAnswer& head) -> Sink* {
      if (head.status == 200) {
        window.skip(offset);  // all of it, whatever was asked for
        return &window;
      }
      if (head.status != 206) return nullptr;
      const std::string range = fmt::format("bytes {}-{}/{}", offset, item.size - 1, item.size);
      if (head.header("content-range") != range)
        throw Error(Code::s_changed, doing + ": other bytes came than were asked for");
      return &window;
    };
    return graph.store(std::move(call), transfer);
  };
  GraphAnswer answer = attempt(first);
  if (is_stale(answer.status())) answer = attempt(content_address(graph, folder, item, transfer));
  if (is_stale(answer.status()))
    throw Error(Code::s_unreachable,
                fmt::format("{}: the address of its content does not count any more ({}; {})", doing,
                            answer.status(), ids_of(answer)));
  if (answer.status() != 200 && answer.status() != 206) throw refusal(answer, doing);
  if (window.passed() != most)
    throw Error(Code::s_changed, doing + ": fewer bytes came than it is said to have");
  return proves && hashed.text() == item.hash;
}

bool remove_item(Graph& graph, const std::string& folder, const GraphItem& item, const Transfer& transfer) {
  const std::string doing = "removing " + printable(item.name);
  const std::string path = library_of(folder) + "/items/" + in_path(item.id);
  const GraphAnswer gone = graph.call({"POST", path + "/permanentDelete", doing}, transfer);
  if (gone.good()) return true;
  const bool unknown_here = gone.status() == 501 || gone.status() == 505;
  if ((gone.status() >= 500 && !unknown_here) || gone.status() == 423 || gone.status() == 401)
    throw refusal(gone, doing);
  const GraphAnswer binned = graph.call({"DELETE", path, doing}, transfer);
  if (binned.status() == 404) return true;
  if (binned.status() == 403)
    throw Error(
        Code::s_rights,
        fmt::format("{}: the site keeps it: a retention policy holds it, or the application lacks the "
                    "role write ({})",
                    doing, ids_of(binned)));
  if (!binned.good()) throw refusal(binned, doing);
  log(LogLevel::warn,
      "{} went into the site's recycle bin, where it stays up to 93 days: the service refused to remove it "
      "for "
      "good ({}; {})",
      printable(item.name), gone.status(), ids_of(gone));
  return false;
}

}  // namespace veer
