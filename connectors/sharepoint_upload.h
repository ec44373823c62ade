#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/graph.h"
#include "connectors/quick_xor.h"
#include "connectors/share.h"

namespace veer {

/// An upload session that is open on the service: it keeps others from its name until it ends.
struct OpenUpload {
  std::string name;
  std::string url;  ///< a secret
};

/// Ends a session for good, unless a stop keeps it from that. What it could not do, the service does when the
/// session expires.
void cancel_upload(Graph& graph, OpenUpload& open, const Transfer& transfer);

/// Ends the session that `note` tells of, if it is one of `name`'s.
void cancel_noted(Graph& graph, const std::string& name, const std::string& note, const Transfer& transfer);

/// One file on its way into a folder ("/drives/…/items/…") of a library. Up to `kSimple` bytes in one
/// request; above in a session, whose fragments are never sent twice once the service has them.
class SharePointUpload {
 public:
  static constexpr std::uint64_t kSimple = std::uint64_t{4} << 20;
  /// A multiple of 320 KiB, as the service demands.
  static constexpr std::uint64_t kFragment = 32 * (std::uint64_t{320} << 10);

  SharePointUpload(Graph& graph, std::string folder, std::string name, const Blob& content,
                   ResumeNote& resume, OpenUpload& open, const Transfer& transfer);

  void run();
  /// By a session, whatever the size.
  void run_session();

 private:
  void put_simple();
  bool discard_cut_off();
  std::optional<std::vector<std::uint64_t>> take_up();
  std::vector<std::uint64_t> begin();
  void send(std::vector<std::uint64_t> missing);
  GraphAnswer send_fragment(std::uint64_t from, std::uint64_t end);
  void read_ahead(std::uint64_t end);
  std::vector<std::uint64_t> ask_missing();
  void settle_conflict(const GraphAnswer& answer);
  [[noreturn]] void lose_session(const GraphAnswer& answer);
  [[noreturn]] void wait_to_see(const GraphAnswer& answer) const;
  bool may_appear() const;
  bool is_there();
  void confirm(const GraphAnswer& answer);
  Error conflict(const GraphAnswer& answer);
  bool agrees(const GraphItem& item);
  void load(std::uint64_t from, std::span<char> into);
  std::string load(std::uint64_t from, std::uint64_t end);
  void hash_to(std::uint64_t end);
  bool take_note();
  std::string note_beginning() const;
  std::string note() const;
  void keep(const std::string& note);
  std::string doing() const;

  Graph& graph_;
  std::string folder_;
  std::string name_;
  const Blob& content_;
  ResumeNote& resume_;
  OpenUpload& open_;
  const Transfer& transfer_;
  QuickXor hash_;
  std::uint64_t hashed_ = 0;
  std::uint64_t ahead_from_ = 0;
  std::shared_ptr<std::string> ahead_ =
      std::make_shared<std::string>();  ///< the bytes from there on, read already
  std::shared_ptr<std::string> under_way_ = std::make_shared<std::string>();
  bool fresh_ = false;  ///< the session was opened by this call
  bool sent_ = false;   ///< the service took a fragment of this call
  /// When the last byte may have come to the service; the file need not be seen at once.
  std::optional<Time> finished_;
};

}  // namespace veer
