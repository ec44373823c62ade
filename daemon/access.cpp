#include "daemon/access.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

// What an entry of the machine's database is kept in; a large group needs more.
constexpr std::size_t kRoom = 4096;
constexpr std::size_t kMostRoom = 1 << 22;
constexpr std::array kAway = {EIO, EAGAIN, EINTR, EMFILE, ENFILE, ENOMEM, ETIMEDOUT, ECONNREFUSED};

/// Calls a look-up that answers in a buffer (getpwuid_r(3)) with enough room; `take` makes something of the
/// entry. Empty when there is none. Throws L_BUSY when nobody can tell now: a directory service that is away
/// must not make an operator nobody.
template <typename Entry, typename LookUp, typename Take>
auto entry_of(LookUp look_up, Take take) -> std::optional<decltype(take(std::declval<Entry>()))> {
  for (std::size_t room = kRoom; room <= kMostRoom; room *= 4) {
    std::string buffer(room, '\0');
    Entry entry{};
    Entry* found = nullptr;
    const int result = look_up(&entry, buffer.data(), buffer.size(), &found);
    if (result == ERANGE) continue;
    if (std::find(kAway.begin(), kAway.end(), result) != kAway.end())
      throw Error(Code::l_busy, fmt::format("the machine's users and groups cannot be looked up now: {}",
                                            std::generic_category().message(result)));
    return result == 0 && found != nullptr ? std::optional(take(entry)) : std::nullopt;
  }
  return std::nullopt;
}

struct Account {
  std::string name;
  gid_t group;
};

std::optional<Account> account_of(uid_t person) {
  return entry_of<passwd>([&](passwd* entry, char* buffer, std::size_t room,
                              passwd** found) { return getpwuid_r(person, entry, buffer, room, found); },
                          [](const passwd& entry) {
                            return Account{entry.pw_name, entry.pw_gid};
                          });
}

std::optional<gid_t> group_named(const std::string& name) {
  return entry_of<group>([&](group* entry, char* buffer, std::size_t room,
                             group** found) { return getgrnam_r(name.c_str(), entry, buffer, room, found); },
                         [](const group& entry) { return entry.gr_gid; });
}

std::vector<gid_t> groups_of(uid_t person) {
  const auto account = account_of(person);
  if (!account) return {};
  std::vector<gid_t> groups(32);
  int size = static_cast<int>(groups.size());
  while (getgrouplist(account->name.c_str(), account->group, groups.data(), &size) < 0)
    groups.resize(static_cast<std::size_t>(size));
  groups.resize(static_cast<std::size_t>(size));
  return groups;
}

}  // namespace

std::vector<std::string> groups_with(const AccessConfig& access, Right right) {
  switch (right) {
    case Right::operate:
      return access.operators;
    case Right::approve:
      return access.approvers;
    case Right::audit:
      return access.auditors;
    case Right::desk:
      return access.service_desk;
    case Right::look:
    case Right::enter:
      break;
  }
  std::vector<std::string> all = access.operators;
  all.insert(all.end(), access.approvers.begin(), access.approvers.end());
  all.insert(all.end(), access.auditors.begin(), access.auditors.end());
  if (right == Right::enter) all.insert(all.end(), access.service_desk.begin(), access.service_desk.end());
  return all;
}

bool may(const AccessConfig& access, Right right, uid_t person) {
  const std::vector<gid_t> own = groups_of(person);
  const std::vector<std::string> names = groups_with(access, right);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto group = group_named(name);
    return group && std::find(own.begin(), own.end(), *group) != own.end();
  });
}

std::vector<std::string> unknown_groups(const AccessConfig& access) {
  std::vector<std::string> names = groups_with(access, Right::enter);
  std::erase_if(names, [](const std::string& name) { return group_named(name).has_value(); });
  return names;
}

std::vector<std::string> members_of(const std::string& group_name) {
  struct Members {
    gid_t group;
    std::vector<std::string> names;
  };
  auto found = entry_of<group>(
      [&](group* entry, char* buffer, std::size_t room, group** result) {
        return getgrnam_r(group_name.c_str(), entry, buffer, room, result);
      },
      [](const group& entry) {
        Members members{entry.gr_gid, {}};
        for (char** name = entry.gr_mem; *name != nullptr; ++name) members.names.emplace_back(*name);
        return members;
      });
  if (!found) return {};
  setpwent();
  errno = 0;
  while (const passwd* account = getpwent())
    if (account->pw_gid == found->group) found->names.emplace_back(account->pw_name);
  const int problem = errno;
  endpwent();
  if (std::find(kAway.begin(), kAway.end(), problem) != kAway.end())
    throw Error(Code::l_busy, fmt::format("the machine's users cannot be listed now: {}",
                                          std::generic_category().message(problem)));
  std::sort(found->names.begin(), found->names.end());
  found->names.erase(std::unique(found->names.begin(), found->names.end()), found->names.end());
  return found->names;
}

void require_right(const AccessConfig& access, Right right, uid_t person) {
  if (may(access, right, person)) return;
  throw Error(Code::c_user, fmt::format("{} may not do this: it is for members of {}{}",
                                        person_of(person).name, fmt::join(groups_with(access, right), ", "),
                                        person == 0 ? "; or run it as the service's user (runuser)" : ""));
}

Person person_of(uid_t uid) {
  const auto account = account_of(uid);
  return {uid, account ? fmt::format("{} ({})", printable(account->name), uid) : fmt::format("uid {}", uid)};
}

}  // namespace veer
