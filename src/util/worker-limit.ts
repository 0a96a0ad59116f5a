/**
 * How many workers may be asked for: what cannot run at once here is refused before the first one is
 * started. Starting them until the system gives out would take everything else on the machine along.
 */
import { totalmem } from 'node:os';
import { ArgumentError } from '../errors/index.js';
import { taskLimit } from '../platform/tasks-linux.js';

/**
 * Memory that a worker takes at least, of its own: a fork of a template took 4.3 MB when nothing had
 * run in it but an empty task, a thread and a process of their own 12.
 */
const LEAST_BYTES = 4 * 2 ** 20;

/** How many workers there can be, and what bounds them. */
export interface WorkerLimit {
  readonly most: number;
  readonly why: string;
}

/** @param root Where `/proc` and `/sys` are. @internal */
export function workerLimit(root = '', bytes = memory()): WorkerLimit {
  const most = Math.max(1, Math.floor(bytes / LEAST_BYTES));
  const tasks = taskLimit(root);
  if (tasks !== null && tasks.tasks < most)
    return { most: tasks.tasks, why: `the system has that many processes and threads at once (${tasks.source})` };
  return {
    most,
    why: `each takes at least ${LEAST_BYTES / 2 ** 20} MB of memory, and there are ${Math.floor(bytes / 2 ** 20)} MB here`,
  };
}

/**
 * Refuses a number of workers that cannot run here at once.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, which names the limit and where it comes from.
 */
export function checkWorkers(actor: string, name: string, workers: number): void {
  // Numbers of every day need no look at the system's files.
  if (workers <= 8) return;
  const { most, why } = workerLimit();
  if (workers > most) throw new ArgumentError(`${actor}: \`${name}\` must be at most ${most}, not ${workers}: ${why}.`);
}

/** Bytes of memory: of the machine, or what a control group leaves of it. */
function memory(): number {
  const total = totalmem();
  const group = process.constrainedMemory?.() ?? 0;
  return group > 0 && group < total ? group : total;
}
