#pragma once

#include <optional>
#include <string>

#include "connectors/graph.h"
#include "connectors/quick_xor.h"

namespace veer {

/// What a folder ("/drives/…/items/…", or "/drives/…/root:/…") holds under a name, which to SharePoint is the
/// same in other capitals; empty when there is nothing.
std::optional<GraphItem> find_item(Graph& graph, const std::string& folder, const std::string& name,
                                   const Transfer& transfer);

/// The file that bears this very name.
std::optional<GraphItem> find_file(Graph& graph, const std::string& folder, const std::string& name,
                                   const Transfer& transfer);

/// Passes bytes on, to nobody without `next`, and keeps their digest.
class HashingSink : public Sink {
 public:
  explicit HashingSink(Sink* next = nullptr) : next_(next) {}
  void write(std::string_view bytes) override {
    hash_.update(bytes);
    if (next_ != nullptr) next_->write(bytes);
  }
  std::string text() const { return hash_.text(); }

 private:
  Sink* next_;
  QuickXor hash_;
};

/// The bytes of `item` from `offset` to the end, and never more, to `into`. S_CHANGED when the service hands
/// over another number of them. True when its digest shows that they are those of `item`: otherwise another
/// file may have taken its place meanwhile.
bool download(Graph& graph, const std::string& folder, const GraphItem& item, std::uint64_t offset,
              Sink& into, const Transfer& transfer);

/// Removes an item for good where the service can, and into the recycle bin otherwise, which the log then
/// tells; false then. One that is gone is a success.
bool remove_item(Graph& graph, const std::string& folder, const GraphItem& item, const Transfer& transfer);

/// The path of a file in a folder, up to and with the colon that ends it.
std::string item_path(const std::string& folder, const std::string& name);

}  // namespace veer
