// Descriptors: copying, closing, and handing them to other processes.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "arguments.h"
#include "descriptor-message.h"
#include "exports.h"
#include "pidfd.h"
#include "status.h"

namespace multiprocess {
namespace {

// duplicateDescriptor(fd, closeOnExec) -> fd
napi_value duplicateDescriptor(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t fd;
  bool closeOnExec;
  if (!in.int32(0, &fd) || !in.boolean(1, &closeOnExec)) return answer(env, kBadArgument);
  const int copy = fcntl(fd, closeOnExec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
  return answer(env, copy >= 0 ? in.environment->estate.keep(copy) : -errno);
}

// moveDescriptor(from, to)
napi_value moveDescriptor(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t from, to;
  if (!in.int32(0, &from) || !in.int32(1, &to)) return answer(env, kBadArgument);
  if (fcntl(to, F_GETFD) >= 0) return answer(env, -EEXIST);
  if (dup3(from, to, O_CLOEXEC) < 0) return answer(env, -errno);
  in.environment->estate.drop(from);
  in.environment->estate.keep(to);
  close(from);
  return answer(env, 0);
}

// closeDescriptor(fd)
napi_value closeDescriptor(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  in.environment->estate.drop(fd);
  // Linux releases the descriptor even when it reports EINTR.
  return answer(env, close(fd) == 0 || errno == EINTR ? 0 : -errno);
}

// setCloseOnExec(fd, on)
napi_value setCloseOnExec(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t fd;
  bool on;
  if (!in.int32(0, &fd) || !in.boolean(1, &on)) return answer(env, kBadArgument);
  const int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return answer(env, -errno);
  const int wanted = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
  return answer(env, fcntl(fd, F_SETFD, wanted) == 0 ? 0 : -errno);
}

// socketPair(ends: Int32Array)
napi_value socketPair(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  void* data;
  size_t length;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_int32_array || length < 2) {
    return answer(env, kBadArgument);
  }
  auto* ends = static_cast<int*>(data);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return answer(env, -errno);
  for (int i = 0; i < 2; i++) in.environment->estate.keep(ends[i]);
  return answer(env, 0);
}

// createPipe(ends: Int32Array [reads, writes])
napi_value createPipe(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  void* data;
  size_t length;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_int32_array || length < 2) {
    return answer(env, kBadArgument);
  }
  auto* ends = static_cast<int*>(data);
  if (pipe2(ends, O_CLOEXEC) != 0) return answer(env, -errno);
  for (int i = 0; i < 2; i++) in.environment->estate.keep(ends[i]);
  return answer(env, 0);
}

// sendDescriptors(socket, fds: Int32Array, payload: Uint8Array)
napi_value sendDescriptors(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t socket;
  void *fds, *payload;
  size_t count, length;
  if (!in.int32(0, &socket) || napi_get_typedarray_info(env, in.values[1], nullptr, &count, &fds, nullptr, nullptr) != napi_ok ||
      napi_get_typedarray_info(env, in.values[2], nullptr, &length, &payload, nullptr, nullptr) != napi_ok || count > kMostDescriptors || length == 0) {
    return answer(env, kBadArgument);
  }
  const auto* bytes = static_cast<const char*>(payload);
  for (size_t done = 0; done < length;) {
    const ssize_t sent = sendMessage(socket, bytes + done, length - done, static_cast<int*>(fds), done == 0 ? count : 0, 0);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
      continue;
    }
    if (sent != -EAGAIN) return answer(env, static_cast<int>(sent));
    pollfd ready{socket, POLLOUT, 0};
    if (poll(&ready, 1, -1) < 0 && errno != EINTR) return answer(env, -errno);
  }
  return answer(env, 0);
}

// receiveDescriptors(socket, fds: Int32Array, payload: Uint8Array, got: Int32Array [descriptors,
// bytes])
napi_value receiveDescriptors(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  int32_t socket;
  void *fds, *payload, *got;
  size_t room, length;
  if (!in.int32(0, &socket) || napi_get_typedarray_info(env, in.values[1], nullptr, &room, &fds, nullptr, nullptr) != napi_ok ||
      napi_get_typedarray_info(env, in.values[2], nullptr, &length, &payload, nullptr, nullptr) != napi_ok ||
      napi_get_typedarray_info(env, in.values[3], nullptr, nullptr, &got, nullptr, nullptr) != napi_ok) {
    return answer(env, kBadArgument);
  }
  std::vector<int> all;
  bool truncated;
  const ssize_t bytes = receiveMessage(socket, payload, length, &all, &truncated, MSG_DONTWAIT);
  if (bytes < 0) return answer(env, static_cast<int>(bytes));
  if (all.size() > room || truncated) {
    for (int fd : all) close(fd);
    return answer(env, kTruncated);
  }
  for (int fd : all) in.environment->estate.keep(fd);
  if (!all.empty()) memcpy(fds, all.data(), all.size() * sizeof(int));
  static_cast<int32_t*>(got)[0] = static_cast<int32_t>(all.size());
  static_cast<int32_t*>(got)[1] = static_cast<int32_t>(bytes);
  return answer(env, 0);
}

// openDescriptorOf(pid, fd) -> fd
napi_value openDescriptorOf(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t pid, theirs;
  if (!in.int32(0, &pid) || !in.int32(1, &theirs)) return answer(env, kBadArgument);
  // pidfd_getfd shares the very description and so serves sockets and eventfds too, but needs the
  // right to trace.
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process >= 0) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_getfd, process, theirs, 0));
    const int failure = errno;
    close(process);
    if (fd >= 0) return answer(env, in.environment->estate.keep(fd));
    if (failure == EBADF || failure == EMFILE || failure == ESRCH) return answer(env, -failure);
  }
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(theirs);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  return answer(env, fd >= 0 ? in.environment->estate.keep(fd) : -errno);
}

}  // namespace

void exportDescriptors(Exports& out) {
  out.add("duplicateDescriptor", duplicateDescriptor);
  out.add("moveDescriptor", moveDescriptor);
  out.add("closeDescriptor", closeDescriptor);
  out.add("setCloseOnExec", setCloseOnExec);
  out.add("socketPair", socketPair);
  out.add("createPipe", createPipe);
  out.add("sendDescriptors", sendDescriptors);
  out.add("receiveDescriptors", receiveDescriptors);
  out.add("openDescriptorOf", openDescriptorOf);
}

}  // namespace multiprocess
