// How a forked process ends: by _exit, always. Node's teardown joins threads that a fork does not
// have.
//
//   process.exit           process.reallyExit leads to leaveProcess (src/process/fork/after-fork-child.ts)
//   an uncaught exception  node::AtExit, after Node has printed it
//   any other end of Node  node::SetProcessExitHandler, and a cleanup hook of the environment
//   an empty event loop    is noticed before Node does (fork-end-linux.cc)
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>

#include "arguments.h"
#include "exports.h"
#include "fork.h"
#include "status.h"

namespace multiprocess {
namespace {

struct Exit {
  napi_env env = nullptr;
  napi_ref code = nullptr;  // () => the exit code of the process as it stands
  int noted = 1;
  void* environment = nullptr;  // the node::Environment
  bool armed = false;
} exiting;

[[noreturn]] void leaveNow(int code) {
  fflush(nullptr);
  _exit(code);
}

// Node has printed the exception and ends the process next.
void atExit(void*) {
  if (!exiting.armed) return;
  int32_t code = exiting.noted;
  napi_handle_scope scope;
  if (exiting.env != nullptr && napi_open_handle_scope(exiting.env, &scope) == napi_ok) {
    napi_value function, global, result;
    if (napi_get_reference_value(exiting.env, exiting.code, &function) == napi_ok && napi_get_global(exiting.env, &global) == napi_ok &&
        napi_call_function(exiting.env, global, function, 0, nullptr, &result) == napi_ok) {
      napi_get_value_int32(exiting.env, result, &code);
    }
  }
  leaveNow(code);
}

void atCleanup(void*) {
  exiting.env = nullptr;
  if (exiting.armed) leaveNow(exiting.noted);
}

// node::AtExit and how to find its environment, which have been there since Node 10 and are no part
// of Node-API.
using CurrentIsolate = void* (*)();
using CurrentContext = void* (*)(void* isolate);
using CurrentEnvironment = void* (*)(void* context);
using AtExit = void (*)(void* environment, void (*callback)(void*), void* argument);
constexpr const char* kAtExit = "_ZN4node6AtExitEPNS_11EnvironmentEPFvPvES2_";

template <typename T>
T symbol(const char* name) {
  return reinterpret_cast<T>(dlsym(RTLD_DEFAULT, name));
}

// That of the calling thread; null where this build of Node does not show it.
void* currentEnvironment() {
  const auto isolate = symbol<CurrentIsolate>("_ZN2v87Isolate10GetCurrentEv");
  const auto context = symbol<CurrentContext>("_ZN2v87Isolate17GetCurrentContextEv");
  const auto environment = symbol<CurrentEnvironment>("_ZN4node21GetCurrentEnvironmentEN2v85LocalINS0_7ContextEEE");
  if (isolate == nullptr || context == nullptr || environment == nullptr) return nullptr;
  return environment(context(isolate()));
}

// node::SetProcessExitHandler: where Node ends the process without having called what AtExit was
// given, such as for an error in the handler of an error. Part of node.h since Node 14; without it
// such an end would join threads that are gone.
//
// It takes a std::function, and that of libstdc++, as its name says; the one that this is compiled
// with may be another library's. So its four words are written out. Nothing is kept in the object,
// so there is nothing to copy or to destroy.
struct ExitHandler {
  void* object[2];
  bool (*manage)(ExitHandler* to, const ExitHandler* from, int operation);
  void (*invoke)(const ExitHandler* self, void** environment, int* code);
};
void replaceExit(void* environment) {
  using SetHandler = void (*)(void* environment, ExitHandler* handler);
  const auto set = symbol<SetHandler>("_ZN4node21SetProcessExitHandlerEPNS_11EnvironmentEOSt8functionIFvS1_iEE");
  if (set == nullptr) return;
  ExitHandler handler{
      {nullptr, nullptr},
      [](ExitHandler*, const ExitHandler*, int) { return false; },
      [](const ExitHandler*, void**, int* code) { leaveNow(*code); },
  };
  set(environment, &handler);
}

// canEndForks() -> whether a fork of this build of Node could end in good order
napi_value canEndForks(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_get_boolean(env, findExit(), &result);
  return result;
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
  if (in.int32(0, &code)) exiting.noted = code;
  return nullptr;
}

}  // namespace

bool findExit() {
  // Once for all threads: the answer is that of this build of Node.
  static const bool found = [] {
    void* current = currentEnvironment();
    return current != nullptr && symbol<AtExit>(kAtExit) != nullptr && findPlatform(current);
  }();
  return found;
}

bool hookExit(napi_env env, napi_value exitCode) {
  // Once: the exit of the parent itself is not touched while `armed` is false.
  static bool hooked = false;
  if (hooked) return true;
  if (!findExit()) return false;
  void* current = currentEnvironment();
  if (current == nullptr || napi_create_reference(env, exitCode, 1, &exiting.code) != napi_ok) return false;
  exiting.env = env;
  exiting.environment = current;
  symbol<AtExit>(kAtExit)(current, atExit, nullptr);
  hooked = true;
  return true;
}

void armExit(napi_env env) {
  if (!exiting.armed) {
    replaceExit(exiting.environment);
    napi_add_env_cleanup_hook(env, atCleanup, nullptr);
  }
  exiting.armed = true;
}

bool isExitArmed() { return exiting.armed; }

void* hookedEnvironment() { return exiting.environment; }

void exportForkExit(Exports& out) {
  out.add("canEndForks", canEndForks);
  out.add("leaveProcess", leaveProcess);
  out.add("noteExitCode", noteExitCode);
}

}  // namespace multiprocess
