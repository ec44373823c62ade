#pragma once

#include <optional>
#include <string>

#include "connectors/graph_gate.h"
#include "connectors/http.h"
#include "core/error.h"

namespace veer {

/// Whether an error tells of the way to the service, or of who answers there.
bool is_of_the_way(Code code);

/// An answer, and the id by which we and Microsoft know the request.
struct GraphAnswer {
  HttpAnswer http;
  std::string id;  ///< our client-request-id

  int status() const { return http.status; }
  bool good() const { return http.status >= 200 && http.status < 300; }
};

/// The error that a refused request ends with, by the innermost code that is known, or else by the status;
/// `doing` says what was asked for. It bears both request ids, and nothing else of what the service wrote.
Error refusal(const GraphAnswer& answer, const std::string& doing);

/// "…; Microsoft's request id …, ours …"
std::string ids_of(const GraphAnswer& answer);

/// How long to wait, as Retry-After says: seconds, or until a date (RFC 9110, 10.2.3); at most a day, since a
/// service that is asked too often bears one question a day. Empty when it says nothing.
std::optional<std::chrono::seconds> retry_after(const HttpAnswer& answer, Time now);

bool is_busy(int status);

/// Closes the gate and throws S_THROTTLED when a busy service says how long to wait.
void heed_wait(const GraphAnswer& answer, const std::string& doing, GraphGate& gate, Time now);

/// `error` with the ids of the last answer, as ids_of tells them, when it comes from the service (S_…) and
/// tells none yet.
Error with_ids(const Error& error, const std::string& ids);

/// Whether the refusal bears this code at some depth, whatever its capitals.
bool bears_code(const GraphAnswer& answer, std::string_view code);

}  // namespace veer
