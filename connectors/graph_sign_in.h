#pragma once

#include <string>

#include "connectors/graph_gate.h"
#include "connectors/http.h"
#include "connectors/sharepoint_options.h"
#include "core/clock.h"
#include "core/secret.h"

namespace veer {

/// The application's sign-in (client credentials): a token in memory, got anew five minutes before its end,
/// or at half its time when that is later. One thread. Errors: S_RIGHTS with what an administrator does about
/// it, L_CLOCK, C_CREDENTIAL (our own certificate does not count), S_THROTTLED, and what Http throws.
class GraphSignIn {
 public:
  GraphSignIn(const SharePointOptions& options, Http& http, GraphGate& gate, const Clock& clock);

  /// Stays as it is until the next call.
  const Secret& token(const Transfer& transfer);
  /// The service does not take it: the next is got anew.
  void forget() { token_ = Secret(); }
  /// "https://login…/{tenant}"
  std::string address() const;

 private:
  std::string form() const;
  HttpAnswer ask(const std::string& id, const Transfer& transfer);
  [[noreturn]] void refuse(const HttpAnswer& answer, const std::string& id) const;

  const SharePointOptions& options_;
  Http& http_;
  GraphGate& gate_;
  const Clock& clock_;
  Secret token_;
  Time asked_at_{};
  Time renew_at_{};
};

}  // namespace veer
