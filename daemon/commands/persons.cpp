// Commands about one person, whose number comes on standard input: never as an argument, and nowhere kept.

#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/secret.h"
#include "core/unseen.h"
#include "daemon/commands/acting.h"
#include "daemon/commands/context.h"
#include "daemon/erasure.h"

namespace veer {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 20;  // a signed file of numbers

// A person who looks for the end gives an empty line and waits; what is pasted comes at once, with the empty
// lines that it has within.
bool more_comes() {
  static constexpr int kPatience = 300;  // ms
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, kPatience) > 0;
}

// What is pasted in several lines is all taken, unseen to its end.
std::string typed(const Context& context, Persons persons) {
  context.tell(persons == Persons::one ? "INSZ: " : "INSZ, one a line, an empty one ends: ");
  std::string all;
  {
    const Unseen unseen(TCSAFLUSH);
    for (std::string line; std::getline(std::cin, line);) {
      if (line.empty() && !more_comes()) break;
      if (!line.empty()) all += line + '\n';
      if (persons == Persons::one) break;
    }
  }
  context.tell(fmt::format("\n{} line(s) taken\n", std::count(all.begin(), all.end(), '\n')));
  return all;
}

std::string piped() {
  std::string bytes(kMost + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = read(STDIN_FILENO, bytes.data() + size, bytes.size() - size);
    if (got < 0) throw_errno("reading standard input");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMost)
    throw Error(Code::u_usage, "that is more than a file of numbers holds: give them in parts");
  bytes.resize(size);
  return bytes;
}

}  // namespace

Fd persons_from_stdin(const Context& context, Persons persons) {
  const Secret held(isatty(STDIN_FILENO) == 1 ? typed(context, persons) : piped());
  const std::string_view bytes = held.reveal();
  Fd file(memfd_create("persons", MFD_CLOEXEC));
  if (!file || write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw_errno("keeping what was typed in memory");
  return file;
}

void add_persons(CLI::App& app, Context& context) {
  auto* desk =
      app.add_subcommand("lookup", "Does the person whose INSZ is on standard input stand on a list?");
  auto on = std::make_shared<std::string>();
  auto purpose = std::make_shared<std::string>();
  desk->add_option("--on", *on, "Reference date, like 2026-01-01")->required();
  desk->add_option("--purpose", *purpose, "What for; it stays in the audit trail")->required();
  desk->callback([&context, on, purpose] {
    act(context, {.verb = "lookup",
                  .argument = with_text(*on, *purpose),
                  .entrusted = std::make_shared<Fd>(persons_from_stdin(context, Persons::one))});
  });

  auto* forget = app.add_subcommand(
      "forget",
      "Ask to erase the persons whose INSZ are on standard input, typed or in a signed file, on notice of "
      "death");
  auto notice = std::make_shared<std::string>();
  forget->add_option("--notice", *notice, "Which notice; it stays in the audit trail")->required();
  auto undo = std::make_shared<bool>(false);
  forget->add_flag("--undo", *undo,
                   "They were forgotten by mistake: ask that a list of the other side may bring them again");
  forget->callback([&context, notice, undo] {
    act(context, {.verb = "forget",
                  .argument = *undo ? fmt::format("{} {}", kUndo, *notice) : *notice,
                  .entrusted = std::make_shared<Fd>(persons_from_stdin(context))});
    context.exit_code = kHeld;
    context.tell(
        "another person, an approver, gives the same number(s), or the same file, to 'veer approve' with "
        "that "
        "name\n");
  });
}

}  // namespace veer
