#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <cpprest/http_client.h>

#include "connectors/http_message.h"

namespace veer {

/// What a connection brought that cpprestsdk has not handed on yet: it keeps headers, and a chunk, whole.
struct HttpUnread {
  std::atomic<std::size_t> bytes{0};
  std::atomic<bool> too_many{false};
};

/// What the thread of cpprestsdk tells the caller's of one request. Both hold it: a caller that gives up
/// leaves it behind.
struct HttpNews {
  static constexpr std::size_t kMostHeld = std::size_t{2} << 20;
  /// Less than this the caller finds at its next look: waking it for each piece costs more than the piece.
  static constexpr std::size_t kWorthWaking = std::size_t{256} << 10;

  explicit HttpNews(std::shared_ptr<HttpUnread> of_connection) : unread(std::move(of_connection)) {}

  const std::shared_ptr<HttpUnread> unread;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<HttpAnswer> head;  ///< status and headers
  std::deque<std::string> body;    ///< what came and nobody took yet
  std::size_t held = 0;
  std::uint64_t sent = 0;
  bool ended = false;
  bool let_go = false;  ///< its connection is free for the next request
  bool timed_out = false;
  std::string failure;  ///< empty: none
  bool abandoned = false;
  /// The answer that cpprestsdk waits for before it reads on.
  std::optional<pplx::task_completion_event<std::size_t>> room;
  std::size_t promised = 0;

  /// The caller takes the next piece of the body, with the lock held.
  std::string take(std::unique_lock<std::mutex>& lock);
  /// Nobody waits for it any more.
  void abandon();
};

/// What a stream of cpprestsdk has to be able to, for those that cannot.
class HttpStream : public concurrency::streams::details::streambuf_state_manager<std::uint8_t> {
 public:
  using streambuf_state_manager::streambuf_state_manager;

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  std::size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(std::size_t, std::ios_base::openmode) override {}
  std::size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode) const override { return traits::eof(); }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return traits::eof(); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override {
    return traits::eof();
  }
  bool acquire(std::uint8_t*&, std::size_t&) override { return false; }
  void release(std::uint8_t*, std::size_t) override {}

 protected:
  pplx::task<int_type> _putc(std::uint8_t) override { return nothing(); }
  pplx::task<std::size_t> _putn(const std::uint8_t*, std::size_t) override { return none(); }
  pplx::task<int_type> _bumpc() override { return nothing(); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return nothing(); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return nothing(); }
  pplx::task<int_type> _ungetc() override { return nothing(); }
  pplx::task<std::size_t> _getn(std::uint8_t*, std::size_t) override { return none(); }
  std::size_t _scopy(std::uint8_t*, std::size_t) override { return 0; }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  std::uint8_t* _alloc(std::size_t) override { return nullptr; }
  void _commit(std::size_t) override {}

 private:
  static pplx::task<int_type> nothing() { return pplx::task_from_result<int_type>(traits::eof()); }
  static pplx::task<std::size_t> none() { return pplx::task_from_result<std::size_t>(0); }
};

/// Where cpprestsdk writes a body: it reads on only while there is room.
class HttpPipe : public HttpStream {
 public:
  explicit HttpPipe(std::shared_ptr<HttpNews> news)
      : HttpStream(std::ios_base::out), news_(std::move(news)) {}
  ~HttpPipe() override;
  HttpPipe(const HttpPipe&) = delete;
  HttpPipe& operator=(const HttpPipe&) = delete;

 protected:
  pplx::task<int_type> _putc(std::uint8_t byte) override;
  pplx::task<std::size_t> _putn(const std::uint8_t* bytes, std::size_t count) override;

 private:
  std::shared_ptr<HttpNews> news_;
};

/// A body that cpprestsdk can read once only, so that it does not send it again by itself.
class HttpBody : public HttpStream {
 public:
  explicit HttpBody(std::shared_ptr<const std::string> bytes)
      : HttpStream(std::ios_base::in), bytes_(std::move(bytes)) {}
  std::size_t in_avail() const override { return bytes_->size() - done_; }

 protected:
  pplx::task<std::size_t> _getn(std::uint8_t* into, std::size_t most) override;

 private:
  std::shared_ptr<const std::string> bytes_;
  std::size_t done_ = 0;
};

}  // namespace veer
