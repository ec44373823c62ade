#pragma once

#include <memory>

#include <libssh2.h>
#include <libssh2_sftp.h>

namespace veer {

// libssh2's handles are freed by calls that may talk to the server; the session is set to fail at once by
// then.
struct FreeSession {
  void operator()(LIBSSH2_SESSION* session) const { libssh2_session_free(session); }
};
struct FreeKnownHosts {
  void operator()(LIBSSH2_KNOWNHOSTS* hosts) const { libssh2_knownhost_free(hosts); }
};

using SessionHandle = std::unique_ptr<LIBSSH2_SESSION, FreeSession>;
using KnownHostsHandle = std::unique_ptr<LIBSSH2_KNOWNHOSTS, FreeKnownHosts>;

}  // namespace veer
