// A doorbell: an eventfd that another process or thread writes to and our loop polls.
//
// A ring is never lost: the counter is read to zero before the callback runs, and a ring after that
// read makes the (level-triggered) descriptor readable again. Rings while the loop is busy fold
// into one callback. We poll a duplicate of the caller's descriptor, so that closing that one
// first, or watching one descriptor twice, cannot confuse epoll.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "exports.h"
#include "poll-handle.h"
#include "status.h"

namespace multiprocess {
namespace {

class Doorbell final : public PollHandle {
 public:
  Doorbell(Environment* environment, int fd) : PollHandle(environment, fd) {}

 private:
  ~Doorbell() override = default;

  void readable(int status) override {
    uint64_t rings;
    const ssize_t got = status < 0 ? 0 : read(fd(), &rings, sizeof rings);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;  // another reader of the same eventfd was first
    if (got <= 0) shut();  // no eventfd, and at its end: it would be readable for ever
    else tell();
  }
};

// createEventfd() -> fd
napi_value createEventfd(napi_env env, napi_callback_info info) {
  Arguments<0> in(env, info);
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return answer(env, fd >= 0 ? in.environment->estate.keep(fd) : -errno);
}

// ringDoorbell(fd) -> undefined, or a refusal. The one call every message may need, so success
// makes no value.
napi_value ringDoorbell(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t fd;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (napi_get_value_int32(env, argument, &fd) != napi_ok) return answer(env, kBadArgument);
  const uint64_t one = 1;
  while (write(fd, &one, sizeof one) < 0) {
    if (errno == EAGAIN) break;  // the counter is full: it rings already
    if (errno != EINTR) return answer(env, -errno);
  }
  return nullptr;
}

// doorbellOpen(fd, callback) -> external, or a refusal
napi_value doorbellOpen(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t given;
  if (!in.int32(0, &given)) return answer(env, kBadArgument);
  const int fd = fcntl(given, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return answer(env, -errno);
  napi_value external = nullptr;
  const int failure = (new Doorbell(in.environment, fd))->open(in.values[1], &external);
  return failure == 0 ? external : answer(env, failure);
}

}  // namespace

void exportDoorbell(Exports& out) {
  out.add("createEventfd", createEventfd);
  out.add("ringDoorbell", ringDoorbell);
  out.add("doorbellOpen", doorbellOpen);
}

}  // namespace multiprocess
