// Another key in place of one that is pinned: of our own (rotate), of the other side (pin), and the end of
// the old one (retire). docs/decisions/0060-key-change.md. Another passphrase of our own.

#include "daemon/commands/key_change.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/case_letters.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/key_record.h"
#include "daemon/ledger.h"
#include "daemon/retired_keys.h"
#include "formats/acceptance.h"
#include "formats/keyring.h"

namespace veer {
namespace {

/// How long the other side has to take a new key in, unless a day is named.
constexpr std::chrono::days kNotice{14};

Date today() { return date_of(SystemClock().now()); }

Date day_from(const std::string& text) {
  const auto day = parse_date(text);
  if (!day) throw Error(Code::u_usage, "--from must be a day like 2026-12-31");
  if (std::chrono::sys_days(*day) < std::chrono::sys_days(today()))
    throw Error(Code::u_usage, "--from lies in the past: name today, or a day to come");
  return *day;
}

std::vector<PinnedKey>& pins_of(Config& config, Whose whose) {
  return whose == Whose::own ? config.own_keys : config.counterparty_keys;
}

std::string end_of(const PinnedKey& key) { return key.until ? format_date(date_of(*key.until)) : "never"; }

/// The secret key of the folder that no pin names: a change that was cut off before it was written down.
std::optional<std::string> begun_key(const Config& config) {
  for (const KeyState& key : list_keys(config.openpgp_home))
    if (key.has_secret && pinned(config.own_keys, key.fingerprint) == nullptr) return key.fingerprint;
  return std::nullopt;
}

KeyState state_of(const fs::path& home, const std::string& fingerprint) {
  for (KeyState& key : list_keys(home))
    if (key.fingerprint == fingerprint) return std::move(key);
  throw Error(Code::l_key, fmt::format("the key folder does not hold {}: veer doctor", fingerprint));
}

// The service has one passphrase for all keys of ours: both open by it until the old one goes.
std::string make_successor(const Config& config, const KeyState& old, const std::string& passphrase_file) {
  const Secret passphrase = passphrase_from(config.openpgp_passphrase, passphrase_file, Typed::twice);
  KeyOptions options;
  if (!passphrase.empty()) options.passphrase = &passphrase;
  require_opens(config.openpgp_home, old.fingerprint, options.passphrase);
  return create_key(config.openpgp_home, old.user_id, options);
}

void rotate(Context& context, const std::string& wish, const std::string& passphrase_file) {
  const Config config = context.own_config();
  const SystemClock clock;
  const Date from = wish.empty() ? date_of(clock.now() + kNotice) : day_from(wish);
  for (const PinnedKey& key : config.own_keys)
    if (key.from && *key.from > clock.now())
      throw Error(Code::u_state,
                  fmt::format("a change is under way: {0} counts from {1}. '{2} keys export {0}' prints it",
                              key.fingerprint, format_date(date_of(*key.from)), invocation(config)));
  const PinnedKey* const in_use = in_force(config.own_keys, clock.now());
  if (in_use == nullptr) throw Error(Code::l_key, "no key of ours is in force today: correct its dates");
  const KeyVisit visit(config.openpgp_home);
  const KeyState old = state_of(config.openpgp_home, in_use->fingerprint);
  if (old.expires && *old.expires <= Time(std::chrono::sys_days(from)))
    throw Error(Code::u_usage, fmt::format("the present key ends on {}: name an earlier day with --from",
                                           format_date(date_of(*old.expires))));
  KeyRecord record(context);
  const auto begun = begun_key(config);
  const std::string fingerprint = begun ? *begun : make_successor(config, old, passphrase_file);
  const fs::path file = config.state / (config.party + ".public.asc");
  write_file(file, export_public(config.openpgp_home, fingerprint), 0644);
  const auto pins = with_successor(config.own_keys, fingerprint, from);
  const bool written = pin_or_tell(context, Whose::own, pins);
  const PinnedKey& ended = *pinned(pins, old.fingerprint);
  record.append("key-created", Whose::own, fingerprint,
                {{"from", format_date(from)},
                 {"follows", old.fingerprint},
                 {"old_until", end_of(ended)},
                 {"configuration", written ? "written" : "left alone"}});
  if (context.json)
    context.print(text_of(Json{{"fingerprint", fingerprint},
                               {"from", format_date(from)},
                               {"old", old.fingerprint},
                               {"old_until", end_of(ended)},
                               {"public_key", file.native()},
                               {"configuration_written", written}}));
  else
    context.print(fingerprint + "\n");
  context.tell(fmt::format(
      R"(the new key counts from {0}; the old one signs until then, and is good until {1}. Next:
  1. here, now: systemctl reload veerdienst@{2}, when the service runs; then a backup: no older one has this key
  2. give {3} to the other side, and read it the fingerprint by telephone:
       {4}
  3. there, by {0}, and then a reload:
       veer -i {5} keys import FILE --fingerprint "{4}" --from {0}
  4. on both sides, after {1}, here: {7} keys retire {6}
)",
      format_date(from), end_of(ended), config.file.stem().native(), file.native(), spoken(fingerprint),
      config.counterparty, old.fingerprint, invocation(config)));
}

/// Names of the cases that came and are not over: whom they name stands in their sealed letters alone.
std::vector<std::string> cases_to_answer(const Config& config, Database& books) {
  const SystemClock clock;
  std::vector<std::string> names;
  std::error_code none;
  for (const Case& c : Cases(books, clock).all())
    if (c.stage != CaseStage::answered && fs::exists(config.state / kCasesFolder / (c.id + ".pgp"), none))
      names.push_back(c.name());
  return names;
}

// What is under way still needs the keys that it was sealed with.
void require_at_rest(Database& books, const std::vector<std::string>& cases) {
  const SystemClock clock;
  Ledger ledger(books, clock);
  const auto open = ledger.exchanges();
  const bool busy = std::any_of(open.begin(), open.end(), [](const Exchange& x) {
    return x.stage == Stage::sealed || x.stage == Stage::sent || x.stage == Stage::recorded ||
           (x.stage == Stage::refused && x.wait.due);
  });
  if (busy || !ledger.open_arrivals().empty())
    throw Error(Code::u_state,
                "an exchange is under way that may need this key: let it end ('veer status'), or say --now");
  if (!cases.empty())
    throw Error(
        Code::u_state,
        fmt::format("whom case {} names may be readable by this key alone: start the service, read its "
                    "persons ('veer case persons {}') and answer it first, or say --now",
                    fmt::join(cases, ", "), cases.front()));
}

/// Whose pin it is; none for a key that only lies in the folder.
std::optional<Whose> owner_of(Config& config, const std::string& fingerprint) {
  for (const Whose whose : {Whose::own, Whose::counterparty})
    if (pinned(pins_of(config, whose), fingerprint) != nullptr) return whose;
  return std::nullopt;
}

void unpin(Context& context, std::vector<PinnedKey> pins, Whose whose, const std::string& fingerprint,
           bool now) {
  const Time time = SystemClock().now();
  const PinnedKey key = *pinned(pins, fingerprint);
  if (!now && (!key.until || *key.until >= time))
    throw Error(Code::u_state, fmt::format("this key is good until {}: wait, or say --now", end_of(key)));
  std::erase_if(pins, [&](const PinnedKey& pin) { return pin.fingerprint == fingerprint; });
  if (in_force(pins, time) == nullptr)
    throw Error(Code::u_state, "no other key would be in force today: this one is still needed");
  if (!pin_or_tell(context, whose, pins))
    throw Error(Code::c_config, "the key is still pinned: change the lines as shown, and say this again");
}

/// The locks of a command that has the keys to itself.
std::pair<FolderLock, FolderLock> keys_alone(const Config& config) {
  auto state = FolderLock::try_take(config.state, kCommandWorks);
  auto keys = FolderLock::try_take(config.openpgp_home, kCommandWorks);
  if (!state || !keys)
    throw Error(Code::l_lock, fmt::format("the service, or a command, works with the keys: 'systemctl stop "
                                          "veerdienst@{}', say this again, and start it",
                                          config.file.stem().native()));
  return {std::move(*state), std::move(*keys)};
}

void retire(Context& context, const std::string& given, bool now) {
  Config config = context.own_config();
  const std::string fingerprint = without_blanks(given);
  const auto whose = owner_of(config, fingerprint);
  const auto alone = keys_alone(config);
  const AgentEnd agent(config.openpgp_home);
  const auto ring = list_keys(config.openpgp_home);
  const bool there = std::any_of(ring.begin(), ring.end(),
                                 [&](const KeyState& key) { return key.fingerprint == fingerprint; });
  if (!whose && !there)
    throw Error(Code::u_unknown, "no such key is pinned, and the folder holds none: veer keys show");
  std::error_code none;
  std::vector<std::string> cases;
  std::optional<KeyRecord> record;
  try {
    if (fs::exists(config.database_url.substr(config.database_url.find(':') + 1), none)) {
      const auto books = open_books(config);
      cases = cases_to_answer(config, *books);
      if (!now) require_at_rest(*books, cases);
    }
    record.emplace(context);
  } catch (const Error& error) {  // a key in the wrong hands waits for no books
    if (!now) throw;
    context.tell(
        fmt::format("this stands in no audit trail, and which cases the key alone opens is not known: {}\n",
                    error.message()));
  }
  // Before anything else: should the configuration have to be edited by hand, this is said again, and whose
  // the key was is not known any more.
  if (whose && there)
    keep_retired_key(config, *whose == Whose::own ? config.party : config.counterparty, fingerprint);
  if (whose) unpin(context, pins_of(config, *whose), *whose, fingerprint, now);
  remove_key(config.openpgp_home, fingerprint);
  if (record) record->append("key-retired", whose, fingerprint, {{"before_its_time", now ? "yes" : "no"}});
  const auto kept = retired_keys(config);
  const bool is_kept = std::any_of(kept.begin(), kept.end(),
                                   [&](const RetiredKey& key) { return key.fingerprint == fingerprint; });
  context.tell(fmt::format("{} is neither pinned nor in the key folder any more{}\n", fingerprint,
                           is_kept ? "; its public half stays for the evidence of what it signed" : ""));
  if (!cases.empty())
    context.tell(fmt::format(
        "whom case {} names may not be readable any more: unless its persons were read before, have the "
        "other side close it and open it anew\n",
        fmt::join(cases, ", ")));
}

// What was cut off after one of several keys goes on with the next when it is said again.
void set_passphrase(Context& context, const std::string& present_file, const std::string& next_file) {
  const Config config = context.own_config();
  const fs::path& home = config.openpgp_home;
  const auto alone = keys_alone(config);
  const AgentEnd agent(home);
  const Secret next = next_file.empty() ? ask_passphrase("new passphrase of our keys", Typed::twice)
                                        : passphrase_in(next_file);
  KeyRecord record(context);
  Secret present;
  Json changed = Json::array();
  for (const KeyState& key : list_keys(home)) {
    if (!key.has_secret) continue;
    const auto bare = opens(home, key.fingerprint, nullptr);
    if (!bare) {  // an ended one, which is only kept for what was sealed to it
      context.tell(
          fmt::format("{} cannot be used any more, and keeps the passphrase that it has\n", key.fingerprint));
      continue;
    }
    const bool is_bare = *bare;
    if (!is_bare && opens(home, key.fingerprint, &next).value_or(false)) continue;
    if (!is_bare && present.empty())
      present = passphrase_from(config.openpgp_passphrase, present_file, Typed::once);
    change_passphrase(home, key.fingerprint, is_bare || present.empty() ? nullptr : &present, next);
    record.append("key-passphrase", Whose::own, key.fingerprint, {});
    changed.push_back(key.fingerprint);
  }
  if (context.json)
    context.print(text_of(Json{{"changed", changed}}));
  else
    for (const Json& fingerprint : changed) context.print(fingerprint.get<std::string>() + "\n");
  context.tell(fmt::format(
      R"({0} Next:
  1. give it to the service: [openpgp] passphrase in {1} says where it is
  2. systemctl start veerdienst@{2}
  3. a backup: older ones, and what 'keys offline' wrote, are under what the keys had before
)",
      changed.empty() ? "our keys are under it already." : "our keys are under it now.", config.file.native(),
      config.file.stem().native()));
}

}  // namespace

std::string spoken(const std::string& fingerprint) {
  std::string text;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (i > 0 && i % 4 == 0) text += i % 20 == 0 ? "  " : " ";
    text += fingerprint[i];
  }
  return text;
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

bool pin_or_tell(Context& context, Whose whose, const std::vector<PinnedKey>& pins) {
  try {
    write_pins(context.readable_config_path(), whose, pins);
    return true;
  } catch (const Error& error) {
    context.tell(fmt::format(
        "the configuration was left alone ({}). Put these lines into [{}], in place of what "
        "stands there:\n\n{}\n",
        error.message(), whose == Whose::own ? "openpgp" : "counterparty", pin_lines(whose, pins)));
    context.exit_code = kAttention;
    return false;
  }
}

std::optional<std::vector<PinnedKey>> pins_with(const Context& context, const std::string& fingerprint,
                                                const std::string& from) {
  const std::string text = read_file(context.readable_config_path());
  if (pinned(read_pins(text, Whose::own), fingerprint) != nullptr)
    throw Error(Code::u_usage, "this is our own key: take in the other side's");
  auto pins = read_pins(text, Whose::counterparty);
  if (pinned(pins, fingerprint) != nullptr) return std::nullopt;
  if (pins.empty() && from.empty()) return std::vector{PinnedKey{fingerprint, std::nullopt, std::nullopt}};
  if (from.empty())
    throw Error(
        Code::u_usage,
        "another key of the other side is pinned: say from which day this one counts, as the other side "
        "told you: --from 2026-12-31");
  return with_successor(std::move(pins), fingerprint, day_from(from));
}

void add_key_change(CLI::App& keys, Context& context) {
  auto from = std::make_shared<std::string>();
  auto fingerprint = std::make_shared<std::string>();
  auto now = std::make_shared<bool>(false);
  auto* next = keys.add_subcommand("rotate", "Make our next key, and say what to hand over");
  next->add_option("--from", *from, "Day from which it counts; in two weeks otherwise");
  auto passphrase = std::make_shared<std::string>();
  next->add_option("--passphrase-file", *passphrase, "File with the passphrase of our keys");
  next->callback([&context, from, passphrase] { rotate(context, *from, *passphrase); });
  auto* end =
      keys.add_subcommand("retire", "Take an old key, ours or theirs, out of configuration and folder");
  end->add_option("FINGERPRINT", *fingerprint, "Which")->required();
  end->add_flag("--now", *now, "Before its last day, or while an exchange is under way");
  end->callback([&context, fingerprint, now] { retire(context, *fingerprint, *now); });
  auto new_passphrase = std::make_shared<std::string>();
  auto* other = keys.add_subcommand("passphrase", "Put our keys under a passphrase, or under another one");
  other->add_option("--passphrase-file", *passphrase, "File with the passphrase of our keys");
  other->add_option("--new-passphrase-file", *new_passphrase,
                    "File with the one that they are to have; asked for otherwise");
  other->callback(
      [&context, passphrase, new_passphrase] { set_passphrase(context, *passphrase, *new_passphrase); });
}

}  // namespace veer
