// futex(2) for JavaScript: a blocking wait, a wake, and the checks on the word both share.
#include "futex.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "arguments.h"
#include "clock.h"
#include "exports.h"
#include "mapping.h"
#include "status.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace multiprocess {

namespace {

constexpr int64_t kSecond = 1'000'000'000;

timespec timespecOf(int64_t nanoseconds) { return {static_cast<time_t>(nanoseconds / kSecond), static_cast<long>(nanoseconds % kSecond)}; }

// futexWait(words, index, expected, timeout) -> 0 woken, 1 changed, 2 timed out
napi_value futexWaitCall(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  int refusal = 0;
  int32_t expected;
  double timeout;
  Word* word = wordOf(env, in.values[0], in.values[1], &refusal);
  if (word == nullptr) return answer(env, refusal);
  if (!in.int32(2, &expected) || !in.number(3, &timeout)) return answer(env, kBadArgument);
  const int64_t deadline = deadlineAfter(timeout);
  for (;;) {
    const int result = futexWait(word, static_cast<Word>(expected), deadline);
    if (result == -EINTR) continue;  // the deadline is absolute, so a signal costs no time
    if (result == 0) return answer(env, 0);
    if (result == -EAGAIN) return answer(env, 1);
    if (result == -ETIMEDOUT) return answer(env, 2);
    return answer(env, result);
  }
}

// futexWake(words, index, count) -> how many were woken
napi_value futexWakeCall(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int refusal = 0;
  double count;
  Word* word = wordOf(env, in.values[0], in.values[1], &refusal);
  if (word == nullptr) return answer(env, refusal);
  if (!in.number(2, &count) || !(count >= 0)) return answer(env, kBadArgument);
  return answer(env, futexWake(word, count >= INT_MAX ? INT_MAX : static_cast<int>(count)));
}

}  // namespace

int64_t deadlineAfter(double milliseconds) {
  if (!(milliseconds < 9e12)) return -1;
  return monotonic() + static_cast<int64_t>(std::ceil(milliseconds > 0 ? milliseconds * 1e6 : 0));
}

int futexWait(const Word* word, Word expected, int64_t deadline, bool isPrivate) {
  const timespec until = timespecOf(deadline < 0 ? 0 : deadline);
  const int operation = kFutexWaitBitset | (isPrivate ? kFutexPrivate : 0);  // the one whose timeout is absolute
  const long result = syscall(SYS_futex, word, operation, expected, deadline < 0 ? nullptr : &until, nullptr, kFutexMatchAny);
  return result == 0 ? 0 : -errno;
}

int futexWake(const Word* word, int count, bool isPrivate) {
  if (count == 0) return 0;  // the kernel takes 0 for 1
  const long result = syscall(SYS_futex, word, kFutexWake | (isPrivate ? kFutexPrivate : 0), count, nullptr, nullptr, 0);
  return result >= 0 ? static_cast<int>(result) : -errno;
}

int futexWaitv(const WaitvEntry* entries, unsigned count, int64_t deadline) {
  const timespec until = timespecOf(deadline < 0 ? 0 : deadline);
  const long result = syscall(SYS_futex_waitv, entries, count, 0, deadline < 0 ? nullptr : &until, CLOCK_MONOTONIC);
  return result >= 0 ? static_cast<int>(result) : -errno;
}

bool haveFutexWaitv() {
  // Without entries the call is refused with EINVAL where it exists.
  static const bool have = getenv("MULTIPROCESS_NO_FUTEX_WAITV") == nullptr && futexWaitv(nullptr, 0, -1) == -EINVAL;
  return have;
}

Word* wordOf(napi_env env, napi_value words, napi_value index, int* refusal, bool* mapped) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, words, &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_int32_array) {
    *refusal = kNotInt32Array;
    return nullptr;
  }
  double at;
  if (napi_get_value_double(env, index, &at) != napi_ok || !(at >= 0 && at < static_cast<double>(length)) || at != std::floor(at)) {
    *refusal = kOutOfBounds;
    return nullptr;
  }
  Word* word = static_cast<Word*>(data) + static_cast<size_t>(at);
  const bool ours = isMapped(word, sizeof(Word));
  if (mapped != nullptr) *mapped = ours;
  if (ours) return word;
  napi_value buffer;
  bool unshared = true;  // Node-API 9 knows no SharedArrayBuffer: what backs a typed array and is no ArrayBuffer is one
  napi_get_typedarray_info(env, words, nullptr, nullptr, nullptr, &buffer, nullptr);
  if (napi_is_arraybuffer(env, buffer, &unshared) == napi_ok && !unshared) return word;
  *refusal = kNotShared;
  return nullptr;
}

void exportFutex(Exports& out) {
  out.add("futexWait", futexWaitCall);
  out.add("futexWake", futexWakeCall);
}

}  // namespace multiprocess
