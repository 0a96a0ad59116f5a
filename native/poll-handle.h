// A descriptor of ours that libuv polls for reading, and a callback of JavaScript for it: what
// doorbells and watchers have in common.
//
// Ownership: JavaScript has it as an external. It is freed when both libuv has closed the handle
// and JavaScript has dropped that.
#pragma once

#include <node_api.h>

#include "environment.h"

namespace multiprocess {

class PollHandle : public Handle {
 public:
  // Begins to poll, and makes the external. 0, or a negated errno; then the descriptor is closed
  // and this is gone, now or soon.
  int open(napi_value callback, napi_value* external);

  // Whether the event loop stays alive for it.
  void hold(bool on);

  void shut() override;

  // What `open` made; null for anything else.
  static PollHandle* of(napi_env env, napi_value external);

 protected:
  PollHandle(Environment* environment, int fd) : environment_(environment), fd_(fd) {}
  ~PollHandle() override = default;

  virtual void readable(int status) = 0;

  // Calls back, with a number or with nothing.
  void tell();
  void tell(int value);

  Environment* environment() const { return environment_; }
  int fd() const { return fd_; }
  bool isShut() const { return shut_; }

 private:
  void disown();
  void freeWhenDone();

  Environment* environment_;
  uv_poll_t poll_;
  napi_ref callback_ = nullptr;
  int fd_;
  bool shut_ = false;
  bool closed_ = false;
  bool disowned_ = false;
};

}  // namespace multiprocess
