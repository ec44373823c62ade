#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph_terms.h"

namespace veer::test {

/// Microsoft Graph v1.0, SharePoint Online and the sign-in of one tenant, as far as file exchange uses them,
/// on 127.0.0.1 over TLS with an authority of its own. docs/graph-emulator.md tells what it is faithful to.
/// Runs in threads of its own until it goes; every member may be called from any thread.
class GraphEmulator {
 public:
  explicit GraphEmulator(GraphOptions options = {});
  ~GraphEmulator();
  GraphEmulator(const GraphEmulator&) = delete;
  GraphEmulator& operator=(const GraphEmulator&) = delete;

  int port() const;
  /// "https://127.0.0.1:PORT": the sign-in host.
  std::string login_url() const;
  /// "https://127.0.0.1:PORT": the Graph host; "/v1.0" comes after it.
  std::string graph_url() const;
  /// "localhost:PORT", of another port with `storage_apart`, unless the options say otherwise.
  std::string storage_host() const;
  /// The authority to trust, PEM.
  std::string ca_pem() const;
  const GraphOptions& options() const;

  // What is stored. `library` is a library's name, of whichever site has it; `path` lies within it.
  /// Makes the file, or a new version of it; missing folders too.
  void put_file(const std::string& library, const std::string& path, std::string content);
  std::optional<GraphFile> file(const std::string& library, const std::string& path) const;
  std::optional<std::string> read_file(const std::string& library, const std::string& path) const;
  /// Names of the files of a folder.
  std::vector<std::string> list_files(const std::string& library, const std::string& folder) const;
  void remove_file(const std::string& library, const std::string& path);
  /// The file's eTag changes; its cTag and content stay.
  void touch_metadata(const std::string& library, const std::string& path);
  /// A retention policy keeps it: it cannot be removed (403).
  void hold(const std::string& library, const std::string& path, bool held = true);
  void make_folder(const std::string& library, const std::string& path);
  /// Removes a folder with all that is in it, and makes it anew, with another id.
  void replace_folder(const std::string& library, const std::string& path);
  void rename_folder(const std::string& library, const std::string& path, const std::string& name);
  void rename_library(const std::string& library, const std::string& name);
  /// What was made by late_commit is there from now on.
  void show_late();
  /// Names of what was removed without permanentDelete.
  std::vector<std::string> recycle_bin() const;
  /// Upload sessions that are open.
  std::size_t open_sessions() const;
  void set_quota(std::uint64_t bytes);

  // Who may do what.
  /// Role "" takes the grant away.
  void grant(const std::string& app, const std::string& site, const std::string& role);
  void consent(const std::string& app, bool given);
  void trust(const std::string& app, std::vector<std::string> certificates);
  void set_secret(const std::string& app, const std::string& secret);
  /// Every token issued so far is refused from now on (401).
  void revoke_tokens();
  /// Upload and download URLs issued so far are refused from now on (401).
  void expire_urls();
  /// The service's clock goes on by so much.
  void pass_time(std::chrono::seconds time);
  void refuse_authorization_on_storage(bool refuse);
  /// Without it the service answers permanentDelete with 400.
  void support_permanent_delete(bool supported);

  // Faults. The first that fits a request, in the order in which they were given, is used.
  void fail_next(GraphMatch match, GraphFault fault, int times = 1);
  void clear_faults();
  /// How many are left to happen.
  int pending_faults() const;

  // What came.
  std::vector<GraphRequest> requests() const;
  std::size_t count(const GraphMatch& match) const;
  void clear_requests();
  /// Bytes that an endless answer had sent when the client ended it.
  std::uint64_t endured() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace veer::test
