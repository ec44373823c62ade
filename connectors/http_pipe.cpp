#include "connectors/http_pipe_handles.h"

namespace veer {

std::string HttpNews::take(std::unique_lock<std::mutex>& lock) {
  std::string piece = std::move(body.front());
  body.pop_front();
  held -= piece.size();
  if (room && held < kMostHeld) {
    const auto waiting = std::move(*room);
    room.reset();
    lock.unlock();
    waiting.set(promised);
    lock.lock();
  }
  return piece;
}

void HttpNews::abandon() {
  std::unique_lock lock(mutex);
  abandoned = true;
  body.clear();
  held = 0;
  if (!room) return;
  const auto waiting = std::move(*room);
  room.reset();
  lock.unlock();
  waiting.set(promised);
}

// The request holds it until the connection is back among those that wait.
HttpPipe::~HttpPipe() {
  const std::lock_guard lock(news_->mutex);
  news_->let_go = true;
  news_->changed.notify_one();
}

pplx::task<std::size_t> HttpBody::_getn(std::uint8_t* into, std::size_t most) {
  const std::size_t n = bytes_->copy(reinterpret_cast<char*>(into), most, done_);
  done_ += n;
  return pplx::task_from_result(n);
}

pplx::task<HttpPipe::int_type> HttpPipe::_putc(std::uint8_t byte) {
  return _putn(&byte, 1).then([byte](std::size_t) { return int_type{byte}; });
}

pplx::task<std::size_t> HttpPipe::_putn(const std::uint8_t* bytes, std::size_t count) {
  news_->unread->bytes = 0;
  const std::lock_guard lock(news_->mutex);
  // The request is being cancelled. An exception would have cpprestsdk wait for another of its threads.
  if (news_->abandoned) return pplx::task_from_result(count);
  news_->body.emplace_back(reinterpret_cast<const char*>(bytes), count);
  news_->held += count;
  if (news_->held >= HttpNews::kWorthWaking) news_->changed.notify_one();
  if (news_->held < HttpNews::kMostHeld) return pplx::task_from_result(count);
  news_->promised = count;
  return pplx::create_task(news_->room.emplace());
}

}  // namespace veer
