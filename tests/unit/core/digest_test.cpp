#include "core/digest.h"

#include <utility>

#include <catch2/catch.hpp>

#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a digest does not depend on the pieces that the bytes come in") {
  const std::string bytes(5'000'000, 'x');
  Sha256 pieces;
  for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, size = size * 3 % 100'003)
    pieces.update(std::string_view(bytes).substr(at, size));
  CHECK(pieces.hex() == sha256_hex(bytes));
  CHECK(sha256_hex(MemoryBlob(bytes)) == sha256_hex(bytes));

  StringSink kept(bytes.size());
  DigestingSink sink(kept);
  sink.write(std::string_view(bytes).substr(0, 7));
  sink.write(std::string_view(bytes).substr(7));
  CHECK(sink.size() == bytes.size());
  CHECK(sink.hex() == sha256_hex(bytes));
  CHECK(kept.bytes() == bytes);
}

TEST_CASE("a long digest stops when it is asked to") {
  const std::string bytes(3 << 20, 'x');
  std::stop_source stop;
  const Transfer transfer{.stop = stop.get_token(), .progress = [&](std::uint64_t) { stop.request_stop(); }};
  CHECK(code_of([&] { sha256_hex(MemoryBlob(bytes), transfer); }) == Code::l_stopped);
}

TEST_CASE("base64 is that of RFC 4648, and nothing else is read as such") {
  for (const auto& [bytes, text] :
       {std::pair{"", ""}, std::pair{"f", "Zg=="}, std::pair{"fo", "Zm8="}, std::pair{"foo", "Zm9v"},
        std::pair{"foob", "Zm9vYg=="}, std::pair{"fooba", "Zm9vYmE="}, std::pair{"foobar", "Zm9vYmFy"}}) {
    CHECK(base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
  }
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  CHECK(from_base64(base64(every)) == every);
  for (const char* text :
       {"Z", "Zg", "Zg=", "====", "Zm9v\n", " Zm9v", "Zg==Zg==", "Zh==", "Zm9-", "Z===", "Zm=v"}) {
    INFO(text);
    CHECK(from_base64(text).empty());
  }
}

TEST_CASE("a digest in base64 is that which a Content-Security-Policy names") {
  CHECK(sha256_base64("") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  CHECK(sha256_base64("abc") == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}
