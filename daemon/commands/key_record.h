#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/audit.h"
#include "daemon/commands/context.h"
#include "daemon/config_pins.h"

namespace veer {

/// The records that changes of keys leave in the instance's audit chain (docs/audit.md), beside a service
/// that runs. Keys lie outside the books, so a record follows its change. Before the first start there are no
/// books, and nothing is recorded.
class KeyRecord {
 public:
  /// Opens the books, so that what is wrong with them shows before a key is changed. Throws what
  /// require_books() does.
  explicit KeyRecord(const Context& context) : context_(context) { open(); }

  /// `whose`: none for a key that nobody pinned. `facts`: dates, and what else there is to know.
  void append(std::string_view event, std::optional<Whose> whose, const std::string& fingerprint,
              const AuditFacts& facts);

 private:
  /// False when the configuration, and so where the books are, cannot be read.
  bool open();

  const Context& context_;
  std::unique_ptr<Database> books_;
};

}  // namespace veer
