#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/files.h"
#include "core/secret.h"
#include "daemon/commands/context.h"

namespace veer {

/// What is asked of the worker.
struct Asked {
  std::string verb;
  std::string argument = {};
  bool wait_for_receipt = false;
  std::chrono::seconds patience{60};
  std::shared_ptr<Fd> entrusted = {};  ///< numbers of persons, for a command about them
};

enum class Persons { one, some };
/// What is on standard input, in memory alone: asked for at a terminal, unseen, some until an empty line.
Fd persons_from_stdin(const Context& context, Persons persons = Persons::some);

/// An argument that begins with what the program reads, and goes on with what somebody says: a number of a
/// person in that is masked before it could be taken for one together with what stands before it.
std::string with_text(const std::string& head, const std::string& text);

/// Writes the row, has it carried out, and reports what came of it. Throws what was wrong.
void act(Context& context, const Asked& asked);

/// The same for what the service writes into memory that it is lent: no other process reads it, and the books
/// do not keep it. Throws what act() throws.
Secret lent_answer(const Context& context, Asked asked);

/// Asks the service that works on the instance, and waits: still pending when that took longer than `most`,
/// or when it ended.
CommandResult result_by_service(const Config& config, const std::string& verb, const std::string& argument,
                                std::chrono::seconds most);

}  // namespace veer
