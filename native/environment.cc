#include "environment.h"

namespace multiprocess {

Environment* Environment::create(napi_env env) {
  auto* self = new Environment();
  self->env_ = env;
  napi_value name;
  if (napi_get_uv_event_loop(env, &self->loop_) != napi_ok ||
      napi_create_string_utf8(env, "multiprocess", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, nullptr, name, &self->context_) != napi_ok ||
      napi_add_async_cleanup_hook(env, cleanup, self, &self->hook_) != napi_ok) {
    delete self;
    return nullptr;
  }
  return self;
}

void Environment::remember(Handle* handle) {
  handle->next_ = first_;
  if (first_ != nullptr) first_->previous_ = handle;
  first_ = handle;
}

void Environment::forget(Handle* handle) {
  if (handle->previous_ != nullptr) handle->previous_->next_ = handle->next_;
  else first_ = handle->next_;
  if (handle->next_ != nullptr) handle->next_->previous_ = handle->previous_;
  handle->previous_ = handle->next_ = nullptr;
  finishWhenEmpty();
}

void Environment::call(napi_ref reference, size_t argc, const napi_value* argv) {
  napi_value callback, global, ignored;
  if (napi_get_reference_value(env_, reference, &callback) != napi_ok || callback == nullptr) return;
  if (napi_get_global(env_, &global) != napi_ok) return;
  if (napi_make_callback(env_, context_, global, callback, argc, argv, &ignored) == napi_ok) return;
  // A callback that threw, or an environment that is being terminated: then nothing is pending and
  // nothing is to do.
  bool pending = false;
  napi_value error;
  if (napi_is_exception_pending(env_, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env_, &error) == napi_ok) {
    napi_fatal_exception(env_, error);
  }
}

void Environment::cleanup(napi_async_cleanup_hook_handle, void* data) {
  auto* self = static_cast<Environment*>(data);
  self->closing_ = true;
  if (self->context_ != nullptr) napi_async_destroy(self->env_, self->context_);
  self->context_ = nullptr;
  for (Handle* handle = self->first_; handle != nullptr; handle = handle->next_) handle->shut();
  self->estate.settle();
  self->finishWhenEmpty();
}

void Environment::finishWhenEmpty() {
  if (!closing_ || first_ != nullptr) return;
  napi_remove_async_cleanup_hook(hook_);
  delete this;
}

}  // namespace multiprocess
