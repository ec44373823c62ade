#include "graph/tls_server.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/files.h"

namespace veer::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Stream = asio::ssl::stream<Tcp::socket>;

constexpr std::size_t kMostBody = std::size_t{1} << 29;
constexpr std::size_t kPieces = 64;
constexpr std::size_t kMostEndured = std::size_t{1} << 30;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string reason_of(int status) {
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {reason.data(), reason.size()};
}

std::string head_of(const HttpReply& reply, std::size_t length) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", reply.status, reason_of(reply.status));
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  const bool has_body = reply.status != 204 && reply.status != 304;
  if (has_body && reply.chunked)
    head += "Transfer-Encoding: chunked\r\n";
  else if (has_body)
    head += fmt::format("Content-Length: {}\r\n", length);
  return head + "\r\n";
}

/// Chunks of sizes that fit nothing.
std::string in_chunks(std::string_view body) {
  std::string all;
  for (std::size_t size = 1; !body.empty(); size = size * 7 % 65'521 + 1) {
    const std::string_view piece = body.substr(0, size);
    all += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    body.remove_prefix(piece.size());
  }
  return all + "0\r\n\r\n";
}

/// Where a thread can be made to wait, until its server ends. By poll, since a faked clock misleads timed
/// waits.
class Gate {
 public:
  /// False when the server ends.
  bool wait(std::chrono::milliseconds time) const { return look(static_cast<int>(time.count())) == 0; }
  void wait() const { look(-1); }
  void open() const { eventfd_write(event_.get(), 1); }

 private:
  int look(int milliseconds) const {
    pollfd event{event_.get(), POLLIN, 0};
    return poll(&event, 1, milliseconds);
  }

  Fd event_{eventfd(0, EFD_CLOEXEC)};
};

}  // namespace

struct TlsServer::State {
  struct Connection {
    explicit Connection(Tcp::socket socket, asio::ssl::context& tls) : stream(std::move(socket), tls) {}
    Stream stream;
    bool done = false;
    std::thread thread;
  };

  State(int wanted, Serve&& handler)
      : serve(std::move(handler)),
        listener(context,
                 Tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(wanted))) {}

  asio::io_context context;
  asio::ssl::context tls{asio::ssl::context::tls_server};
  Serve serve;
  Tcp::acceptor listener;
  Gate gate;
  std::mutex mutex;
  bool ending = false;
  std::atomic<std::uint64_t> endured{0};
  std::list<Connection> connections;
  std::thread accepting;

  void accept_all();
  void talk(Connection& connection);
  bool answer_one(Stream& stream, boost::beast::flat_buffer& buffer);
  bool write_reply(Stream& stream, const HttpReply& reply, bool with_body);
  void flood(Stream& stream, HttpReply::Manner manner);
  void forget_ended();
};

namespace {

HttpRequest taken(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message)
    request.headers[lower(std::string(field.name_string()))] = std::string(field.value());
  request.body = std::move(message.body());
  return request;
}

}  // namespace

// Until the client ends it.
void TlsServer::State::flood(Stream& stream, HttpReply::Manner manner) {
  const std::string piece(std::size_t{64} << 10, 'x');
  const auto write = [&](const std::string& bytes) {
    asio::write(stream, asio::buffer(bytes));
    endured += bytes.size();
  };
  write("HTTP/1.1 200 OK\r\n");
  if (manner == HttpReply::Manner::endless_header) write("X-Long: ");
  if (manner != HttpReply::Manner::endless_header) write("Transfer-Encoding: chunked\r\n\r\n");
  if (manner == HttpReply::Manner::endless_chunk) write("7fffffff\r\n");
  const bool in_chunks = manner == HttpReply::Manner::endless_body;
  while (endured < kMostEndured) write(in_chunks ? "10000\r\n" + piece + "\r\n" : piece);
}

// False when the connection is over.
bool TlsServer::State::write_reply(Stream& stream, const HttpReply& reply, bool with_body) {
  using Manner = HttpReply::Manner;
  if (reply.manner == Manner::stalled) {
    gate.wait();
    return false;
  }
  if (reply.manner == Manner::reset) {
    boost::system::error_code ignored;
    stream.lowest_layer().set_option(asio::socket_base::linger(true, 0), ignored);
    return false;
  }
  if (reply.manner >= Manner::endless_header) {
    flood(stream, reply.manner);
    return false;
  }
  std::string_view body = reply.body;
  if (reply.content) body = std::string_view(*reply.content).substr(reply.begin, reply.end - reply.begin);
  const std::string head = head_of(reply, body.size());
  if (!with_body) body = {};
  std::string chunks;
  if (reply.chunked && with_body && reply.status != 204 && reply.status != 304)
    body = chunks = in_chunks(body);
  const auto write = [&](std::string_view bytes) {
    asio::write(stream, asio::buffer(bytes.data(), bytes.size()));
  };

  if (reply.manner == Manner::slow) {
    const std::string whole = head + std::string(body);
    const std::size_t piece = whole.size() / kPieces + 1;
    for (std::size_t at = 0; at < whole.size(); at += piece) {
      if (!gate.wait(reply.delay / static_cast<int>(kPieces))) return false;
      write(std::string_view(whole).substr(at, piece));
    }
    return true;
  }
  if (body.size() < 16'000) {
    write(head + std::string(reply.manner == Manner::whole ? body : body.substr(0, body.size() / 2)));
  } else {
    write(head);
    write(reply.manner == Manner::whole ? body : body.substr(0, body.size() / 2));
  }
  if (reply.manner == Manner::stalled_body) gate.wait();
  return reply.manner == Manner::whole;
}

// False when the connection is over.
bool TlsServer::State::answer_one(Stream& stream, boost::beast::flat_buffer& buffer) {
  http::request_parser<http::string_body> parser;
  parser.body_limit(kMostBody);
  http::read_header(stream, buffer, parser);
  if (lower(std::string(parser.get()[http::field::expect])) == "100-continue") {
    static constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::write(stream, asio::buffer(kGoOn.data(), kGoOn.size()));
  }
  http::read(stream, buffer, parser);
  const bool keep = parser.get().keep_alive();
  HttpRequest request = taken(parser.release());
  const bool with_body = request.method != "HEAD";
  const HttpReply reply = serve(std::move(request));
  if (reply.manner != HttpReply::Manner::slow && reply.delay.count() > 0 && !gate.wait(reply.delay))
    return false;
  return write_reply(stream, reply, with_body) && keep;
}

void TlsServer::State::talk(Connection& connection) {
  try {
    connection.stream.handshake(asio::ssl::stream_base::server);
    boost::beast::flat_buffer buffer;
    while (answer_one(connection.stream, buffer)) {
    }
  } catch (const std::exception&) {
    // The client went, or spoke no HTTP: there is nobody to tell.
  }
  const std::lock_guard lock(mutex);
  boost::system::error_code ignored;
  connection.stream.lowest_layer().close(ignored);
  connection.done = true;
}

void TlsServer::State::forget_ended() {
  std::list<Connection> ended;
  {
    const std::lock_guard lock(mutex);
    for (auto at = connections.begin(); at != connections.end();) {
      const auto next = std::next(at);
      if (at->done) ended.splice(ended.end(), connections, at);
      at = next;
    }
  }
  for (Connection& connection : ended) connection.thread.join();
}

void TlsServer::State::accept_all() {
  while (true) {
    boost::system::error_code error;
    Tcp::socket socket(context);
    listener.accept(socket, error);
    forget_ended();
    const std::lock_guard lock(mutex);
    if (ending) return;
    if (error) continue;
    socket.set_option(Tcp::no_delay(true), error);
    Connection& made = connections.emplace_back(std::move(socket), tls);
    made.thread = std::thread([this, &made] { talk(made); });
  }
}

TlsServer::TlsServer(int port, const Certificate& certificate, Serve serve)
    : state_(std::make_unique<State>(port, std::move(serve))) {
  state_->tls.use_certificate_chain(asio::buffer(certificate.certificate));
  state_->tls.use_private_key(asio::buffer(certificate.key), asio::ssl::context::pem);
  state_->accepting = std::thread([state = state_.get()] { state->accept_all(); });
}

TlsServer::~TlsServer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    ::shutdown(state_->listener.native_handle(), SHUT_RDWR);
    for (State::Connection& connection : state_->connections)
      if (!connection.done) ::shutdown(connection.stream.lowest_layer().native_handle(), SHUT_RDWR);
  }
  state_->gate.open();
  state_->accepting.join();
  for (State::Connection& connection : state_->connections) connection.thread.join();
}

std::uint64_t TlsServer::endured() const { return state_->endured; }

int TlsServer::port() const { return state_->listener.local_endpoint().port(); }

}  // namespace veer::test
