#pragma once

#include <termios.h>
#include <unistd.h>

namespace veer {

/// While somebody types what nobody should read over their shoulder. Where standard input is no terminal,
/// nothing changes.
class Unseen {
 public:
  /// `when`: TCSADRAIN keeps what was typed ahead, TCSAFLUSH drops it (termios(3)).
  explicit Unseen(int when) : when_(when) {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(STDIN_FILENO, when_, &quiet) == 0;
  }
  ~Unseen() {
    if (changed_) tcsetattr(STDIN_FILENO, when_, &before_);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  int when_;
  termios before_{};
  bool changed_ = false;
};

}  // namespace veer
