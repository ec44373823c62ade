#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What the Graph emulator is told, and what it tells.
namespace veer::test {

class Authority;

/// An application that the tenant knows.
struct GraphApp {
  std::string id = "0a1b2c3d-1111-4222-8333-444455556666";
  std::string name = "veerdienst";
  std::vector<std::string> certificates = {};  ///< PEM, with RSA keys: whose assertions are accepted
  std::string secret = {};                     ///< empty: none
  /// Site path → "read", "write", "owner" or "fullcontrol": what an administrator granted.
  std::map<std::string, std::string> grants = {{"/sites/uitwisseling", "write"}};
  bool consented = true;      ///< to Sites.Selected; without it tokens carry no roles
  bool full_control = false;  ///< Sites.FullControl.All: may do everything, and grant
};

/// A site with its document libraries, each with folders at its top ("to_avsb", or "a/b").
struct GraphSite {
  std::string path = "/sites/uitwisseling";
  std::map<std::string, std::vector<std::string>> libraries = {{"Documents", {"to_avsb", "to_aii"}}};
};

struct GraphOptions {
  int port = 0;  ///< 0: one that the kernel gives
  std::string tenant = "7d9b4a10-0000-4000-8000-0123456789ab";
  std::vector<GraphApp> apps = {GraphApp{}};
  std::vector<GraphSite> sites = {GraphSite{}};
  std::string site_host = "contoso.sharepoint.com";  ///< that `GET /sites/{host}:/{path}` is asked for
  /// Where upload and download URLs point, as HOST or HOST:PORT. Empty: "localhost:PORT".
  std::string storage_host = {};
  std::size_t page_size = 200;  ///< most children in a page, whatever $top says
  std::uint64_t quota = std::uint64_t{1} << 40;
  std::chrono::seconds token_lifetime{3599};
  std::chrono::seconds download_lifetime{3600};
  /// The clock of the service; empty: the system's.
  std::function<std::chrono::system_clock::time_point()> now = {};
  /// Whether upload and download URLs refuse a request that bears Authorization (401).
  bool refuse_authorization_on_storage = true;
  bool chunked = false;  ///< bodies come in chunks, without a length
  /// Upload and download URLs are long, and full of characters that a client might write in another way.
  bool odd_urls = false;
  bool storage_apart = false;  ///< upload and download URLs lead to another port
  /// Whom a client trusts that trusts it; empty: an authority of its own.
  std::shared_ptr<const Authority> authority = {};
};

/// What a request is for.
enum class GraphCall {
  any,
  discovery,        ///< the document that names the token endpoint
  token,            ///< POST …/oauth2/v2.0/token
  site,             ///< GET /sites/{host}:/{path}
  drives,           ///< GET /sites/{id}/drives
  grant,            ///< /sites/{id}/permissions
  item,             ///< GET of one drive, or of one item's description
  list,             ///< GET …/children
  create_folder,    ///< POST …/children
  create_session,   ///< POST …/createUploadSession
  put_content,      ///< PUT …/content
  content,          ///< GET …/content, which redirects
  patch,            ///< PATCH of an item
  remove,           ///< DELETE of an item
  remove_for_good,  ///< POST …/permanentDelete
  versions,         ///< …/versions
  fragment,         ///< PUT on an upload URL
  session_status,   ///< GET on an upload URL
  session_cancel,   ///< DELETE on an upload URL
  session_commit,   ///< POST on an upload URL
  download,         ///< GET on a download URL
  other,
};

/// A request as it came, and what was answered.
struct GraphRequest {
  GraphCall call = GraphCall::other;
  std::string method = {};
  std::string host = {};    ///< the Host header
  std::string target = {};  ///< path and query, as they came
  bool authorization = false;
  std::string content_range = {};
  std::string range = {};
  std::string client_request_id = {};
  std::string user_agent = {};
  std::uint64_t size = 0;       ///< of the body
  int status = 0;               ///< 0: not answered (reset, stalled)
  std::string request_id = {};  ///< of the answer
  std::chrono::steady_clock::time_point came = {};
};

/// Which requests: those that fit all that is given.
struct GraphMatch {
  GraphCall call = GraphCall::any;
  std::string method = {};  ///< empty: any
  std::string path = {};    ///< regular expression (ECMAScript), searched in the target; empty: any
  int skip = 0;             ///< so many that fit are served first
};

/// How a request is answered otherwise than it would be.
enum class GraphTrick {
  none,             ///< `status` alone, or only `before` and `after`
  session_lost,     ///< the upload session is forgotten; answered with `status` (404, 401 or 410)
  session_forgets,  ///< the session loses the last 100,000 bytes it had; then it is served
  several_ranges,   ///< nextExpectedRanges names two
  name_taken,       ///< another file stands at the name of the session or put; then it is served
  half_stored,      ///< a simple put: half of the bytes stay under the name, and the connection breaks
  ignore_range,     ///< a download: all of it, with 200
  wrong_range,      ///< a download: 206 with bytes from 1 further on
  no_hash,          ///< items without hashes
  wrong_hash,       ///< items with another file's hash
  late_commit,    ///< the last fragment: the file is made, and is neither found nor listed until show_late()
  bump_etag,      ///< the item's eTag changes before it is served; its cTag stays
  repeat_page,    ///< a list: every item twice
  empty_page,     ///< a list: no item, and a nextLink to the same page
  looping_pages,  ///< a list: the page, and a nextLink to itself
  foreign_redirect,  ///< content: 302 to `location`
  truncated,         ///< headers tell the whole length, then half of the body, then the connection ends
  reset,             ///< the connection is reset instead of an answer
  stalled,           ///< no answer, and the connection stays open
  stalled_body,      ///< headers and half of the body, and the connection stays open
  slow,              ///< the answer comes in 64 pieces over `delay`
  endless_header,    ///< a header that does not end
  endless_chunk,     ///< a body in one chunk that does not end
  endless_body,      ///< a body in chunks without an end
};

struct GraphFault {
  GraphTrick trick = GraphTrick::none;
  int status = 0;                       ///< with `none`: answered in place of serving; 0: it is served
  std::string code = {};                ///< error.code; empty: what fits the status
  std::string inner = {};               ///< error.innerError.code; empty: none
  std::optional<int> retry_after = {};  ///< seconds; empty: no such header
  bool serve_first = false;             ///< the request takes effect, and only the answer is `status`
  std::string body = {};                ///< in place of the error's JSON
  std::string content_type = "application/json";
  std::string location = {};
  std::chrono::milliseconds delay{0};  ///< before the answer; with `slow`: over it
  std::function<void()> before = {};   ///< run before the request is served (may call the emulator)
  std::function<void()> after = {};    ///< run after it was served, before it is answered
};

/// A file in a library.
struct GraphFile {
  std::string path;  ///< within the library: "to_avsb/name"
  std::string content;
  std::string id;
  std::string etag;
  std::string ctag;
};

}  // namespace veer::test
