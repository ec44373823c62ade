#pragma once

#include <string>

#include "connectors/sharepoint_options.h"
#include "graph/graph_emulator.h"
#include "support/certificates.h"

namespace veer::test {

/// An emulated tenant with a site between two agencies, and how a share signs in there.
class GraphShare {
 public:
  explicit GraphShare(GraphOptions options = {});

  /// Its folders are "to_avsb" (outgoing) and "to_aii".
  SharePointOptions share() const;
  /// The same, seen from the other side.
  SharePointOptions other_side() const;
  GraphEmulator& graph() { return graph_; }
  const GraphEmulator& graph() const { return graph_; }
  const Certificate& certificate() const { return certificate_; }

  static constexpr const char* kLibrary = "Documents";

 private:
  static GraphOptions with_certificate(GraphOptions options, const Certificate& certificate);

  Certificate certificate_;
  GraphEmulator graph_;
};

}  // namespace veer::test
