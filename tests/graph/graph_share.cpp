#include "graph/graph_share.h"

#include <utility>

namespace veer::test {
namespace {

/// To make one takes a while.
const Certificate& shared_certificate() {
  static const Certificate made = rsa_certificate({.name = "veerdienst"});
  return made;
}

}  // namespace

GraphShare::GraphShare(GraphOptions options)
    : certificate_(shared_certificate()), graph_(with_certificate(std::move(options), certificate_)) {}

GraphOptions GraphShare::with_certificate(GraphOptions options, const Certificate& certificate) {
  options.apps.front().certificates.push_back(certificate.certificate);
  return options;
}

SharePointOptions GraphShare::share() const {
  const GraphOptions& tenant = graph_.options();
  SharePointOptions options;
  options.tenant = tenant.tenant;
  options.client_id = tenant.apps.front().id;
  options.certificate = certificate_.certificate;
  options.key = Secret(std::string(certificate_.key));
  options.site = "https://" + tenant.site_host + tenant.sites.front().path;
  options.library = kLibrary;
  options.outgoing = "to_avsb";
  options.incoming = "to_aii";
  options.login = graph_.login_url();
  options.graph = graph_.graph_url();
  options.transfer_hosts = {graph_.storage_host()};
  options.ca = graph_.ca_pem();
  options.timeout = std::chrono::seconds(60);  // with sanitizers on a busy machine everything is slow
  return options;
}

SharePointOptions GraphShare::other_side() const {
  SharePointOptions options = share();
  std::swap(options.outgoing, options.incoming);
  return options;
}

}  // namespace veer::test
