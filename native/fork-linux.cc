// fork(2) under Node, and what must surround it.
//
// Node must have been started with --single-threaded --v8-pool-size=1 (the check: src/process/fork/options.ts). Then:
//  1. V8 marks its heap MADV_DONTFORK, so that a child would find a hole there. All private anonymous ranges are
//     marked MADV_DOFORK before each fork.
//  2. Other threads do not exist in the child. Each must be asleep while we fork, so that it holds no lock of malloc
//     or of libuv; one waiter alone on a condition variable leaves nothing behind that a signal would wait for. The child
//     waits for our word: where a thread woke after we had looked, it ends before it has done anything, and we try again.
//  3. In the child libuv gets an epoll descriptor of its own before anything else runs on the loop.
//  4. Background tasks of V8 go to a thread of the child's own (fork-tasks-linux.cc), from the first one on: one that still
//     went to the template's queue would be waited for by every worker thread's end, for ever (seen on Node 26).
//  5. Node's teardown joins threads, which in the child are gone: it must leave by _exit, always. process.reallyExit leads
//     there; an exception that nobody catches ends in node::AtExit after Node has printed it; an event loop without
//     work is noticed before Node does (fork-end-linux.cc); and a cleanup hook of the environment catches the rest.
//
// Life: a child must end soon after the process that asked for it, and must outlive the template that forked it.
// PR_SET_PDEATHSIG knows only the template. So the asking process keeps the writing end of a pipe (the lifeline),
// and each child has the kernel send it SIGKILL when that end is closed (fcntl F_SETSIG): no thread, no handler,
// and a child that computes without end is ended too.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "arguments.h"
#include "clock.h"
#include "exports.h"
#include "fork.h"
#include "status.h"

namespace multiprocess {
namespace {

// How a fork ends.
struct Exit {
  napi_env env = nullptr;
  napi_ref code = nullptr;  // () => the exit code of the process as it stands
  int noted = 1;
  void* environment = nullptr;  // the node::Environment
  bool armed = false;
} leaving;

// ---- before

// Reads a small file of /proc as a whole: 0, or a negated errno.
int slurp(const char* path, std::string* out) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  char part[16384];
  ssize_t got;
  out->clear();
  while ((got = read(fd, part, sizeof part)) > 0) out->append(part, static_cast<size_t>(got));
  const int failure = got < 0 ? -errno : 0;
  close(fd);
  return failure;
}

// Whether a look at a thread failed because it has just ended.
bool isGone(int failure) { return failure == -ENOENT || failure == -ESRCH; }

// How often each other thread of this process has gone to sleep.
using Rest = std::map<long, unsigned long>;

// Calls back with the path of each other thread of this process until it answers something but 0. Returns that; a negated errno where the
// threads cannot be listed.
template <typename Look>
int lookAtOthers(Look look) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return -errno;
  const auto self = static_cast<long>(syscall(SYS_gettid));
  int answer = 0;
  while (answer == 0) {
    const dirent* entry = readdir(tasks);
    if (entry == nullptr) break;
    const long task = strtol(entry->d_name, nullptr, 10);
    if (task > 0 && task != self) answer = look(task, "/proc/self/task/" + std::string(entry->d_name));
  }
  closedir(tasks);
  return answer;
}

// Whether all threads but the calling one sleep: 1, 0, or a negated errno where nobody can tell. Says how often they have gone to sleep, so that
// one that woke meanwhile is found out.
int othersSleep(Rest* rest) {
  constexpr int kAwake = 1;
  rest->clear();
  std::string status;
  const int found = lookAtOthers([&](long task, const std::string& path) {
    const int failure = slurp((path + "/status").c_str(), &status);
    if (failure != 0) return isGone(failure) ? 0 : failure;
    const size_t state = status.find("\nState:\t");
    if (state == std::string::npos || status.compare(state + 8, 1, "S") != 0) return kAwake;
    const size_t switches = status.find("\nvoluntary_ctxt_switches:");
    (*rest)[task] = switches == std::string::npos ? 0 : strtoul(status.c_str() + switches + 25, nullptr, 10);
    return 0;
  });
  return found < 0 ? found : found == 0 ? 1 : 0;
}

// Whether another thread of this process has an event loop of Node's, beyond the one that the platform has for its delayed tasks
// (which a fork has lost): a worker thread. It sleeps in epoll_wait, or its name says what it is. 1, 0, or a negated errno.
int workersAlive() {
  int loops = leaving.armed ? 1 : 0;
  bool named = false;
  std::string text;
  const int failure = lookAtOthers([&](long, const std::string& path) {
    int failed = slurp((path + "/comm").c_str(), &text);
    if (failed == 0 && text.rfind("WorkerThread", 0) == 0) named = true;
    if (failed == 0) failed = slurp((path + "/syscall").c_str(), &text);
    // Where the system does not show system calls, the name must do.
    if (failed != 0) return failed == -EMFILE || failed == -ENFILE ? failed : 0;
    const long call = strtol(text.c_str(), nullptr, 10);
#ifdef SYS_epoll_wait
    if (call == SYS_epoll_wait) loops++;
#endif
    if (call == SYS_epoll_pwait) loops++;
    return 0;
  });
  return failure < 0 ? failure : named || loops > 1 ? 1 : 0;
}

// Makes the child inherit all private anonymous memory.
int inheritMemory() {
  std::string maps;
  const int unread = slurp("/proc/self/maps", &maps);
  if (unread != 0) return unread;
  for (size_t at = 0; at < maps.size();) {
    size_t end = maps.find('\n', at);
    if (end == std::string::npos) end = maps.size();
    unsigned long from = 0, to = 0, inode = 1;
    char permissions[5] = "";
    maps[end < maps.size() ? end : maps.size() - 1] = '\0';
    if (sscanf(maps.c_str() + at, "%lx-%lx %4s %*x %*x:%*x %lu", &from, &to, permissions, &inode) == 4 && inode == 0 && permissions[3] == 'p') {
      // Fails for what the kernel maps itself ([vvar]), which the child gets anyway.
      madvise(reinterpret_cast<void*>(from), to - from, MADV_DOFORK);
    }
    at = end + 1;
  }
  return 0;
}

// ---- signals that this process ignores and its children do not

struct sigaction before[65];
bool ignored[65];

int ignore(int number, bool on) {
  if (on == ignored[number]) return 0;
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  const int result = on ? sigaction(number, &action, &before[number]) : sigaction(number, &before[number], nullptr);
  if (result != 0) return -errno;
  ignored[number] = on;
  return 0;
}

// ---- in the child

[[noreturn]] void leaveNow(int code) {
  fflush(nullptr);
  _exit(code);
}

// Node has printed the exception and ends the process next.
void atExit(void*) {
  if (!leaving.armed) return;
  int32_t code = leaving.noted;
  napi_handle_scope scope;
  if (leaving.env != nullptr && napi_open_handle_scope(leaving.env, &scope) == napi_ok) {
    napi_value function, global, result;
    if (napi_get_reference_value(leaving.env, leaving.code, &function) == napi_ok && napi_get_global(leaving.env, &global) == napi_ok &&
        napi_call_function(leaving.env, global, function, 0, nullptr, &result) == napi_ok) {
      napi_get_value_int32(leaving.env, result, &code);
    }
  }
  leaveNow(code);
}

void atCleanup(void*) {
  leaving.env = nullptr;
  if (leaving.armed) leaveNow(leaving.noted);
}

// node::AtExit and how to find its environment, which have been there since Node 10 and are no part of Node-API.
using CurrentIsolate = void* (*)();
using CurrentContext = void* (*)(void* isolate);
using CurrentEnvironment = void* (*)(void* context);
using AtExit = void (*)(void* environment, void (*callback)(void*), void* argument);

template <typename T>
T symbol(const char* name) {
  return reinterpret_cast<T>(dlsym(RTLD_DEFAULT, name));
}

// node::SetProcessExitHandler: where Node ends the process without having called what AtExit was given, such as for an error in
// the handler of an error. Part of node.h since Node 14; without it such an end would join threads that are gone.
void replaceExit(void* environment) {
  using Handler = std::function<void(void* environment, int code)>;
  using SetHandler = void (*)(void* environment, Handler&& handler);
  const auto set = symbol<SetHandler>("_ZN4node21SetProcessExitHandlerEPNS_11EnvironmentEOSt8functionIFvS1_iEE");
  if (set != nullptr) set(environment, [](void*, int code) { leaveNow(code); });
}

bool hookExit() {
  const auto isolate = symbol<CurrentIsolate>("_ZN2v87Isolate10GetCurrentEv");
  const auto context = symbol<CurrentContext>("_ZN2v87Isolate17GetCurrentContextEv");
  const auto environment = symbol<CurrentEnvironment>("_ZN4node21GetCurrentEnvironmentEN2v85LocalINS0_7ContextEEE");
  const auto add = symbol<AtExit>("_ZN4node6AtExitEPNS_11EnvironmentEPFvPvES2_");
  if (isolate == nullptr || context == nullptr || environment == nullptr || add == nullptr) return false;
  void* current = environment(context(isolate()));
  if (current == nullptr || !findPlatform(current)) return false;
  leaving.environment = current;
  add(current, atExit, nullptr);
  return true;
}

// Has the kernel kill this process when the lifeline's writing end is closed. The descriptor is opened anew, since owner
// and signal belong to the open file, which all children would share.
int holdLifeline(int lifeline) {
  const std::string path = "/proc/self/fd/" + std::to_string(lifeline);
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (fcntl(fd, F_SETOWN, getpid()) != 0 || fcntl(fd, F_SETSIG, SIGKILL) != 0 || fcntl(fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC) != 0) {
    const int failure = errno;
    close(fd);
    return -failure;
  }
  // Asked after the signal was ordered: an end in between is seen by one of the two.
  pollfd entry{fd, POLLIN, 0};
  if (poll(&entry, 1, 0) > 0 && (entry.revents & POLLHUP) != 0) _exit(1);
  return fd;
}

// Forks. The child goes on only when `sound` has been asked, in the parent, and answers 1; otherwise it is gone, and the answer is -1.
template <typename Sound>
pid_t forkWaiting(Sound sound, int* failure) {
  int word[2];
  if (pipe2(word, O_CLOEXEC) != 0) {
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
    close(word[1]);
    char go;
    ssize_t got;
    do got = read(word[0], &go, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1) _exit(1);
    for (int number = 1; number <= 64; number++) ignore(number, false);
  }
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  pid_t result = pid;
  if (pid > 0) {
    const int answer = sound();
    if (answer < 0) *failure = answer;
    if (answer == 1) {
      while (write(word[1], "", 1) < 0 && errno == EINTR) {
      }
    } else {
      kill(pid, SIGKILL);
      while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
      result = -1;
    }
    close(word[1]);
  } else if (pid < 0) {
    close(word[1]);
  }
  close(word[0]);
  return result;
}

// ---- exports

// forkProcess(patience, exitCode, running) -> pid, 0 in the child, or a refusal. `patience` in milliseconds: for how long to
// wait until all other threads sleep. `running`: this is a program in full swing, whose worker threads would be missed, and
// whose event loop the child must not go on with.
napi_value forkProcess(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t patience;
  bool running = false;
  napi_valuetype type;
  if (!in.int32(0, &patience) || !in.boolean(2, &running) || napi_typeof(env, in.values[1], &type) != napi_ok || type != napi_function) return answer(env, kBadArgument);
  if (!leaving.armed) {
    // Once, and in the parent: its own exit is not touched while `armed` is false.
    static bool hooked = false;
    if (!hooked) {
      if (!hookExit()) return answer(env, kNoExitHook);
      if (napi_create_reference(env, in.values[1], 1, &leaving.code) != napi_ok) return answer(env, kBadArgument);
      leaving.env = env;
      hooked = true;
    }
  }
  if (running && !knowsLoop(in.environment->loop(), leaving.environment)) return answer(env, kUnknownLoop);
  pid_t pid = -1;
  const int64_t deadline = milliseconds() + patience;
  while (pid < 0) {
    const int workers = running ? workersAlive() : 0;
    if (workers != 0) return answer(env, workers < 0 ? workers : static_cast<int>(kThreadsAlive));
    if (milliseconds() > deadline) return answer(env, kThreadsBusy);
    Rest before, after;
    const int rest = othersSleep(&before);
    if (rest < 0) return answer(env, rest);
    if (rest == 0) {
      poll(nullptr, 0, 1);  // a thread that works tells nobody when it is done
      continue;
    }
    int failure = inheritMemory();
    if (failure != 0) return answer(env, failure);
    fflush(nullptr);
    pid = forkWaiting(
        [&] {
          const int still = othersSleep(&after);
          return still < 1 ? still : after == before ? 1 : 0;
        },
        &failure);
    if (failure != 0) return answer(env, failure);
  }
  if (pid > 0) return answer(env, static_cast<int>(pid));
  adoptTasks();
  const int broken = uv_loop_fork(in.environment->loop());
  if (broken != 0) {
    fprintf(stderr, "multiprocess: the event loop could not be taken over by a fork: %s\n", uv_strerror(broken));
    _exit(1);
  }
  if (running) stillLoop(in.environment->loop(), leaving.environment);
  if (!leaving.armed) {
    replaceExit(leaving.environment);
    napi_add_env_cleanup_hook(env, atCleanup, nullptr);
  }
  leaving.armed = true;
  return answer(env, 0);
}

// watchEnd(callback): in the child, calls back when the event loop has nothing left to do: (false), and then perhaps (true)
napi_value watchEndOf(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  return answer(env, watchEnd(in.environment, in.values[0]));
}

// leaveProcess(code): ends this process without Node's teardown
napi_value leaveProcess(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t code = 1;
  in.int32(0, &code);
  leaveNow(code);
}

// noteExitCode(code): what the process ends with where nobody can be asked
napi_value noteExitCode(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t code;
  if (in.int32(0, &code)) leaving.noted = code;
  return nullptr;
}

// bindLifeline(fd) -> the descriptor that binds this process's life
napi_value bindLifeline(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  return answer(env, holdLifeline(fd));
}

// ignoreSignal(signal): ignores it here, but not in processes forked from here
napi_value ignoreSignal(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t number;
  if (!in.int32(0, &number) || number < 1 || number > 64) return answer(env, kBadArgument);
  return answer(env, ignore(number, true));
}

}  // namespace

void exportFork(Exports& out) {
  out.add("forkProcess", forkProcess);
  out.add("watchEnd", watchEndOf);
  out.add("leaveProcess", leaveProcess);
  out.add("noteExitCode", noteExitCode);
  out.add("bindLifeline", bindLifeline);
  out.add("ignoreSignal", ignoreSignal);
}

}  // namespace multiprocess
