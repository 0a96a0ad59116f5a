// The futex system calls, and how a word given by JavaScript is checked. Words are shared between
// processes, so no call here is FUTEX_PRIVATE unless it says so.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace multiprocess {

// Of futex(2) and futex_waitv(2), declared here because the kernel's header for them is no part of a C
// library: Alpine has it in a package that no compiler brings along.
constexpr int kFutexWake = 1;
constexpr int kFutexWaitBitset = 9;
constexpr int kFutexPrivate = 128;
constexpr uint32_t kFutexMatchAny = 0xffffffff;
constexpr uint32_t kFutex32 = 2;

using Word = uint32_t;

// One entry of futex_waitv(2), declared here because older kernel headers lack it.
struct WaitvEntry {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

inline Word load(const Word* word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

// Nanoseconds of CLOCK_MONOTONIC `milliseconds` from now, rounded up; -1 (no deadline) for Infinity
// and beyond 292 years.
int64_t deadlineAfter(double milliseconds);

// Each answers 0 or more, or a negated errno. A deadline of -1 is none; deadlines are
// CLOCK_MONOTONIC.
int futexWait(const Word* word, Word expected, int64_t deadline, bool isPrivate = false);
int futexWake(const Word* word, int count, bool isPrivate = false);
int futexWaitv(const WaitvEntry* entries, unsigned count, int64_t deadline);

// False where the kernel (before 5.16) or a system call filter does not have futex_waitv.
bool haveFutexWaitv();

// The address of words[index], or null with the reason. `mapped` tells a mapping of ours from a
// SharedArrayBuffer.
Word* wordOf(napi_env env, napi_value words, napi_value index, int* refusal, bool* mapped = nullptr);

}  // namespace multiprocess
