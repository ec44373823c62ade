#include "daemon/config_distribution.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/config_values.h"

namespace veer {
namespace {

bool is_fund_name(const std::string& name) {
  static constexpr std::size_t kLongest = 16;
  return !name.empty() && name.size() <= kLongest && without_numbers(name) == name && name != "einde" &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
}

Recipient read_recipient(TomlTable& table, bool care_fund) {
  Recipient recipient;
  recipient.name = value::required(table, "name", "\"fund1\"");
  if (!recipient.name.empty() && !is_fund_name(recipient.name))
    table.problem("name", "must be 1 to 16 small letters or digits, as the membership register has it");
  const std::string key = value::required(table, "key", "\"<fingerprint>\"");
  if (!key.empty() && !is_fingerprint(key))
    table.problem("key", "must be the fund's primary key's fingerprint: 40 hex digits, capitals, no blanks");
  recipient.keys = {{key, std::nullopt, std::nullopt}};
  if (table.has("folder") == table.has("share"))
    table.problem("folder", "or share must be given, one of them: where this recipient fetches its file");
  if (table.has("folder")) {
    const auto folder = value::absolute(table, "folder", "\"/srv/veerdienst/avsb/fund1\"");
    recipient.share.kind = FolderShareConfig{folder, folder};
  } else if (table.has("share")) {
    recipient.share = read_share(table.table("share"), false);
  }
  if (!care_fund) {
    recipient.notification =
        value::required(table, "notification", "\"…\", where AII's notification is on record");
    recipient.notified_on = table.date("notified_on");
    if (!recipient.notified_on)
      table.problem("notified_on", "must be given: the day on which AII was notified (article 4)");
  }
  table.refuse_unknown();
  return recipient;
}

}  // namespace

const Recipient* DistributionConfig::find(const std::string& name) const {
  const auto found = std::find_if(recipients.begin(), recipients.end(),
                                  [&](const Recipient& recipient) { return recipient.name == name; });
  return found == recipients.end() ? nullptr : &*found;
}

DistributionConfig read_distribution(TomlTable table) {
  DistributionConfig distribution;
  value::duration(table, "members_no_older", distribution.members_no_older, std::chrono::hours(24),
                  std::chrono::days(400));
  if (const auto least = table.integer("members_at_least")) {
    if (*least < 1)
      table.problem("members_at_least", "must be 1 or more: how many members there are at the least");
    distribution.members_at_least = static_cast<std::uint64_t>(std::max(*least, std::int64_t{0}));
  }
  std::size_t funds = 0;
  for (TomlTable& fund : table.tables("care_funds")) {
    if (++funds == kMostCareFunds + 1)
      fund.problem("name",
                   "is a seventh care fund: the protocol names six (article 4). Anybody else stands in "
                   "other_recipients, with the notification to AII");
    distribution.recipients.push_back(read_recipient(fund, true));
  }
  for (TomlTable& other : table.tables("other_recipients"))
    distribution.recipients.push_back(read_recipient(other, false));
  if (!distribution.recipients.empty() && distribution.members_at_least == 0)
    table.problem("members_at_least", "must be given: a register with fewer members is not believed");
  std::set<std::string> seen;
  for (const Recipient& recipient : distribution.recipients)
    for (const std::string& own : {recipient.name, recipient.keys.front().fingerprint})
      if (!own.empty() && !seen.insert(own).second)
        table.problem("care_funds", "and other_recipients have a name and a key each of their own");
  table.refuse_unknown();
  return distribution;
}

}  // namespace veer
