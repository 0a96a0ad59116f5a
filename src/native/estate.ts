/** Children of a thread, which may be terminated before it has seen their end. */
import type { ChildProcess } from 'node:child_process';
import { addon } from './addon.js';

/**
 * Has a child that Node started reaped when this thread is terminated: its event loop, which would
 * have done so, is gone then. On the main thread it does nothing.
 *
 * @param ends whether the child is killed then. What it asks of the kernel itself comes too late
 * while it is still starting.
 */
export function keepChild(child: ChildProcess, ends: boolean): void {
  const { pid } = child;
  if (pid === undefined) return;
  addon().keepChild(pid, ends);
  child.once('exit', () => addon().dropChild(pid));
}
