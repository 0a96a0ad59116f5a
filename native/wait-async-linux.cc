// Asynchronous waits of one environment: from JavaScript to the waiter threads and back.
//
// Waits are known to JavaScript by a number it chose. A thread that ends a wait appends it to
// `done` and sends the uv_async once; the loop then delivers all of `done` through one callback, as
// pairs (id, outcome) written into an Int32Array that JavaScript gave at the start. Every wait is
// delivered exactly once; until then its mapping is pinned here and its SharedArrayBuffer is held
// by JavaScript. Teardown: all waits are cancelled, and the environment's end blocks until no
// thread holds one (microseconds; up to 50 ms without futex_waitv), since its SharedArrayBuffers
// may go away next.
#include <cerrno>
#include <unordered_map>
#include <vector>

#include "arguments.h"
#include "exports.h"
#include "status.h"
#include "waiter.h"

namespace multiprocess {
namespace {

class Waits final : public Handle, public WaitSink {
 public:
  static int open(Environment* environment, napi_value callback, napi_value results) {
    auto* self = new Waits(environment);
    napi_env env = environment->env();
    void* room;
    napi_get_typedarray_info(env, results, nullptr, &self->room_, &room, nullptr, nullptr);
    self->results_ = static_cast<int32_t*>(room);
    napi_create_reference(env, results, 1, &self->resultsReference_);
    napi_create_reference(env, callback, 1, &self->callback_);
    const int failure = uv_async_init(environment->loop(), &self->async_, [](uv_async_t* async) { static_cast<Waits*>(async->data)->deliver(); });
    if (failure != 0) {
      self->dropReferences();
      delete self;
      return failure;
    }
    self->async_.data = self;
    uv_unref(reinterpret_cast<uv_handle_t*>(&self->async_));
    environment->remember(self);
    environment->waits = self;
    return 0;
  }

  int start(uint32_t id, Word* word, Word expected, double timeout, bool mapped) {
    if (load(word) != expected) return 1;
    Mapping* mapping = mapped ? pinMapping(word) : nullptr;
    auto* wait = new Wait{word, expected, deadlineAfter(timeout), mapping, this, id};
    std::unique_lock<std::mutex> lock(waitLock());
    const int failure = submitWait(wait);
    if (failure == 0) {
      byId_.emplace(id, wait);
      return 0;
    }
    lock.unlock();
    release(wait);
    return failure;
  }

  void cancel(uint32_t id) {
    std::lock_guard<std::mutex> guard(waitLock());
    auto found = byId_.find(id);
    if (found != byId_.end()) cancelWait(found->second);
  }

  void hold(bool on) {
    auto* handle = reinterpret_cast<uv_handle_t*>(&async_);
    if (on) uv_ref(handle);
    else uv_unref(handle);
  }

  void settled(Wait* wait) override {
    done_.push_back(wait);
    if (done_.size() == 1 && !shut_) uv_async_send(&async_);
  }

  void shut() override {
    if (shut_) return;
    std::unique_lock<std::mutex> lock(waitLock());
    shut_ = true;
    for (auto& [id, wait] : byId_) cancelWait(wait);
    awaitSettled(this, lock);
    std::vector<Wait*> rest;
    rest.swap(done_);
    lock.unlock();
    for (Wait* wait : rest) release(wait);
    byId_.clear();
    environment_->waits = nullptr;
    dropReferences();
    uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
      auto* self = static_cast<Waits*>(handle->data);
      self->environment_->forget(self);
      delete self;
    });
  }

 private:
  explicit Waits(Environment* environment) : environment_(environment) {}
  ~Waits() override = default;

  void deliver() {
    std::vector<Wait*> batch;
    {
      std::lock_guard<std::mutex> guard(waitLock());
      batch.swap(done_);
    }
    napi_env env = environment_->env();
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    size_t at = 0;
    while (at < batch.size()) {
      size_t used = 0;
      {
        // Here, not before the loop: the callback of an earlier part may have cancelled waits of
        // this one.
        std::lock_guard<std::mutex> guard(waitLock());
        for (; at < batch.size() && used + 2 <= room_; at++, used += 2) {
          results_[used] = static_cast<int32_t>(batch[at]->id);
          results_[used + 1] = batch[at]->outcome;
          byId_.erase(batch[at]->id);
        }
      }
      for (size_t i = at - used / 2; i < at; i++) release(batch[i]);
      napi_value count;
      napi_create_uint32(env, static_cast<uint32_t>(used / 2), &count);
      environment_->call(callback_, 1, &count);
    }
    napi_close_handle_scope(env, scope);
  }

  static void release(Wait* wait) {
    if (wait->mapping != nullptr) unpinMapping(wait->mapping);
    delete wait;
  }

  void dropReferences() {
    napi_delete_reference(environment_->env(), callback_);
    napi_delete_reference(environment_->env(), resultsReference_);
  }

  Environment* environment_;
  uv_async_t async_;
  napi_ref callback_ = nullptr;
  napi_ref resultsReference_ = nullptr;
  int32_t* results_ = nullptr;
  size_t room_ = 0;
  bool shut_ = false;
  std::vector<Wait*> done_;                     // with the lock
  std::unordered_map<uint32_t, Wait*> byId_;    // with the lock
};

// waitOpen(callback, results): once, before the first waitStart
napi_value waitOpen(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  napi_typedarray_type type;
  if (in.environment->waits != nullptr) return answer(env, -EEXIST);
  if (napi_get_typedarray_info(env, in.values[1], &type, nullptr, nullptr, nullptr, nullptr) != napi_ok || type != napi_int32_array) {
    return answer(env, kBadArgument);
  }
  return answer(env, Waits::open(in.environment, in.values[0], in.values[1]));
}

// waitStart(id, words, index, expected, timeout) -> 0 started, 1 the word has changed already
napi_value waitStart(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  auto* waits = static_cast<Waits*>(in.environment->waits);
  int refusal = 0;
  int32_t id, expected;
  double timeout;
  bool mapped = false;
  if (waits == nullptr) return answer(env, kBadArgument);
  Word* word = wordOf(env, in.values[1], in.values[2], &refusal, &mapped);
  if (word == nullptr) return answer(env, refusal);
  if (!in.int32(0, &id) || !in.int32(3, &expected) || !in.number(4, &timeout)) return answer(env, kBadArgument);
  return answer(env, waits->start(static_cast<uint32_t>(id), word, static_cast<Word>(expected), timeout, mapped));
}

// waitCancel(id): ends soon as cancelled, and is delivered like the others
napi_value waitCancel(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  auto* waits = static_cast<Waits*>(in.environment->waits);
  int32_t id;
  if (waits != nullptr && in.int32(0, &id)) waits->cancel(static_cast<uint32_t>(id));
  return nullptr;
}

// waitHold(on): whether waits keep the loop alive
napi_value waitHold(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  auto* waits = static_cast<Waits*>(in.environment->waits);
  bool on;
  if (waits != nullptr && in.boolean(0, &on)) waits->hold(on);
  return nullptr;
}

}  // namespace

void exportWaitAsync(Exports& out) {
  out.add("waitOpen", waitOpen);
  out.add("waitStart", waitStart);
  out.add("waitCancel", waitCancel);
  out.add("waitHold", waitHold);
}

}  // namespace multiprocess
