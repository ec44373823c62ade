#include "exchange/crashing.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "exchange/promises.h"

namespace veer::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::size_t>& marks() {
  static std::vector<std::size_t> numbers;
  return numbers;
}

Meeting& on_folders() {
  static Meeting scripted;
  return scripted;
}

/// Tells each key operation as an effect of its own, before and after.
class CountedSeal : public Seal {
 public:
  explicit CountedSeal(std::unique_ptr<Seal> seal) : seal_(std::move(seal)) {}
  std::string own_key() override { return seal_->own_key(); }
  std::string counterparty_key() override { return seal_->counterparty_key(); }
  std::vector<KeyEnd> key_ends() override { return seal_->key_ends(); }
  void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) override {
    effect();
    seal_->seal(plain, sealed, transfer);
    effect();
  }
  Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) override {
    effect();
    return seal_->open(sealed, plain, transfer);
  }
  std::string sign(std::string_view text) override {
    effect();
    return seal_->sign(text);
  }
  Opened verify(std::string_view text, std::string_view signature) override {
    effect();
    return seal_->verify(text, signature);
  }

 private:
  std::unique_ptr<Seal> seal_;
};

std::string line_of(const std::vector<std::size_t>& list) {
  std::ostringstream line;
  for (const std::size_t number : list) line << number << ' ';
  return line.str();
}

std::vector<std::size_t> numbers_of(const std::string& line) {
  std::istringstream text(line);
  std::vector<std::size_t> list;
  for (std::size_t number = 0; text >> number;) list.push_back(number);
  return list;
}

std::string all_of(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) return text;
  }
}

int end_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// In a child: runs `work` and ends.
[[noreturn]] void run_and_end(const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

}  // namespace

int in_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) run_and_end(work);
  return end_of(child);
}

Names told_by_child(const std::function<Names()>& work) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0)
    run_and_end([&] {
      std::string text;
      for (const std::string& line : work()) text += line + "\n";
      if (write(ends[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) _exit(2);
    });
  close(ends[1]);
  std::istringstream text(all_of(ends[0]));
  close(ends[0]);
  const int status = end_of(child);
  if (status != 0) return {"a life came to its end, not to status " + std::to_string(status)};
  Names lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

void share_effect() {
  marks().push_back(effects_counted() + 1);
  effect();
}

Beginning::Beginning(Scenario scenario) : Beginning(std::move(scenario), on_folders()) {}

Beginning::Beginning(Scenario scenario, Meeting& meeting)
    : scenario_(std::move(scenario)), meeting_(meeting) {
  scenario_.prepare(beginning_.path());
  const TempFolder folder(TempFolder::Place::in_memory);
  lay(folder.path());
  const Names told = told_by_child([&]() -> Names {
    count_effects();
    live_counted(*this, folder.path());
    return {std::to_string(effects_counted()), line_of(syncs_counted()), line_of(marks())};
  });
  INFO(told.front());
  REQUIRE(told.size() == 3);
  effects_ = {numbers_of(told[0]).at(0), numbers_of(told[1]), numbers_of(told[2])};
  CHECK(broken_after(*this, folder.path()) == Names{});
}

void Beginning::lay(const fs::path& folder) const {
  fs::copy(beginning_.path(), folder, fs::copy_options::recursive);
  meeting_.prepare(folder);
}

void live_counted(const Beginning& start, const fs::path& folder) {
  const auto pair = start.meeting().open(folder);
  pair->random = SeededRandom(8);
  pair->aii_seal = std::make_unique<CountedSeal>(std::move(pair->aii_seal));
  pair->avsb_seal = std::make_unique<CountedSeal>(std::move(pair->avsb_seal));
  start.scenario().live(*pair);
}

/// With the clock where the crash left it.
std::unique_ptr<Pair> opened_again(Meeting& meeting, const fs::path& folder) {
  auto pair = meeting.open(folder);
  for (const Config* config : {&pair->aii_config, &pair->avsb_config}) {
    const fs::path file = config->database_url.substr(config->database_url.find(':') + 1);
    if (!fs::exists(file)) continue;
    try {
      Database books(config->database_url, Database::Access::read_only);
      if (const auto last = books.query_one("SELECT max(at) FROM audit"); last && last->maybe_time(0))
        pair->clock.set(std::max(pair->clock.now(), *last->maybe_time(0)));
    } catch (const Error&) {  // books that were only begun tell no time
    }
  }
  return pair;
}

Names broken_after(const Beginning& start, const fs::path& folder) {
  Meeting& meeting = start.meeting();
  if (meeting.holds_open()) {
    meeting.rest();
    const Names soon = told_by_child([&]() -> Names {
      const auto pair = opened_again(meeting, folder);
      pair->random = SeededRandom(10);
      pair->clock.advance(std::chrono::minutes(2));
      start.scenario().live(*pair);
      return {};
    });
    if (!soon.empty()) return soon;
    meeting.let_go();
  }
  meeting.rest();
  return told_by_child([&] { return broken_promises(*opened_again(meeting, folder), start.scenario()); });
}

void crash(const Beginning& start, std::size_t n, CrashWhen when) {
  INFO((when == CrashWhen::before ? "before" : "after") << " effect " << n << " of " << start.effects());
  const TempFolder folder(TempFolder::Place::in_memory);
  start.lay(folder.path());
  start.meeting().rest();
  const int status = in_child([&] {
    crash_at(n, when);
    live_counted(start, folder.path());
  });
  CHECK(status == kCrashed);
  CHECK(seen_partial(folder.path()) == Names{});
  CHECK(broken_after(start, folder.path()) == Names{});
}

std::size_t told_or(std::size_t usual) {
  const char* const told = std::getenv("VEER_CRASH_STRIDE");
  return told != nullptr ? std::stoul(told) : usual;
}

}  // namespace veer::test
