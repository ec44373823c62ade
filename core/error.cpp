#include "core/error.h"

#include <array>
#include <new>

namespace veer {
namespace {

struct Row {
  Code code;
  std::string_view name;
  Remedy remedy;
  int exit_code;
};

// Exit codes: 1 failed, 2 usage, 10 configuration, 11 service or share unreachable, 12 credentials or rights,
// 13 refused by the protocol's rules.
constexpr std::array kTable = {
    Row{Code::t_name, "T_NAME", Remedy::quarantine, 1},
    Row{Code::t_size, "T_SIZE", Remedy::quarantine, 1},
    Row{Code::t_unsigned, "T_UNSIGNED", Remedy::quarantine, 1},
    Row{Code::t_signer, "T_SIGNER", Remedy::quarantine, 1},
    Row{Code::t_signature, "T_SIGNATURE", Remedy::quarantine, 1},
    Row{Code::t_key_expired, "T_KEY_EXPIRED", Remedy::attend, 12},
    Row{Code::t_integrity, "T_INTEGRITY", Remedy::quarantine, 1},
    Row{Code::t_replay, "T_REPLAY", Remedy::quarantine, 1},
    Row{Code::f_archive, "F_ARCHIVE", Remedy::refuse, 13},
    Row{Code::f_manifest, "F_MANIFEST", Remedy::refuse, 13},
    Row{Code::f_party, "F_PARTY", Remedy::quarantine, 13},
    Row{Code::f_environment, "F_ENVIRONMENT", Remedy::refuse, 13},
    Row{Code::f_window, "F_WINDOW", Remedy::refuse, 13},
    Row{Code::f_reference_date, "F_REFERENCE_DATE", Remedy::refuse, 13},
    Row{Code::f_second_list, "F_SECOND_LIST", Remedy::refuse, 13},
    Row{Code::f_revision, "F_REVISION", Remedy::refuse, 13},
    Row{Code::f_history, "F_HISTORY", Remedy::attend, 13},
    Row{Code::f_count, "F_COUNT", Remedy::refuse, 13},
    Row{Code::f_digest, "F_DIGEST", Remedy::refuse, 13},
    Row{Code::f_extra_data, "F_EXTRA_DATA", Remedy::refuse, 13},
    Row{Code::f_empty, "F_EMPTY", Remedy::refuse, 13},
    Row{Code::r_format, "R_FORMAT", Remedy::refuse, 13},
    Row{Code::r_check, "R_CHECK", Remedy::refuse, 13},
    Row{Code::r_month, "R_MONTH", Remedy::refuse, 13},
    Row{Code::r_serial, "R_SERIAL", Remedy::refuse, 13},
    Row{Code::r_day, "R_DAY", Remedy::refuse, 13},
    Row{Code::r_future, "R_FUTURE", Remedy::refuse, 13},
    Row{Code::r_duplicate, "R_DUPLICATE", Remedy::refuse, 13},
    Row{Code::r_replaced, "R_REPLACED", Remedy::refuse, 13},
    Row{Code::r_deceased, "R_DECEASED", Remedy::refuse, 13},
    Row{Code::i_name, "I_NAME", Remedy::refuse, 13},
    Row{Code::i_file, "I_FILE", Remedy::refuse, 13},
    Row{Code::i_size, "I_SIZE", Remedy::refuse, 13},
    Row{Code::i_changed, "I_CHANGED", Remedy::retry, 1},
    Row{Code::i_format, "I_FORMAT", Remedy::refuse, 13},
    Row{Code::i_spreadsheet, "I_SPREADSHEET", Remedy::refuse, 13},
    Row{Code::i_open, "I_OPEN", Remedy::refuse, 13},
    Row{Code::i_faulty, "I_FAULTY", Remedy::refuse, 13},
    Row{Code::i_owner, "I_OWNER", Remedy::refuse, 13},
    Row{Code::s_unreachable, "S_UNREACHABLE", Remedy::retry, 11},
    Row{Code::s_timeout, "S_TIMEOUT", Remedy::retry, 11},
    Row{Code::s_throttled, "S_THROTTLED", Remedy::retry, 11},
    Row{Code::s_protocol, "S_PROTOCOL", Remedy::retry, 1},
    Row{Code::s_algorithm, "S_ALGORITHM", Remedy::attend, 12},
    Row{Code::s_host_key, "S_HOST_KEY", Remedy::attend, 12},
    Row{Code::s_expired, "S_EXPIRED", Remedy::attend, 12},
    Row{Code::s_rights, "S_RIGHTS", Remedy::attend, 12},
    Row{Code::s_not_found, "S_NOT_FOUND", Remedy::retry, 1},
    Row{Code::s_name_taken, "S_NAME_TAKEN", Remedy::retry, 1},
    Row{Code::s_changed, "S_CHANGED", Remedy::retry, 1},
    Row{Code::s_full, "S_FULL", Remedy::retry, 1},
    Row{Code::s_publish, "S_PUBLISH", Remedy::attend, 1},
    Row{Code::l_io, "L_IO", Remedy::attend, 1},
    Row{Code::l_full, "L_FULL", Remedy::attend, 1},
    Row{Code::l_memory, "L_MEMORY", Remedy::attend, 1},
    Row{Code::l_busy, "L_BUSY", Remedy::retry, 1},
    Row{Code::l_database, "L_DATABASE", Remedy::attend, 1},
    Row{Code::l_schema, "L_SCHEMA", Remedy::attend, 10},
    Row{Code::l_lock, "L_LOCK", Remedy::attend, 1},
    Row{Code::l_clock, "L_CLOCK", Remedy::attend, 1},
    Row{Code::l_key, "L_KEY", Remedy::attend, 12},
    Row{Code::l_engine, "L_ENGINE", Remedy::attend, 1},
    Row{Code::l_audit, "L_AUDIT", Remedy::attend, 1},
    Row{Code::l_stopped, "L_STOPPED", Remedy::retry, 1},
    Row{Code::c_config, "C_CONFIG", Remedy::attend, 10},
    Row{Code::c_credential, "C_CREDENTIAL", Remedy::attend, 12},
    Row{Code::c_production, "C_PRODUCTION", Remedy::attend, 10},
    Row{Code::c_legal_basis, "C_LEGAL_BASIS", Remedy::attend, 13},
    Row{Code::c_user, "C_USER", Remedy::attend, 12},
    Row{Code::c_suspended, "C_SUSPENDED", Remedy::attend, 1},
    Row{Code::c_closed, "C_CLOSED", Remedy::refuse, 13},
    Row{Code::u_usage, "U_USAGE", Remedy::refuse, 2},
    Row{Code::u_unknown, "U_UNKNOWN", Remedy::refuse, 1},
    Row{Code::u_state, "U_STATE", Remedy::refuse, 1},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i)
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  return kTable.size() == static_cast<std::size_t>(Code::u_state) + 1;
}
static_assert(in_order(), "one row per code, in the order of the enumeration");

const Row& row(Code code) { return kTable.at(static_cast<std::size_t>(code)); }

}  // namespace

std::string_view code_name(Code code) { return row(code).name; }

std::optional<Code> code_named(std::string_view name) {
  for (const Row& r : kTable)
    if (r.name == name) return r.code;
  return std::nullopt;
}

Remedy remedy_of(Code code) { return row(code).remedy; }

int exit_code_of(Code code) { return row(code).exit_code; }

Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {Code::l_memory, "no memory left; it is tried again"};
  } catch (...) {
    return {Code::l_engine, "a step failed in a way that it should not; please report it"};
  }
}

}  // namespace veer
