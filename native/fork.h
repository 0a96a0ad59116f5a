// The parts of fork-linux.cc, and what stands in a forked process for what the fork has lost.
#pragma once

#include <node_api.h>

#include <map>

#include "environment.h"

namespace multiprocess {

// ---- fork-threads-linux.cc: the other threads of this process

// How often each of them has gone to sleep, by its thread id.
using SleepCounts = std::map<long, unsigned long>;

// Whether all threads but the calling one sleep: 1, 0, or a negated errno where nobody can tell.
// Notes how often they have gone to sleep: one that woke meanwhile is found by comparing two looks.
int othersSleep(SleepCounts* counts);
// Whether a worker thread of Node runs: 1, 0, or a negated errno. A fork has lost the platform's
// event loop for delayed tasks, which is told from a worker's by `forked`.
int workersAlive(bool forked);

// ---- fork-memory-linux.cc

// Has the child inherit all private anonymous memory. Returns 0 or a negated errno.
int inheritMemory();

// ---- fork-signals-linux.cc

// In the child: what ignoreSignal ignored in its parent is handled again.
void restoreSignals();

// ---- fork-exit-linux.cc: how a fork ends

// Whether this build of Node has a node::AtExit, and a platform that can be stood in for. Call it on
// a thread of Node.
bool findExit();
// In the parent, before its first fork: prepares what ends the child. `exitCode` is a function that
// answers the exit code of the process as it stands. Returns false where findExit does.
bool hookExit(napi_env env, napi_value exitCode);
// In the child: from here on this process ends by _exit, always.
void armExit(napi_env env);
// Whether this process is a fork, and ends as one.
bool isExitArmed();
// The node::Environment that hookExit has found.
void* hookedEnvironment();

// ---- fork-tasks-linux.cc: V8's background tasks

// Once, in the parent, before its first fork: finds the platform. Returns false where this build of
// Node has none that can be stood in for.
bool findPlatform(void* environment);
// In the child, before anything of V8 runs: has a thread of its own run them.
void adoptTasks();
// Has `idle` sent whenever the last one is done.
void tellIdle(uv_async_t* idle);
// Whether some are queued or running.
bool tasksPending();

// ---- fork-loop-linux.cc: the event loop of a running program

// In the parent, before the fork: whether this libuv has its fields where we look for them, and
// node::Environment its timer in itself.
bool knowsLoop(uv_loop_t* loop, void* environment);
// In the child, after uv_loop_fork: nothing that the parent waits for goes on.
void quiesceLoop(uv_loop_t* loop, void* environment);

// ---- fork-end-linux.cc: the natural end of a fork

// The requests that are under way now never end, and keep nothing alive.
void forgetRequests(uv_loop_t* loop);
// In the child: has `onEnd(last)` called when the event loop has nothing left to do: first with
// false ('beforeExit' time), and, if that gave it nothing to do, with true. The loop never returns
// to Node by itself.
int watchEnd(Environment* environment, napi_value onEnd);

}  // namespace multiprocess
