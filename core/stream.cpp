#include "core/stream.h"

#include "core/error.h"

namespace veer {

void StringSink::write(std::string_view bytes) {
  if (bytes.size() > cap_ - bytes_.size())
    throw Error(Code::t_size, "more bytes arrived than are allowed for this kind of file");
  bytes_.append(bytes);
}

void Transfer::heed_stop() const {
  if (stop.stop_requested())
    throw Error(Code::l_stopped, "stopped on request; the work is taken up again later");
}

void Transfer::tick(std::uint64_t done) const {
  heed_stop();
  if (!progress) return;
  progress(done);
  heed_stop();  // whoever hears of it may ask for one
}

}  // namespace veer
