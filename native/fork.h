// The parts of a forked process that stand in for what the fork has lost.
#pragma once

#include <node_api.h>

#include "environment.h"

namespace multiprocess {

// fork-tasks-linux.cc: V8's background tasks. Once, in the parent, before its first fork: finds the platform. False where this
// build of Node has none that can be stood in for.
bool findPlatform(void* environment);
// In the child, before anything of V8 runs: has a thread of its own run them.
void adoptTasks();
// Has `idle` sent whenever the last one is done.
void tellIdle(uv_async_t* idle);
// Whether some are queued or running.
bool tasksPending();

// fork-loop-linux.cc: whether this libuv has its fields where we look for them, and node::Environment
// its timer in itself. In the parent, before the fork.
bool knowsLoop(uv_loop_t* loop, void* environment);
// In the child of a running program, after uv_loop_fork: nothing that the parent waits for goes on.
void stillLoop(uv_loop_t* loop, void* environment);

// fork-end-linux.cc: the requests that are under way now never end, and keep nothing alive.
void forgetRequests(uv_loop_t* loop);
// fork-end-linux.cc: in the child, has `onEnd(last)` called when the event loop has nothing left to do: first with false
// ('beforeExit' time), and, if that gave it nothing to do, with true. The loop never returns to Node by itself.
int watchEnd(Environment* environment, napi_value onEnd);

}  // namespace multiprocess
