// What each concern gives to the addon's table of exports.
#pragma once

#include "environment.h"

namespace multiprocess {

struct Exports {
  Environment* environment;
  napi_value object;
  void add(const char* name, napi_callback function);
};

void exportMapping(Exports& out);
void exportFutex(Exports& out);
void exportWaitAsync(Exports& out);
void exportPollHandle(Exports& out);
void exportDoorbell(Exports& out);
void exportDescriptors(Exports& out);
void exportEstate(Exports& out);
void exportProcess(Exports& out);
void exportFork(Exports& out);
void exportForkEnd(Exports& out);
void exportForkExit(Exports& out);
void exportForkLoop(Exports& out);
void exportForkMemory(Exports& out);
void exportForkSignals(Exports& out);
void exportLifeline(Exports& out);
void exportWatcher(Exports& out);
void exportChannel(Exports& out);
void exportSocket(Exports& out);
void exportSharer(Exports& out);
void exportSharerFetch(Exports& out);

}  // namespace multiprocess
