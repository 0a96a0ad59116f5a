// Sockets of connections: listening, connecting, accepting. Names are resolved in JavaScript; here
// hosts are numbers.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <string>

#include "arguments.h"
#include "exports.h"
#include "socket-address.h"
#include "status.h"

namespace multiprocess {

int listenAt(int family, const std::string& host, int port, int backlog) {
  SocketAddress address;
  int failure = address.parse(family, host, port);
  if (failure != 0) return failure;
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  if (family != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address.plain(), address.length) == 0 && listen(fd, backlog) == 0) return fd;
  failure = -errno;
  close(fd);
  return failure;
}

namespace {

void noDelay(int fd, int family) {
  const int on = 1;
  if (family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// socketListen(family, host or path, port, backlog) -> fd, close-on-exec and non-blocking (it is
// nobody else's)
napi_value socketListen(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  int32_t family, port, backlog;
  std::string host;
  if (!in.int32(0, &family) || !in.text(1, &host) || !in.int32(2, &port) || !in.int32(3, &backlog)) return answer(env, kBadArgument);
  return answer(env, in.environment->estate.keep(listenAt(family, host, port, backlog)));
}

// socketConnect(family, host or path, port, made: Int32Array [fd]) -> 0, -EINPROGRESS (with the
// descriptor, still non-blocking: wait until it is writable, then socketFinish), or a negated errno
napi_value socketConnect(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  int32_t family, port;
  std::string host;
  void* made;
  size_t length;
  SocketAddress address;
  if (!in.int32(0, &family) || !in.text(1, &host) || !in.int32(2, &port) ||
      napi_get_typedarray_info(env, in.values[3], nullptr, &length, &made, nullptr, nullptr) != napi_ok || length < 1) {
    return answer(env, kBadArgument);
  }
  const int wrong = address.parse(family, host, port);
  if (wrong != 0) return answer(env, wrong);
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return answer(env, -errno);
  noDelay(fd, family);
  int failure = connect(fd, address.plain(), address.length) == 0 ? 0 : errno;
  if (failure == EINTR) failure = EINPROGRESS;
  if (failure != 0 && failure != EINPROGRESS) {
    close(fd);
    return answer(env, -failure);
  }
  if (failure == 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  *static_cast<int32_t*>(made) = in.environment->estate.keep(fd);
  return answer(env, -failure);
}

// socketFinish(fd) -> 0 when the connection stands (the socket is blocking from here on), or why
// not
napi_value socketFinish(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  int failure = 0;
  socklen_t size = sizeof failure;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  if (failure == 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return answer(env, -failure);
}

// socketAccept(fd) -> the descriptor of a connection, close-on-exec; -EAGAIN when nobody came
napi_value socketAccept(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  sockaddr_storage peer;
  for (;;) {
    socklen_t length = sizeof peer;
    const int made = accept4(fd, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC);
    if (made >= 0) {
      noDelay(made, peer.ss_family);
      return answer(env, in.environment->estate.keep(made));
    }
    if (errno != EINTR && errno != ECONNABORTED) return answer(env, -errno);
  }
}

// peerUser(fd) -> id of the user who connected a unix socket
napi_value peerUser(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return answer(env, -errno);
  napi_value user;
  napi_create_uint32(env, peer.uid, &user);
  return user;
}

// socketName(fd, peer) -> "family port host-or-path", or a refusal
napi_value socketName(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t fd;
  bool peer;
  if (!in.int32(0, &fd) || !in.boolean(1, &peer)) return answer(env, kBadArgument);
  SocketAddress address;
  address.length = sizeof address.storage;
  if ((peer ? getpeername : getsockname)(fd, address.plain(), &address.length) != 0) return answer(env, -errno);
  const int family = address.storage.ss_family;
  std::string name = std::to_string(family) + " ";
  char text[INET6_ADDRSTRLEN] = "";
  if (family == AF_UNIX) {
    auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);
    size_t length = address.length - offsetof(sockaddr_un, sun_path);
    if (length > 0 && local->sun_path[0] != '\0') length = strnlen(local->sun_path, length);
    name += "0 " + std::string(local->sun_path, length);
  } else if (family == AF_INET) {
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
    name += std::to_string(ntohs(four->sin_port)) + " " + text;
  } else if (family == AF_INET6) {
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
    name += std::to_string(ntohs(six->sin6_port)) + " " + text;
  }
  napi_value result = nullptr;
  napi_create_string_utf8(env, name.data(), name.size(), &result);
  return result;
}

}  // namespace

void exportSocket(Exports& out) {
  out.add("socketListen", socketListen);
  out.add("socketConnect", socketConnect);
  out.add("socketFinish", socketFinish);
  out.add("socketAccept", socketAccept);
  out.add("socketName", socketName);
  out.add("peerUser", peerUser);
}

}  // namespace multiprocess
