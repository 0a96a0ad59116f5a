// A doorbell: an eventfd that another process or thread writes to and our loop polls.
//
// A ring is never lost: the counter is read to zero before the callback runs, and a ring after that read makes the
// (level-triggered) descriptor readable again. Rings while the loop is busy fold into one callback.
// We poll a duplicate of the caller's descriptor, so that closing that one first, or watching one descriptor
// twice, cannot confuse epoll.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {
namespace {

// Freed when both libuv has closed the handle and JavaScript has dropped its reference.
class Doorbell final : public Handle {
 public:
  static int open(Environment* environment, int descriptor, bool peek, napi_value callback, Doorbell** out) {
    const int fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return -errno;
    auto* self = new Doorbell(environment, fd, peek);
    int failure = uv_poll_init(environment->loop(), &self->poll_, fd);
    if (failure != 0) {
      close(fd);
      delete self;
      return failure;
    }
    self->poll_.data = self;
    environment->remember(self);
    napi_create_reference(environment->env(), callback, 1, &self->callback_);
    failure = uv_poll_start(&self->poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
      static_cast<Doorbell*>(poll->data)->readable(status);
    });
    if (failure != 0) {
      self->disown();
      self->shut();
      return failure;
    }
    *out = self;
    return 0;
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
    close(fd_);
    napi_delete_reference(environment_->env(), callback_);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
      auto* self = static_cast<Doorbell*>(handle->data);
      Environment* environment = self->environment_;
      self->closed_ = true;
      environment->forget(self);
      self->freeWhenDone();
    });
  }

  void disown() {
    disowned_ = true;
    freeWhenDone();
  }

 private:
  Doorbell(Environment* environment, int fd, bool peek) : environment_(environment), fd_(fd), peek_(peek) {}
  ~Doorbell() override = default;

  void readable(int status) {
    if (peek_) return tell();
    uint64_t rings;
    const ssize_t got = status < 0 ? 0 : read(fd_, &rings, sizeof rings);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;  // another reader of the same eventfd was first
    napi_handle_scope scope;
    napi_open_handle_scope(environment_->env(), &scope);
    if (got < 0 && errno == EINVAL) {
      // The descriptor of a process, which has ended. It stays readable: this is the only callback.
      uv_poll_stop(&poll_);
      environment_->call(callback_, 0, nullptr);
    } else if (got <= 0) {
      shut();  // no eventfd, and at its end: it would be readable for ever
    } else {
      environment_->call(callback_, 0, nullptr);
    }
    napi_close_handle_scope(environment_->env(), scope);
  }

  void tell() {
    napi_handle_scope scope;
    napi_open_handle_scope(environment_->env(), &scope);
    environment_->call(callback_, 0, nullptr);
    napi_close_handle_scope(environment_->env(), scope);
  }

  void freeWhenDone() {
    if (closed_ && disowned_) delete this;
  }

  Environment* environment_;
  uv_poll_t poll_;
  napi_ref callback_ = nullptr;
  int fd_;
  bool peek_;
  bool shut_ = false;
  bool closed_ = false;
  bool disowned_ = false;
};

// createEventfd() -> fd
napi_value createEventfd(napi_env env, napi_callback_info) {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return answer(env, fd >= 0 ? fd : -errno);
}

// ringDoorbell(fd) -> undefined, or a refusal. The one call every message may need, so success makes no value.
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

// doorbellOpen(fd, callback, peek) -> external, or a refusal. With `peek` nothing is read: the callback must, or it comes again.
napi_value doorbellOpen(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t fd;
  bool peek = false;
  Doorbell* bell = nullptr;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  in.boolean(2, &peek);
  const int failure = Doorbell::open(in.environment, fd, peek, in.values[1], &bell);
  if (failure != 0) return answer(env, failure);
  napi_value external = nullptr;
  napi_create_external(env, bell, [](napi_env, void* data, void*) { static_cast<Doorbell*>(data)->disown(); }, nullptr, &external);
  return external;
}

Doorbell* doorbellOf(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<Doorbell*>(data) : nullptr;
}

// doorbellHold(external, on)
napi_value doorbellHold(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  Doorbell* bell = doorbellOf(env, in.values[0]);
  bool on;
  if (bell != nullptr && in.boolean(1, &on)) bell->hold(on);
  return nullptr;
}

// doorbellClose(external)
napi_value doorbellClose(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  Doorbell* bell = doorbellOf(env, in.values[0]);
  if (bell != nullptr) bell->shut();
  return nullptr;
}

}  // namespace

void exportDoorbell(Exports& out) {
  out.add("createEventfd", createEventfd);
  out.add("ringDoorbell", ringDoorbell);
  out.add("doorbellOpen", doorbellOpen);
  out.add("doorbellHold", doorbellHold);
  out.add("doorbellClose", doorbellClose);
}

}  // namespace multiprocess
