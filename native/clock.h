// CLOCK_MONOTONIC, which is the same in all processes of the machine.
#pragma once

#include <time.h>

#include <cstdint>

namespace multiprocess {

// Nanoseconds.
inline int64_t monotonic() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

inline int64_t milliseconds() { return monotonic() / 1'000'000; }

}  // namespace multiprocess
