/** Durable runs, as the driver that reads one keeps it. */
export { IndexSet } from './index-set.js';
export { otherSerializer, runBusy, runExists, runIncomplete, runTaken, unknownRun } from './messages.js';
export { RunKeeper, type RunKeeperOwner, type RunShape, StaleRecord, type StoredRun } from './run-keeper.js';
