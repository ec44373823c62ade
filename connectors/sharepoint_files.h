#pragma once

#include <optional>
#include <string>

#include "connectors/graph.h"

namespace veer {

/// One file's description; empty when there is none under that name. `folder` is "/drives/…/items/…".
std::optional<GraphItem> find_item(Graph& graph, const std::string& folder, const std::string& name,
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
