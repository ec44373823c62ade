#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/ftp_listing.h"
#include "connectors/ftps_session.h"
#include "connectors/share.h"

/// What lies in a folder of an FTP server, by whatever commands this one knows.
namespace veer {

/// Throws S_NOT_FOUND, S_RIGHTS, S_UNREACHABLE or S_PROTOCOL.
FtpListing listing_of(FtpsSession& session, const std::string& folder);

/// Asks for the times of files, one by one, where the server has no MLSD. Names that nobody asks a share for
/// stay without.
void add_times(FtpsSession& session, const std::string& folder, std::vector<ShareEntry>& files);

/// What is under a name, whatever kind it is; empty when nothing is.
std::optional<FtpFile> look(FtpsSession& session, const std::string& folder, const std::string& name);

ShareEntry entry_of(const FtpFile& file);

/// Throws what a refusal means whose code alone says enough.
[[noreturn]] void throw_refused(int code, const std::string& doing);
[[noreturn]] void throw_folder_missing(const std::string& folder);

}  // namespace veer
