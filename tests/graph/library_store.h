#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/encoding.h"
#include "graph/quick_xor.h"

namespace veer::test {

/// Why a request is refused: becomes the answer's status and error.
struct Refusal {
  int status;
  std::string code;
  std::string message;
  std::string inner = {};
};

enum class Conflict { fail, replace, rename };

struct Version {
  std::string id;
  std::uint64_t size;
  ServiceTime modified;
};

struct Item {
  std::string id;
  std::string parent;  ///< empty: the root
  std::string name;
  bool is_folder = false;
  std::shared_ptr<const std::string> content = {};
  std::string hash = {};  ///< empty: none
  std::string guid = {};
  ServiceTime created = {};
  ServiceTime modified = {};
  int version = 1;          ///< of the eTag
  int content_version = 1;  ///< of the cTag
  bool promotes = false;    ///< its properties change soon in the background, as SharePoint does
  bool held = false;
  bool late = false;                   ///< not seen yet
  std::vector<Version> versions = {};  ///< the earlier ones

  std::string etag() const;
  std::string ctag() const;
};

struct Drive {
  std::string id;
  std::string name;
  std::string site;  ///< path of its site
  std::string root;
  std::map<std::string, Item> items = {};
  /// Folder → name in small letters → item.
  std::map<std::string, std::map<std::string, std::string>> names = {};
};

/// An upload that is under way.
struct UploadSession {
  std::string target = {};  ///< of its URL, as it was issued
  std::string drive = {};
  std::string parent = {};
  std::string name = {};
  std::optional<std::string> item = {};  ///< the one it replaces
  Conflict conflict = Conflict::replace;
  std::string content = {};
  QuickXor hash = {};
  std::optional<std::uint64_t> total = {};
  bool defer = false;
  std::optional<ServiceTime> modified = {};
  ServiceTime expires = {};  ///< what is told
  ServiceTime dies = {};     ///< when its URL stops working
};

/// The drives with their items, sessions and recycle bin. The caller locks.
class LibraryStore {
 public:
  explicit LibraryStore(std::function<ServiceTime()> now) : now_(std::move(now)) {}

  Drive& add_drive(const std::string& site, const std::string& name);
  std::map<std::string, Drive>& drives() { return drives_; }
  Drive& drive(const std::string& id);
  Item& item(Drive& drive, const std::string& id);
  Item* child(Drive& drive, const std::string& parent, const std::string& name);
  /// From `start` along `path`; 404 when there is none.
  Item& at(Drive& drive, const std::string& start, const std::vector<std::string>& path);
  /// The same, making what lacks.
  Item& folder_at(Drive& drive, const std::string& start, const std::vector<std::string>& path);
  std::vector<Item*> children(Drive& drive, const std::string& parent);
  std::string path_of(Drive& drive, const Item& item);

  Item& make_folder(Drive& drive, const std::string& parent, const std::string& name, Conflict conflict);
  /// Whether it is new, and it.
  std::pair<bool, Item*> write(Drive& drive, const std::string& parent, const std::string& name,
                               std::string&& content, Conflict conflict,
                               std::optional<ServiceTime> modified = {}, std::string hash = {});
  std::pair<bool, Item*> overwrite(Drive& drive, Item& item, std::string&& content,
                                   std::optional<ServiceTime> modified = {}, std::string hash = {});
  void rename(Drive& drive, Item& item, const std::string& parent, const std::string& name,
              Conflict conflict);
  void remove(Drive& drive, const std::string& id, bool for_good);
  /// Another time of change: a new version of full size, with the same content.
  void change_time(Item& item, ServiceTime modified);
  void remove_version(Item& item, const std::string& id);

  std::map<std::string, UploadSession>& sessions() { return sessions_; }
  /// Refused while another session has the same name.
  UploadSession& open_session(UploadSession session);
  /// A fragment from `begin`; the finished item with the last one.
  void take_fragment(UploadSession& session, std::uint64_t begin, std::uint64_t total,
                     const std::string& bytes);
  /// The session is over when this returns, and stays when it is refused.
  std::pair<bool, Item*> commit(const std::string& target);
  /// Of a session with less than it had.
  static void cut(UploadSession& session, std::uint64_t size);

  std::vector<std::string> recycle_bin;
  std::uint64_t quota = 0;
  std::uint64_t used() const { return used_; }

 private:
  std::string free_name(Drive& drive, const std::string& parent, const std::string& name);
  void require_room(std::uint64_t more) const;
  void fill(Item& item, std::string&& content, std::optional<ServiceTime> modified, std::string&& hash);

  std::function<ServiceTime()> now_;
  std::map<std::string, Drive> drives_;
  std::map<std::string, UploadSession> sessions_;
  std::uint64_t used_ = 0;
};

}  // namespace veer::test
