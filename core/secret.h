#pragma once

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

}  // namespace veer
