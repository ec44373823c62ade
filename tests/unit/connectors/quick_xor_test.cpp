#include "connectors/quick_xor.h"

#include <catch2/catch.hpp>

using namespace veer;

namespace {

std::string hash_of(std::string_view bytes) {
  QuickXor hash;
  hash.update(bytes);
  return hash.text();
}

std::string by_rule(std::size_t size, std::size_t modulus) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % modulus);
  return bytes;
}

}  // namespace

TEST_CASE("QuickXorHash gives what other implementations give") {
  CHECK(hash_of("") == "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  CHECK(hash_of("a") == "YQAAAAAAAAAAAAAAAQAAAAAAAAA=");
  CHECK(hash_of("abc") == "YRDDGAAAAAAAAAAAAwAAAAAAAAA=");
  CHECK(hash_of("hello world") == "aCgDG9jwBhDc4Q1yawMZAAAAAAA=");
  CHECK(hash_of(std::string(1, '\0')) == "AAAAAAAAAAAAAAAAAQAAAAAAAAA=");
  CHECK(hash_of(std::string(1024, '\0')) == "AAAAAAAAAAAAAAAAAAQAAAAAAAA=");
  CHECK(hash_of(std::string(20, '\xff')) == "HOc4xznOcX784x//7Mc//vGPf/w=");
  CHECK(hash_of(by_rule(160, 256)) == "/+EGLlnQi0dVs5OErXWhEnz5wg4=");
  CHECK(hash_of(std::string(161, '\1')) == "/v//////////////Xv////////8=");
  CHECK(hash_of(by_rule(256, 256)) == "QkGEfSisZcA7k+FCh71r2dbCayY=");
  CHECK(hash_of(by_rule(1000, 251)) == "KbphcpColXb1/3Wm950vUzeX1es=");
  CHECK(hash_of(by_rule(327680, 251)) == "dVxjLVlWbbPTEZb19aiSkx+BLpI=");
  CHECK(hash_of(by_rule(327681, 251)) == "CFxjLVlWbbPTEZb19KiSkx+BLpI=");
  CHECK(hash_of(by_rule(10485760, 251)) == "HzHa6uC4H1eGHsvneyLLI+WiCqw=");
  CHECK(hash_of("\xb5\xb4") == "taAFAAAAAAAAAAAAAgAAAAAAAAA=");
}

TEST_CASE("QuickXorHash does not depend on how the bytes come") {
  const std::string bytes = by_rule(100000, 251);
  QuickXor hash;
  for (std::size_t at = 0, size = 0; at < bytes.size(); at += size, ++size)
    hash.update(std::string_view(bytes).substr(at, size));
  CHECK(hash.text() == hash_of(bytes));
  CHECK(hash.text() == hash_of(bytes));
}
