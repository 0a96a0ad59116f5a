/**
 * Whether module hooks run on a thread of their own (module.register, `--loader`): a fork does not
 * have that thread, and would wait for it at its first import, for ever.
 *
 * Node does not say so. But an import asks that thread: on Node 20 and 22 through a message port,
 * on later ones by waking it, which the kernel counts. Linux only: /proc.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { importModule } from '../../../util/import-module.js';

/**
 * Imports that must each have asked a thread: one that wakes by itself would not be counted for
 * hooks.
 */
const CHECKED_IMPORTS = 3;

/** Imports something a few times, and returns whether a thread was asked each time. */
export async function hasHooksThread(): Promise<boolean> {
  for (let i = 0; i < CHECKED_IMPORTS; i++) if (!(await asksThread(i))) return false;
  return true;
}

async function asksThread(number: number): Promise<boolean> {
  const ports = countPorts();
  const sleeps = sleepsOfWorkers();
  const loading = importModule(`data:text/javascript,export default ${number}`);
  const asked = countPorts() > ports;
  await loading;
  if (asked) return true;
  const later = sleepsOfWorkers();
  return [...sleeps].some(([thread, count]) => (later.get(thread) ?? count) > count);
}

function countPorts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
}

/** Returns how often each worker thread has gone to sleep. Threads have names since Node 24. */
function sleepsOfWorkers(): Map<string, number> {
  const sleeps = new Map<string, number>();
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      if (!readFileSync(`/proc/self/task/${thread}/comm`, 'latin1').startsWith('WorkerThread')) continue;
      const status = readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
      sleeps.set(thread, Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // It ended while we looked.
    }
  }
  return sleeps;
}
