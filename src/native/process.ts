import { readdirSync, readFileSync } from 'node:fs';
import { ArgumentError } from '../errors/usage.js';
import { describe } from '../util/options.js';
import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { systemError } from './system-error.js';

/**
 * Asks the kernel to send this process a signal when the thread that started it ends, and says
 * whether the parent still lives.
 *
 * Gotcha: the kernel means the parent's *thread*. A child spawned by a worker thread gets the
 * signal when that worker ends. It is cleared by exec of a set-user-id program and not inherited by
 * our own children.
 *
 * @param signal number, as in `os.constants.signals`; 0 takes the request back.
 * @param expectedParent process id of the parent, as it told it to us.
 * @returns `false` when the parent was gone already: end the process.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`.
 */
export function setParentDeathSignal(signal: number, expectedParent: number): boolean {
  const result = addon().setParentDeathSignal(signal, expectedParent);
  if (result === Refusal.badArgument) {
    throw new ArgumentError(
      `setParentDeathSignal: \`signal\` and \`expectedParent\` must be numbers, not ${describe(signal)} and ${describe(expectedParent)}.`,
    );
  }
  if (result < 0) throw systemError(`setParentDeathSignal ${signal}`, 'prctl', result);
  return result === 1;
}

const ESRCH = 3;

/** What the kernel tells of a process or thread. */
export interface ProcessState {
  /** When it was started, in clock ticks since boot. */
  readonly startTime: bigint;
  /** Whether it has ended and only waits for its parent to ask how (a zombie). */
  readonly ended: boolean;
}

/**
 * When a process (or thread) was started, and whether it has ended. With the id the start names it
 * for good: ids are reused, pairs are not.
 *
 * @returns `null` when there is no such process.
 */
export function processState(pid: number): ProcessState | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the name in parentheses, which may hold spaces and parentheses itself; ours
  // are the third and the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[22 - 3]];
  return startTime === undefined ? null : { startTime: BigInt(startTime), ended: state === 'Z' || state === 'X' };
}

/**
 * When a process was started, in clock ticks since boot. With the id it names a process for good:
 * ids are reused, pairs are not.
 *
 * @returns `null` when there is no such process.
 */
export function processStartTime(pid: number): bigint | null {
  return processState(pid)?.startTime ?? null;
}

/**
 * Returns the kernel's id of the calling thread (gettid); equal to `process.pid` on the main
 * thread.
 * @throws UnsupportedError.
 */
export function threadId(): number {
  return addon().threadId();
}

/**
 * Lets another thread that waits for this core run first (sched_yield); returns at once when there
 * is none.
 * @throws UnsupportedError.
 */
export function yieldThread(): void {
  addon().yieldThread();
}

/**
 * Returns a descriptor (pidfd) that becomes readable when the process ends. Close it with
 * closeDescriptor.
 * @throws MultiprocessError `MP_SYSTEM` (ESRCH when there is no such process).
 */
export function openProcess(pid: number): number {
  const fd = addon().openProcess(pid);
  if (fd < 0) throw systemError(`openProcess ${pid}`, 'pidfd_open', fd);
  return fd;
}

/** How a child has ended. */
export type ChildStatus =
  | { readonly exitCode: number; readonly signal: null }
  | { readonly exitCode: null; readonly signal: number };

/** What the addon adds to the number of the signal that ended a child. */
const SIGNALLED_BASE = 1000;

/**
 * How a child of this process has ended, without reaping it: whoever waits for it still learns the
 * same.
 *
 * @returns `null` while it runs, and when it is no child of ours or was reaped.
 */
export function childStatus(pid: number): ChildStatus | null {
  const answer = addon().childStatus(pid);
  if (answer <= 0) return null;
  return answer > SIGNALLED_BASE
    ? { exitCode: null, signal: answer - SIGNALLED_BASE }
    : { exitCode: answer - 1, signal: null };
}

/**
 * Returns how a child ended: its exit code, or minus the number of the signal. `null` while it
 * runs. Afterwards it is gone.
 * @throws MultiprocessError `MP_SYSTEM` (ECHILD).
 */
export function reapProcess(pid: number): number | null {
  const result = addon().reapProcess(pid);
  if (result < 0) throw systemError(`reapProcess ${pid}`, 'waitpid', result);
  if (result === 0) return null;
  return result > SIGNALLED_BASE ? SIGNALLED_BASE - result : result - 1;
}

/**
 * Sends a signal to a child of this process that runs, and to nobody else: nothing is sent where
 * `pid` is none (a start that failed), where the child has ended, and where the number belongs to
 * another process by now.
 *
 * @throws MultiprocessError `MP_SYSTEM` (EPERM: it runs as a user whom this process may not
 * signal).
 */
export function signalChild(pid: number | null | undefined, signal: number): void {
  if (pid === null || pid === undefined || !(pid > 0)) return;
  const result = addon().signalChild(pid, signal);
  if (result < 0) throw systemError(`signalChild ${pid}`, 'pidfd_send_signal', result);
}

/**
 * Has this thread run on one CPU only; with `all`, all threads of this process. Threads that they
 * start inherit it.
 *
 * @throws MultiprocessError `MP_SYSTEM` when the CPU does not exist or may not be used.
 */
export function pinToCpu(cpu: number, all: boolean): void {
  const pin = (thread: number): void => {
    const result = addon().pinThread(thread, cpu);
    // It ended meanwhile.
    if (result < 0 && !(thread !== 0 && result === -ESRCH))
      throw systemError(`pinToCpu ${cpu}`, 'sched_setaffinity', result);
  };
  pin(0);
  if (!all) return;
  // Until none is new: one that was started by a thread that was not pinned yet is not.
  const pinned = new Set<string>();
  for (let fresh = true; fresh; ) {
    fresh = false;
    for (const thread of readdirSync('/proc/self/task')) {
      if (pinned.has(thread)) continue;
      pinned.add(thread);
      pin(Number(thread));
      fresh = true;
    }
  }
}
