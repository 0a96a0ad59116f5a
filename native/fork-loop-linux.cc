// The event loop that a fork of a running program finds: the copy of its parent's, with everything
// the parent waits for.
//
// None of it may go on in the child, and none of it may be closed there: its owners are JavaScript
// objects of the parent, which the child may still close itself, and closing would call them back.
// So the handles stay, and are stopped:
//
//   readers, polls, file watches  stopped by libuv's own calls
//   every watched descriptor      taken out of the loop's table (what uv__io_stop does); starting it again works
//   timers                        stopped, but for Node's one, whose lists JavaScript empties, and V8's tasks
//   results of the thread pool    forgotten; pending callbacks too, and handles that were being closed
//   requests under way            never end: they are counted, and subtracted where the loop is asked whether it is alive
//   all that kept the loop alive  does not any more
//
// Signals are left alone: as in any fork(2) the child handles them as its parent did. uv_loop_fork
// has given the loop its own epoll instance before, and the parent's was never touched.
//
// libuv has no calls for some of this. The fields that are used are in its public headers and have
// not changed since 1.0; that this build has them where we look is checked before the fork.
#include <malloc.h>

#include "arguments.h"
#include "environment.h"
#include "exports.h"
#include "fork.h"

namespace multiprocess {
namespace {

// A queue of libuv: `void*[2]`, or since 1.47 a struct, with the same meaning.
struct Links {
  Links* next;
  Links* previous;
};

template <typename T>
Links* links(T* queue) {
  static_assert(sizeof(T) == sizeof(Links));
  return reinterpret_cast<Links*>(queue);
}

void clear(Links* queue) { queue->next = queue->previous = queue; }

void unlink(Links* node) {
  node->previous->next = node->next;
  node->next->previous = node->previous;
  clear(node);
}

bool within(const uv_loop_t* loop, const void* address) { return address >= loop && address < loop + 1; }

// Where Node's Environment lies. Its timer is a member of it, and is the one that every timer of
// JavaScript uses.
struct Place {
  const char* from;
  size_t size;
  bool holds(const void* address) const { return address >= from && address < from + size; }
};

void quiesceHandle(uv_handle_t* handle, const Place& node) {
  switch (handle->type) {
    case UV_TCP:
    case UV_NAMED_PIPE:
    case UV_TTY:
      if (!uv_is_closing(handle)) uv_read_stop(reinterpret_cast<uv_stream_t*>(handle));
      break;
    case UV_UDP:
      if (!uv_is_closing(handle)) uv_udp_recv_stop(reinterpret_cast<uv_udp_t*>(handle));
      break;
    case UV_POLL:
      if (!uv_is_closing(handle)) uv_poll_stop(reinterpret_cast<uv_poll_t*>(handle));
      break;
    case UV_FS_EVENT:
      if (!uv_is_closing(handle)) uv_fs_event_stop(reinterpret_cast<uv_fs_event_t*>(handle));
      break;
    case UV_FS_POLL:
      if (!uv_is_closing(handle)) uv_fs_poll_stop(reinterpret_cast<uv_fs_poll_t*>(handle));
      break;
    case UV_TIMER: {
      auto* timer = reinterpret_cast<uv_timer_t*>(handle);
      // V8's delayed tasks are timers too, which keep nothing alive.
      if (node.holds(timer) || uv_has_ref(handle) == 0) return;
      uv_timer_stop(timer);
      break;
    }
    case UV_ASYNC:
    case UV_PROCESS:
      break;
    default:
      return;  // Node's own phases, and signals
  }
  uv_unref(handle);
}

// How many forks of running programs lie between this process and the first one.
unsigned copies = 0;

// One call of JavaScript from the loop itself: nothing of the program is on the stack, and no
// microtask is left from before.
class LoopCall final : public Handle {
 public:
  LoopCall(Environment* environment, napi_value callback) : environment_(environment) {
    napi_create_reference(environment->env(), callback, 1, &callback_);
    uv_prepare_init(environment->loop(), &prepare_);
    prepare_.data = this;
    environment->remember(this);
    uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { static_cast<LoopCall*>(handle->data)->reached(); });
  }

  void shut() override {
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&prepare_))) return;
    napi_delete_reference(environment_->env(), callback_);
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), [](uv_handle_t* handle) {
      auto* self = static_cast<LoopCall*>(handle->data);
      self->environment_->forget(self);
      delete self;
    });
  }

 private:
  ~LoopCall() override = default;

  void reached() {
    uv_prepare_stop(&prepare_);
    // Several may be due in one turn, and one of them forks: the others are the parent's.
    if (made_ != copies) return shut();
    napi_env env = environment_->env();
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    environment_->call(callback_, 0, nullptr);
    napi_close_handle_scope(env, scope);
    shut();
  }

  Environment* environment_;
  uv_prepare_t prepare_;
  unsigned made_ = copies;
  napi_ref callback_ = nullptr;
};

// callFromLoop(callback): calls back once, soon, from the event loop and from nowhere else
napi_value callFromLoop(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  new LoopCall(in.environment, in.values[0]);
  return nullptr;
}

}  // namespace

bool knowsLoop(uv_loop_t* loop, void* environment) {
  // Its first timer is Node's.
  const Place node{static_cast<char*>(environment), malloc_usable_size(environment)};
  bool timed = false;
  auto look = [&](uv_handle_t* handle) { timed = timed || (handle->type == UV_TIMER && node.holds(handle)); };
  uv_walk(loop, [](uv_handle_t* handle, void* data) { (*static_cast<decltype(look)*>(data))(handle); }, &look);
  if (!timed) return false;
  if (loop->backend_fd != uv_backend_fd(loop) || loop->time != uv_now(loop)) return false;
  unsigned watched = 0;
  for (unsigned fd = 0; fd < loop->nwatchers; fd++) {
    const uv__io_t* watcher = loop->watchers[fd];
    if (watcher == nullptr) continue;
    if (watcher->fd != static_cast<int>(fd)) return false;
    watched++;
  }
  if (watched != loop->nfds) return false;
  for (auto* queue : {links(&loop->wq), links(&loop->pending_queue), links(&loop->watcher_queue)}) {
    if (queue->next->previous != queue || queue->previous->next != queue) return false;
  }
  return true;
}

void quiesceLoop(uv_loop_t* loop, void* environment) {
  Place node{static_cast<char*>(environment), malloc_usable_size(environment)};
  uv_walk(loop, [](uv_handle_t* handle, void* data) { quiesceHandle(handle, *static_cast<Place*>(data)); }, &node);
  for (unsigned fd = 0; fd < loop->nwatchers; fd++) {
    uv__io_t* watcher = loop->watchers[fd];
    // The loop's own are its async and signal pipes, which are the child's own by now, and inotify.
    if (watcher == nullptr || within(loop, watcher)) continue;
    watcher->pevents = watcher->events = 0;
    unlink(links(&watcher->watcher_queue));
    loop->watchers[fd] = nullptr;
    loop->nfds--;
  }
  Links* pending = links(&loop->pending_queue);
  while (pending->next != pending) unlink(pending->next);
  clear(links(&loop->wq));
  loop->closing_handles = nullptr;
  forgetRequests(loop);
  copies++;
}

void exportForkLoop(Exports& out) { out.add("callFromLoop", callFromLoop); }

}  // namespace multiprocess
