#include "formats/packets.h"

#include <catch2/catch.hpp>

using namespace veer;
using namespace std::string_literals;

namespace {

std::optional<std::vector<int>> tags(const std::string& bytes, std::size_t most = 8) {
  return packet_tags(MemoryBlob(bytes), most);
}

}  // namespace

TEST_CASE("packets are told by their tags, whichever way their length is written") {
  CHECK(tags("\x84\x02"s + "ab") == std::vector{1});
  CHECK(tags("\x85\x00\x02"s + "ab") == std::vector{1});
  CHECK(tags("\x86\x00\x00\x00\x02"s + "ab") == std::vector{1});
  CHECK(tags("\xd2\x02"s + "ab") == std::vector{18});
  CHECK(tags("\xd2\xc0\x08"s + std::string(200, 'x')) == std::vector{18});
  CHECK(tags("\xd2\xff\x00\x00\x01\x00"s + std::string(256, 'x')) == std::vector{18});
  CHECK(tags("\xd2\xe9"s + std::string(512, 'x') + "\x02" + "ab") == std::vector{18});
  CHECK(tags("\x84\x02"s + "ab" + "\xd2\x00"s) == std::vector{1, 18});
  CHECK(tags("") == std::vector<int>{});
}

TEST_CASE("what is cut, prolonged, without a length or finely chopped is no sequence of packets") {
  for (const std::string& bytes :
       {"\x84"s, "\x84\x03"s + "ab", "\x85\x00"s, "\x86\x00\x00\x00"s, "\xd2"s, "\xd2\xc0"s, "\xd2\xff\x00"s,
        "\xd2\x05"s + "ab", "\x84\x02"s + "abc", "\x87"s + "abc",
        "\xd2\xe8"s + std::string(256, 'x') + "\x00"s, "\xd2\xe9"s + std::string(512, 'x'),
        "\xd2\xe9"s + std::string(511, 'x'), "\x00"s, "-----BEGIN PGP MESSAGE"s,
        "\xd2\xff\xff\xff\xff\xff"s + "x", "\xd2\xfe"s + "x"}) {
    INFO(bytes.size() << " bytes from " << int(static_cast<unsigned char>(bytes.front())));
    CHECK_FALSE(tags(bytes));
  }
}

TEST_CASE("more packets than asked for are not walked through") {
  CHECK(tags("\xd2\x00\xd2\x00"s, 2) == std::vector{18, 18});
  CHECK_FALSE(tags("\xd2\x00\xd2\x00\xd2\x00"s, 2));
}

TEST_CASE("the kind of a signature is read behind every header that such a packet may have") {
  const auto kind = [](const std::string& bytes) { return signature_kind(MemoryBlob(bytes)); };
  const std::string body = "\x04\x01\x16\x0a"s + std::string(256, 'x');
  for (const std::string& header :
       {"\x89\x01\x04"s, "\x8a\x00\x00\x01\x04"s, "\xc2\xc0\x44"s, "\xc2\xff\x00\x00\x01\x04"s}) {
    INFO(header.size());
    const auto found = kind(header + body);
    REQUIRE(found);
    CHECK(found->type == 1);
    CHECK(found->public_key == 22);
    CHECK(found->digest == 10);
  }
  CHECK(kind("\x88\x04\x04\x00\x01\x08"s));
  CHECK(kind("\xc2\x04\x04\x00\x01\x08"s));
}

TEST_CASE("what is not one signature of version 4 has no kind") {
  const std::string good = "\x88\x04\x04\x00\x01\x08"s;
  for (const std::string& bytes :
       {""s, "\x88\x00"s, "\x88\x03\x04\x00\x01"s, "\x88\x04\x03\x05\x00\x01"s, "\x88\x04\x05\x00\x01\x08"s,
        "\x84\x04\x04\x00\x01\x08"s, good + good, good + "x", good.substr(0, 5),
        // In parts, which RFC 4880, 4.2.2.4 allows for data only.
        "\xc2\xe9\x04\x00\x01\x08"s + std::string(508, 'x') + "\x00"s}) {
    INFO(bytes.size());
    CHECK_FALSE(signature_kind(MemoryBlob(bytes)));
  }
}
