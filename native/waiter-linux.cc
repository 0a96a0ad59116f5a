// The waiter threads, shared by all environments of the process: one thread per 127 pending waits,
// started when first needed and ended after a quiet while. One set for the process, not one per
// environment, because a pool of worker threads would otherwise double its threads, and because the
// end of an environment then has no thread to join.
//
// Each thread sleeps in futex_waitv on [control, word, word, …]. The control word comes first since
// the kernel reports the last index that was woken, and a wake of ours must not hide one of theirs.
// Where futex_waitv is missing a thread serves one wait, and looks up every 50 ms whether it was
// cancelled.
//
// Passing a wake on. A wait that is cancelled while its thread is in the kernel may have taken a
// wake of FUTEX_WAKE(1): when its index was reported, or, unreported beside another index, when its
// word has changed. Then a sibling on the same word, or else one waiter anywhere, is woken in its
// stead. At worst somebody wakes for nothing and looks again. When a word came back to the expected
// value, sleeping is right by the caller's own rule, as it is for one who looks only now.
#include "waiter.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <vector>

#include "clock.h"
#include "thread.h"

namespace multiprocess {

struct Waiter {
  Word control = 0;
  bool asleep = false;
  std::vector<Wait*> inbox;
  std::vector<Wait*> set;  // touched by its own thread only, and by the child of a fork
  size_t load() const { return inbox.size() + set.size(); }
};

namespace {

constexpr size_t kWaitvWords = 127;
constexpr int64_t kQuiet = 2'000'000'000;       // an idle thread ends after this many ns
constexpr int64_t kLookUp = 50'000'000;         // without futex_waitv
constexpr size_t kStack = 256 * 1024;

// Never destroyed: threads use it until the process is gone.
struct Waiters {
  std::mutex lock;
  std::condition_variable settled;
  std::vector<Waiter*> threads;
  std::vector<Wait*> orphans;
};
Waiters& all() {
  static auto* instance = new Waiters();
  return *instance;
}

void settle(Wait* wait, Outcome outcome) {
  wait->outcome = outcome;
  wait->settled = true;
  wait->home = nullptr;
  wait->sink->settled(wait);
  if (--wait->sink->unsettled == 0) all().settled.notify_all();
}

void poke(Waiter* waiter) {
  __atomic_fetch_add(&waiter->control, 1, __ATOMIC_SEQ_CST);
  if (!waiter->asleep) return;  // it looks at the inbox before it sleeps
  waiter->asleep = false;
  futexWake(&waiter->control, 1, true);
}

// Ends what can end without sleeping. `reported` is the entry whose index the kernel reported, or
// null.
void sweep(Waiter* waiter, Wait* reported) {
  Wait* woken = reported;
  if (woken != nullptr && woken->cancelled) {
    auto sibling = std::find_if(waiter->set.begin(), waiter->set.end(),
                                [woken](Wait* other) { return other->word == woken->word && !other->cancelled; });
    if (sibling != waiter->set.end()) woken = *sibling;
    else passOn(woken);
  }
  const int64_t now = monotonic();
  auto done = [&](Wait* wait) {
    if (wait == woken && !wait->cancelled) return settle(wait, kWoken), true;
    const bool changed = load(wait->word) != wait->expected;
    if (wait->cancelled) {
      if (changed && wait != reported) passOn(wait);
      return settle(wait, kCancelled), true;
    }
    // Before the deadline is looked at: a wait that took a wake must not end as timed out.
    if (changed) return settle(wait, kChanged), true;
    if (wait->deadline >= 0 && wait->deadline <= now) return settle(wait, kTimedOut), true;
    return false;
  };
  waiter->set.erase(std::remove_if(waiter->set.begin(), waiter->set.end(), done), waiter->set.end());
}

int64_t earliest(const Waiter* waiter) {
  int64_t deadline = -1;
  for (const Wait* wait : waiter->set) {
    if (wait->deadline >= 0 && (deadline < 0 || wait->deadline < deadline)) deadline = wait->deadline;
  }
  return deadline;
}

// Sleeps with the lock released. Answers the entry the kernel reported, or null.
Wait* sleep(Waiter* waiter, std::unique_lock<std::mutex>& lock) {
  WaitvEntry entries[kWaitvWords + 1];
  const bool waitv = haveFutexWaitv();
  const Word control = waiter->control;
  const size_t count = waiter->set.size();
  int64_t deadline = earliest(waiter);
  entries[0] = {control, reinterpret_cast<uintptr_t>(&waiter->control), kFutex32 | kFutexPrivate, 0};
  for (size_t i = 0; i < count; i++) {
    entries[i + 1] = {waiter->set[i]->expected, reinterpret_cast<uintptr_t>(waiter->set[i]->word), kFutex32, 0};
  }
  const Wait* only = count == 1 ? waiter->set[0] : nullptr;
  waiter->asleep = true;
  lock.unlock();
  int result;
  if (count == 0) {
    futexWait(&waiter->control, control, monotonic() + kQuiet, true);
    result = 0;
  } else if (waitv) {
    result = futexWaitv(entries, static_cast<unsigned>(count + 1), deadline);
    // Out of kernel memory for a moment: look again shortly instead of turning in place.
    if (result < 0 && result != -EAGAIN && result != -EINTR && result != -ETIMEDOUT) {
      futexWait(&waiter->control, control, monotonic() + kLookUp, true);
    }
  } else {
    const int64_t soon = monotonic() + kLookUp;
    if (deadline < 0 || deadline > soon) deadline = soon;
    result = futexWait(only->word, only->expected, deadline) == 0 ? 1 : 0;
  }
  lock.lock();
  waiter->asleep = false;
  return result > 0 ? waiter->set[static_cast<size_t>(result) - 1] : nullptr;
}

void* run(void* data) {
  auto* waiter = static_cast<Waiter*>(data);
  std::unique_lock<std::mutex> lock(all().lock);
  for (;;) {
    waiter->set.insert(waiter->set.end(), waiter->inbox.begin(), waiter->inbox.end());
    waiter->inbox.clear();
    sweep(waiter, nullptr);
    const bool idle = waiter->load() == 0;
    const Word before = waiter->control;
    Wait* woken = sleep(waiter, lock);
    if (woken != nullptr) sweep(waiter, woken);
    if (idle && waiter->load() == 0 && waiter->control == before) break;
  }
  auto& threads = all().threads;
  threads.erase(std::remove(threads.begin(), threads.end(), waiter), threads.end());
  delete waiter;
  return nullptr;
}

// In the child of a fork the threads are gone; their waits go on when the child next submits one.
void beforeFork() { all().lock.lock(); }
void inParent() { all().lock.unlock(); }
void inChild() {
  for (Waiter* waiter : all().threads) {
    for (auto* held : {&waiter->inbox, &waiter->set}) {
      for (Wait* wait : *held) {
        wait->home = nullptr;
        all().orphans.push_back(wait);
      }
    }
  }
  all().threads.clear();  // the Waiters are leaked on purpose: the copied thread may have been using its own
  all().lock.unlock();
}

int start(Waiter* waiter) {
  static const bool watching = pthread_atfork(beforeFork, inParent, inChild) == 0;
  (void)watching;
  return -startThread("mp-futex", kStack, run, waiter);
}

int place(Wait* wait) {
  const size_t room = haveFutexWaitv() ? kWaitvWords : 1;
  for (Waiter* waiter : all().threads) {
    if (waiter->load() >= room) continue;
    waiter->inbox.push_back(wait);
    wait->home = waiter;
    poke(waiter);
    return 0;
  }
  auto* waiter = new Waiter();
  waiter->inbox.push_back(wait);
  wait->home = waiter;
  const int failure = start(waiter);
  if (failure == 0) {
    all().threads.push_back(waiter);
  } else {
    wait->home = nullptr;
    delete waiter;
  }
  return failure;
}

}  // namespace

std::mutex& waitLock() { return all().lock; }

int submitWait(Wait* wait) {
  auto& orphans = all().orphans;
  while (!orphans.empty() && place(orphans.back()) == 0) orphans.pop_back();
  const int failure = place(wait);
  if (failure == 0) wait->sink->unsettled++;
  return failure;
}

void cancelWait(Wait* wait) {
  if (wait->settled) {
    if (wait->outcome == kWoken || wait->outcome == kChanged) passOn(wait);
    wait->outcome = kCancelled;
  } else if (!wait->cancelled) {
    wait->cancelled = true;
    if (wait->home != nullptr) {
      poke(wait->home);
    } else {
      auto& orphans = all().orphans;
      orphans.erase(std::remove(orphans.begin(), orphans.end(), wait), orphans.end());
      settle(wait, kCancelled);
    }
  }
}

void passOn(const Wait* wait) { futexWake(wait->word, 1); }

void awaitSettled(WaitSink* sink, std::unique_lock<std::mutex>& lock) {
  all().settled.wait(lock, [sink] { return sink->unsettled == 0; });
}

}  // namespace multiprocess
