// The natural end of a forked process.
//
// When an event loop has nothing left to do, Node first waits for its platform's threads and then
// tears down, neither of which a fork survives. So the loop is kept from ending: a handle of ours
// is always alive, looks before each wait whether anything else is, and, if not, does what Node
// does: 'beforeExit', and, if that brought nothing, the end.
//
// Messages between threads (a worker's, V8's tasks for this thread) do not count as alive while
// they are under way. So the end is believed only after two turns that did not wait and found
// nothing.
#include "arguments.h"
#include "exports.h"
#include "fork.h"

namespace multiprocess {
namespace {

struct End {
  Environment* environment;
  napi_ref callback;
  uv_prepare_t look;   // alive: before each wait
  uv_idle_t hurry;     // while active no turn waits
  uv_async_t tasks;    // V8's last background task is done
  uint64_t events = 0;
  int quiet = 0;
  unsigned forgotten = 0;  // requests that the parent had under way
} end;

bool alive(uv_loop_t* loop) {
  auto* mine = reinterpret_cast<uv_handle_t*>(&end.look);
  uv_unref(mine);
  const unsigned requests = loop->active_reqs.count;
  loop->active_reqs.count = requests > end.forgotten ? requests - end.forgotten : 0;
  const bool other = uv_loop_alive(loop) != 0;
  loop->active_reqs.count = requests;
  uv_ref(mine);
  return other || tasksPending();
}

void call(bool last) {
  napi_env env = end.environment->env();
  napi_handle_scope scope;
  napi_value argument;
  napi_open_handle_scope(env, &scope);
  napi_get_boolean(env, last, &argument);
  end.environment->call(end.callback, 1, &argument);
  napi_close_handle_scope(env, scope);
}

void look(uv_prepare_t* handle) {
  uv_loop_t* loop = handle->loop;
  if (alive(loop)) {
    if (end.quiet > 0) uv_idle_stop(&end.hurry);
    end.quiet = 0;
    return;
  }
  uv_metrics_t metrics;
  uv_metrics_info(loop, &metrics);
  if (end.quiet == 0) {
    uv_idle_start(&end.hurry, [](uv_idle_t*) {});
    end.quiet = 1;
  } else if (metrics.events == end.events) {
    end.quiet++;
  } else {
    end.quiet = 1;
  }
  end.events = metrics.events;
  if (end.quiet <= 2) return;
  call(false);
  if (!alive(loop)) call(true);
  end.quiet = 1;
}

}  // namespace

void forgetRequests(uv_loop_t* loop) { end.forgotten = loop->active_reqs.count; }

int watchEnd(Environment* environment, napi_value onEnd) {
  uv_loop_t* loop = environment->loop();
  if (end.environment != nullptr) {
    // The fork of a fork has the handles already; only whom to call is new.
    napi_delete_reference(environment->env(), end.callback);
    napi_create_reference(environment->env(), onEnd, 1, &end.callback);
    tellIdle(&end.tasks);
    return 0;
  }
  end.environment = environment;
  napi_create_reference(environment->env(), onEnd, 1, &end.callback);
  uv_prepare_init(loop, &end.look);
  uv_idle_init(loop, &end.hurry);
  uv_unref(reinterpret_cast<uv_handle_t*>(&end.hurry));
  const int failure = uv_async_init(loop, &end.tasks, [](uv_async_t*) {});
  if (failure != 0) return failure;
  uv_unref(reinterpret_cast<uv_handle_t*>(&end.tasks));
  uv_prepare_start(&end.look, look);
  tellIdle(&end.tasks);
  return 0;
}

namespace {

// watchEnd(callback): in the child, calls back when the event loop has nothing left to do: (false),
// and then perhaps (true)
napi_value watchEndOf(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  return answer(env, watchEnd(in.environment, in.values[0]));
}

}  // namespace

void exportForkEnd(Exports& out) { out.add("watchEnd", watchEndOf); }

}  // namespace multiprocess
