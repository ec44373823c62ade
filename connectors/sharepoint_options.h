#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/secret.h"

namespace veer {

struct SharePointOptions {
  std::string tenant;            ///< id or name of the directory that the application signs in to
  std::string client_id;         ///< the application's id
  std::string certificate;       ///< PEM, our own first; empty when it signs in with a secret
  Secret key;                    ///< the certificate's private key, PEM
  Secret key_passphrase;         ///< empty: none
  Secret secret;                 ///< instead of certificate and key
  std::string site;              ///< "https://contoso.sharepoint.com/sites/exchange"
  std::string library;           ///< as the site shows it, or as its address ends
  std::string incoming_site;     ///< where the incoming folder lies when that is elsewhere; empty: `site`
  std::string incoming_library;  ///< the same; empty: `library`
  std::string outgoing;          ///< folders in the library
  std::string incoming;
  std::string login = "https://login.microsoftonline.com";
  std::string graph = "https://graph.microsoft.com";
  std::string scope;  ///< empty: ".default" of `graph`
  /// Where files may be sent to and fetched from besides the site's own domain and Graph's host (HostList).
  std::vector<std::string> transfer_hosts;
  std::string ca;     ///< PEM: trusted in place of the system's authorities; empty: those
  std::string proxy;  ///< "http://host:port"; empty: none
  std::chrono::milliseconds timeout = std::chrono::seconds(60);  ///< longest wait without progress
};

}  // namespace veer
