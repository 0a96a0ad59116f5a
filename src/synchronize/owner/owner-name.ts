import { existsSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { currentAgent, osThreadIdOf } from '../../memory/index.js';
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
  return existsSync(`/proc/self/task/${id}`) ? `SomeOtherThread ${id}` : `SomeOtherProcess ${id}`;
}
