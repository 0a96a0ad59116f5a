// The addon's entry: makes the Environment of the loading thread and exports one object of
// functions. Each concern registers its own functions, next to their code.
#include "exports.h"

namespace multiprocess {

void Exports::add(const char* name, napi_callback function) {
  napi_value value;
  if (napi_create_function(environment->env(), name, NAPI_AUTO_LENGTH, function, environment, &value) != napi_ok) return;
  napi_set_named_property(environment->env(), object, name, value);
}

}  // namespace multiprocess

NAPI_MODULE_INIT() {
  using namespace multiprocess;
  Environment* environment = Environment::create(env);
  if (environment == nullptr) return nullptr;
  Exports out{environment, exports};
  exportMapping(out);
  exportFutex(out);
  exportWaitAsync(out);
  exportPollHandle(out);
  exportDoorbell(out);
  exportDescriptors(out);
  exportEstate(out);
  exportProcess(out);
  exportFork(out);
  exportForkEnd(out);
  exportForkExit(out);
  exportForkLoop(out);
  exportForkMemory(out);
  exportForkSignals(out);
  exportLifeline(out);
  exportWatcher(out);
  exportChannel(out);
  exportSocket(out);
  exportSharer(out);
  exportSharerFetch(out);
  return exports;
}
