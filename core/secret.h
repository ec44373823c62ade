#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace veer {

/// Bytes that must not be printed: no formatter, no stream operator, wiped when it goes.
class Secret {
 public:
  Secret() = default;
  /// Takes `bytes` over and leaves nothing of them behind.
  explicit Secret(std::string&& bytes);
  ~Secret() { wipe(bytes_); }
  Secret(Secret&& other) noexcept : Secret(std::move(other.bytes_)) {}
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  static void wipe(std::string& bytes);
  std::string bytes_;
};

/// Reads the secret that `reference` names: "credential:NAME" (a file below $CREDENTIALS_DIRECTORY, put there
/// by systemd) or "file:/PATH" (a file that nobody else may read). Never the secret itself. Throws
/// C_CREDENTIAL: unknown form, missing, or readable by group or others.
Secret read_secret(std::string_view reference);

enum class Typed { once, twice };  ///< twice where a slip would be kept

/// The passphrase in a file that nobody else may read, without the line end that editors leave. Throws
/// C_CREDENTIAL as read_secret() does, and for what is not one line of at most 200 bytes.
Secret passphrase_in(const std::filesystem::path& file);
/// Asks for a passphrase at the terminal, unseen; `what` names it. Throws C_CREDENTIAL when nobody is there.
Secret ask_passphrase(std::string_view what, Typed typed);
/// For what a person does outside the service: the passphrase in `file`, else what `reference` names; empty
/// when both are. A credential, which systemd lends to the service alone, is asked for at the terminal.
Secret passphrase_from(const std::string& reference, const std::string& file, Typed typed);

}  // namespace veer
