#pragma once

#include <string>
#include <string_view>

#include "support/temp_folder.h"

namespace veer::test {

/// A throw-away GNUPGHOME; its agent ends and its files go with it.
class GpgHome {
 public:
  GpgHome();
  ~GpgHome();
  GpgHome(const GpgHome&) = delete;
  GpgHome& operator=(const GpgHome&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Runs the real gpg on this home with `arguments` (as a shell takes them) and gives it `input`; returns
  /// its output. Throws std::runtime_error when gpg fails, unless `may_fail`.
  std::string gpg(const std::string& arguments, std::string_view input = {}, bool may_fail = false) const;
  /// A file of this home's neighbourhood that holds `bytes`, quoted for gpg().
  std::string file(const std::string& name, std::string_view bytes) const;
  /// An unprotected key as the program makes them, without expiry.
  std::string create_key(const std::string& user_id) const;
  /// Takes in the public key `fingerprint` of another home.
  void take_key(const GpgHome& from, const std::string& fingerprint) const;

 private:
  TempFolder folder_;
  std::filesystem::path path_;
};

/// Two sides that know each other's public key, and nothing else.
class GpgPair {
 private:
  GpgHome sender_;
  GpgHome receiver_;

 public:
  GpgPair();
  const GpgHome& sender() const { return sender_; }
  const GpgHome& receiver() const { return receiver_; }

  std::filesystem::path sender_home;
  std::filesystem::path receiver_home;
  std::string sender_key;    ///< primary fingerprint
  std::string receiver_key;  ///< primary fingerprint
};

}  // namespace veer::test
