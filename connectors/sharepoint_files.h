#pragma once

#include <optional>
#include <string>

#include "connectors/graph.h"

namespace veer {

/// What a folder ("/drives/…/items/…", or "/drives/…/root:/…") holds under a name, which to SharePoint is the
/// same in other capitals; empty when there is nothing.
std::optional<GraphItem> find_item(Graph& graph, const std::string& folder, const std::string& name,
                                   const Transfer& transfer);

/// The file that bears this very name.
std::optional<GraphItem> find_file(Graph& graph, const std::string& folder, const std::string& name,
                                   const Transfer& transfer);

/// The bytes of `item` from `offset` to the end, and never more, to `into`. S_CHANGED when the service hands
/// over another number of them.
void download(Graph& graph, const std::string& folder, const GraphItem& item, std::uint64_t offset,
              Sink& into, const Transfer& transfer);

/// Removes an item for good where the service can, and into the recycle bin otherwise, which the log then
/// tells; false then. One that is gone is a success.
bool remove_item(Graph& graph, const std::string& folder, const GraphItem& item, const Transfer& transfer);

/// The path of a file in a folder, up to and with the colon that ends it.
std::string item_path(const std::string& folder, const std::string& name);

}  // namespace veer
