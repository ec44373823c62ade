#pragma once

#include <cstdint>
#include <string>

namespace veer {

/// Where chance comes from. Tests seed theirs. Thread-safe in its real form.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

/// From the kernel (getrandom(2)).
class SystemRandom : public Random {
 public:
  std::uint64_t next() override;
};

/// Random UUID, version 4 (RFC 9562), lower case.
std::string make_uuid(Random& random);

}  // namespace veer
