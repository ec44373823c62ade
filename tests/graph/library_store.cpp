#include "graph/library_store.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace veer::test {
namespace {

constexpr std::uint64_t kFragmentUnit = 327'680;
constexpr std::size_t kMostFragment = std::size_t{60} << 20;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// https://learn.microsoft.com, "Restrictions and limitations in OneDrive and SharePoint".
void require_name(const std::string& name) {
  static const std::vector<std::string> kReserved = {".lock", "con", "prn", "aux", "nul", "desktop.ini"};
  const std::string lower = lower_case(name);
  const bool device = lower.size() == 4 && (lower.starts_with("com") || lower.starts_with("lpt")) &&
                      lower[3] >= '0' && lower[3] <= '9';
  if (name.empty() || name.find_first_of("\"*:<>?/\\|") != std::string::npos || name.starts_with(' ') ||
      name.ends_with(' ') || name.ends_with('.') || name.starts_with("~$") || device ||
      lower.find("_vti_") != std::string::npos ||
      std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end())
    throw Refusal{400, "invalidRequest",
                  "The provided name cannot contain any of the following characters, or is reserved."};
}

// SharePoint writes properties into files of these kinds, so that they are no longer what was sent.
bool is_rewritten(const std::string& name) {
  static constexpr std::array kKinds = {".docx", ".xlsx", ".pptx", ".pdf", ".html", ".htm"};
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [&](const char* kind) { return lower_case(name).ends_with(kind); });
}

}  // namespace

std::string Item::etag() const { return fmt::format("\"{{{}}},{}\"", upper(guid), version); }
std::string Item::ctag() const { return fmt::format("\"c:{{{}}},{}\"", upper(guid), content_version); }

Drive& LibraryStore::add_drive(const std::string& site, const std::string& name) {
  Drive drive{.id = "b!" + random_hex(60) + "_-" + random_hex(2),
              .name = name,
              .site = site,
              .root = "01" + upper(random_hex(32))};
  drive.items[drive.root] = Item{.id = drive.root,
                                 .parent = "",
                                 .name = "root",
                                 .is_folder = true,
                                 .guid = random_guid(),
                                 .created = now_(),
                                 .modified = now_()};
  return drives_[drive.id] = drive;
}

Drive& LibraryStore::drive(const std::string& id) {
  const auto found = drives_.find(id);
  if (found == drives_.end()) throw Refusal{404, "itemNotFound", "The drive was not found."};
  return found->second;
}

Item& LibraryStore::item(Drive& drive, const std::string& id) {
  const auto found = drive.items.find(id == "root" ? drive.root : id);
  if (found == drive.items.end()) throw Refusal{404, "itemNotFound", "The resource could not be found."};
  return found->second;
}

Item* LibraryStore::child(Drive& drive, const std::string& parent, const std::string& name) {
  const auto& names = drive.names[parent];
  const auto found = names.find(lower_case(name));
  return found != names.end() ? &drive.items.at(found->second) : nullptr;
}

Item& LibraryStore::at(Drive& drive, const std::string& start, const std::vector<std::string>& path) {
  Item* here = &item(drive, start);
  for (const std::string& name : path) {
    here = child(drive, here->id, name);
    if (here == nullptr || here->late) throw Refusal{404, "itemNotFound", "The resource could not be found."};
  }
  return *here;
}

Item& LibraryStore::folder_at(Drive& drive, const std::string& start, const std::vector<std::string>& path) {
  Item* here = &item(drive, start);
  for (const std::string& name : path) {
    Item* const next = child(drive, here->id, name);
    here = next != nullptr ? next : &make_folder(drive, here->id, name, Conflict::fail);
  }
  return *here;
}

std::vector<Item*> LibraryStore::children(Drive& drive, const std::string& parent) {
  std::vector<Item*> found;
  for (const auto& [name, id] : drive.names[parent]) found.push_back(&drive.items.at(id));
  std::sort(found.begin(), found.end(), [](const Item* a, const Item* b) { return a->name < b->name; });
  return found;
}

std::string LibraryStore::path_of(Drive& drive, const Item& item) {
  if (item.parent.empty()) return "";
  return path_of(drive, drive.items.at(item.parent)) + "/" + item.name;
}

std::string LibraryStore::free_name(Drive& drive, const std::string& parent, const std::string& name) {
  const std::size_t dot = std::min(name.rfind('.'), name.size());
  for (int number = 1;; ++number) {
    const std::string other = fmt::format("{} {}{}", name.substr(0, dot), number, name.substr(dot));
    if (child(drive, parent, other) == nullptr) return other;
  }
}

void LibraryStore::require_room(std::uint64_t more) const {
  if (used_ + more > quota)
    throw Refusal{507, "quotaLimitReached", "The user has reached their quota limit."};
}

Item& LibraryStore::make_folder(Drive& drive, const std::string& parent, const std::string& name,
                                Conflict conflict) {
  require_name(name);
  if (!item(drive, parent).is_folder) throw Refusal{400, "invalidRequest", "The parent is not a folder."};
  std::string wanted = name;
  if (Item* const there = child(drive, parent, name)) {
    if (conflict == Conflict::replace && there->is_folder) return *there;
    if (conflict != Conflict::rename)
      throw Refusal{409, "nameAlreadyExists", "An item with the same name already exists under the parent."};
    wanted = free_name(drive, parent, name);
  }
  const std::string id = "01" + upper(random_hex(32));
  drive.names[item(drive, parent).id][lower_case(wanted)] = id;
  return drive.items[id] = Item{.id = id,
                                .parent = item(drive, parent).id,
                                .name = wanted,
                                .is_folder = true,
                                .guid = random_guid(),
                                .created = now_(),
                                .modified = now_()};
}

void LibraryStore::fill(Item& item, std::string&& content, std::optional<ServiceTime> modified,
                        std::string&& hash) {
  if (is_rewritten(item.name) && !content.empty()) {
    content += "<!-- properties -->";
    hash.clear();
  }
  if (hash.empty()) hash = quick_xor(content);
  if (content.empty()) hash.clear();
  used_ += content.size();
  item.hash = std::move(hash);
  item.content = std::make_shared<const std::string>(std::move(content));
  item.modified = modified.value_or(now_());
  item.promotes = true;
}

std::pair<bool, Item*> LibraryStore::write(Drive& drive, const std::string& parent, const std::string& name,
                                           std::string&& content, Conflict conflict,
                                           std::optional<ServiceTime> modified, std::string hash) {
  require_name(name);
  if (!item(drive, parent).is_folder) throw Refusal{400, "invalidRequest", "The parent is not a folder."};
  std::string wanted = name;
  if (Item* const there = child(drive, parent, name)) {
    if (conflict == Conflict::replace && !there->is_folder)
      return overwrite(drive, *there, std::move(content), modified, std::move(hash));
    if (conflict != Conflict::rename)
      throw Refusal{409, "nameAlreadyExists", "An item with the same name already exists under the parent."};
    wanted = free_name(drive, parent, name);
  }
  require_room(content.size());
  const std::string id = "01" + upper(random_hex(32));
  Item& made = drive.items[id];
  made = Item{
      .id = id, .parent = item(drive, parent).id, .name = wanted, .guid = random_guid(), .created = now_()};
  drive.names[made.parent][lower_case(wanted)] = id;
  fill(made, std::move(content), modified, std::move(hash));
  return {true, &made};
}

std::pair<bool, Item*> LibraryStore::overwrite(Drive&, Item& item, std::string&& content,
                                               std::optional<ServiceTime> modified, std::string hash) {
  if (item.is_folder) throw Refusal{400, "invalidRequest", "A folder has no content."};
  require_room(content.size());  // the earlier version stays, and counts
  item.versions.push_back(
      {fmt::format("{}.0", item.versions.size() + 1), item.content->size(), item.modified});
  ++item.version;
  ++item.content_version;
  fill(item, std::move(content), modified, std::move(hash));
  return {false, &item};
}

void LibraryStore::rename(Drive& drive, Item& item, const std::string& parent, const std::string& name,
                          Conflict conflict) {
  require_name(name);
  std::string wanted = name;
  if (Item* const there = child(drive, parent, name); there != nullptr && there != &item) {
    if (conflict == Conflict::fail || conflict == Conflict::replace)
      throw Refusal{409, "nameAlreadyExists", "An item with the same name already exists under the parent."};
    wanted = free_name(drive, parent, name);
  }
  drive.names[item.parent].erase(lower_case(item.name));
  item.name = wanted;
  item.parent = parent;
  drive.names[item.parent][lower_case(item.name)] = item.id;
  ++item.version;
}

void LibraryStore::remove(Drive& drive, const std::string& id, bool for_good) {
  Item& gone = item(drive, id);
  if (gone.parent.empty()) throw Refusal{400, "invalidRequest", "The root cannot be removed."};
  for (const Item* below : children(drive, gone.id)) remove(drive, std::string(below->id), for_good);
  if (gone.held)
    throw Refusal{403, "accessDenied",
                  "Access denied. You cannot delete this item; it's possible that it's on hold."};
  if (for_good) {
    if (gone.content) used_ -= gone.content->size();
    for (const Version& version : gone.versions) used_ -= version.size;
  } else {
    recycle_bin.push_back(gone.name);
  }
  drive.names[gone.parent].erase(lower_case(gone.name));
  drive.items.erase(gone.id);
}

void LibraryStore::change_time(Item& item, ServiceTime modified) {
  item.modified = modified;
  ++item.version;
  if (item.is_folder) return;
  require_room(item.content->size());
  used_ += item.content->size();
  item.versions.push_back(
      {fmt::format("{}.0", item.versions.size() + 1), item.content->size(), item.modified});
}

void LibraryStore::remove_version(Item& item, const std::string& id) {
  const auto found = std::find_if(item.versions.begin(), item.versions.end(),
                                  [&](const Version& one) { return one.id == id; });
  if (found == item.versions.end()) throw Refusal{404, "itemNotFound", "The version was not found."};
  used_ -= found->size;
  item.versions.erase(found);
}

UploadSession& LibraryStore::open_session(UploadSession session) {
  require_name(session.name);
  for (const auto& [target, other] : sessions_)
    if (other.drive == session.drive && other.parent == session.parent &&
        lower_case(other.name) == lower_case(session.name) && other.dies > now_())
      throw Refusal{409, "nameAlreadyExists", "An upload session already exists for this file."};
  Drive& place = drive(session.drive);
  if (const Item* const there = child(place, session.parent, session.name);
      there != nullptr && session.conflict == Conflict::fail && !session.item)
    throw Refusal{409, "nameAlreadyExists", "An item with the same name already exists under the parent."};
  if (session.total) require_room(*session.total);
  return sessions_[session.target] = std::move(session);
}

void LibraryStore::take_fragment(UploadSession& session, std::uint64_t begin, std::uint64_t total,
                                 const std::string& bytes) {
  const std::uint64_t next = session.content.size();
  if (begin < next)
    throw Refusal{416, "invalidRange",
                  "The uploaded fragment overlaps with data that has already been received.",
                  "fragmentOverlap"};
  if (begin > next)
    throw Refusal{416, "invalidRange", "The uploaded fragment is out of order.", "fragmentOutOfOrder"};
  if (begin + bytes.size() > total || bytes.empty())
    throw Refusal{416, "invalidRange", "The range lies outside of the file."};
  if (session.total && next > 0 && *session.total != total)
    throw Refusal{400, "invalidRequest", "The total length must be the same in every fragment."};
  if (bytes.size() >= kMostFragment)
    throw Refusal{413, "requestEntityTooLarge", "The fragment is larger than 60 MiB.",
                  "maxFragmentSizeExceeded"};
  if (begin + bytes.size() < total && bytes.size() % kFragmentUnit != 0)
    throw Refusal{400, "invalidRequest", "The fragment is not a multiple of 320 KiB."};
  session.total = total;
  if (next == 0) session.content.reserve(total);
  session.hash.update(bytes);
  session.content += bytes;
}

std::pair<bool, Item*> LibraryStore::commit(const std::string& target) {
  UploadSession& session = sessions_.at(target);
  Drive& place = drive(session.drive);
  if (session.item && !place.items.contains(*session.item))
    throw Refusal{404, "itemNotFound", "The resource could not be found."};
  if (!session.item && session.conflict == Conflict::fail &&
      child(place, session.parent, session.name) != nullptr)
    throw Refusal{409, "nameAlreadyExists", "An item with the same name already exists under the parent."};
  require_room(session.content.size());
  UploadSession done = std::move(session);
  sessions_.erase(target);
  if (done.item)
    return overwrite(place, place.items.at(*done.item), std::move(done.content), done.modified,
                     done.hash.base64());
  return write(place, done.parent, done.name, std::move(done.content), done.conflict, done.modified,
               done.hash.base64());
}

void LibraryStore::cut(UploadSession& session, std::uint64_t size) {
  session.content.resize(std::min<std::uint64_t>(session.content.size(), size));
  session.hash = {};
  session.hash.update(session.content);
}

}  // namespace veer::test
