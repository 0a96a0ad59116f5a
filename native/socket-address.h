// The address of a socket, from text and numbers: the one place that knows the kernel's forms of
// it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace multiprocess {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  sockaddr* plain() { return reinterpret_cast<sockaddr*>(&storage); }

  // `host` is a path (one that begins with NUL is abstract) or an address in numbers. 0, or a
  // negated errno.
  int parse(int family, const std::string& host, int port) {
    if (family == AF_UNIX) return parsePath(host);
    if (family == AF_INET) {
      auto* four = reinterpret_cast<sockaddr_in*>(&storage);
      four->sin_family = AF_INET;
      four->sin_port = htons(static_cast<uint16_t>(port));
      length = sizeof *four;
      return inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1 ? 0 : -EINVAL;
    }
    if (family == AF_INET6) {
      auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
      six->sin6_family = AF_INET6;
      six->sin6_port = htons(static_cast<uint16_t>(port));
      length = sizeof *six;
      return inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1 ? 0 : -EINVAL;
    }
    return -EAFNOSUPPORT;
  }

 private:
  int parsePath(const std::string& path) {
    auto* local = reinterpret_cast<sockaddr_un*>(&storage);
    if (path.empty()) return -EINVAL;
    const size_t end = path[0] == '\0' ? 0 : 1;  // names in the abstract space end by their length
    if (path.size() + end > sizeof local->sun_path) return -ENAMETOOLONG;
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path.data(), path.size());
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + end);
    return 0;
  }
};

// A listening stream socket, close-on-exec and non-blocking (it is nobody else's); or a negated
// errno.
int listenAt(int family, const std::string& host, int port, int backlog);

}  // namespace multiprocess
