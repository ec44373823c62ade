#include "daemon/bus_client.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "daemon/bus_handles.h"

namespace veer {

struct BusClient::Impl {
  std::string instance;
  std::string name;
  BusHandle bus;
  std::pair<std::uint64_t, std::uint64_t> progress;
  bool moved = false;

  Error unreachable() const {
    return {Code::s_unreachable, fmt::format("no service answers for instance {} on the bus", instance)};
  }

  MessageHandle begin(const char* method) const {
    sd_bus_message* call = nullptr;
    if (sd_bus_message_new_method_call(bus.get(), &call, name.c_str(), kBusPath, kBusInterface, method) < 0)
      throw unreachable();
    return MessageHandle(call);
  }

  template <typename... Values>
  MessageHandle call(const char* method, const char* types, Values... values) {
    const MessageHandle message = begin(method);
    if (sd_bus_message_append(message.get(), types, values...) < 0)
      throw Error(Code::u_usage, "what was given to the command is no text that can be sent (UTF-8)");
    BusError error;
    sd_bus_message* answer = nullptr;
    const int result = sd_bus_call(bus.get(), message.get(), 0, &error.it, &answer);
    if (result < 0) throw error_of(error.it);
    return MessageHandle(answer);
  }

  template <typename... Values>
  void read(const MessageHandle& answer, const char* types, Values... values) const {
    if (sd_bus_message_read(answer.get(), types, values...) < 0) throw other_version();
  }

  Error error_of(const sd_bus_error& error) const {
    const std::string_view told = error.name == nullptr ? "" : error.name;
    if (told.starts_with(kBusErrors)) {
      const auto code = code_named(told.substr(std::string_view(kBusErrors).size()));
      return {code.value_or(Code::u_state), error.message == nullptr ? "" : error.message};
    }
    if (told == SD_BUS_ERROR_ACCESS_DENIED)
      return {Code::c_user,
              "the bus lets nobody speak to the service: its policy file is missing, or was changed"};
    if (told == SD_BUS_ERROR_TIMEOUT || told == SD_BUS_ERROR_NO_REPLY)
      return {Code::s_unreachable,
              fmt::format("the service of instance {} did not answer: it ended, or hangs; 'systemctl status' "
                          "tells more",
                          instance)};
    if (told == SD_BUS_ERROR_UNKNOWN_METHOD || told == SD_BUS_ERROR_UNKNOWN_OBJECT ||
        told == SD_BUS_ERROR_UNKNOWN_INTERFACE || told == SD_BUS_ERROR_UNKNOWN_PROPERTY ||
        told == SD_BUS_ERROR_INVALID_ARGS)
      return other_version();
    return unreachable();
  }

  static Error other_version() {
    return {Code::u_usage, "the service on the bus is of another version than this program: restart it"};
  }

  static int heard(sd_bus_message* signal, void* self, sd_bus_error*) {
    auto& at = *static_cast<Impl*>(self);
    at.moved = sd_bus_message_read(signal, "tt", &at.progress.first, &at.progress.second) > 0;
    return 0;
  }

  void require_configuration(const std::filesystem::path& wanted) {
    BusError error;
    const MessageHandle answer = [&] {
      sd_bus_message* found = nullptr;
      if (sd_bus_get_property(bus.get(), name.c_str(), kBusPath, kBusInterface, "Configuration", &error.it,
                              &found, "s") < 0)
        throw error_of(error.it);
      return MessageHandle(found);
    }();
    const char* theirs = "";
    read(answer, "s", &theirs);
    if (theirs != wanted)
      throw Error(Code::u_usage,
                  fmt::format("the service that is called {} on the bus works on another configuration than "
                              "{}: name the one that is meant",
                              instance, wanted.native()));
  }
};

BusClient::BusClient(const std::string& instance, const std::filesystem::path& configuration,
                     std::chrono::microseconds patience)
    : impl_(std::make_unique<Impl>()) {
  impl_->instance = instance;
  impl_->name = bus_name(instance);
  sd_bus* bus = nullptr;
  if (sd_bus_open_system(&bus) < 0) throw impl_->unreachable();
  impl_->bus.reset(bus);
  sd_bus_set_method_call_timeout(bus, static_cast<std::uint64_t>(patience.count()));
  impl_->require_configuration(configuration);
  if (sd_bus_match_signal(bus, nullptr, impl_->name.c_str(), kBusPath, kBusInterface, "Progress", Impl::heard,
                          impl_.get()) < 0)
    throw impl_->unreachable();
}

BusClient::~BusClient() = default;

std::int64_t BusClient::ask(const std::string& verb, const std::string& argument) {
  const MessageHandle answer = impl_->call("Ask", "ss", verb.c_str(), argument.c_str());
  std::int64_t id = 0;
  impl_->read(answer, "x", &id);
  return id;
}

std::int64_t BusClient::offer(const std::string& name, const Fd& file, const std::string& verb) {
  const MessageHandle answer = impl_->call("Offer", "shs", name.c_str(), file.get(), verb.c_str());
  std::int64_t id = 0;
  impl_->read(answer, "x", &id);
  return id;
}

std::int64_t BusClient::entrust(const std::string& verb, const std::string& argument, const Fd& persons) {
  const MessageHandle answer = impl_->call("Entrust", "ssh", verb.c_str(), argument.c_str(), persons.get());
  std::int64_t id = 0;
  impl_->read(answer, "x", &id);
  return id;
}

CommandResult BusClient::result_of(std::int64_t command) {
  const MessageHandle answer = impl_->call("Result", "x", command);
  const char* stage = "";
  const char* code = "";
  const char* text = "";
  impl_->read(answer, "sss", &stage, &code, &text);
  const std::string_view is = stage;
  return {is == "pending" ? CommandStage::pending
          : is == "done"  ? CommandStage::done
                          : CommandStage::failed,
          code, text};
}

LookAnswer BusClient::look(const std::string& what, const std::string& argument, bool json) {
  const MessageHandle answer =
      impl_->call("Look", "ssb", what.c_str(), argument.c_str(), static_cast<int>(json));
  std::int32_t exit_code = 0;
  const char* text = "";
  impl_->read(answer, "is", &exit_code, &text);
  return {exit_code, text};
}

void BusClient::wait(std::chrono::milliseconds time,
                     const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (true) {
    const int done = sd_bus_process(impl_->bus.get(), nullptr);
    if (done < 0) throw impl_->unreachable();
    if (std::exchange(impl_->moved, false)) progress(impl_->progress.first, impl_->progress.second);
    if (done > 0) continue;
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    sd_bus_wait(impl_->bus.get(), static_cast<std::uint64_t>(left.count()));
  }
}

}  // namespace veer
