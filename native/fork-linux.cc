// fork(2) under Node, and what must surround it.
//
// Node must have been started with --single-threaded --v8-pool-size=1 (the check:
// src/process/fork/options.ts). Then:
//  1. V8 marks its heap MADV_DONTFORK, so that a child would find a hole there. All private
//     anonymous ranges are marked MADV_DOFORK before each fork (fork-memory-linux.cc).
//  2. Other threads do not exist in the child. Each must be asleep while we fork, so that it holds
//     no lock of malloc or of libuv (fork-threads-linux.cc). One waiter alone on a condition
//     variable leaves nothing behind that a signal would wait for. The child waits for a byte of
//     ours: where a thread woke after we had looked, it ends before it has done anything, and we
//     try again.
//  3. In the child libuv gets an epoll descriptor of its own before anything else runs on the loop.
//     In a copy of a running program nothing that the parent waits for goes on
//     (fork-loop-linux.cc).
//  4. Background tasks of V8 go to a thread of the child's own from the first one on
//     (fork-tasks-linux.cc). One that still went to the template's queue would be waited for by
//     every worker thread's end, for ever (seen on Node 26).
//  5. A fork leaves by _exit, always (fork-exit-linux.cc).
//
// A template's child lives no longer than the process that asked for it: lifeline-linux.cc.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "arguments.h"
#include "clock.h"
#include "exports.h"
#include "fork.h"
#include "status.h"

namespace multiprocess {
namespace {

// Forks. The child waits for a byte that is written when `sound`, asked in the parent, answers 1.
// Otherwise the child is killed, and the result is -1.
template <typename Sound>
pid_t forkWaiting(Sound sound, int* failure) {
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) {
    *failure = -errno;
    return -1;
  }
  // A signal that comes at once waits until the child handles it as its own.
  sigset_t every, mask;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &mask);
  const pid_t pid = fork();
  if (pid < 0) *failure = -errno;
  if (pid == 0) {
    close(gate[1]);
    char go;
    ssize_t got;
    do got = read(gate[0], &go, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1) _exit(1);
    restoreSignals();
  }
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  pid_t result = pid;
  if (pid > 0) {
    const int answer = sound();
    if (answer < 0) *failure = answer;
    if (answer == 1) {
      while (write(gate[1], "", 1) < 0 && errno == EINTR) {
      }
    } else {
      kill(pid, SIGKILL);
      while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
      result = -1;
    }
    close(gate[1]);
  } else if (pid < 0) {
    close(gate[1]);
  }
  close(gate[0]);
  return result;
}

// forkProcess(timeout, exitCode, running) -> pid, 0 in the child, or a refusal. `timeout`: for how
// many milliseconds to wait until all other threads sleep. `running`: this is a program in full
// swing, whose worker threads would be missed, and whose event loop the child must not go on with.
napi_value forkProcess(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t timeout;
  bool running = false;
  napi_valuetype type;
  if (!in.int32(0, &timeout) || !in.boolean(2, &running) || napi_typeof(env, in.values[1], &type) != napi_ok ||
      type != napi_function) {
    return answer(env, kBadArgument);
  }
  if (!hookExit(env, in.values[1])) return answer(env, kNoExitHook);
  uv_loop_t* loop = in.environment->loop();
  if (running && !knowsLoop(loop, hookedEnvironment())) return answer(env, kUnknownLoop);
  pid_t pid = -1;
  const int64_t deadline = milliseconds() + timeout;
  while (pid < 0) {
    const int workers = running ? workersAlive(isExitArmed()) : 0;
    if (workers != 0) return answer(env, workers < 0 ? workers : static_cast<int>(kThreadsAlive));
    if (milliseconds() > deadline) return answer(env, kThreadsBusy);
    SleepCounts before, after;
    const int asleep = othersSleep(&before);
    if (asleep < 0) return answer(env, asleep);
    if (asleep == 0) {
      poll(nullptr, 0, 1);  // a thread that works tells nobody when it is done
      continue;
    }
    int failure = inheritMemory();
    if (failure != 0) return answer(env, failure);
    fflush(nullptr);
    pid = forkWaiting(
        [&] {
          const int again = othersSleep(&after);
          return again < 1 ? again : after == before ? 1 : 0;
        },
        &failure);
    if (failure != 0) return answer(env, failure);
  }
  if (pid > 0) return answer(env, static_cast<int>(pid));
  adoptTasks();
  const int broken = uv_loop_fork(loop);
  if (broken != 0) {
    fprintf(stderr, "multiprocess: the event loop could not be taken over by a fork: %s\n", uv_strerror(broken));
    _exit(1);
  }
  if (running) quiesceLoop(loop, hookedEnvironment());
  armExit(env);
  return answer(env, 0);
}

}  // namespace

void exportFork(Exports& out) { out.add("forkProcess", forkProcess); }

}  // namespace multiprocess
