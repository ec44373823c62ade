#include "connectors/sharepoint_upload.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "connectors/probe.h"
#include "connectors/sharepoint_files.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr int kFragmentPatience = 4;  // a loaded service takes long to store one
constexpr int kMostRounds = 3;        // for the same bytes
// What is read of the next one meanwhile.
constexpr std::uint64_t kAhead = SharePointUpload::kFragment / 2;
constexpr std::chrono::seconds kNotYet(5);
constexpr std::chrono::seconds kParting(3);
constexpr std::string_view kConflict = "@microsoft.graph.conflictBehavior";

/// How long a file may take to be seen once its last byte is there.
constexpr std::chrono::minutes kMostLag(10);

// "sharepoint-upload FOLDER NAME SIZE FINISHED URL". FINISHED: the milliseconds of `finished_`, or 0.
constexpr std::string_view kNote = "sharepoint-upload";
constexpr std::size_t kNoteWords = 6;

std::vector<std::string> words_of(const std::string& note) {
  std::istringstream in(note);
  return {std::istream_iterator<std::string>(in), {}};
}

/// Whether a session that answers so may still be gone on with; every other refusal of an old one is its end.
bool may_answer_later(int status) { return status >= 500 || status == 408 || status == 423 || status == 429; }

bool is_lost(int status) { return status == 401 || status == 404 || status == 410; }

}  // namespace

void cancel_upload(Graph& graph, OpenUpload& open, const Transfer& transfer) {
  if (open.url.empty()) return;
  try {
    graph.store(
        {.method = "DELETE", .url = open.url, .doing = "ending the upload of " + open.name, .most = kParting},
        {.stop = transfer.stop});
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) return;  // the next call ends it
    log(LogLevel::debug, "the upload session of {} stays until it expires: {}", open.name,
        code_name(error.code()));
  }
  open = {};
}

void cancel_noted(Graph& graph, const std::string& name, const std::string& note, const Transfer& transfer) {
  const auto words = words_of(note);
  if (words.size() != kNoteWords || words[0] != kNote || words[2] != name || !graph.may_store(words[5]))
    return;
  OpenUpload open{name, words[5]};
  cancel_upload(graph, open, transfer);
}

SharePointUpload::SharePointUpload(Graph& graph, std::string folder, std::string name, const Blob& content,
                                   ResumeNote& resume, OpenUpload& open, const Transfer& transfer)
    : graph_(graph),
      folder_(std::move(folder)),
      name_(std::move(name)),
      content_(content),
      resume_(resume),
      open_(open),
      transfer_(transfer) {}

void SharePointUpload::run() {
  if (content_.size() <= kSimple)
    put_simple();
  else
    run_session();
}

std::string SharePointUpload::doing() const { return "putting " + printable(name_); }

void SharePointUpload::load(std::uint64_t from, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t n = content_.read(from + done, into.subspan(done));
    if (n == 0) require_whole(name_, content_, from + done);
    done += n;
  }
}

std::string SharePointUpload::load(std::uint64_t from, std::uint64_t end) {
  std::string bytes(end - from, '\0');
  load(from, std::span(bytes));
  return bytes;
}

void SharePointUpload::hash_to(std::uint64_t end) {
  while (hashed_ < end) {
    transfer_.heed_stop();
    const std::uint64_t until = std::min<std::uint64_t>(end, hashed_ + kPiece);
    hash_.update(load(hashed_, until));
    hashed_ = until;
  }
}

// One request.

void SharePointUpload::put_simple() {
  GraphAsk call{.method = "PUT",
                .path = fmt::format("{}/content?{}=fail", item_path(folder_, name_), kConflict),
                .doing = doing(),
                .body = load(0, content_.size()),
                .content_type = "application/octet-stream",
                .sent = [this](std::uint64_t done) { transfer_.tick(done); }};
  GraphAnswer answer = graph_.call(call, transfer_);
  if (answer.status() == 409 && discard_cut_off()) answer = graph_.call(call, transfer_);
  if (answer.status() == 409) throw conflict(answer);
  if (!answer.good()) throw refusal(answer, doing());
  confirm(answer);
  transfer_.tick(content_.size());
}

// A request that broke off may have left its first bytes under the name: they are ours when they are how our
// content begins.
bool SharePointUpload::discard_cut_off() {
  const auto item = find_file(graph_, folder_, name_, transfer_);
  if (!item || item->size == 0 || item->size >= content_.size() || item->hash.empty()) return false;
  hash_to(item->size);
  if (item->hash != hash_.text()) return false;
  log(LogLevel::warn, "{} was cut off on the share by an earlier attempt: it is put again", printable(name_));
  remove_item(graph_, folder_, *item, transfer_);
  return true;
}

// A session.

void SharePointUpload::run_session() {
  try {
    auto missing = take_up();
    if (!missing || !missing->empty()) send(missing ? std::move(*missing) : begin());
    open_ = {};
    keep("");
  } catch (const Error& error) {
    // Nobody would take it up again.
    const bool for_good = !resume_.keep || error.code() == Code::s_name_taken || error.code() == Code::l_io;
    if (for_good) cancel_upload(graph_, open_, transfer_);
    if (for_good && open_.url.empty()) keep("");
    throw;
  }
}

// A session belongs to one name in one folder: what is configured may change before the next attempt.
std::string SharePointUpload::note_beginning() const {
  return fmt::format("{} {} {} {} ", kNote, folder_, name_, content_.size());
}

std::string SharePointUpload::note() const {
  return fmt::format("{}{} {}", note_beginning(), finished_ ? to_millis(*finished_) : 0, open_.url);
}

void SharePointUpload::keep(const std::string& note) {
  if (note == resume_.note) return;
  if (resume_.keep) resume_.keep(note);
  resume_.note = note;
}

/// Whether an earlier call left a session to go on with; one of other content ends here.
bool SharePointUpload::take_note() {
  const auto words = words_of(resume_.note);
  if (words.size() != kNoteWords || words[0] != kNote || !graph_.may_store(words[5])) return false;
  if (open_.name == name_ && open_.url != words[5]) cancel_upload(graph_, open_, transfer_);
  open_ = {name_, words[5]};
  if (!resume_.note.starts_with(note_beginning())) {
    cancel_upload(graph_, open_, transfer_);
    return false;
  }
  const std::int64_t finished = std::strtoll(words[4].c_str(), nullptr, 10);
  if (finished > 0) finished_ = from_millis(finished);
  return true;
}

/// What the session of an earlier call still wants; nothing when the file is there already; empty when there
/// is no session to go on with.
std::optional<std::vector<std::uint64_t>> SharePointUpload::take_up() {
  if (!take_note()) return std::nullopt;
  const GraphAnswer answer = graph_.store({.method = "GET", .url = open_.url, .doing = doing()}, transfer_);
  if (answer.good()) {
    std::vector<std::uint64_t> missing = parse_upload(answer.http.body).missing;
    if (!missing.empty() && missing.front() < content_.size()) {
      if (missing.front() > 0)
        log(LogLevel::info, "going on with {} at byte {}", printable(name_), missing.front());
      return missing;
    }
  } else if (may_answer_later(answer.status())) {
    throw refusal(answer, doing());
  }
  if (is_there()) return std::vector<std::uint64_t>{};
  if (may_appear()) wait_to_see(answer);
  finished_.reset();
  if (answer.good()) cancel_upload(graph_, open_, transfer_);
  open_ = {};
  return std::nullopt;
}

std::vector<std::uint64_t> SharePointUpload::begin() {
  if (open_.name == name_) cancel_upload(graph_, open_, transfer_);
  const Json wish = {{"item", {{kConflict, "fail"}, {"name", name_}, {"fileSize", content_.size()}}}};
  const GraphAnswer answer = graph_.call({.method = "POST",
                                          .path = item_path(folder_, name_) + "/createUploadSession",
                                          .doing = doing(),
                                          .body = wish.dump(),
                                          .once = true},
                                         transfer_);
  if (answer.status() == 409) throw conflict(answer);
  if (!answer.good()) throw refusal(answer, doing());
  GraphUpload session = parse_upload(answer.http.body);
  if (!graph_.may_store(session.url)) {
    const auto url = parse_https(session.url);
    throw Error(
        Code::s_protocol,
        fmt::format("{}: Graph wants the bytes sent to {}, which is no host of the site: nothing was sent. "
                    "When it is one of yours, name it in share.sharepoint.transfer_hosts ({})",
                    doing(), url ? url->authority() : "an address that cannot be asked", ids_of(answer)));
  }
  open_ = {name_, session.url};
  keep(note());
  fresh_ = true;
  if (session.missing.empty()) session.missing.push_back(0);
  return session.missing;
}

void SharePointUpload::send(std::vector<std::uint64_t> missing) {
  int rounds = 0;
  while (true) {
    const std::uint64_t from = missing.front();
    const std::uint64_t end = std::min(from + kFragment, content_.size());
    if (from >= end)
      throw Error(Code::s_protocol, fmt::format("{}: the service wants bytes that there are not", doing()));
    if (std::exchange(ahead_from_, from) != from) ahead_->clear();
    read_ahead(end);
    const std::optional<Time> finished = finished_;
    if (end == content_.size()) {
      finished_ = graph_.now();
      keep(note());
    }
    const GraphAnswer answer = send_fragment(from, end);
    if (answer.status() == 200 || answer.status() == 201) return confirm(answer);
    if (answer.status() == 409) return settle_conflict(answer);
    if (is_lost(answer.status())) {
      if (is_there()) return;
      finished_ = finished;  // these bytes it did not take
      lose_session(answer);
    }
    if (answer.status() == 202) {
      sent_ = true;
      missing = parse_upload(answer.http.body).missing;
    } else if (answer.status() == 416) {
      missing.clear();
    } else {
      throw refusal(answer, doing());
    }
    if (missing.empty()) missing = ask_missing();
    if (missing.empty()) return;
    rounds = missing.front() > from ? 0 : rounds + 1;
    if (rounds >= kMostRounds)
      throw Error(
          Code::s_protocol,
          fmt::format("{}: the service takes the bytes from {} on and loses them again", doing(), from));
  }
}

/// Makes what is read, and hashed, reach up to `end`.
void SharePointUpload::read_ahead(std::uint64_t end) {
  const std::uint64_t from = ahead_from_ + ahead_->size();
  if (from >= std::min(end, content_.size())) return;
  const std::uint64_t until = std::min(end, content_.size());
  const std::size_t had = ahead_->size();
  ahead_->resize(until - ahead_from_);
  load(from, std::span(*ahead_).subspan(had));
  if (from <= hashed_ && hashed_ < until) {
    hash_.update(std::string_view(*ahead_).substr(hashed_ - ahead_from_));
    hashed_ = until;
  }
}

// Half of the next one is read while this one is under way. Two blocks of memory take turns.
GraphAnswer SharePointUpload::send_fragment(std::uint64_t from, std::uint64_t end) {
  std::swap(ahead_, under_way_);
  if (ahead_.use_count() > 1) ahead_ = std::make_shared<std::string>();  // of a request that was given up
  StorageCall call{.method = "PUT",
                   .url = open_.url,
                   .doing = doing(),
                   .block = under_way_,
                   .patience = kFragmentPatience};
  ahead_from_ = end;
  ahead_->clear();
  ahead_->reserve(std::min(kFragment, content_.size() - end));
  call.headers["Content-Type"] = "application/octet-stream";
  call.headers["Content-Range"] = fmt::format("bytes {}-{}/{}", from, end - 1, content_.size());
  call.sent = [&](std::uint64_t done) {
    const std::uint64_t until = from + std::min(done, end - from);
    transfer_.tick(until);
    read_ahead(std::min(until + kFragment, end + kAhead));
  };
  return graph_.store(std::move(call), transfer_);
}

/// Nothing when the file is there by now.
std::vector<std::uint64_t> SharePointUpload::ask_missing() {
  const GraphAnswer answer = graph_.store({.method = "GET", .url = open_.url, .doing = doing()}, transfer_);
  if (answer.good()) {
    std::vector<std::uint64_t> missing = parse_upload(answer.http.body).missing;
    if (!missing.empty()) return missing;
  } else if (!is_lost(answer.status())) {
    throw refusal(answer, doing());
  }
  if (is_there()) return {};
  lose_session(answer);
}

/// Whether all of it may be there, and only not be seen yet.
bool SharePointUpload::may_appear() const {
  const Time now = graph_.now();
  return finished_ && now >= *finished_ && now < *finished_ + kMostLag;
}

void SharePointUpload::wait_to_see(const GraphAnswer& answer) const {
  throw Error(
      Code::s_unreachable,
      fmt::format("{}: its last byte has gone, and the file is not seen yet; it is looked at again ({})",
                  doing(), ids_of(answer)),
      kNotYet);
}

// A session that a busy service does not know yet is asked for again; another is given up.
void SharePointUpload::lose_session(const GraphAnswer& answer) {
  if (resume_.keep && may_appear()) wait_to_see(answer);
  const bool not_yet = answer.status() == 404 && fresh_ && !sent_;
  if (not_yet && resume_.keep) {
    keep(note());
    throw Error(
        Code::s_unreachable,
        fmt::format("{}: the service does not know the upload session yet ({})", doing(), ids_of(answer)),
        kNotYet);
  }
  open_ = {};
  keep("");
  throw Error(Code::s_unreachable, fmt::format("{}: the upload session is gone ({}; {}): it begins anew",
                                               doing(), answer.status(), ids_of(answer)));
}

void SharePointUpload::settle_conflict(const GraphAnswer& answer) {
  const auto item = find_item(graph_, folder_, name_, transfer_);
  if (!item || !agrees(*item)) throw conflict(answer);
  cancel_upload(graph_, open_, transfer_);
}

// What is on the share.

/// A name may be kept from us with no file to be seen: by an upload that is open, ours when the answer that
/// told its address was lost.
Error SharePointUpload::conflict(const GraphAnswer& answer) {
  if (find_item(graph_, folder_, name_, transfer_)) return name_taken(name_);
  return {Code::s_name_taken,
          fmt::format("{}: the service keeps this name from us and shows no file of it, as it does while an "
                      "upload to it is open, which ends by itself within a day ({})",
                      doing(), ids_of(answer))};
}

/// Whether our content stands under its name.
bool SharePointUpload::is_there() {
  const auto item = find_file(graph_, folder_, name_, transfer_);
  return item && agrees(*item);
}

bool SharePointUpload::agrees(const GraphItem& item) {
  if (!item.is_file || item.name != name_ || item.size != content_.size()) return false;
  hash_to(content_.size());
  if (item.size == 0 || item.hash == hash_.text()) return true;
  if (!item.hash.empty()) return false;
  HashingSink read;  // SharePoint does not always tell a digest
  download(graph_, folder_, item, 0, read, transfer_);
  return read.text() == hash_.text();
}

/// Throws unless what the service says that it stored is what was put; removes that very file then.
void SharePointUpload::confirm(const GraphAnswer& answer) {
  std::optional<GraphItem> item;
  try {
    item = parse_item(answer.http.body);
  } catch (const Error&) {  // something on the way may answer in the service's place
  }
  const std::string stored = item && item->name == name_ ? item->id : "";
  const bool told = item && item->is_file && item->name == name_ && item->size == content_.size();
  if (!told || item->hash.empty()) item = find_file(graph_, folder_, name_, transfer_);
  if (!item && told) return;  // who it is for has fetched and removed it already
  if (!item)
    throw Error(
        Code::s_unreachable,
        fmt::format("{}: it was said to be done, and no such file is there; it is looked at again ({})",
                    doing(), ids_of(answer)));
  if (agrees(*item)) return;
  if (item->id != stored)
    throw Error(
        Code::s_unreachable,
        fmt::format("{}: it was said to be done, and the file of this name is another; it is looked at "
                    "again ({})",
                    doing(), ids_of(answer)));
  open_ = {};
  keep("");
  remove_item(graph_, folder_, *item, transfer_);
  throw Error(
      Code::s_protocol,
      fmt::format("{}: the site kept other bytes than were put: what it kept was removed again. When it "
                  "goes on, something on the way or in the site changes files ({})",
                  doing(), ids_of(answer)));
}

}  // namespace veer
