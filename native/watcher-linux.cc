// Readiness of many descriptors on one event loop: an epoll instance of ours that libuv polls.
//
// libuv's own uv_poll_t makes a descriptor non-blocking, and that flag belongs to the open file, which other processes
// (a stock Python that inherited it, say) may share. An epoll instance may be polled in its stead.
// Level-triggered: who does not want an event any more takes the descriptor out, also before closing it.
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {
namespace {

// Events told in one callback; the rest comes with the next one. The results array has room for a token and a mask each.
constexpr int kMost = 64;

// Freed when both libuv has closed the handle and JavaScript has dropped its reference.
class Watcher final : public Handle {
 public:
  static int open(Environment* environment, napi_value callback, napi_value results, Watcher** out) {
    void* data;
    size_t length;
    napi_typedarray_type type;
    if (napi_get_typedarray_info(environment->env(), results, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_int32_array || length < 2 * kMost) {
      return kBadArgument;
    }
    const int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) return -errno;
    auto* self = new Watcher(environment, fd, static_cast<int32_t*>(data));
    int failure = uv_poll_init(environment->loop(), &self->poll_, fd);
    if (failure != 0) {
      ::close(fd);
      delete self;
      return failure;
    }
    self->poll_.data = self;
    environment->remember(self);
    napi_create_reference(environment->env(), callback, 1, &self->callback_);
    napi_create_reference(environment->env(), results, 1, &self->results_);  // keeps the memory that `told_` points to
    failure = uv_poll_start(&self->poll_, UV_READABLE, [](uv_poll_t* poll, int, int) { static_cast<Watcher*>(poll->data)->tell(); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&self->poll_));
    if (failure != 0) {
      self->disown();
      self->shut();
      return failure;
    }
    *out = self;
    return 0;
  }

  int control(int operation, int fd, uint32_t events, int32_t token) {
    if (shut_) return -EBADF;
    epoll_event event{};
    event.events = events;
    event.data.fd = token;
    return epoll_ctl(fd_, operation, fd, &event) == 0 ? 0 : -errno;
  }

  void hold(bool on) {
    auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
    if (shut_) return;
    if (on) uv_ref(handle);
    else uv_unref(handle);
  }

  void shut() override {
    if (shut_) return;
    shut_ = true;
    uv_poll_stop(&poll_);
    ::close(fd_);
    napi_delete_reference(environment_->env(), callback_);
    napi_delete_reference(environment_->env(), results_);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
      auto* self = static_cast<Watcher*>(handle->data);
      self->closed_ = true;
      self->environment_->forget(self);
      self->freeWhenDone();
    });
  }

  void disown() {
    disowned_ = true;
    freeWhenDone();
  }

 private:
  Watcher(Environment* environment, int fd, int32_t* told) : environment_(environment), fd_(fd), told_(told) {}
  ~Watcher() override = default;

  void tell() {
    epoll_event events[kMost];
    const int count = epoll_wait(fd_, events, kMost, 0);
    if (count <= 0) return;
    for (int i = 0; i < count; i++) {
      told_[2 * i] = events[i].data.fd;
      told_[2 * i + 1] = static_cast<int32_t>(events[i].events);
    }
    napi_env env = environment_->env();
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value argument = answer(env, count);
    environment_->call(callback_, 1, &argument);
    napi_close_handle_scope(env, scope);
  }

  void freeWhenDone() {
    if (closed_ && disowned_) delete this;
  }

  Environment* environment_;
  uv_poll_t poll_;
  napi_ref callback_ = nullptr;
  napi_ref results_ = nullptr;
  int fd_;
  int32_t* told_;
  bool shut_ = false;
  bool closed_ = false;
  bool disowned_ = false;
};

Watcher* watcherOf(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<Watcher*>(data) : nullptr;
}

// watcherOpen(callback(count), results: Int32Array [token, events]…) -> external, or a refusal. Does not hold the loop.
napi_value watcherOpen(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  Watcher* watcher = nullptr;
  const int failure = Watcher::open(in.environment, in.values[0], in.values[1], &watcher);
  if (failure != 0) return answer(env, failure);
  napi_value external = nullptr;
  napi_create_external(env, watcher, [](napi_env, void* data, void*) { static_cast<Watcher*>(data)->disown(); }, nullptr, &external);
  return external;
}

// watcherControl(external, operation: 1 add, 2 remove, 3 change, fd, events, token)
napi_value watcherControl(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  Watcher* watcher = watcherOf(env, in.values[0]);
  int32_t operation, fd, events, token;
  if (watcher == nullptr || !in.int32(1, &operation) || !in.int32(2, &fd) || !in.int32(3, &events) || !in.int32(4, &token)) {
    return answer(env, kBadArgument);
  }
  return answer(env, watcher->control(operation, fd, static_cast<uint32_t>(events), token));
}

// watcherHold(external, on)
napi_value watcherHold(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  Watcher* watcher = watcherOf(env, in.values[0]);
  bool on;
  if (watcher != nullptr && in.boolean(1, &on)) watcher->hold(on);
  return nullptr;
}

}  // namespace

void exportWatcher(Exports& out) {
  out.add("watcherOpen", watcherOpen);
  out.add("watcherControl", watcherControl);
  out.add("watcherHold", watcherHold);
}

}  // namespace multiprocess
