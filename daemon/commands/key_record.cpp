#include "daemon/commands/key_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "daemon/access.h"

namespace veer {
namespace {

std::string_view name_of(std::optional<Whose> whose) {
  if (!whose) return "nobody";
  return *whose == Whose::own ? "own" : "counterparty";
}

}  // namespace

// A configuration whose keys are not all filled in yet cannot be read: the first import completes it.
bool KeyRecord::open() {
  std::optional<Config> config;
  try {
    config = context_.config();
  } catch (const Error&) {
    return false;
  }
  std::error_code none;
  if (!fs::exists(config->database_url.substr(config->database_url.find(':') + 1), none)) return true;
  books_ = std::make_unique<Database>(config->database_url);
  require_books(*books_, *config);
  return true;
}

void KeyRecord::append(std::string_view event, std::optional<Whose> whose, const std::string& fingerprint,
                       const AuditFacts& facts) {
  if (!books_ && !open())
    context_.tell("this stands in no audit trail, for the configuration cannot be read: veer doctor\n");
  if (!books_) return;
  AuditFacts all = {{"fingerprint", fingerprint}, {"whose", std::string(name_of(whose))}};
  all.insert(all.end(), facts.begin(), facts.end());
  all.emplace_back("who", person_of(getuid()).name);
  const SystemClock clock;
  Audit audit(*books_, clock);
  books_->transaction([&] { audit.append(event, "", all); });
}

}  // namespace veer
