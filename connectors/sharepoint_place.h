#pragma once

#include <string>

#include "connectors/graph.h"
#include "connectors/share.h"
#include "connectors/sharepoint_options.h"

namespace veer {

/// Where the share's two folders lie, in one library or in one each. Sites and libraries are looked up once
/// and remembered by id; the folders are those that bear their names now. One thread.
class SharePointPlace {
 public:
  /// The permission that suffices. An error that names it says that the administrator's consent lacks.
  static constexpr const char* kConsent = "Sites.Selected";

  SharePointPlace(const SharePointOptions& options, Graph& graph);

  /// "/drives/{library}/root:/{folder}", whether it is there or not.
  std::string path(Folder which, const Transfer& transfer);
  /// "/drives/{library}/items/{folder}", looked up at each call: what is written by path into a folder that
  /// lacks makes the folder. Throws S_NOT_FOUND, with what to put right.
  std::string folder(Folder which, const Transfer& transfer);
  /// "/drives/{library}" that the folder lies in.
  std::string library(Folder which, const Transfer& transfer);
  /// Throws S_NOT_FOUND or S_RIGHTS unless the application sees the site that the folder lies in.
  void require_site(Folder which, const Transfer& transfer) { site(spot_of(which), transfer); }
  /// Whether the two folders lie in sites, or in libraries, of their own.
  bool has_two_sites() const { return spots_[1].site != spots_[0].site; }
  bool has_two_libraries() const { return has_two_sites() || spots_[1].library != spots_[0].library; }
  /// As configured.
  const std::string& site_of(Folder which) const { return spots_.at(static_cast<std::size_t>(which)).site; }
  const std::string& library_of(Folder which) const {
    return spots_.at(static_cast<std::size_t>(which)).library;
  }
  bool knows_library(Folder which) const { return !spot_of(which).drive_id.empty(); }
  /// All is looked up anew.
  void forget();
  const std::string& name_of(Folder which) const;

 private:
  /// A library, and what is known of it.
  struct Spot {
    std::string site;
    std::string library;
    std::string site_id = {};
    std::string drive_id = {};
  };
  std::size_t index_of(Folder which) const {
    return has_two_libraries() ? static_cast<std::size_t>(which) : 0;
  }
  Spot& spot_of(Folder which) { return spots_.at(index_of(which)); }
  const Spot& spot_of(Folder which) const { return spots_.at(index_of(which)); }
  const std::string& site(Spot& spot, const Transfer& transfer);
  const std::string& drive(Spot& spot, const Transfer& transfer);
  std::string key(const Spot& spot, const std::string& name) const;

  const SharePointOptions& options_;
  Graph& graph_;
  std::array<Spot, 2> spots_;  ///< by Folder
};

}  // namespace veer
