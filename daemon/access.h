#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// Any thread.
namespace veer {

/// Groups of the machine whose members may do what; empty: nobody but the service's own user.
struct AccessConfig {
  std::vector<std::string> operators = {"veer-operators"};
  std::vector<std::string> approvers = {"veer-approvers"};
  std::vector<std::string> auditors = {"veer-auditors"};
  std::vector<std::string> service_desk = {"veer-desk"};
};

/// Who asks for something: the kernel's number, and a name for people to read.
struct Person {
  uid_t uid = 0;
  std::string name;
};
/// The person by the machine's user database: "alice (1000)", or "uid 1000" when it knows no name.
Person person_of(uid_t uid);

/// What a command needs. look: any of the groups but the desk. operate: operators. approve: approvers. audit:
/// auditors. desk: the service desk. enter: any of the groups.
enum class Right { look, operate, approve, audit, desk, enter };

/// The groups that have the right.
std::vector<std::string> groups_with(const AccessConfig& access, Right right);
/// Whether the person is, by the machine's group database, in a group with the right. Throws L_BUSY when that
/// database cannot be asked now.
bool may(const AccessConfig& access, Right right, uid_t person);
/// The groups named there that this machine does not have. Throws as may().
std::vector<std::string> unknown_groups(const AccessConfig& access);
/// Names of the accounts that are in a group, by its list and by what each account's first group is, as far
/// as the machine's database tells them all; sorted. Not thread-safe (getpwent). Throws as may().
std::vector<std::string> members_of(const std::string& group);
/// Throws C_USER, naming the groups that have the right, unless may().
void require_right(const AccessConfig& access, Right right, uid_t person);

}  // namespace veer
