#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/secret.h"

/// What Microsoft Graph and its sign-in say, read from their JSON. Unknown keys are passed over; all throw
/// S_PROTOCOL for what is no JSON or lacks what is needed, unless they say otherwise.
namespace veer {

/// A file, a folder or something else in a library (driveItem).
struct GraphItem {
  std::string id;
  std::string name;
  std::string parent;    ///< id of its folder; empty when it was not told
  std::string tag;       ///< cTag, which changes with the content alone; the eTag where there is none
  std::string etag;      ///< changes with the content and with anything else
  std::string hash;      ///< quickXorHash, base64; empty when it was not told
  std::string download;  ///< address of the content, which is a secret; empty when it was not told
  std::uint64_t size = 0;
  bool is_file = false;
  std::optional<Time> modified;
};
GraphItem parse_item(std::string_view json);

struct GraphPage {
  std::vector<GraphItem> items;
  std::string next;  ///< address of the next page; empty at the end
};
GraphPage parse_page(std::string_view json);

struct GraphDrive {
  std::string id;
  std::string name;
  std::string address;
};
struct GraphDrives {
  std::vector<GraphDrive> drives;
  std::string next;
};
GraphDrives parse_drives(std::string_view json);

/// The value of "id".
std::string parse_id(std::string_view json);

/// What is left in a library; empty when it was not told.
std::optional<std::uint64_t> parse_room(std::string_view json);

struct GraphUpload {
  std::string url;  ///< a secret; empty when it was not told
  /// Where bytes begin that the session still wants, in order. How far each range reaches does not help: what
  /// is sent must be a multiple of 320 KiB.
  std::vector<std::uint64_t> missing;
};
GraphUpload parse_upload(std::string_view json);

struct GraphTicket {
  Secret token;
  std::chrono::seconds lasts{0};
};
GraphTicket parse_ticket(std::string_view json);

/// Why a request was refused. Never throws: what cannot be read is empty.
struct GraphProblem {
  std::vector<std::string> codes;  ///< outermost first, letters and digits alone
  std::string message;             ///< foreign text: to look into, never to show
};
GraphProblem parse_problem(std::string_view json);

/// Why a sign-in was refused. Never throws.
struct SignInProblem {
  std::string error;         ///< as "invalid_client"
  std::vector<int> numbers;  ///< AADSTS…
};
SignInProblem parse_sign_in_problem(std::string_view json);

}  // namespace veer
