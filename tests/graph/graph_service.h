#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "graph/graph_route.h"
#include "graph/graph_terms.h"
#include "graph/library_store.h"
#include "graph/sign_in.h"
#include "graph/tls_server.h"

namespace veer::test {

/// One request, with what is told to go wrong.
struct Asked {
  const HttpRequest& http;
  const Route& route;
  std::string host;  ///< its Host header
  GraphTrick trick = GraphTrick::none;
  std::string location = {};  ///< for foreign_redirect
};

struct Site {
  std::string id;
  std::string path;
};

/// What the URLs of a storage host stand for.
struct Ticket {
  std::string drive;
  std::string item;
  ServiceTime expires;
};

/// The Graph calls and what stands behind upload and download URLs. The caller locks.
class GraphService {
 public:
  GraphService(GraphOptions& options, std::function<ServiceTime()> now);

  /// Of the Graph host, with what the bearer token says.
  HttpReply graph(const Asked& asked, const std::optional<Token>& token);
  /// Of the storage host.
  HttpReply storage(const Asked& asked);

  LibraryStore& store() { return store_; }
  Drive& library(const std::string& name);
  void expire_urls();
  /// What the trick of a fault does to the state before the request is served.
  void prepare(const Asked& asked, int status);

  std::string storage_host = {};
  bool permanent_delete = true;

 private:
  HttpReply sites(const Asked& asked, const Token& token);
  HttpReply grants(const Asked& asked, const Token& token, const Site& site);
  HttpReply describe(const Asked& asked);
  HttpReply list(const Asked& asked);
  HttpReply create_folder(const Asked& asked);
  HttpReply create_session(const Asked& asked);
  HttpReply put_content(const Asked& asked);
  HttpReply content(const Asked& asked);
  HttpReply patch(const Asked& asked);
  HttpReply remove(const Asked& asked);
  HttpReply versions(const Asked& asked);
  HttpReply fragment(const Asked& asked, UploadSession& session);
  HttpReply download(const Asked& asked);

  void require_access(const Token& token, const std::string& site, bool to_write) const;
  const Site& site_of(const Asked& asked) const;
  Item& addressed(const Asked& asked);
  /// Folder and name of what may not exist yet; empty name when an existing item is addressed by id alone.
  std::pair<Item*, std::string> place(const Asked& asked);
  void require_match(const Asked& asked, Item& item) const;
  nlohmann::json describe_drive(const Drive& drive) const;
  nlohmann::json describe_item(const Asked& asked, Drive& drive, const Item& item);
  std::string download_target(const Drive& drive, const Item& item);
  HttpReply finished(const Asked& asked, Drive& drive, const std::pair<bool, Item*>& result);

  GraphOptions& options_;
  std::function<ServiceTime()> now_;
  LibraryStore store_;
  std::vector<Site> sites_;
  std::map<std::string, Ticket> downloads_;  // by target
};

/// The body of an error of Graph, and of what stands behind it; a guid is made when `client` is empty.
nlohmann::json error_body(const Refusal& refusal, bool storage, const std::string& request_id,
                          const std::string& client_id, ServiceTime now);
/// What Graph calls such a status.
Refusal usual_refusal(int status, bool storage);

}  // namespace veer::test
