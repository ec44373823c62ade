#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/files.h"
#include "core/random.h"
#include "core/secret.h"
#include "daemon/config.h"
#include "daemon/database.h"
#include "daemon/engine.h"
#include "daemon/instance.h"
#include "formats/gpgme_seal.h"

namespace CLI {
class App;
}

namespace veer {

/// Exit codes besides those of errors (veer(1), EXIT STATUS).
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kAttention = 3;
inline constexpr int kRefusedThere = 14;
inline constexpr int kHeld = 20;

/// What every command has at hand: the options that stand before its name, and where its answer goes.
struct Context {
  std::string config_file;
  std::string instance;
  bool json = false;
  int exit_code = kDone;
  const Config* in_force = nullptr;  ///< what the service works by, whatever the file says by now
  std::string* captured = nullptr;   ///< print() adds to it, and tell() keeps silent, when there is one

  std::filesystem::path config_path() const;
  /// The same of a file that is to be read: throws C_USER when whoever runs this may not.
  std::filesystem::path readable_config_path() const;
  Config config() const;
  /// The same for a command that works with the instance's folders: throws C_USER when they belong to another
  /// user, who could not use what this one leaves there.
  Config own_config() const;
  /// Why whoever runs this can only ask the instance's service: configuration or folders are another user's.
  /// Empty when they are their own.
  std::optional<std::string> strangeness() const;
  /// Its name on the bus: the configuration file's, without ending.
  std::string bus_instance() const;
  /// Data, to standard output.
  void print(std::string_view text) const;
  /// Talk, to standard error.
  void tell(std::string_view text) const;
  /// Asks a person at a terminal; anything but yes is no.
  bool is_confirmed(std::string_view question) const;
};

/// Whether a person is there to be asked.
bool at_terminal();

/// Whether the folder belongs to another user than the one who runs this, or may not even be looked at.
bool is_strange(const std::filesystem::path& folder);
/// Throws C_USER for a folder that is_strange().
void require_own(const std::filesystem::path& folder);

/// Of our keys; empty when they have none. Throws C_CREDENTIAL.
Secret passphrase_of(const Config& config);

/// Who works on an instance, as its lock tells those who ask.
inline constexpr std::string_view kServiceWorks = "service";
inline constexpr std::string_view kCommandWorks = "command";

/// Ends the OpenPGP agent of a key folder when it goes.
class AgentEnd {
 public:
  explicit AgentEnd(std::filesystem::path home) : home_(std::move(home)) {}
  ~AgentEnd();
  AgentEnd(const AgentEnd&) = delete;
  AgentEnd& operator=(const AgentEnd&) = delete;

 private:
  std::filesystem::path home_;
};

/// The whole machinery of an instance, in this process. Holds the locks of the state folder and of the key
/// folder, whose agent is its own, as long as it lives.
class Working {
  struct Key {};  // only try_open() has one

 public:
  /// Empty when another process holds a lock. Throws what configuration, keys or database have wrong.
  static std::unique_ptr<Working> try_open(const Config& config, std::string_view who);
  Working(Key, const Config& config, FolderLock state, FolderLock keys);

  Instance& instance() { return *instance_; }
  Engine& engine() { return *engine_; }
  /// What nobody hears of is no alarm: throws C_PRODUCTION when, in production, no channel ever told
  /// anybody. One that was changed since, or restored, is told of as unproven: what worked is not stopped for
  /// it.
  void require_heard();

 private:
  FolderLock state_lock_;
  FolderLock key_lock_;
  AgentEnd agent_;  ///< before all that may start one and fail
  SystemClock clock_;
  SystemRandom random_;
  GpgmeSeal seal_;
  std::unique_ptr<Share> share_;
  std::optional<Instance> instance_;
  std::optional<Engine> engine_;
};

/// Around a look at a key folder: when it goes, it ends the agent that gpg started there, unless the folder
/// is a service's that runs, which needs its agent.
class KeyVisit {
 public:
  explicit KeyVisit(std::filesystem::path home) : home_(std::move(home)) {}
  ~KeyVisit();
  KeyVisit(const KeyVisit&) = delete;
  KeyVisit& operator=(const KeyVisit&) = delete;

 private:
  std::filesystem::path home_;
};

/// Whether one of them is more than a notice.
bool needs_attention(const std::vector<Alert>& alerts);
/// Throws L_SCHEMA unless the books are those of this program; waits for a service that is about to bring
/// them up to date.
void require_books(Database& books, const Config& config);
/// The instance's books for reading, whether a service runs or not. Throws U_STATE when there are none yet.
std::unique_ptr<Database> open_books(const Config& config);

void add_init(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_check_list(CLI::App& app, Context& context);
void add_acting(CLI::App& app, Context& context);
void add_persons(CLI::App& app, Context& context);
/// What may be done with an alert, below the command `alerts`.
void add_alert_acting(CLI::App& alerts, Context& context);
void add_unit_failure(CLI::App& alerts, Context& context);  ///< below 'alerts'
void add_alerts(CLI::App& app, Context& context);
void add_looking(CLI::App& app, Context& context);
/// approve, reject, suspend, resume
void add_releasing(CLI::App& app, Context& context);
/// What the service shows of something that is held, to whoever asks it over the bus.
void show_release(Context& context, const std::string& id);
void add_audit(CLI::App& app, Context& context);
void add_evidence(CLI::App& app, Context& context);
void add_cases(CLI::App& app, Context& context);
void add_incidents(CLI::App& app, Context& context);
void add_backup(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

}  // namespace veer
