#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace veer {

/// What the engine does about an error. Its code alone decides, in one table (error.cpp).
enum class Remedy {
  retry,       ///< nothing is wrong with us or the data: try again later (unreachable, throttled, busy)
  refuse,      ///< authentic content breaks a rule of the protocol: a receipt or result note says why
  quarantine,  ///< somebody tampered, or bytes are not what they claim: set aside, open a finding
  attend,      ///< our own configuration, disk, clock or keys: this route waits for the operator
};

/// Stable names of everything that can go wrong. Texts may change, codes may not.
/// T_, F_ and R_ codes travel in receipts (docs/protocol.md); the others stay on this machine.
enum class Code {
  // Transport: the bytes as fetched.
  t_name,
  t_size,
  t_unsigned,
  t_signer,
  t_signature,
  t_key_expired,
  t_integrity,
  t_replay,
  // Package: authentic, but breaks a rule.
  f_archive,
  f_manifest,
  f_party,
  f_environment,
  f_window,
  f_reference_date,
  f_second_list,
  f_revision,
  f_history,
  f_count,
  f_digest,
  f_extra_data,
  f_empty,
  // Records.
  r_format,
  r_check,
  r_month,
  r_serial,
  r_day,
  r_future,
  r_duplicate,
  r_replaced,
  r_deceased,
  // Intake: the file that a person dropped.
  i_name,
  i_file,
  i_size,
  i_changed,
  i_format,
  i_spreadsheet,
  i_open,
  i_faulty,
  i_owner,
  // Share: a connector's attempt.
  s_unreachable,
  s_timeout,
  s_throttled,
  s_protocol,
  s_algorithm,
  s_host_key,
  s_expired,
  s_rights,
  s_not_found,
  s_name_taken,
  s_changed,
  s_full,
  s_publish,
  // This machine.
  l_io,
  l_full,
  l_memory,
  l_busy,
  l_database,
  l_schema,
  l_lock,
  l_clock,
  l_key,
  l_engine,
  l_audit,
  l_stopped,
  // Configuration and use.
  c_config,
  c_credential,
  c_production,
  c_legal_basis,
  c_user,
  c_suspended,
  c_closed,
  u_usage,
  u_unknown,
  u_state,
};

/// For example "R_CHECK".
std::string_view code_name(Code code);
/// Reverse of code_name; empty when no code bears that name.
std::optional<Code> code_named(std::string_view name);
Remedy remedy_of(Code code);
/// Exit code of a command that ends with this error (veer(1), EXIT STATUS).
int exit_code_of(Code code);

/// The one exception type. The message says what happened and what to do; it never holds an INSZ, a secret or
/// a foreign library's text that could quote either.
class Error : public std::exception {
 public:
  Error(Code code, std::string message, std::optional<std::chrono::milliseconds> retry_after = std::nullopt)
      : code_(code), message_(std::move(message)), retry_after_(retry_after) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const char* what() const noexcept override { return message_.c_str(); }
  /// How long the other side asked us to wait; empty when it did not say.
  std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }

 private:
  Code code_;
  std::string message_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

/// What was thrown, as an error of ours: what is none is a fault of the program (L_ENGINE), or of memory
/// (L_MEMORY). A foreign text could quote data, and is not kept.
Error error_of(const std::exception_ptr& thrown);

}  // namespace veer
