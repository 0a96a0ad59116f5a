#include "poll-handle.h"

#include <unistd.h>

#include "arguments.h"
#include "exports.h"

namespace multiprocess {

int PollHandle::open(napi_value callback, napi_value* external) {
  int failure = uv_poll_init(environment_->loop(), &poll_, fd_);
  if (failure != 0) {
    close(fd_);
    delete this;
    return failure;
  }
  poll_.data = this;
  environment_->remember(this);
  napi_create_reference(environment_->env(), callback, 1, &callback_);
  failure = uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    static_cast<PollHandle*>(poll->data)->readable(status);
  });
  if (failure != 0) {
    disown();
    shut();
    return failure;
  }
  napi_create_external(environment_->env(), this, [](napi_env, void* data, void*) { static_cast<PollHandle*>(data)->disown(); }, nullptr,
                       external);
  return 0;
}

void PollHandle::hold(bool on) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (shut_) return;
  if (on) uv_ref(handle);
  else uv_unref(handle);
}

void PollHandle::shut() {
  if (shut_) return;
  shut_ = true;
  uv_poll_stop(&poll_);
  close(fd_);
  napi_delete_reference(environment_->env(), callback_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<PollHandle*>(handle->data);
    self->closed_ = true;
    self->environment_->forget(self);
    self->freeWhenDone();
  });
}

void PollHandle::tell() {
  napi_handle_scope scope;
  napi_open_handle_scope(environment_->env(), &scope);
  environment_->call(callback_, 0, nullptr);
  napi_close_handle_scope(environment_->env(), scope);
}

void PollHandle::tell(int value) {
  napi_handle_scope scope;
  napi_open_handle_scope(environment_->env(), &scope);
  napi_value argument = answer(environment_->env(), value);
  environment_->call(callback_, 1, &argument);
  napi_close_handle_scope(environment_->env(), scope);
}

void PollHandle::disown() {
  disowned_ = true;
  freeWhenDone();
}

void PollHandle::freeWhenDone() {
  if (closed_ && disowned_) delete this;
}

PollHandle* PollHandle::of(napi_env env, napi_value external) {
  void* data = nullptr;
  return napi_get_value_external(env, external, &data) == napi_ok ? static_cast<PollHandle*>(data) : nullptr;
}

namespace {

// pollHold(external, on)
napi_value pollHold(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  PollHandle* handle = PollHandle::of(env, in.values[0]);
  bool on;
  if (handle != nullptr && in.boolean(1, &on)) handle->hold(on);
  return nullptr;
}

// pollClose(external)
napi_value pollClose(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  PollHandle* handle = PollHandle::of(env, in.values[0]);
  if (handle != nullptr) handle->shut();
  return nullptr;
}

}  // namespace

void exportPollHandle(Exports& out) {
  out.add("pollHold", pollHold);
  out.add("pollClose", pollClose);
}

}  // namespace multiprocess
