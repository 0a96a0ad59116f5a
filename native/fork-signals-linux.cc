// Signals that a process ignores, and the processes that are forked from it do not.
#include <signal.h>

#include <cerrno>

#include "arguments.h"
#include "exports.h"
#include "fork.h"
#include "status.h"

namespace multiprocess {
namespace {

constexpr int kSignals = 64;

struct sigaction before[kSignals + 1];
bool ignored[kSignals + 1];

int ignore(int number, bool on) {
  if (on == ignored[number]) return 0;
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  const int result = on ? sigaction(number, &action, &before[number]) : sigaction(number, &before[number], nullptr);
  if (result != 0) return -errno;
  ignored[number] = on;
  return 0;
}

// ignoreSignal(signal): ignores it here, but not in processes forked from here
napi_value ignoreSignal(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t number;
  if (!in.int32(0, &number) || number < 1 || number > kSignals) return answer(env, kBadArgument);
  return answer(env, ignore(number, true));
}

}  // namespace

void restoreSignals() {
  for (int number = 1; number <= kSignals; number++) ignore(number, false);
}

void exportForkSignals(Exports& out) { out.add("ignoreSignal", ignoreSignal); }

}  // namespace multiprocess
