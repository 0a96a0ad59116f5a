// Readiness of many descriptors on one event loop: an epoll instance of ours that libuv polls.
//
// libuv's own uv_poll_t makes a descriptor non-blocking, and that flag belongs to the open file,
// which other processes (a stock Python that inherited it, say) may share. An epoll instance may be
// polled in its stead. Level-triggered: who does not want an event any more takes the descriptor
// out, also before closing it.
#include <sys/epoll.h>

#include <cerrno>

#include "arguments.h"
#include "exports.h"
#include "poll-handle.h"
#include "status.h"

namespace multiprocess {
namespace {

// Events told in one callback; the rest comes with the next one. The results array has room for a
// token and a mask each.
constexpr int kMost = 64;

class Watcher final : public PollHandle {
 public:
  Watcher(Environment* environment, int fd, int32_t* told) : PollHandle(environment, fd), told_(told) {}

  // Keeps the memory that `told_` points to. Once, when it is open.
  void keep(napi_value results) { napi_create_reference(environment()->env(), results, 1, &results_); }

  int control(int operation, int fd, uint32_t events, int32_t token) {
    if (isShut()) return -EBADF;
    epoll_event event{};
    event.events = events;
    event.data.fd = token;
    return epoll_ctl(this->fd(), operation, fd, &event) == 0 ? 0 : -errno;
  }

  void shut() override {
    if (isShut()) return;
    if (results_ != nullptr) napi_delete_reference(environment()->env(), results_);
    PollHandle::shut();
  }

 private:
  ~Watcher() override = default;

  void readable(int) override {
    epoll_event events[kMost];
    const int count = epoll_wait(fd(), events, kMost, 0);
    if (count <= 0) return;
    for (int i = 0; i < count; i++) {
      told_[2 * i] = events[i].data.fd;
      told_[2 * i + 1] = static_cast<int32_t>(events[i].events);
    }
    tell(count);
  }

  napi_ref results_ = nullptr;
  int32_t* told_;
};

// watcherOpen(callback(count), results: Int32Array [token, events]…) -> external, or a refusal.
// Does not hold the loop.
napi_value watcherOpen(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  void* told;
  size_t length;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, in.values[1], &type, &length, &told, nullptr, nullptr) != napi_ok || type != napi_int32_array ||
      length < 2 * kMost) {
    return answer(env, kBadArgument);
  }
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return answer(env, -errno);
  auto* watcher = new Watcher(in.environment, fd, static_cast<int32_t*>(told));
  napi_value external = nullptr;
  const int failure = watcher->open(in.values[0], &external);
  if (failure != 0) return answer(env, failure);
  watcher->keep(in.values[1]);
  watcher->hold(false);
  return external;
}

// watcherControl(external, operation: 1 add, 2 remove, 3 change, fd, events, token)
napi_value watcherControl(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  auto* watcher = static_cast<Watcher*>(PollHandle::of(env, in.values[0]));
  int32_t operation, fd, events, token;
  if (watcher == nullptr || !in.int32(1, &operation) || !in.int32(2, &fd) || !in.int32(3, &events) || !in.int32(4, &token)) {
    return answer(env, kBadArgument);
  }
  return answer(env, watcher->control(operation, fd, static_cast<uint32_t>(events), token));
}

}  // namespace

void exportWatcher(Exports& out) {
  out.add("watcherOpen", watcherOpen);
  out.add("watcherControl", watcherControl);
}

}  // namespace multiprocess
