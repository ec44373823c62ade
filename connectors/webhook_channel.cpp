#include "connectors/webhook_channel.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/error.h"

namespace veer {
namespace {

using Json = nlohmann::ordered_json;

HttpsUrl parsed(const Secret& url) {
  auto address = parse_https(url.reveal());
  if (!address)
    throw Error(Code::c_credential,
                "the webhook's address is none that begins with https:// and may be asked");
  return *std::move(address);
}

/// Without what a card would take for Markdown:
/// https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
std::string plain(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("\\*_[]()#`~<>").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

Json block(const std::string& text, bool heading) {
  Json json{{"type", "TextBlock"}, {"text", plain(text)}, {"wrap", true}};
  if (heading) json.update(Json{{"size", "Large"}, {"weight", "Bolder"}});
  return json;
}

/// https://adaptivecards.io/explorer/, version 1.4, within the envelope that Teams wants.
std::string card_of(const AlertMessage& message) {
  Json body = Json::array({block(message.headline, true)});
  for (const std::string& paragraph : message.paragraphs) body.push_back(block(paragraph, false));
  if (!message.command.empty()) {
    Json command = block(message.command, false);
    command["fontType"] = "Monospace";
    body.push_back(std::move(command));
  }
  Json facts = Json::array();
  for (const auto& [title, value] : {std::pair{"instance", message.instance},
                                     {"environment", message.environment},
                                     {"topic", message.topic},
                                     {"code", message.code},
                                     {"exchange", message.exchange}})
    if (!value.empty()) facts.push_back({{"title", title}, {"value", value}});
  body.push_back({{"type", "FactSet"}, {"facts", std::move(facts)}});
  return Json{
      {"type", "message"},
      {"attachments", Json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                    {"contentUrl", nullptr},
                                    {"content",
                                     {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                                      {"type", "AdaptiveCard"},
                                      {"version", "1.4"},
                                      {"body", std::move(body)}}}}})}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::chrono::milliseconds> told_wait(const HttpAnswer& answer) {
  const std::string text = answer.header("retry-after");
  int seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

std::string webhook_signature(const Secret& secret, std::int64_t seconds, std::string_view body) {
  return "sha256=" + hmac_sha256_hex(secret.reveal(), fmt::format("{}.{}", seconds, body));
}

WebhookChannel::WebhookChannel(WebhookOptions options)
    : options_(std::move(options)), url_(parsed(options_.url)), http_(options_.http) {}

std::string WebhookChannel::send(const AlertMessage& message, const Transfer& transfer) {
  HttpRequest request{.method = "POST", .url = url_};
  request.body = options_.body == WebhookBody::teams ? card_of(message) : to_json(message);
  const std::int64_t seconds =
      std::chrono::floor<std::chrono::seconds>(message.at).time_since_epoch().count();
  request.headers = {{"Content-Type", "application/json"},
                     {"Veerdienst-Id", message.id},
                     {"Veerdienst-Timestamp", std::to_string(seconds)}};
  if (!options_.secret.empty())
    request.headers["Veerdienst-Signature"] = webhook_signature(options_.secret, seconds, request.body);
  request.most = options_.http.timeout;
  request.once = true;
  mishap_ = Mishap::channel;
  const HttpAnswer answer = http_.ask(std::move(request), transfer);
  if (answer.status >= 200 && answer.status < 300) return {};
  const std::string what = fmt::format("the webhook at {} answers {}", url_.authority(), answer.status);
  switch (answer.status) {
    case 429:
    case 503:
      throw Error(Code::s_throttled, what + ": it asks to come back later", told_wait(answer));
    case 401:
    case 403:
    case 404:
    case 410:
      throw Error(Code::s_rights, what + ": make a new address there, and configure it");
    case 400:
    case 413:
    case 422:
      mishap_ = Mishap::message;
      [[fallthrough]];
    default:
      throw Error(answer.status >= 500 ? Code::s_unreachable : Code::s_protocol, what);
  }
}

}  // namespace veer
