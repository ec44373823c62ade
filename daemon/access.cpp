#include "daemon/access.h"

#include <algorithm>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

std::vector<gid_t> groups_of(uid_t person) {
  const passwd* const entry = getpwuid(person);
  if (entry == nullptr) return {};
  const std::string name = entry->pw_name;
  const gid_t own = entry->pw_gid;
  std::vector<gid_t> groups(32);
  int size = static_cast<int>(groups.size());
  while (getgrouplist(name.c_str(), own, groups.data(), &size) < 0)
    groups.resize(static_cast<std::size_t>(size));
  groups.resize(static_cast<std::size_t>(size));
  return groups;
}

std::vector<std::string> groups_with(const AccessConfig& access, Right right) {
  switch (right) {
    case Right::operate:
      return access.operators;
    case Right::approve:
      return access.approvers;
    case Right::audit:
      return access.auditors;
    case Right::look:
      break;
  }
  std::vector<std::string> all = access.operators;
  all.insert(all.end(), access.approvers.begin(), access.approvers.end());
  all.insert(all.end(), access.auditors.begin(), access.auditors.end());
  return all;
}

}  // namespace

bool may(const AccessConfig& access, Right right, uid_t person) {
  const std::vector<gid_t> own = groups_of(person);
  const std::vector<std::string> names = groups_with(access, right);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const group* const entry = getgrnam(name.c_str());
    return entry != nullptr && std::find(own.begin(), own.end(), entry->gr_gid) != own.end();
  });
}

void require_right(const AccessConfig& access, Right right, uid_t person) {
  if (may(access, right, person)) return;
  throw Error(Code::c_user, fmt::format("{} may not do this: it is for members of {}", person_of(person).name,
                                        fmt::join(groups_with(access, right), ", ")));
}

Person person_of(uid_t uid) {
  const passwd* const entry = getpwuid(uid);
  return {uid, entry != nullptr ? fmt::format("{} ({})", printable(entry->pw_name), uid)
                                : fmt::format("uid {}", uid)};
}

}  // namespace veer
