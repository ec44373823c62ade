#include "daemon/bus_server.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <systemd/sd-event.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "daemon/bus_handles.h"
#include "daemon/bus_verbs.h"

namespace veer {
namespace {

// A bus that is not there is looked for again so often.
constexpr std::uint64_t kAgain = 10'000'000;  // microseconds
// So long the bus itself may take to say who calls.
constexpr std::uint64_t kBusPatience = 5'000'000;
// Signals, the bell and the watchdog come first.
constexpr std::int64_t kLast = SD_EVENT_PRIORITY_NORMAL + 50;
// Commands of one person that may wait at a time, and with them the files that they hold open here.
constexpr std::int64_t kMostPending = 20;
// An id, a name on the share, a file's name, some anchors: none is longer.
constexpr std::size_t kMostText = 4096;

template <typename Verbs>
Right right_of(const Verbs& verbs, std::string_view name) {
  const auto it =
      std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == name; });
  if (it == verbs.end())
    throw Error(Code::u_usage, "the service knows no such command; is it of another version?");
  return it->right;
}

// libsystemd tells errors as negative numbers.
void require(int result, std::string_view doing) {
  if (result < 0)
    throw Error(Code::l_io, fmt::format("{} on the bus failed: {}", doing, strerrordesc_np(-result)));
}

struct FreeSource {
  void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};

}  // namespace

std::string bus_name(const std::string& instance) {
  std::string name = fmt::format("{}.{}", kBusInterface, instance);
  if (instance.find('.') != std::string::npos || sd_bus_service_name_is_valid(name.c_str()) <= 0)
    throw Error(Code::u_usage,
                "an instance that is reached over the bus is named by letters, digits, '_' and '-', and does "
                "not begin with a digit");
  return name;
}

struct BusServer::Impl {
  BusServices services;
  sd_event* loop;
  SystemClock clock;
  Database books;
  Agenda agenda{books, clock};
  std::unique_ptr<sd_event_source, FreeSource> again;
  BusHandle bus;
  TrackHandle watchers;  ///< who gave commands and is still there
  bool told_absent = false;
  std::set<uid_t> told_refused;  ///< one line in the log each, whatever they try

  Impl(sd_event* its_loop, BusServices its)
      : services(std::move(its)), loop(its_loop), books(services.database_url) {
    sd_event_source* source = nullptr;
    require(sd_event_add_time_relative(loop, &source, CLOCK_MONOTONIC, 0, kAgain / 10, try_again, this),
            "listening");
    again.reset(source);
    require(sd_event_source_set_enabled(source, SD_EVENT_OFF), "listening");
    connect();
  }

  // --- Being there ---

  void connect() {
    watchers.reset();
    bus.reset();
    try {
      const std::string name = bus_name(services.instance);
      sd_bus* opened = nullptr;
      require(sd_bus_open_system(&opened), "meeting others");
      bus.reset(opened);
      sd_bus_track* track = nullptr;
      require(sd_bus_track_new(opened, &track, nullptr, nullptr), "meeting others");
      watchers.reset(track);
      require(sd_bus_set_method_call_timeout(opened, kBusPatience), "meeting others");
      require(sd_bus_add_object_vtable(opened, nullptr, kBusPath, kBusInterface, table(), this),
              "showing what can be asked");
      require(sd_bus_match_signal(opened, nullptr, nullptr, "/org/freedesktop/DBus/Local",
                                  "org.freedesktop.DBus.Local", "Disconnected", disconnected, this),
              "meeting others");
      require(sd_bus_request_name_async(opened, nullptr, name.c_str(), 0, named, this), "taking the name");
      require(sd_bus_attach_event(opened, loop, kLast), "listening");
    } catch (const Error& error) {
      absent(error.message());
      if (error.code() == Code::u_usage) sd_event_source_set_enabled(again.get(), SD_EVENT_OFF);
    }
  }

  void absent(std::string_view why) {
    if (!std::exchange(told_absent, true))
      log(LogLevel::info, "only the service's own user can give commands, since there is no bus: {}", why);
    sd_event_source_set_time_relative(again.get(), kAgain);
    sd_event_source_set_enabled(again.get(), SD_EVENT_ONESHOT);
  }

  static int try_again(sd_event_source*, std::uint64_t, void* self) {
    static_cast<Impl*>(self)->connect();
    return 0;
  }

  static int disconnected(sd_bus_message*, void* self, sd_bus_error*) {
    static_cast<Impl*>(self)->absent("it went away; it is looked for");
    return 0;
  }

  static int named(sd_bus_message* answer, void* self, sd_bus_error*) {
    auto& at = *static_cast<Impl*>(self);
    std::uint32_t got = 0;
    if (sd_bus_message_is_method_error(answer, nullptr) > 0) {
      at.absent("its policy gives the name to another user, or to none (docs/bus.md)");
    } else if (sd_bus_message_read_basic(answer, 'u', &got) < 0 || (got != 1 && got != 4)) {
      at.absent("another process bears the name");
    } else {
      at.told_absent = false;
      log(LogLevel::info, "can be asked on the bus as {}", bus_name(at.services.instance));
    }
    return 0;
  }

  // --- Being asked ---

  /// Runs `work`, which answers the call of a person of one of the groups, and turns what it throws into the
  /// bus's error.
  template <typename Work>
  static int answer(sd_bus_message* call, void* self, sd_bus_error* error, Work work) {
    auto& at = *static_cast<Impl*>(self);
    const auto refuse = [&](std::string_view code, const std::string& text) {
      return sd_bus_error_setf(error, (kBusErrors + std::string(code)).c_str(), "%s", text.c_str());
    };
    try {
      const uid_t person = caller_of(call);
      at.require_right_of(person, Right::enter);
      work(at, person);
      return 1;
    } catch (const Error& failure) {
      return refuse(code_name(failure.code()), failure.message());
    } catch (...) {  // foreign text could quote data
      return refuse(code_name(Code::l_engine), "something failed that should not; please report it");
    }
  }

  /// As the bus knows it from the kernel, whatever the message says.
  static uid_t caller_of(sd_bus_message* call) {
    sd_bus_creds* found = nullptr;
    require(sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &found), "asking who calls");
    const CredsHandle creds(found);
    uid_t person = 0;
    require(sd_bus_creds_get_euid(creds.get(), &person), "asking who calls");
    return person;
  }

  void require_right_of(uid_t person, Right right) {
    try {
      require_right(services.access, right, person);
    } catch (const Error& error) {
      if (told_refused.insert(person).second) log(LogLevel::warn, "refused on the bus: {}", error.message());
      throw;
    }
  }

  /// A text that the caller sent, which is kept in the books until it is done with.
  static std::string text_of(sd_bus_message* call) {
    const char* text = nullptr;
    require(sd_bus_message_read_basic(call, 's', &text), "reading a call");
    std::string read = text;
    if (read.size() > kMostText) throw Error(Code::u_usage, "what was given to the command is too long");
    return without_typed_numbers(read);
  }

  static void reply(sd_bus_message* call, const char* types, auto... values) {
    require(sd_bus_reply_method_return(call, types, values...), "answering");
  }

  void follow(sd_bus_message* call) const { sd_bus_track_add_sender(watchers.get(), call); }

  std::int64_t write(const std::string& verb, const std::string& argument, uid_t person, Fd file) {
    const Person who = person_of(person);
    std::int64_t id = 0;
    try {
      books.transaction([&] {
        if (verb != "suspend") require_few_pending(person);  // the stop switch works always
        id = agenda.ask(verb, argument, who);
        if (file) services.files->put(id, std::move(file));  // before the worker sees the row
      });
    } catch (...) {
      services.files->forget(id);
      throw;
    }
    log(LogLevel::info, "{} asks: {}", who.name, verb);
    services.rung(verb);
    return id;
  }

  void require_few_pending(uid_t person) {
    const auto pending = agenda.pending();
    const auto is_theirs = [&](const Command& command) { return command.who.uid == person; };
    if (std::count_if(pending.begin(), pending.end(), is_theirs) >= kMostPending)
      throw Error(Code::u_state,
                  fmt::format("{} commands of yours wait already: let them be done first", kMostPending));
  }

  /// A file that the caller handed over open.
  static Fd file_of(sd_bus_message* call) {
    int lent = -1;
    require(sd_bus_message_read_basic(call, 'h', &lent), "reading a call");
    Fd file(fcntl(lent, F_DUPFD_CLOEXEC, 3));
    if (!file) throw_errno("taking the file over");
    return file;
  }

  static int ask(sd_bus_message* call, void* self, sd_bus_error* error) {
    return answer(call, self, error, [call](Impl& at, uid_t person) {
      const std::string verb = text_of(call);
      const std::string argument = text_of(call);
      at.require_right_of(person, right_of(kAsked, verb));
      at.follow(call);
      reply(call, "x", at.write(verb, argument, person, Fd()));
    });
  }

  static int offer(sd_bus_message* call, void* self, sd_bus_error* error) {
    return answer(call, self, error, [call](Impl& at, uid_t person) {
      at.require_right_of(person, Right::operate);
      const std::string name = text_of(call);
      if (name.empty() || name.size() > NAME_MAX || name.find('/') != std::string::npos)
        throw Error(Code::i_name, "a list is offered under its file's name alone");
      Fd file = file_of(call);
      const std::string as = text_of(call);
      if (std::find(kOffers.begin(), kOffers.end(), as) == kOffers.end())
        throw Error(Code::u_usage, "the service knows no such offer; is it of another version?");
      at.follow(call);
      reply(
          call, "x",
          at.write("send-open" + as.substr(std::string_view("send").size()), name, person, std::move(file)));
    });
  }

  static int entrust(sd_bus_message* call, void* self, sd_bus_error* error) {
    return answer(call, self, error, [call](Impl& at, uid_t person) {
      const std::string verb = text_of(call);
      const std::string argument = text_of(call);
      at.require_right_of(person, right_of(kEntrusted, verb));
      Fd file = file_of(call);
      at.follow(call);
      reply(call, "x", at.write(verb, argument, person, std::move(file)));
    });
  }

  static int result(sd_bus_message* call, void* self, sd_bus_error* error) {
    return answer(call, self, error, [call](Impl& at, uid_t person) {
      std::int64_t id = 0;
      require(sd_bus_message_read_basic(call, 'x', &id), "reading a call");
      if (!at.agenda.is_of(id, person)) at.require_right_of(person, Right::look);
      const CommandResult result = at.agenda.result_of(id);
      const char* const stage = result.stage == CommandStage::pending ? "pending"
                                : result.stage == CommandStage::done  ? "done"
                                                                      : "failed";
      at.follow(call);
      reply(call, "sss", stage, result.code.c_str(), result.text.c_str());
    });
  }

  static int look(sd_bus_message* call, void* self, sd_bus_error* error) {
    return answer(call, self, error, [call](Impl& at, uid_t person) {
      const std::string what = text_of(call);
      const std::string argument = text_of(call);
      int json = 0;
      require(sd_bus_message_read_basic(call, 'b', &json), "reading a call");
      at.require_right_of(person, right_of(kLooks, what));
      const LookAnswer found = at.services.look(what, argument, json != 0);
      reply(call, "is", found.exit_code, found.text.c_str());
    });
  }

  static int configuration(sd_bus*, const char*, const char*, const char*, sd_bus_message* answer, void* self,
                           sd_bus_error*) {
    return sd_bus_message_append(answer, "s", static_cast<Impl*>(self)->services.configuration.c_str());
  }

  static const sd_bus_vtable* table() {
    static const std::array<sd_bus_vtable, 10> kTable = {
        sd_bus_vtable SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Ask", SD_BUS_ARGS("s", verb, "s", argument), SD_BUS_RESULT("x", command),
                                ask, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Offer", SD_BUS_ARGS("s", name, "h", file, "s", verb),
                                SD_BUS_RESULT("x", command), offer, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Entrust", SD_BUS_ARGS("s", verb, "s", argument, "h", persons),
                                SD_BUS_RESULT("x", command), entrust, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Result", SD_BUS_ARGS("x", command),
                                SD_BUS_RESULT("s", stage, "s", code, "s", text), result,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Look", SD_BUS_ARGS("s", what, "s", argument, "b", json),
                                SD_BUS_RESULT("i", exit_code, "s", text), look, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Configuration", "s", configuration, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_SIGNAL_WITH_ARGS("Progress", SD_BUS_ARGS("t", bytes, "t", of), 0),
        SD_BUS_VTABLE_END,
    };
    return kTable.data();
  }
};

BusServer::BusServer(sd_event* loop, BusServices services)
    : impl_(std::make_unique<Impl>(loop, std::move(services))) {}
BusServer::~BusServer() = default;

// To each alone: what goes through here is nobody else's business.
void BusServer::tell_progress(std::uint64_t done, std::uint64_t all) {
  sd_bus_track* const watchers = impl_->watchers.get();
  for (const char* name = sd_bus_track_first(watchers); name != nullptr; name = sd_bus_track_next(watchers)) {
    sd_bus_message* made = nullptr;
    if (sd_bus_message_new_signal(impl_->bus.get(), &made, kBusPath, kBusInterface, "Progress") < 0) return;
    const MessageHandle signal(made);
    sd_bus_message_append(made, "tt", done, all);
    sd_bus_send_to(impl_->bus.get(), made, name, nullptr);
  }
}

}  // namespace veer
