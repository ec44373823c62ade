#include "daemon/evidence.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "core/html.h"
#include "daemon/alerts.h"
#include "daemon/audit.h"
#include "daemon/bus_verbs.h"
#include "daemon/cases.h"
#include "daemon/dates.h"
#include "daemon/deliveries.h"
#include "daemon/erasure.h"
#include "daemon/evidence_script.h"
#include "daemon/holds.h"
#include "daemon/instance.h"
#include "daemon/ledger.h"
#include "daemon/page_style.h"
#include "daemon/phrase.h"
#include "daemon/register.h"
#include "daemon/retired_keys.h"
#include "daemon/rules.h"
#include "formats/acceptance.h"
#include "formats/keyring.h"

namespace veer {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

struct MayDo {
  Right right;
  const char* name;
  Phrase heading;
};
constexpr std::array kMayDo = {
    MayDo{Right::operate, "operate", {"Bedienen", "Operate"}},
    MayDo{Right::approve,
          "approve",
          {"Vrijgeven, verwerpen, hervatten, afsluiten", "Release, reject, resume, close"}},
    MayDo{Right::audit, "audit", {"Nazien", "Audit"}},
    MayDo{Right::desk, "desk", {"Opzoeken", "Look up"}},
    MayDo{Right::look, "look", {"Bekijken", "Look at what goes on"}},
};

/// What the bus lets a group with the right ask for.
std::vector<std::string_view> commands_of(Right right) {
  std::vector<std::string_view> commands;
  if (right == Right::operate) commands.assign(kOffers.begin(), kOffers.end());
  const auto add = [&](const auto& verbs) {
    for (const Verb& verb : verbs)
      if (verb.right == right) commands.push_back(verb.name);
  };
  add(kAsked);
  add(kEntrusted);
  add(kLooks);
  return commands;
}

/// One year's evidence, file by file.
class Evidence {
 public:
  Evidence(const Config& config, Database& books, const EvidenceWish& wish, const Clock& clock)
      : config_(config),
        books_(books),
        clock_(clock),
        ledger_(books, clock),
        holds_(books, clock),
        wish_(wish),
        year_(wish.reference_year),
        now_(clock.now()) {
    for (Exchange& x : ledger_.exchanges())
      if (x.purpose == Purpose::list && x.reference_year == year_) exchanges_.push_back(std::move(x));
    std::reverse(exchanges_.begin(), exchanges_.end());
    if (exchanges_.empty())
      throw Error(Code::u_state, fmt::format("nothing is known of a list for reference year {}", year_));
  }

  std::map<std::string, std::string> take() {
    packages_and_receipts();
    keys();
    chain();
    files_["party.txt"] = config_.party + "\n";
    files_["facts.json"] = text_of(facts());
    files_["sbom.cdx.json"] = wish_.sbom;
    files_["verify.sh"] = kVerifyScript;
    files_["index.html"] = page();
    std::string sums;
    for (const auto& [name, text] : files_) sums += fmt::format("{}  {}\n", sha256_hex(text), name);
    files_["SHA256SUMS"] = sums;
    return std::move(files_);
  }

 private:
  bool is_sender() const { return config_.role == Role::sender; }

  void packages_and_receipts() {
    std::string& packages = files_["packages.txt"];
    for (const Exchange& x : exchanges_) {
      packages += fmt::format("{} {} revision {} {} {} numbers\n", x.package_sha256, x.package, x.revision,
                              stage_name(x.stage), x.records);
      int number = 0;  // a later answer may say something else; the first one that fits decides
      for (const StoredReceipt& receipt : ledger_.receipts_of(x.id)) {
        if (receipt.signature.empty()) continue;
        const std::string name = fmt::format("receipts/{}.{}{}.json", x.stem, x.id.substr(0, 8),
                                             ++number == 1 ? "" : fmt::format("-{}", number));
        files_[name] = receipt.json;
        files_[name + ".sig"] = receipt.signature;
      }
    }
  }

  void keys() {
    std::string& signers = files_["signers.txt"];
    for (const bool ours : {true, false})
      for (const PinnedKey& key : ours ? config_.own_keys : config_.counterparty_keys) {
        const std::string& party = ours ? config_.party : config_.counterparty;
        const bool receives = ours != is_sender();
        signers += fmt::format("{} {} {}\n", key.fingerprint, receives ? "receiver" : "sender", party);
        files_[fmt::format("keys/{}-{}.asc", party, key.fingerprint)] =
            export_public(config_.openpgp_home, key.fingerprint);
      }
    for (const RetiredKey& key : retired_keys(config_)) {
      if (pinned(config_.own_keys, key.fingerprint) || pinned(config_.counterparty_keys, key.fingerprint))
        continue;
      const bool receives = (key.party == config_.party) != is_sender();
      signers +=
          fmt::format("{} {} {} retired\n", key.fingerprint, receives ? "receiver" : "sender", key.party);
      files_[fmt::format("keys/{}-{}.asc", key.party, key.fingerprint)] = key.armored;
    }
  }

  void chain() {
    std::string& records = files_["audit.jsonl"];
    std::string& head = files_["head.txt"];  // of the last record here, whatever is written meanwhile
    for (const Row& row : books_.query("SELECT record, seq, hash FROM audit ORDER BY seq")) {
      records += row.text(0) + "\n";
      head = fmt::format("{}:{}\n", row.integer(1), row.text(2));
    }
    std::string& anchors = files_["anchors.txt"];
    for (const Row& row : books_.query("SELECT party, seq, head, exchange FROM anchor ORDER BY at, seq"))
      anchors += fmt::format("{} {}:{} {}\n", row.text(0), row.integer(1), row.text(2), row.text(3));
  }

  std::set<std::string> groups() const {
    std::set<std::string> all;
    for (const auto* some : {&config_.access.operators, &config_.access.approvers, &config_.access.auditors,
                             &config_.access.service_desk})
      all.insert(some->begin(), some->end());
    return all;
  }

  Json exchange_facts(const Exchange& x) {
    Json json = {{"exchange", x.id},
                 {"package", x.package},
                 {"package_sha256", x.package_sha256},
                 {"revision", x.revision},
                 {"stage", stage_name(x.stage)},
                 {"records", x.records},
                 {"set_aside", x.set_aside},
                 {"opened_at", format_time(x.opened_at)},
                 {"changed_at", format_time(x.changed_at)}};
    if (const auto hold = holds_.find(HoldKind::list, x.id))
      json["released"] = {{"state", hold_state_name(hold->state)}, {"two_persons", two_persons(*hold)}};
    return json;
  }

  Json facts() {
    Json json = {{"party", config_.party},
                 {"role", role_name(config_.role)},
                 {"counterparty", config_.counterparty},
                 {"environment", environment_name(config_.environment)},
                 {"reference_year", year_},
                 {"premium_year", premium_year_of(year_)},
                 {"written_at", format_time(now_)},
                 {"program", program_name()},
                 {"configuration_sha256", config_.sha256}};
    json["legal_basis"] = nullptr;
    if (const auto& basis = config_.legal_basis)
      json["legal_basis"] = {{"provision", basis->provision},
                             {"document_sha256", basis->document_sha256},
                             {"confirmed_by", basis->confirmed_by},
                             {"confirmed_on", format_date(basis->confirmed_on)},
                             {"valid_until", format_date(basis->valid_until)},
                             {"last_day", format_date(last_day(*basis))}};
    for (const MayDo& each : kMayDo)
      json["access"][each.name] = {{"groups", groups_with(config_.access, each.right)},
                                   {"commands", commands_of(each.right)}};
    if (wish_.names)
      for (const std::string& group : groups()) json["members"][group] = members_of(group);
    json["processors"] = Json::array();
    for (const Processor& each : config_.processors)
      json["processors"].push_back({{"name", each.name}, {"task", each.task}});
    json["exchanges"] = Json::array();
    for (const Exchange& x : exchanges_) json["exchanges"].push_back(exchange_facts(x));
    for (const auto& [name, all] : duties()) json[name] = all;
    return json;
  }

  static Json two_persons(const Hold& hold) {
    return hold.asked_by && hold.decided_by && hold.asked_by->uid != hold.decided_by->uid;
  }
  static Json moment(const std::optional<Time>& time) {
    return time ? Json(format_time(*time)) : Json(nullptr);
  }

  /// What articles 3, 4, 7 and 9 ask of a side beyond the exchange, in counts and days.
  std::map<std::string, Json> duties() {
    std::map<std::string, Json> all = {{"cases", Json::array()},           {"deliveries", Json::array()},
                                       {"hand_overs", Json::array()},      {"erasures", Json::array()},
                                       {"erasures_undone", Json::array()}, {"incidents", Json::array()}};
    for (const Case& c : Cases(books_, clock_).all())
      if (c.reference_year == year_)
        all["cases"].push_back({{"case", c.name()},
                                {"data", category_name(c.category)},
                                {"persons", c.persons},
                                {"found_at", format_time(c.found_at)},
                                {"due", format_date(c.due)},
                                {"outcome", c.outcome ? Json(case_outcome_name(*c.outcome)) : Json(nullptr)},
                                {"answered_at", moment(c.answered_at)}});
    for (const Delivery& d : Deliveries(books_).all())
      if (d.reference_year == year_ && d.stage == DeliveryStage::delivered)
        all["deliveries"].push_back({{"fund", d.fund},
                                     {"revision", d.revision},
                                     {"records", d.records},
                                     {"members_as_of", format_date(d.members_as_of)},
                                     {"sha256", d.sha256}});
    for (const Hold& hold : holds_.of(HoldKind::hand_over, HoldState::released))
      if (hold.subject.starts_with(fmt::format("export-{}-", year_)))
        all["hand_overs"].push_back({{"name", hold.subject},
                                     {"purpose", hold.purpose},
                                     {"released_at", moment(hold.decided_at)},
                                     {"two_persons", two_persons(hold)}});
    // Of all years: a person is forgotten in each.
    for (const Hold& hold : holds_.of(HoldKind::erasure, HoldState::released))
      all[Erasure::is_undo(hold.subject) ? "erasures_undone" : "erasures"].push_back(
          {{"notice", hold.purpose},
           {"released_at", moment(hold.decided_at)},
           {"two_persons", two_persons(hold)}});
    for (const Incident& incident : AlertBook(books_, clock_).incidents().all())
      all["incidents"].push_back({{"number", incident.id},
                                  {"found_at", format_time(incident.found_at)},
                                  {"verdict", verdict_name(incident.verdict)},
                                  {"other_side_told_at", moment(incident.notified_at)}});
    return all;
  }

  std::string page() {
    const bool nl = config_.language == Language::nl;
    const auto say = [&](std::string_view dutch, std::string_view english) { return nl ? dutch : english; };
    Html html;
    const std::string title = fmt::format("{} {}: {}", say("Bewijs", "Evidence"), year_, config_.party);
    html.open("html", {{"lang", nl ? "nl" : "en"}}).open("head").lone("meta", {{"charset", "utf-8"}});
    html.lone(
        "meta",
        {{"http-equiv", "Content-Security-Policy"},
         {"content", fmt::format("default-src 'none'; style-src 'sha256-{}'", sha256_base64(kPageStyle))}});
    html.element("title", title).open("style").verbatim(kPageStyle).close().close();
    html.open("body").open("main").element("h1", title);
    html.element("p", say("Deze map bewijst de uitwisseling van één jaar, zonder dit programma en zonder één "
                          "INSZ-nummer. Voer ./verify.sh uit: gpg en sha256sum volstaan.",
                          "This folder proves one year's exchange, without this program and without a single "
                          "INSZ number. Run ./verify.sh: gpg and sha256sum will do."));
    const auto table = [&](std::string_view heading, const std::vector<std::vector<std::string>>& rows) {
      html.element("h2", heading).open("table");
      for (const auto& row : rows) {
        html.open("tr");
        for (std::size_t i = 0; i < row.size(); ++i) html.element(i == 0 ? "th" : "td", row[i]);
        html.close();
      }
      html.close();
    };
    std::vector<std::vector<std::string>> rows;
    for (const Exchange& x : exchanges_)
      rows.push_back({fmt::format("{} {}", say("Revisie", "Revision"), x.revision),
                      std::string(stage_name(x.stage)),
                      fmt::format("{} {}", x.records, say("nummers", "numbers")),
                      said_time(x.changed_at, config_.language), x.package});
    table(say("De lijsten", "The lists"), rows);
    rows.clear();
    for (const auto& [name, text] : files_)
      if (name.starts_with("receipts/") && name.ends_with(".json"))
        rows.push_back({name, std::string(status_name(parse_receipt(text).status))});
    table(say("Ondertekende ontvangstbewijzen", "Signed receipts"), rows);
    rows.clear();
    for (const bool ours : {true, false})
      for (const PinnedKey& key : ours ? config_.own_keys : config_.counterparty_keys)
        rows.push_back({ours ? config_.party : config_.counterparty, key.fingerprint});
    table(say("Sleutels", "Keys"), rows);
    rows.clear();
    if (const auto& basis = config_.legal_basis)
      rows = {{std::string(say("Bepaling", "Provision")), basis->provision},
              {std::string(say("Bevestigd door", "Confirmed by")), basis->confirmed_by},
              {std::string(say("Geldt van, tot en met", "Holds from, to")),
               fmt::format("{}, {}", said_date(basis->confirmed_on, config_.language),
                           said_date(last_day(*basis), config_.language))}};
    if (!rows.empty()) table(say("Rechtsgrond, zoals genoteerd", "Legal basis, as recorded"), rows);
    rows.clear();
    for (const MayDo& each : kMayDo)
      if (each.right != Right::desk || !is_sender())
        rows.push_back({std::string(each.heading.in(config_.language)),
                        fmt::format("{}", fmt::join(groups_with(config_.access, each.right), ", ")),
                        fmt::format("{}", fmt::join(commands_of(each.right), ", "))});
    table(say("Wie wat mag", "Who may what"), rows);
    rows.clear();
    if (wish_.names)
      for (const std::string& group : groups())
        rows.push_back({group, fmt::format("{}", fmt::join(members_of(group), ", "))});
    if (!rows.empty())
      table(say("Wie in elke groep zit, voor zover deze machine hen opsomt",
                "Who is in each group, as far as this machine lists them"),
            rows);
    rows.clear();
    for (const Processor& each : config_.processors) rows.push_back({each.name, each.task});
    if (!rows.empty()) table(say("Verwerkers", "Processors"), rows);
    rows.clear();
    const auto all = duties();
    for (const auto& [name, dutch, english] :
         {std::tuple{"cases", "Kwaliteitsgevallen van dit jaar", "Quality cases of this year"},
          {"deliveries", "Leveringen aan zorgkassen", "Deliveries to care funds"},
          {"hand_overs", "Overdrachten aan andere systemen", "Hand-overs to other systems"},
          {"erasures", "Vergeten na overlijden, over alle jaren",
           "Forgotten on notice of death, in all years"},
          {"erasures_undone", "Bij vergissing vergeten en ongedaan gemaakt, over alle jaren",
           "Forgotten by mistake and undone, in all years"},
          {"incidents", "Vaststellingen en incidenten, over alle jaren",
           "Findings and incidents, in all years"}})
      rows.push_back({std::string(say(dutch, english)), std::to_string(all.at(name).size())});
    table(say("Wat er nog gebeurde (meer in facts.json)", "What else was done (more in facts.json)"), rows);
    html.element("p", fmt::format("{} {}, {}", say("Geschreven op", "Written on"),
                                  said_time(now_, config_.language), program_name()));
    return "<!DOCTYPE html>\n" + html.take();
  }

  const Config& config_;
  Database& books_;
  const Clock& clock_;
  Ledger ledger_;
  Holds holds_;
  const EvidenceWish& wish_;
  int year_;
  Time now_;
  std::vector<Exchange> exchanges_;  ///< oldest first
  std::map<std::string, std::string> files_;
};

}  // namespace

std::map<std::string, std::string> evidence_of(const Config& config, Database& books,
                                               const EvidenceWish& wish, const Clock& clock) {
  return Evidence(config, books, wish, clock).take();
}

}  // namespace veer
