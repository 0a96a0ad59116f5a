// V8's background tasks in a forked process.
//
// Node's platform gives tasks to threads that the fork has lost. Under --single-threaded only
// WebAssembly still has some (compiling, tiering up), but on Node 20 the end of every event loop,
// also of a worker thread, then waits for them for ever. So the child's platform object gets a copy
// of its virtual table in which posting a task leads to a thread of ours, started with the first
// task.
//
// Delayed tasks must not reach Node's scheduler either: its eventfd is shared with the template,
// whose scheduler thread would wake, perhaps while the template forks again, and so take a lock
// with it into the next child. They wait here until they are due; V8 does not need them to be
// punctual, and they keep no process alive.
//
// The table is found by its symbol, its entry by the address of the function that it must hold;
// where either is not as expected the process refuses to fork. v8::Task has had the same three
// virtual functions (two destructors, Run) since 2013.
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

#include "fork.h"
#include "thread.h"

namespace multiprocess {
namespace {

// A v8::Task, of which only the virtual table is known. A class here would not do: without a
// subclass in sight the compiler concludes that its functions are never there.
struct Task {
  void (**functions)(Task*);  // the destructor, the deleting destructor, Run
};

using Clock = std::chrono::steady_clock;

// Never destroyed; made anew in each fork, since the thread that used the old one is gone.
struct Tasks {
  std::mutex lock;
  std::condition_variable some;
  std::deque<Task*> queue;
  std::multimap<Clock::time_point, Task*> delayed;
  size_t pending = 0;
  bool started = false;
  uv_async_t* idle = nullptr;
};
Tasks* tasks = nullptr;

void* run(void* data) {
  auto* mine = static_cast<Tasks*>(data);
  std::unique_lock<std::mutex> lock(mine->lock);
  for (;;) {
    while (!mine->delayed.empty() && mine->delayed.begin()->first <= Clock::now()) {
      mine->queue.push_back(mine->delayed.begin()->second);
      mine->delayed.erase(mine->delayed.begin());
      mine->pending++;
    }
    if (mine->queue.empty()) {
      if (mine->delayed.empty()) mine->some.wait(lock);
      else mine->some.wait_until(lock, Clock::time_point(mine->delayed.begin()->first));
      continue;
    }
    Task* task = mine->queue.front();
    mine->queue.pop_front();
    lock.unlock();
    task->functions[2](task);
    task->functions[1](task);
    lock.lock();
    if (--mine->pending == 0 && mine->idle != nullptr) uv_async_send(mine->idle);
  }
}

void post(Task* task, double delay) {
  std::lock_guard<std::mutex> guard(tasks->lock);
  if (delay > 0) {
    const auto due = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(delay));
    tasks->delayed.emplace(due, task);
  } else {
    tasks->queue.push_back(task);
    tasks->pending++;
  }
  if (!tasks->started) {
    // A stack as Node's own have it: it compiles. When it cannot be started the next task tries
    // again.
    tasks->started = startThread("mp-tasks", 8 << 20, run, tasks) == 0;
  }
  tasks->some.notify_one();
}

// A unique_ptr is passed as the address of the caller's, which destroys it: it is left empty.
Task* taken(Task** owner) {
  Task* task = *owner;
  *owner = nullptr;
  return task;
}
void postTo20(void*, Task** task) { post(taken(task), 0); }
void delayTo20(void*, Task** task, double seconds) { post(taken(task), seconds); }
void postTo22(void*, int, Task** task, const void*) { post(taken(task), 0); }
void delayTo22(void*, int, Task** task, double seconds, const void*) { post(taken(task), seconds); }

constexpr size_t kEntries = 128;
void* table[kEntries];
void*** platform = nullptr;  // the object, whose first word is the address of its table

// 0 where the C library does not tell sizes: musl.
size_t sizeOf(const void* symbol) {
#if defined(__GLIBC__)
  Dl_info info;
  void* described = nullptr;
  if (dladdr1(symbol, &info, &described, RTLD_DL_SYMENT) == 0 || described == nullptr) return 0;
  return static_cast<const ElfW(Sym)*>(described)->st_size;
#else
  return 0;
#endif
}

}  // namespace

bool findPlatform(void* environment) {
  if (platform != nullptr) return true;
  const auto get = reinterpret_cast<void*** (*)(void*)>(dlsym(RTLD_DEFAULT, "_ZN4node23GetMultiIsolatePlatformEPNS_11EnvironmentE"));
  auto* original = static_cast<void**>(dlsym(RTLD_DEFAULT, "_ZTVN4node12NodePlatformE"));
  void* post20 = dlsym(RTLD_DEFAULT, "_ZN4node12NodePlatform18CallOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EE");
  void* post22 = dlsym(RTLD_DEFAULT,
                       "_ZN4node12NodePlatform26PostTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14default_deleteIS4_EERKNS1_14SourceLocationE");
  void* delay20 = dlsym(RTLD_DEFAULT, "_ZN4node12NodePlatform25CallDelayedOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EEd");
  void* delay22 = dlsym(RTLD_DEFAULT,
                        "_ZN4node12NodePlatform33PostDelayedTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14default_deleteIS4_EEdRKNS1_14SourceLocationE");
  if (get == nullptr || original == nullptr || (post20 == nullptr) == (post22 == nullptr)) return false;
  const size_t count = sizeOf(original) / sizeof(void*);
  if (count < 4 || count > kEntries) return false;
  void*** object = get(environment);
  // A table starts with two words that are not functions.
  if (object == nullptr || *object != original + 2) return false;
  memcpy(table, original, count * sizeof(void*));
  size_t replaced = 0;
  for (size_t i = 2; i < count; i++) {
    const void* found = table[i];
    if (found == nullptr) continue;
    if (found == post20) table[i] = reinterpret_cast<void*>(postTo20), replaced++;
    else if (found == delay20) table[i] = reinterpret_cast<void*>(delayTo20), replaced++;
    else if (found == post22) table[i] = reinterpret_cast<void*>(postTo22), replaced++;
    else if (found == delay22) table[i] = reinterpret_cast<void*>(delayTo22), replaced++;
  }
  if (replaced != 2) return false;
  platform = object;
  return true;
}

void adoptTasks() {
  tasks = new Tasks();
  *platform = table + 2;
}

void tellIdle(uv_async_t* idle) {
  std::lock_guard<std::mutex> guard(tasks->lock);
  tasks->idle = idle;
}

bool tasksPending() {
  if (tasks == nullptr) return false;
  std::lock_guard<std::mutex> guard(tasks->lock);
  return tasks->pending > 0;
}

}  // namespace multiprocess
