// Binds the life of this process to a pipe.
//
// A child of a template must end soon after the process that asked for it, and must outlive the
// template that forked it. PR_SET_PDEATHSIG knows only the template. So the asking process keeps
// the writing end of a pipe (the lifeline), and each child has the kernel send it SIGKILL when that
// end is closed (fcntl F_SETSIG): no thread, no handler, and a child that computes without end is
// ended too.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "arguments.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {
namespace {

// Has the kernel kill this process when the lifeline's writing end is closed. The descriptor is
// opened anew, since owner and signal belong to the open file, which all children would share.
int holdLifeline(int lifeline) {
  const std::string path = "/proc/self/fd/" + std::to_string(lifeline);
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (fcntl(fd, F_SETOWN, getpid()) != 0 || fcntl(fd, F_SETSIG, SIGKILL) != 0 || fcntl(fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC) != 0) {
    const int failure = errno;
    close(fd);
    return -failure;
  }
  // Asked after the signal was ordered: an end in between is seen by one of the two.
  pollfd entry{fd, POLLIN, 0};
  if (poll(&entry, 1, 0) > 0 && (entry.revents & POLLHUP) != 0) _exit(1);
  return fd;
}

// bindLifeline(fd) -> the descriptor that binds this process's life
napi_value bindLifeline(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  return answer(env, holdLifeline(fd));
}

}  // namespace

void exportLifeline(Exports& out) { out.add("bindLifeline", bindLifeline); }

}  // namespace multiprocess
