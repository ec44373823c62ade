#include "daemon/share_factory.h"

#include <string>

#include "connectors/folder_share.h"
#include "connectors/ftps_share.h"
#include "connectors/sftp_share.h"
#include "connectors/sharepoint_share.h"
#include "core/secret.h"
#include "daemon/credentials.h"

namespace veer {
namespace {

std::unique_ptr<Share> open_kind(const FolderShareConfig& folder, const std::string&) {
  return std::make_unique<FolderShare>(folder.outgoing, folder.incoming);
}

std::unique_ptr<Share> open_kind(const SftpShareConfig& sftp, const std::string&) {
  return std::make_unique<SftpShare>(SftpOptions{.host = sftp.host,
                                                 .port = sftp.port,
                                                 .user = sftp.user,
                                                 .key = read_secret(sftp.key),
                                                 .host_keys = sftp.host_keys,
                                                 .known_hosts = sftp.known_hosts,
                                                 .outgoing = sftp.outgoing,
                                                 .incoming = sftp.incoming,
                                                 .timeout = sftp.timeout});
}

std::unique_ptr<Share> open_kind(const FtpsShareConfig& ftps, const std::string&) {
  return std::make_unique<FtpsShare>(
      FtpsOptions{.host = ftps.host,
                  .port = ftps.port,
                  .tls = ftps.tls,
                  .user = ftps.user,
                  .password = read_word(ftps.password),
                  .certificate = read_pem("share.ftps.certificate", ftps.certificate),
                  .key = read_secret(ftps.key),
                  .key_passphrase = read_word(ftps.key_passphrase),
                  .ca = read_pem("share.ftps.ca", ftps.ca),
                  .outgoing = ftps.outgoing,
                  .incoming = ftps.incoming,
                  .timeout = ftps.timeout});
}

std::unique_ptr<Share> open_kind(const SharePointShareConfig& sharepoint, const std::string& proxy) {
  return std::make_unique<SharePointShare>(
      SharePointOptions{.tenant = sharepoint.tenant,
                        .client_id = sharepoint.client_id,
                        .certificate = read_pem("share.sharepoint.certificate", sharepoint.certificate),
                        .key = sharepoint.key.empty() ? Secret() : read_secret(sharepoint.key),
                        .key_passphrase = read_word(sharepoint.key_passphrase),
                        .secret = read_word(sharepoint.secret),
                        .site = sharepoint.site,
                        .library = sharepoint.library,
                        .incoming_site = sharepoint.incoming_site,
                        .incoming_library = sharepoint.incoming_library,
                        .outgoing = sharepoint.outgoing,
                        .incoming = sharepoint.incoming,
                        .login = sharepoint.login,
                        .graph = sharepoint.graph,
                        .scope = sharepoint.scope,
                        .transfer_hosts = sharepoint.transfer_hosts,
                        .ca = read_pem("share.sharepoint.ca", sharepoint.ca),
                        .proxy = proxy,
                        .timeout = sharepoint.timeout});
}

}  // namespace

std::unique_ptr<Share> open_share(const ShareConfig& config, const std::string& proxy) {
  return std::visit([&](const auto& kind) { return open_kind(kind, proxy); }, config.kind);
}

}  // namespace veer
