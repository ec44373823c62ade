#pragma once

#include <functional>

#include "connectors/share.h"
#include "core/error.h"

namespace veer {

/// Publishes `content` under `name` in the outgoing folder as put does, but without looking whether the name
/// is taken: only the server can refuse, with S_NAME_TAKEN.
using PublishBlindly = std::function<void(const std::string& name, const Blob& content)>;

/// Share::probe() by the other four verbs. `publish_blindly` may be empty where put itself leaves it to the
/// server.
std::vector<ProbeResult> probe_by_verbs(Share& share, const PublishBlindly& publish_blindly = {},
                                        const Transfer& transfer = {});

/// Throws T_NAME unless is_share_name(name).
void require_share_name(const std::string& name);

/// What the names of files begin with that only try a share.
inline constexpr std::string_view kProbeBegins = ".veer-probe-";

/// "." + name + ".part"
std::string part_name(const std::string& name);

/// Throws L_IO unless `done`, where the reading of `content` ended, is its size.
void require_whole(const std::string& name, const Blob& content, std::uint64_t done);

/// S_NAME_TAKEN, S_PUBLISH for what cannot be removed where the part is to be written, and S_CHANGED, as
/// every share tells them.
Error name_taken(const std::string& name);
Error part_in_the_way(const std::string& name);
Error changed(const std::string& name);

}  // namespace veer
