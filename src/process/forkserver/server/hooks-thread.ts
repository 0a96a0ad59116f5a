/**
 * Whether module hooks run on a thread of their own (module.register, `--loader`): a fork does not
 * have that thread, and would wait for it at its first import, for ever.
 *
 * Node does not say so. But an import asks that thread: on Node 20 and 22 through a message port,
 * on later ones by waking it, which the kernel counts. Linux only.
 */
import { isThreadAsleep, ownThreads, sleepsOf, threadName } from '../../../platform/proc-linux.js';
import { importModule } from '../../../util/import-module.js';

/**
 * Imports that must each have asked a thread: one that wakes by itself would not be counted for
 * hooks.
 */
const CHECKED_IMPORTS = 3;

/** Imports something a few times, and returns whether a thread was asked each time. */
export async function hasHooksThread(): Promise<boolean> {
  const idle = new Set([...sleepsOfWorkers().keys()].filter(isThreadAsleep));
  for (let i = 0; i < CHECKED_IMPORTS; i++) if (!(await asksThread(i, idle))) return false;
  return true;
}

/** @param idle Threads that slept before the first import: one that is awake has been woken. */
async function asksThread(number: number, idle: ReadonlySet<string>): Promise<boolean> {
  const ports = countPorts();
  const sleeps = sleepsOfWorkers();
  const loading = importModule(`data:text/javascript,export default ${number}`);
  const asked = countPorts() > ports;
  await loading;
  if (asked) return true;
  // One that has answered sleeps again when it gets to it, which on a busy machine is later than this.
  const awake = [...idle].filter((thread) => !isThreadAsleep(thread));
  const later = sleepsOfWorkers();
  return [...sleeps].some(([thread, count]) => awake.includes(thread) || (later.get(thread) ?? count) > count);
}

function countPorts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
}

/** Returns how often each worker thread has gone to sleep. Threads have names since Node 24. */
function sleepsOfWorkers(): Map<string, number> {
  const sleeps = new Map<string, number>();
  for (const thread of ownThreads()) {
    if (threadName(thread)?.startsWith('WorkerThread') === true) sleeps.set(thread, sleepsOf(thread) ?? 0);
  }
  return sleeps;
}
