// Threads that wait on futex words for event loops.
//
// A Wait is in one of three places, all guarded by `waitLock()`:
//
//   home        | where                              | who moves it on
//   a Waiter    | its inbox, then its set of words   | that thread, on wake, change, timeout or cancel
//   null        | orphaned by fork(2)                | the next submitWait of the child
//   settled     | with its sink                      | the sink, which frees it
//
// Contract with wakers: change the word, then wake. A change is seen whenever a thread (re-)enters
// the kernel, so a wake that finds nobody there is never lost: the wait ends as kChanged.
//
// One call of futex_waitv reports one index although several of its words, or several entries of
// one word, may have taken a wake each. What is not reported is found by value: an entry whose word
// differs from what it expected ends as kChanged. So of several waits on one word a wake of one
// ends exactly one as kWoken, and the others may see kChanged. An entry that ends as cancelled may
// have taken a wake too; it is passed on (see waiter-linux.cc).
#pragma once

#include <cstdint>
#include <mutex>

#include "futex.h"
#include "mapping.h"

namespace multiprocess {

enum Outcome : int { kWoken = 0, kChanged = 1, kTimedOut = 2, kCancelled = 3 };

struct Wait;
struct Waiter;

// Who gets to know how a wait ended. Called with the lock held, on any thread.
class WaitSink {
 public:
  virtual void settled(Wait* wait) = 0;
  int unsettled = 0;  // waits of this sink that threads still hold

 protected:
  virtual ~WaitSink() = default;
};

struct Wait {
  Word* word;
  Word expected;
  int64_t deadline;  // CLOCK_MONOTONIC nanoseconds, -1 for none
  Mapping* mapping;  // pinned, or null for a SharedArrayBuffer, which the sink keeps alive
  WaitSink* sink;
  uint32_t id;
  Outcome outcome = kCancelled;
  bool settled = false;
  bool cancelled = false;
  Waiter* home = nullptr;
};

std::mutex& waitLock();

// All need the lock.
int submitWait(Wait* wait);      // 0, or a negated errno when no thread could be started
void cancelWait(Wait* wait);     // ends as kCancelled soon, or at once when it was settled but not yet delivered
void passOn(const Wait* wait);   // hands the wake that a settled wait took to another waiter on its word

// Blocks until no thread holds a wait of this sink. Cancel them first.
void awaitSettled(WaitSink* sink, std::unique_lock<std::mutex>& lock);

}  // namespace multiprocess
