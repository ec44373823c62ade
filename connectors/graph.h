#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connectors/graph_errors.h"
#include "connectors/graph_gate.h"
#include "connectors/graph_json.h"
#include "connectors/graph_sign_in.h"
#include "connectors/http.h"
#include "connectors/sharepoint_options.h"

namespace veer {

/// A request to Graph itself, with our token.
struct GraphAsk {
  std::string method;
  std::string path;   ///< after "/v1.0", as "/drives/…"; or the whole address of a next page
  std::string doing;  ///< what for, as a message tells it: "listing folder to_avsb"
  std::string body = {};
  std::string content_type = "application/json";
  bool once = false;
  std::function<void(std::uint64_t)> sent = {};
};

/// A request to where the bytes lie, whose address is the permission: it goes without a token.
struct StorageCall {
  std::string method;
  std::string url;  ///< a secret
  std::string doing;
  std::map<std::string, std::string> headers = {};
  std::shared_ptr<const std::string> block = {};
  int patience = 1;
  std::chrono::milliseconds most{0};
  std::function<void(std::uint64_t)> sent = {};
  std::function<Sink*(const HttpAnswer&)> choose = {};  ///< as Http::ask takes it
};

/// Microsoft Graph v1.0, and the storage behind it, for one application. Each request bears an id of its own,
/// which is told with every error. A word to wait holds for all of them (GraphGate). The token goes to
/// Graph's host and no other. One thread.
class Graph {
 public:
  /// Throws C_CREDENTIAL.
  Graph(const SharePointOptions& options, const Clock& clock);

  /// Whatever it answers but 429, 503 and 509, which are thrown; a token that was not taken is got anew once.
  GraphAnswer call(const GraphAsk& call, const Transfer& transfer);
  /// The same, and an answer other than 2xx is thrown.
  GraphAnswer demand(const GraphAsk& call, const Transfer& transfer);
  /// Throws S_PROTOCOL when the address leads to a host that may not be asked.
  GraphAnswer store(StorageCall call, const Transfer& transfer);
  bool may_store(const std::string& url) const;
  /// Asks for an address without token, only to see who answers.
  HttpAnswer visit(const std::string& url, const Transfer& transfer);

  /// Runs `work`, which asks Graph; an error of the service that it ends with bears the ids of its last
  /// answer.
  template <typename Work>
  auto telling(Work work) {
    ids_.clear();
    try {
      return work();
    } catch (const Error& error) {
      throw with_ids(error, ids_);
    }
  }

  GraphSignIn& sign_in() { return sign_in_; }
  Time now() const { return clock_.now(); }
  HttpLink reached() const { return http_.reached(); }
  const std::string& base() const { return base_; }

 private:
  GraphAnswer send(HttpRequest request, const std::string& doing,
                   const std::function<Sink*(const HttpAnswer&)>& choose, const Transfer& transfer);
  HttpsUrl url_of(const GraphAsk& call) const;

  std::string base_;  ///< "https://graph.microsoft.com/v1.0"
  std::string origin_;
  HostList storage_;
  Http http_;
  GraphGate gate_;
  const Clock& clock_;
  GraphSignIn sign_in_;
  std::string ids_;  ///< of the last answer
};

}  // namespace veer
