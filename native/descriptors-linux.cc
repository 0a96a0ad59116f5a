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
#include "exports.h"
#include "status.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

namespace multiprocess {
namespace {

constexpr size_t kMaximum = 253;          // SCM_MAX_FD

// duplicateDescriptor(fd, closeOnExec) -> fd
napi_value duplicateDescriptor(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t fd;
  bool closeOnExec;
  if (!in.int32(0, &fd) || !in.boolean(1, &closeOnExec)) return answer(env, kBadArgument);
  const int copy = fcntl(fd, closeOnExec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
  return answer(env, copy >= 0 ? copy : -errno);
}

// moveDescriptor(from, to)
napi_value moveDescriptor(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t from, to;
  if (!in.int32(0, &from) || !in.int32(1, &to)) return answer(env, kBadArgument);
  if (fcntl(to, F_GETFD) >= 0) return answer(env, -EEXIST);
  if (dup3(from, to, O_CLOEXEC) < 0) return answer(env, -errno);
  close(from);
  return answer(env, 0);
}

// closeDescriptor(fd)
napi_value closeDescriptor(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
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
  return answer(env, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, static_cast<int*>(data)) == 0 ? 0 : -errno);
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
  return answer(env, pipe2(static_cast<int*>(data), O_CLOEXEC) == 0 ? 0 : -errno);
}

// sendDescriptors(socket, fds: Int32Array, payload: Uint8Array)
napi_value sendDescriptors(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t socket;
  void *fds, *payload;
  size_t count, length;
  if (!in.int32(0, &socket) || napi_get_typedarray_info(env, in.values[1], nullptr, &count, &fds, nullptr, nullptr) != napi_ok ||
      napi_get_typedarray_info(env, in.values[2], nullptr, &length, &payload, nullptr, nullptr) != napi_ok || count > kMaximum || length == 0) {
    return answer(env, kBadArgument);
  }
  alignas(cmsghdr) char control[CMSG_SPACE(kMaximum * sizeof(int))] = {};
  iovec part{payload, length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  while (part.iov_len > 0) {
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return answer(env, -errno);
      pollfd ready{socket, POLLOUT, 0};
      if (poll(&ready, 1, -1) < 0 && errno != EINTR) return answer(env, -errno);
      continue;
    }
    part.iov_base = static_cast<char*>(part.iov_base) + sent;
    part.iov_len -= static_cast<size_t>(sent);
    message.msg_control = nullptr;  // the descriptors travel with the first byte
    message.msg_controllen = 0;
  }
  return answer(env, 0);
}

// receiveDescriptors(socket, fds: Int32Array, payload: Uint8Array, got: Int32Array [descriptors, bytes])
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
  alignas(cmsghdr) char control[CMSG_SPACE(kMaximum * sizeof(int))];
  iovec part{payload, length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t bytes;
  do bytes = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (bytes < 0 && errno == EINTR);
  if (bytes < 0) return answer(env, -errno);
  std::vector<int> all;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const size_t before = all.size();
    all.resize(before + count);
    memcpy(all.data() + before, CMSG_DATA(header), count * sizeof(int));
  }
  if (all.size() > room || (message.msg_flags & MSG_CTRUNC) != 0) {
    for (int fd : all) close(fd);
    return answer(env, kTruncated);
  }
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
  // pidfd_getfd shares the very description and so serves sockets and eventfds too, but needs the right to trace.
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process >= 0) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_getfd, process, theirs, 0));
    const int failure = errno;
    close(process);
    if (fd >= 0) return answer(env, fd);
    if (failure == EBADF || failure == EMFILE || failure == ESRCH) return answer(env, -failure);
  }
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(theirs);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  return answer(env, fd >= 0 ? fd : -errno);
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
