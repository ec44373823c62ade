#include "daemon/share_trial.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "connectors/probe.h"
#include "core/digest.h"
#include "core/error.h"

namespace veer {
namespace {

using Json = nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;
// Three fragments of SharePoint's, of which a stop in the second leaves the third to do.
constexpr std::uint64_t kSize = 24 * kMegabyte;
constexpr std::uint64_t kCut = 11 * kMegabyte;

class Nowhere : public Sink {
 public:
  void write(std::string_view) override {}
};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::s_protocol,
              what + ": this share cannot be used as it is; have whoever runs it look into it");
}

std::string speed(Steady::time_point since) {
  const double seconds = std::chrono::duration<double>(Steady::now() - since).count();
  return fmt::format("{} MB in {:.1f} s", kSize / kMegabyte, seconds);
}

class Trial {
 public:
  Trial(Share& share, Random& random, const Transfer& transfer)
      : share_(share),
        transfer_(transfer),
        name_(std::string(kProbeBegins) + make_uuid(random)),
        cut_name_(std::string(kProbeBegins) + make_uuid(random)) {
    while (content_.size() < kSize) {
      const std::uint64_t word = random.next();
      content_.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
  }

  std::vector<ProbeResult> run() {
    const bool good = step("put a large file", [&] { return put(); }) &&
                      step("list it", [&] { return list(); }) &&
                      step("fetch it whole", [&] { return fetch(0); }) &&
                      step("fetch it in part", [&] { return fetch_parts(); }) &&
                      step("refuse another under its name", [&] { return overwrite(); }) &&
                      step("go on after a stop", [&] { return stop_and_go_on(); });
    // What was put is removed whatever failed; after a stop a day later, by the service.
    const bool removed = step("remove them", [&] { return remove(); });
    if (good && removed) step("leave nothing", [&] { return look_for_rest(); });
    return std::move(results_);
  }

 private:
  bool step(const std::string& what, const std::function<std::string()>& attempt) {
    try {
      results_.push_back({what, true, attempt()});
    } catch (const Error& error) {
      if (error.code() == Code::l_stopped) throw;
      results_.push_back({what, false, fmt::format("{}: {}", code_name(error.code()), error.message())});
    }
    return results_.back().good;
  }

  ResumeNote remembered() {
    return {note_, [this](const std::string& note) { note_ = note; }};
  }

  std::string put() {
    const auto start = Steady::now();
    note_.clear();
    share_.put(name_, MemoryBlob(content_), remembered(), transfer_);
    return speed(start);
  }

  ShareEntry listed(const std::string& name) {
    const auto entries = share_.list(Folder::outgoing, transfer_);
    const auto is_it = [&](const ShareEntry& entry) { return entry.name == name; };
    const auto found = std::find_if(entries.begin(), entries.end(), is_it);
    if (found == entries.end()) refuse("a file that was put is not listed");
    if (std::count_if(entries.begin(), entries.end(), is_it) > 1) refuse("a file is listed twice");
    if (found->size != kSize) refuse("a file is listed with another size than was put");
    return *found;
  }

  std::string list() {
    listed(name_);
    return {};
  }

  void compare(const std::string& name, std::uint64_t offset) {
    Nowhere nowhere;
    DigestingSink sink(nowhere);
    share_.fetch(Folder::outgoing, listed(name), offset, sink, transfer_);
    if (sink.hex() != sha256_hex(std::string_view(content_).substr(offset)))
      refuse(fmt::format("from byte {} on other bytes came back than were put", offset));
  }

  std::string fetch(std::uint64_t offset) {
    const auto start = Steady::now();
    compare(name_, offset);
    return speed(start);
  }

  std::string fetch_parts() {
    for (const std::uint64_t offset : {kSize / 2, kSize - 1}) compare(name_, offset);
    return {};
  }

  std::string overwrite() {
    const std::string other(kSize, 'x');
    try {
      share_.put(name_, MemoryBlob(other), {}, transfer_);
    } catch (const Error& error) {
      if (error.code() != Code::s_name_taken) throw;
      compare(name_, 0);
      return {};
    }
    refuse("what was published was overwritten");
  }

  std::string stop_and_go_on() {
    note_.clear();
    std::stop_source stop;
    const std::stop_callback pass_on(transfer_.stop, [&] { stop.request_stop(); });
    try {
      share_.put(cut_name_, MemoryBlob(content_), remembered(),
                 {.stop = stop.get_token(), .progress = [&](std::uint64_t done) {
                    transfer_.tick(done);
                    if (done >= kCut) stop.request_stop();
                  }});
    } catch (const Error& error) {
      if (error.code() != Code::l_stopped) throw;
    }
    transfer_.heed_stop();
    std::optional<std::uint64_t> first;
    share_.put(cut_name_, MemoryBlob(content_), remembered(),
               {.stop = transfer_.stop, .progress = [&](std::uint64_t done) {
                  transfer_.tick(done);
                  if (!first) first = done;
                }});
    compare(cut_name_, 0);
    const bool from_there = first.value_or(0) >= kCut / 2;
    return from_there ? fmt::format("from byte {} or so", *first) : "this share puts it from its beginning";
  }

  std::string remove() {
    std::optional<Error> failure;
    for (const std::string& name : {name_, cut_name_}) try {
        share_.remove(Folder::outgoing, name, transfer_);
      } catch (const Error& error) {
        failure = error;
      }
    if (failure) throw Error(*failure);
    return {};
  }

  std::string look_for_rest() {
    for (const ShareEntry& entry : share_.list(Folder::outgoing, transfer_))
      if (entry.name.find(name_) != std::string::npos || entry.name.find(cut_name_) != std::string::npos)
        refuse("what was removed is still listed");
    return {};
  }

  Share& share_;
  const Transfer& transfer_;
  std::string name_;
  std::string cut_name_;
  std::string content_;
  std::string note_;
  std::vector<ProbeResult> results_;
};

}  // namespace

std::vector<ProbeResult> try_share(Share& share, Random& random, const Transfer& transfer) {
  return Trial(share, random, transfer).run();
}

std::vector<ProbeResult> examine_share(Share& share, bool large, Random& random, const Transfer& transfer) {
  std::vector<ProbeResult> results = share.probe(transfer);
  const bool good =
      std::all_of(results.begin(), results.end(), [](const ProbeResult& result) { return result.good; });
  if (!large || !good) return results;
  for (ProbeResult& result : try_share(share, random, transfer)) results.push_back(std::move(result));
  return results;
}

std::string text_of(const std::vector<ProbeResult>& results) {
  Json json = Json::array();
  for (const ProbeResult& each : results)
    json.push_back(
        {{"what", each.what}, {"good", each.good}, {"detail", each.detail}, {"attention", each.attention}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<ProbeResult> probe_results_of(const std::string& text) try {
  std::vector<ProbeResult> results;
  for (const Json& each : Json::parse(text))
    results.push_back({each.at("what").get<std::string>(), each.at("good").get<bool>(),
                       each.at("detail").get<std::string>(), each.at("attention").get<bool>()});
  return results;
} catch (const Json::exception&) {
  throw Error(Code::l_engine, "the service told what it found in a way that this program does not know");
}

}  // namespace veer
