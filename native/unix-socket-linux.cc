// Local sockets in the abstract name space: they need no file, so nothing is left behind however a process dies.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "arguments.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {
namespace {

// Length of the address, or 0 when the name does not fit.
socklen_t abstractAddress(const std::string& name, sockaddr_un* out) {
  memset(out, 0, sizeof *out);
  if (name.empty() || name.size() + 1 > sizeof out->sun_path) return 0;
  out->sun_family = AF_UNIX;
  memcpy(out->sun_path + 1, name.data(), name.size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

// listenAbstract(name) -> a listening socket, non-blocking
napi_value listenAbstract(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  std::string name;
  sockaddr_un address;
  if (!in.text(0, &name)) return answer(env, kBadArgument);
  const socklen_t length = abstractAddress(name, &address);
  if (length == 0) return answer(env, kBadArgument);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return answer(env, -errno);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(fd, 4096) != 0) {
    const int failure = errno;
    close(fd);
    return answer(env, -failure);
  }
  return answer(env, fd);
}

// connectAbstract(name) -> a connected socket. Does not block: a local connection is made at once or refused (EAGAIN: the queue is full).
napi_value connectAbstract(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  std::string name;
  sockaddr_un address;
  if (!in.text(0, &name)) return answer(env, kBadArgument);
  const socklen_t length = abstractAddress(name, &address);
  if (length == 0) return answer(env, kBadArgument);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return answer(env, -errno);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
    const int failure = errno;
    close(fd);
    return answer(env, -failure);
  }
  return answer(env, fd);
}

// acceptSocket(fd) -> a connected socket, non-blocking
napi_value acceptSocket(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  int accepted;
  do accepted = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (accepted < 0 && errno == EINTR);
  return answer(env, accepted >= 0 ? accepted : -errno);
}

}  // namespace

void exportUnixSocket(Exports& out) {
  out.add("listenAbstract", listenAbstract);
  out.add("connectAbstract", connectAbstract);
  out.add("acceptSocket", acceptSocket);
}

}  // namespace multiprocess
