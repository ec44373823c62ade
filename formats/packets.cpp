#include "formats/packets.h"

#include <array>
#include <cstdint>

namespace veer {
namespace {

constexpr std::uint64_t kLeastPart = 512;
constexpr int kVersion = 4;

// A place in the bytes that reads big-endian numbers; `failed` once there were not enough.
class Cursor {
 public:
  explicit Cursor(const Blob& bytes) : bytes_(bytes) {}

  bool at_end() const { return at_ == bytes_.size(); }
  bool failed() const { return failed_; }

  std::uint64_t number(std::size_t octets) {
    std::array<char, 4> raw{};
    failed_ = failed_ || bytes_.read(at_, std::span(raw).first(octets)) != octets;
    at_ += octets;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8 | static_cast<unsigned char>(raw[i]);
    return value;
  }

  void skip(std::uint64_t octets) {
    failed_ = failed_ || octets > bytes_.size() - at_;
    at_ += octets;
  }

  void fail() { failed_ = true; }

 private:
  const Blob& bytes_;
  std::uint64_t at_ = 0;
  bool failed_ = false;
};

// RFC 4880, 4.2.1.
void skip_old_body(Cursor& cursor, std::uint64_t length_type) {
  if (length_type == 3) return cursor.fail();
  cursor.skip(cursor.number(std::size_t{1} << length_type));
}

// RFC 4880, 4.2.2: of several parts the first alone has a least size.
void skip_new_body(Cursor& cursor) {
  for (bool is_first = true; !cursor.failed(); is_first = false) {
    const std::uint64_t first = cursor.number(1);
    if (first < 192) return cursor.skip(first);
    if (first < 224) return cursor.skip(((first - 192) << 8) + cursor.number(1) + 192);
    if (first == 255) return cursor.skip(cursor.number(4));
    const std::uint64_t part = std::uint64_t{1} << (first & 0x1f);
    if (is_first && part < kLeastPart) return cursor.fail();
    cursor.skip(part);
  }
}

// Reads the header of a packet whose body is whole.
void skip_header(Cursor& cursor) {
  const std::uint64_t header = cursor.number(1);
  if ((header & 0x40) == 0) {
    cursor.number(std::size_t{1} << (header & 3));
    return;
  }
  const std::uint64_t first = cursor.number(1);
  if (first == 255)
    cursor.number(4);
  else if (first >= 224)
    cursor.fail();
  else if (first >= 192)
    cursor.number(1);
}

}  // namespace

std::optional<std::vector<int>> packet_tags(const Blob& bytes, std::size_t most) {
  std::vector<int> tags;
  Cursor cursor(bytes);
  while (!cursor.at_end()) {
    const std::uint64_t header = cursor.number(1);
    if ((header & 0x80) == 0 || tags.size() == most) return std::nullopt;
    if ((header & 0x40) != 0) {
      tags.push_back(static_cast<int>(header & 0x3f));
      skip_new_body(cursor);
    } else {
      tags.push_back(static_cast<int>(header >> 2 & 0x0f));
      skip_old_body(cursor, header & 3);
    }
    if (cursor.failed()) return std::nullopt;
  }
  return tags;
}

std::optional<SignatureKind> signature_kind(const Blob& bytes) {
  if (packet_tags(bytes, 1) != std::vector{kTagSignature}) return std::nullopt;
  Cursor cursor(bytes);
  skip_header(cursor);
  const auto octet = [&] { return static_cast<int>(cursor.number(1)); };
  if (octet() != kVersion) return std::nullopt;
  SignatureKind kind;
  kind.type = octet();
  kind.public_key = octet();
  kind.digest = octet();
  return cursor.failed() ? std::nullopt : std::optional(kind);
}

}  // namespace veer
