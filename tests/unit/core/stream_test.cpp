#include "core/stream.h"

#include <array>

#include <catch2/catch.hpp>

#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("a string in memory takes its cap and not a byte more") {
  StringSink sink(5);
  sink.write("123");
  CHECK(code_of([&] { sink.write("456"); }) == Code::t_size);
  sink.write("45");
  sink.write("");
  CHECK(code_of([&] { sink.write("6"); }) == Code::t_size);
  const std::string taken = sink.take();
  CHECK(taken == "12345");
}

TEST_CASE("bytes in memory are read anywhere, as far as they go") {
  const MemoryBlob blob("0123456789");
  std::array<char, 4> into{};
  CHECK(blob.size() == 10);
  CHECK(blob.read(8, into) == 2);
  CHECK(std::string_view(into.data(), 2) == "89");
  CHECK(blob.read(10, into) == 0);
  CHECK(blob.read(1000, into) == 0);
}

TEST_CASE("a transfer tells how far it is, until it is asked to stop") {
  std::stop_source stop;
  std::uint64_t seen = 0;
  const Transfer transfer{.stop = stop.get_token(), .progress = [&](std::uint64_t done) { seen = done; }};
  transfer.tick(7);
  CHECK(seen == 7);
  stop.request_stop();
  CHECK(code_of([&] { transfer.tick(8); }) == Code::l_stopped);
  CHECK(seen == 7);
  Transfer{}.tick(1);
}
