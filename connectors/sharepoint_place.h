#pragma once

#include <array>
#include <optional>
#include <string>

#include "connectors/graph.h"
#include "connectors/share.h"
#include "connectors/sharepoint_options.h"

namespace veer {

/// Where the share's two folders lie: site → library → folder, looked up once and remembered by id. One
/// thread.
class SharePointPlace {
 public:
  /// The permission that suffices. An error that names it says that the administrator's consent lacks.
  static constexpr const char* kConsent = "Sites.Selected";

  SharePointPlace(const SharePointOptions& options, Graph& graph);

  /// "/drives/{library}/items/{folder}". Throws S_NOT_FOUND, with what to put right.
  std::string folder(Folder which, const Transfer& transfer);
  /// "/drives/{library}".
  std::string library(const Transfer& transfer);
  /// Throws S_NOT_FOUND or S_RIGHTS unless the application sees the site.
  void require_site(const Transfer& transfer) { site(transfer); }
  bool knows(Folder which) const { return !folders_.at(static_cast<std::size_t>(which)).empty(); }
  /// All is looked up anew.
  void forget();
  const std::string& name_of(Folder which) const;

 private:
  const std::string& site(const Transfer& transfer);
  const std::string& drive(const Transfer& transfer);

  const SharePointOptions& options_;
  Graph& graph_;
  std::string site_;
  std::string drive_;
  std::array<std::string, 2> folders_;
};

}  // namespace veer
