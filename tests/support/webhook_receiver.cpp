#include "support/webhook_receiver.h"

#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "core/files.h"

namespace veer::test {

WebhookReceiver::WebhookReceiver() : port_(free_port()) {
  const Certificate own = authority_.issue({.name = "localhost", .hosts = {"DNS:localhost"}});
  write_file(folder_ / "pem", own.certificate + own.key);
  write_file(folder_ / "secret", kSecret);
  answer("204");
  process_.start(
      {"/usr/bin/python3", VEER_WEBHOOK_RECEIVER, std::to_string(port_), (folder_ / "pem").native(),
       (folder_ / "secret").native(), (folder_ / "answer").native(), (folder_ / "log").native()},
      folder_ / "out");
  wait_until([&] { return is_listening(port_) || process_.has_ended(); });
  if (process_.has_ended())
    throw std::runtime_error("the webhook's receiver does not start: " + text_in(folder_ / "out"));
}

std::string WebhookReceiver::url() const {
  return fmt::format("https://localhost:{}/hook?sig=geheim", port_);
}

void WebhookReceiver::answer(const std::string& answer) { write_file(folder_ / "answer", answer); }

std::vector<nlohmann::json> WebhookReceiver::received() const {
  std::vector<nlohmann::json> lines;
  std::istringstream text(text_in(folder_ / "log"));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::vector<nlohmann::json> WebhookReceiver::wait_for(std::size_t count) const {
  wait_until([&] { return received().size() >= count; });
  return received();
}

}  // namespace veer::test
