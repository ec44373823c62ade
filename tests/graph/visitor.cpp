#include "graph/visitor.h"

#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/digest.h"
#include "graph/assertion.h"
#include "graph/encoding.h"

namespace veer::test {
namespace {

using Json = nlohmann::json;

std::string url_base64(const std::string& bytes) {
  std::string text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string signature(const std::string& key_pem, const std::string& text, const std::string& algorithm) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* choice = nullptr;
  EVP_DigestSignInit(context.get(), &choice, EVP_sha256(), nullptr, key.get());
  if (algorithm != "RS256") {
    EVP_PKEY_CTX_set_rsa_padding(choice, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(choice, algorithm == "salt 20" ? 20 : RSA_PSS_SALTLEN_DIGEST);
  }
  std::string made(512, '\0');
  std::size_t size = made.size();
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1)
    throw std::runtime_error("signing failed");
  made.resize(size);
  return made;
}

GraphOptions with_certificate(GraphOptions options) {
  options.apps.at(0).certificates.push_back(Visitor::certificate().certificate);
  return options;
}

}  // namespace

Visitor::Visitor(GraphOptions options) : graph(with_certificate(std::move(options))) {
  const HttpsAnswer answer = sign_in(assertion());
  token = Json::parse(answer.body).value("access_token", "");
}

const Certificate& Visitor::certificate() {
  static const Certificate kOne = rsa_certificate();
  return kOne;
}

std::string Visitor::token_url() const {
  return graph.login_url() + "/" + graph.options().tenant + "/oauth2/v2.0/token";
}

std::string Visitor::assertion(const Json& header, const Json& claims, const std::string& key) const {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const std::string& app = graph.options().apps[0].id;
  Json first{{"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", thumbprint(certificate().certificate, true)}};
  Json second{{"aud", token_url()}, {"iss", app}, {"sub", app},      {"jti", random_guid()},
              {"nbf", now},         {"iat", now}, {"exp", now + 300}};
  const std::string algorithm = header.is_object() ? header.value("alg", "PS256") : "PS256";
  if (header.is_object()) first.merge_patch(header);
  if (first["alg"] == "salt 20") first["alg"] = "PS256";
  if (claims.is_object()) second.merge_patch(claims);
  const std::string text = url_base64(first.dump()) + "." + url_base64(second.dump());
  return text + "." + url_base64(signature(key, text, algorithm));
}

HttpsAnswer Visitor::sign_in(const std::string& assertion) const {
  return https(
      "POST", token_url(), {},
      fmt::format(
          "client_id={}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&grant_type=client_credentials"
          "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
          "&client_assertion={}",
          graph.options().apps[0].id, assertion));
}

HttpsAnswer Visitor::call(const std::string& method, const std::string& path, const std::string& body,
                          std::vector<std::string> headers) {
  headers.push_back("Authorization: Bearer " + token);
  if (!body.empty()) headers.emplace_back("Content-Type: application/json");
  return https(method, graph.graph_url() + "/v1.0" + path, headers, body);
}

Json Visitor::get(const std::string& path) {
  const HttpsAnswer answer = call("GET", path);
  if (answer.status != 200)
    throw std::runtime_error(
        fmt::format("GET {} was answered with {}: {}", path, answer.status, answer.body));
  return Json::parse(answer.body);
}

std::string Visitor::drive() {
  if (drive_.empty()) {
    const Json site = get("/sites/contoso.sharepoint.com:/sites/uitwisseling");
    drive_ = get("/sites/" + site["id"].get<std::string>() + "/drives")["value"][0]["id"].get<std::string>();
  }
  return drive_;
}

std::string Visitor::at(const std::string& name) {
  return "/drives/" + drive() + "/root:/to_avsb/" + name + ":";
}

std::string Visitor::open_session(const std::string& name, const std::string& behaviour) {
  const HttpsAnswer answer = call("POST", at(name) + "/createUploadSession",
                                  Json{{"item", {{"@microsoft.graph.conflictBehavior", behaviour}}}}.dump());
  if (answer.status != 200) throw std::runtime_error("no session: " + answer.body);
  return Json::parse(answer.body)["uploadUrl"];
}

HttpsAnswer Visitor::fragment(const std::string& url, std::size_t begin, std::size_t total,
                              const std::string& bytes) const {
  return https("PUT", url,
               {fmt::format("Content-Range: bytes {}-{}/{}", begin, begin + bytes.size() - 1, total)}, bytes);
}

std::string Visitor::download_url(const std::string& name) {
  const HttpsAnswer answer = call("GET", at(name) + "/content");
  if (answer.status != 302) throw std::runtime_error("no redirect: " + answer.body);
  return answer.headers.at("location");
}

std::string code_of(const HttpsAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  return json.is_object() && json.contains("error") ? json["error"].value("code", "") : "";
}

std::string inner_code_of(const HttpsAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("error")) return "";
  for (const char* key : {"innerError", "innererror"})
    if (json["error"].contains(key)) return json["error"][key].value("code", "");
  return "";
}

std::string sample(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

}  // namespace veer::test
