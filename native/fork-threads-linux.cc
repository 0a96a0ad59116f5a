// What the other threads of a process that forks are doing, by /proc/self/task.
#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "fork.h"
#include "proc-file.h"

namespace multiprocess {
namespace {

// Whether a look at a thread failed because it has just ended.
bool isGone(int failure) { return failure == -ENOENT || failure == -ESRCH; }

// Calls back with the path of each other thread of this process until it answers something but 0.
// Returns that, or a negated errno where the threads cannot be listed.
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

}  // namespace

int othersSleep(SleepCounts* counts) {
  constexpr int kAwake = 1;
  counts->clear();
  std::string status;
  const int found = lookAtOthers([&](long task, const std::string& path) {
    const int failure = readProcFile((path + "/status").c_str(), &status);
    if (failure != 0) return isGone(failure) ? 0 : failure;
    const size_t state = status.find("\nState:\t");
    if (state == std::string::npos || status.compare(state + 8, 1, "S") != 0) return kAwake;
    const size_t switches = status.find("\nvoluntary_ctxt_switches:");
    (*counts)[task] = switches == std::string::npos ? 0 : strtoul(status.c_str() + switches + 25, nullptr, 10);
    return 0;
  });
  return found < 0 ? found : found == 0 ? 1 : 0;
}

// A worker sleeps in epoll_wait, or its name says what it is.
int workersAlive(bool forked) {
  int loops = forked ? 1 : 0;
  bool named = false;
  std::string text;
  const int failure = lookAtOthers([&](long, const std::string& path) {
    int failed = readProcFile((path + "/comm").c_str(), &text);
    if (failed == 0 && text.rfind("WorkerThread", 0) == 0) named = true;
    if (failed == 0) failed = readProcFile((path + "/syscall").c_str(), &text);
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

}  // namespace multiprocess
