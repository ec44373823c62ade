#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace veer {

/// Takes bytes in order. `write` takes all of them or throws.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::string_view bytes) = 0;
};

/// Bytes of a known size that can be read anywhere, more than once: a file in the spool, a text in memory.
class Blob {
 public:
  virtual ~Blob() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills as much of `into` as there is from `offset`; returns how much, 0 at the end. Throws L_IO.
  virtual std::size_t read(std::uint64_t offset, std::span<char> into) const = 0;
};

/// Refers to bytes that somebody else keeps alive.
class MemoryBlob : public Blob {
 public:
  explicit MemoryBlob(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t offset, std::span<char> into) const override {
    return offset < bytes_.size() ? bytes_.copy(into.data(), into.size(), offset) : 0;
  }

 private:
  std::string_view bytes_;
};

/// Appends to a string; throws `Error(T_SIZE)` rather than hold more than `cap` bytes.
class StringSink : public Sink {
 public:
  explicit StringSink(std::size_t cap) : cap_(cap) {}
  void write(std::string_view bytes) override;
  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  std::size_t cap_;
  std::string bytes_;
};

/// What accompanies a long operation: it looks at `stop` at least once a second or a MiB and then throws
/// L_STOPPED; it reports the bytes done so far to `progress` when there is one.
struct Transfer {
  std::stop_token stop = {};
  std::function<void(std::uint64_t)> progress = {};

  /// Throws L_STOPPED when a stop was asked for.
  void heed_stop() const;
  /// The same, and reports `done` otherwise.
  void tick(std::uint64_t done) const;
};

}  // namespace veer
