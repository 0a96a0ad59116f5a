// One Node environment (the main thread or a worker thread) and the libuv handles we opened on its
// loop.
//
// Invariant: a Handle is on its environment's list from opening until libuv has called its close
// callback.
// Teardown:  an asynchronous cleanup hook shuts every handle on the list and lets Node go on once the list is
//            empty; only then is the Environment freed. Before that its estate is settled (estate.h). Handles are never touched from another thread, except
//            uv_async_send, which wait-async-linux.cc guards.
#pragma once

#include <node_api.h>
#include <uv.h>

#include "estate.h"

namespace multiprocess {

class Environment;

// A libuv handle with a life of its own. Freed in `closed()`, never by the environment.
class Handle {
 public:
  // Starts closing; must lead to Environment::forget() after libuv's close callback. Idempotent.
  virtual void shut() = 0;

 protected:
  virtual ~Handle() = default;

 private:
  friend class Environment;
  Handle* previous_ = nullptr;
  Handle* next_ = nullptr;
};

class Environment {
 public:
  // Null when Node refuses; an exception is then pending.
  static Environment* create(napi_env env);

  napi_env env() const { return env_; }
  uv_loop_t* loop() const { return loop_; }

  void remember(Handle* handle);
  void forget(Handle* handle);

  // Calls `callback` as an event callback: microtasks and process.nextTick run afterwards, and what
  // it throws becomes an uncaughtException.
  void call(napi_ref callback, size_t argc, const napi_value* argv);

  // Slot of wait-async-linux.cc: this environment's waits, once there was one.
  Handle* waits = nullptr;

  Estate estate;

 private:
  static void cleanup(napi_async_cleanup_hook_handle hook, void* self);
  void finishWhenEmpty();

  napi_env env_ = nullptr;
  uv_loop_t* loop_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  Handle* first_ = nullptr;
  bool closing_ = false;
};

}  // namespace multiprocess
