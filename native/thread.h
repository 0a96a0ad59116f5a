// Threads of ours beside Node's.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <cstddef>

namespace multiprocess {

// Starts a detached thread that takes no signals: those are for Node's threads. 0, or an errno.
inline int startThread(const char* name, size_t stack, void* (*run)(void*), void* data) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  sigset_t every, previous;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &previous);
  pthread_t thread;
  const int failure = pthread_create(&thread, &attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  pthread_attr_destroy(&attributes);
  if (failure == 0) pthread_setname_np(thread, name);
  return failure;
}

}  // namespace multiprocess
