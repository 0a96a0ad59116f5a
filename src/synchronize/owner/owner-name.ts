import { isMainThread, threadId } from 'node:worker_threads';
import { currentAgent, osThreadIdOf } from '../../memory/index.js';
import { nativeAvailable } from '../../native/index.js';
import { isOwnThread } from '../../platform/proc-linux.js';
import { processName } from '../../util/process-name.js';

/** How the calling thread is called: `MainProcess`, `SpawnProcess-1|Thread-2`. */
export function ownName(): string {
  return isMainThread ? processName() : `${processName()}|Thread-${threadId}`;
}

/** An owner in words, as seen from here; Python's words, and the id of whom they mean. */
export function ownerName(agent: number): string {
  if (agent === 0) return 'None';
  if (agent === currentAgent()) return ownName();
  const id = osThreadIdOf(agent);
  // Without the addon nobody shares memory but threads.
  return isOwnThread(id) || !nativeAvailable() ? `SomeOtherThread ${id}` : `SomeOtherProcess ${id}`;
}
