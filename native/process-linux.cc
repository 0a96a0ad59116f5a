// What a process or thread can ask of the kernel about itself and its children.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "arguments.h"
#include "exports.h"
#include "pidfd.h"
#include "status.h"

namespace multiprocess {
namespace {

// setParentDeathSignal(signal, expectedParent) -> 1 set, 0 the parent is gone already
napi_value setParentDeathSignal(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t signal, parent;
  if (!in.int32(0, &signal) || !in.int32(1, &parent)) return answer(env, kBadArgument);
  if (prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0) return answer(env, -errno);
  // Asked after the prctl: a parent that dies in between is seen by one of the two.
  return answer(env, getppid() == parent ? 1 : 0);
}

// openProcess(pid) -> a descriptor that becomes readable when the process ends
napi_value openProcess(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t pid;
  if (!in.int32(0, &pid)) return answer(env, kBadArgument);
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return answer(env, fd >= 0 ? in.environment->estate.keep(fd) : -errno);
}

// pinThread(tid, cpu) -> 0: the thread, 0 the calling one, runs on this CPU only from here on
napi_value pinThread(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t tid, cpu;
  if (!in.int32(0, &tid) || !in.int32(1, &cpu) || cpu < 0) return answer(env, kBadArgument);
  cpu_set_t* set = CPU_ALLOC(cpu + 1);
  if (set == nullptr) return answer(env, -ENOMEM);
  const size_t size = CPU_ALLOC_SIZE(cpu + 1);
  CPU_ZERO_S(size, set);
  CPU_SET_S(cpu, size, set);
  const int result = sched_setaffinity(tid, size, set) == 0 ? 0 : -errno;
  CPU_FREE(set);
  return answer(env, result);
}

// childStatus(pid) -> 0 running, 1 + code exited, 1000 + number ended by a signal. Does not reap.
napi_value childStatus(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t pid;
  if (!in.int32(0, &pid)) return answer(env, kBadArgument);
  siginfo_t status{};
  if (waitid(P_PID, pid, &status, WEXITED | WNOHANG | WNOWAIT) != 0) return answer(env, -errno);
  if (status.si_pid == 0) return answer(env, 0);
  return answer(env, status.si_code == CLD_EXITED ? 1 + status.si_status : 1000 + status.si_status);
}

// reapProcess(pid) -> 0 running, 1 + code exited, 1000 + number ended by a signal; it is gone then
napi_value reapProcess(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t pid;
  if (!in.int32(0, &pid)) return answer(env, kBadArgument);
  int status;
  pid_t got;
  do got = waitpid(pid, &status, WNOHANG);
  while (got < 0 && errno == EINTR);
  if (got < 0) return answer(env, -errno);
  if (got == 0) return answer(env, 0);
  return answer(env, WIFEXITED(status) ? 1 + WEXITSTATUS(status) : 1000 + WTERMSIG(status));
}

// signalProcess(pidfd, signal): to this very process, never to another one that has its pid by now
napi_value signalProcess(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t fd, number;
  if (!in.int32(0, &fd) || !in.int32(1, &number)) return answer(env, kBadArgument);
  return answer(env, syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0) == 0 ? 0 : -errno);
}

// Whether `id` names a child of ours that runs: 1, or 0 when it has ended, or a negated errno
// (ECHILD: it is none of ours). Does not reap.
int runsAsChild(idtype_t type, int id) {
  siginfo_t status{};
  if (waitid(type, static_cast<id_t>(id), &status, WEXITED | WNOHANG | WNOWAIT) != 0) return -errno;
  return status.si_pid == 0 ? 1 : 0;
}

// signalChild(pid, signal): to a child of this process that runs, and to nobody else: neither to a
// process group, nor to a stranger that has the pid by now. Answers 0 also when there is no such
// child.
napi_value signalChild(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t pid, number;
  if (!in.int32(0, &pid) || !in.int32(1, &number)) return answer(env, kBadArgument);
  if (pid <= 0) return answer(env, 0);
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    if (errno == ESRCH || errno == EINVAL) return answer(env, 0);
    // No descriptor is left. A child keeps its pid until it is reaped, which the event loop of this
    // very thread does.
    if (runsAsChild(P_PID, pid) != 1) return answer(env, 0);
    return answer(env, kill(pid, number) == 0 || errno == ESRCH ? 0 : -errno);
  }
  int result = 0;
  // A kernel before 5.4 knows no children by descriptor.
  int runs = runsAsChild(kByDescriptor, fd);
  if (runs == -EINVAL) runs = runsAsChild(P_PID, pid);
  if (runs == 1 && syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0) != 0 && errno != ESRCH) result = -errno;
  close(fd);
  return answer(env, result);
}

// sendSignal(pid, signal) -> 0 or a negated errno: kill(2), and nothing else
napi_value sendSignal(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t pid, number;
  if (!in.int32(0, &pid) || !in.int32(1, &number)) return answer(env, kBadArgument);
  return answer(env, kill(pid, number) == 0 ? 0 : -errno);
}

// yieldThread(): lets another thread that waits for this core run first
napi_value yieldThread(napi_env env, napi_callback_info) {
  sched_yield();
  return nullptr;
}

// threadId() -> the kernel's id of the calling thread
napi_value threadId(napi_env env, napi_callback_info) { return answer(env, static_cast<int>(syscall(SYS_gettid))); }

}  // namespace

void exportProcess(Exports& out) {
  out.add("setParentDeathSignal", setParentDeathSignal);
  out.add("pinThread", pinThread);
  out.add("openProcess", openProcess);
  out.add("childStatus", childStatus);
  out.add("reapProcess", reapProcess);
  out.add("signalProcess", signalProcess);
  out.add("signalChild", signalChild);
  out.add("sendSignal", sendSignal);
  out.add("threadId", threadId);
  out.add("yieldThread", yieldThread);
}

}  // namespace multiprocess
