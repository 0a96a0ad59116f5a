// Fetching what another process offers (sharer-linux.cc).
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "arguments.h"
#include "clock.h"
#include "descriptor-message.h"
#include "exports.h"
#include "sharer.h"
#include "socket-address.h"
#include "status.h"

namespace multiprocess {
namespace {

// Waits until the socket is ready; false when the time is over.
bool await(int fd, short events, int64_t end) {
  for (;;) {
    pollfd one{fd, events, 0};
    const int64_t left = end - milliseconds();
    const int ready = poll(&one, 1, static_cast<int>(std::max<int64_t>(0, left)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

int fetch(const std::string& address, const std::string& key, int64_t end) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct Closing {
    int fd;
    ~Closing() { close(fd); }
  } closing{fd};
  SocketAddress name;
  const int wrong = name.parse(AF_UNIX, '\0' + address, 0);
  if (wrong != 0) return wrong;
  // The backlog is long and the thread quick: connect(2) waits for no event, only for a full
  // backlog.
  timeval timeout{std::max<int64_t>(1, (end - milliseconds()) / 1000), 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  while (connect(fd, name.plain(), name.length) != 0) {
    if (errno == EAGAIN) return -ETIMEDOUT;
    if (errno != EINTR) return -errno;
  }
  if (!sameUser(fd)) return -EACCES;
  if (send(fd, key.data(), key.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(key.size())) return -ECONNRESET;
  if (!await(fd, POLLIN, end)) return -ETIMEDOUT;
  char status = 0;
  std::vector<int> given;
  bool truncated;
  const ssize_t got = receiveMessage(fd, &status, 1, &given, &truncated, 0);
  if (got < 0) return static_cast<int>(got);
  if (got == 0) return -ECONNRESET;
  if (given.size() == 1) return given[0];
  for (int extra : given) close(extra);
  return status == 0 ? -ENOENT : -EMFILE;  // the kernel drops what we have no room for
}

// sharerFetch(address, key, milliseconds) -> fd. Blocks for the answer of the other process's
// thread.
napi_value sharerFetch(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  std::string address, key;
  double timeout;
  if (!in.text(0, &address) || !in.text(1, &key) || !in.number(2, &timeout) || key.size() != kKey || address.empty() ||
      address.size() > 100) {
    return answer(env, kBadArgument);
  }
  const int own = takeOwnOffer(address, key);
  if (own != kElsewhere) return answer(env, in.environment->estate.keep(own));
  const int fd = fetch(address, key, milliseconds() + static_cast<int64_t>(std::min(timeout, 1e9)));
  return answer(env, in.environment->estate.keep(fd));
}

}  // namespace

void exportSharerFetch(Exports& out) { out.add("sharerFetch", sharerFetch); }

}  // namespace multiprocess
