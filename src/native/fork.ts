import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { Errno } from './errno.js';
import { systemError } from './system-error.js';

/**
 * Why a fork was refused: a thread of this process does not come to rest; this build of Node lacks
 * what a child needs to end; a worker thread runs; this build's event loop is not laid out as
 * expected.
 */
export type ForkRefusal = 'threads-busy' | 'no-exit-hook' | 'threads-alive' | 'unknown-loop';

/**
 * Forks this process (native/fork-linux.cc says how, and what Node must have been started with).
 * Everything on the stack of the caller returns twice. The child has the only thread, an event loop
 * of its own, and all that the parent had besides; it must leave by {@link leaveProcess}.
 *
 * @param timeout milliseconds to wait, blocking, until all other threads of this process sleep.
 * @param exitCode the exit code of the process as it stands: asked in the child when an exception
 * that nobody caught ends it.
 * @param running whether this is a program in full swing: then it may have no worker threads, and
 * in the child nothing goes on that its
 *   event loop was waiting for (native/fork-loop-linux.cc). Call it {@link callFromLoop}.
 * @returns the child's pid; 0 in the child; or why it was refused.
 * @throws MultiprocessError `MP_SYSTEM` (EAGAIN: too many processes; ENOMEM).
 */
export function forkProcess(timeout: number, exitCode: () => number, running: boolean): number | ForkRefusal {
  const result = addon().forkProcess(timeout, exitCode, running);
  if (result === Refusal.threadsBusy) return 'threads-busy';
  if (result === Refusal.noExitHook) return 'no-exit-hook';
  if (result === Refusal.threadsAlive) return 'threads-alive';
  if (result === Refusal.unknownLoop) return 'unknown-loop';
  if (result < 0) throw systemError('forkProcess', 'fork', result);
  return result;
}

/**
 * Calls back once, in the event loop's next turn, from the loop itself: no function of the program
 * is on the stack, and no microtask or tick is queued. Keeps the event loop alive until then.
 */
export function callFromLoop(callback: () => void): void {
  addon().callFromLoop(callback);
}

/**
 * In a forked process: calls back when the event loop has nothing left to do, with `false`; and
 * once more, with `true`, when that brought nothing: then the callback ends the process. Call it
 * before anything else runs.
 */
export function watchEnd(onEnd: (last: boolean) => void): void {
  const result = addon().watchEnd(onEnd);
  if (result < 0) throw systemError('watchEnd', 'eventfd', result);
}

/**
 * Whether this build of Node shows what a fork needs to end: `node::AtExit`, and the table of its
 * platform with its size, which the C library tells. Builds for musl do not.
 */
export function canEndForks(): boolean {
  return addon().canEndForks();
}

/** Ends this process at once: `exit` handlers, Node's teardown and those of C do not run. */
export function leaveProcess(code: number): void {
  addon().leaveProcess(code & 0xff);
}

/** What a forked process ends with where its teardown begins and nobody can be asked any more. */
export function noteExitCode(code: number): void {
  addon().noteExitCode(code & 0xff);
}

/**
 * In a fork: the pages that it has written to since it was forked, and those of files (Node's code)
 * that it has used, for {@link populatePages}; empty where the system does not say
 * (/proc/self/pagemap).
 */
export function touchedPages(): Float64Array {
  return addon().touchedPages();
}

/**
 * Makes pages this process's own in a few calls, which otherwise takes a fault each, at the first
 * write. Needs Linux 5.14; does nothing before.
 *
 * @param pages as {@link touchedPages} found them in another fork of the same process.
 */
export function populatePages(pages: Float64Array): void {
  addon().populatePages(pages);
}

/** Gives back to the system what malloc keeps for later. */
export function trimMemory(): void {
  addon().trimMemory();
}

/**
 * Binds this process's life to the writing end of a pipe: the kernel kills it (SIGKILL) when the
 * last descriptor of that end is closed, or written to. Ends the process at once when it is closed
 * already.
 *
 * @param fd the reading end; may be closed afterwards.
 * @returns the descriptor that holds the bond; closing it lets go.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function bindLifeline(fd: number): number {
  const result = addon().bindLifeline(fd);
  if (result < 0) throw systemError(`bindLifeline ${fd}`, 'fcntl', result);
  return result;
}

/**
 * Sends a signal to the very process of a pidfd; nothing when it has ended.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function signalProcess(pidfd: number, signal: number): void {
  const result = addon().signalProcess(pidfd, signal);
  if (result < 0 && result !== Errno.ESRCH) throw systemError(`signalProcess ${signal}`, 'pidfd_send_signal', result);
}

/** kill(2), and nothing besides. @returns 0, or a negated errno. */
export function sendSignal(pid: number, signal: number): number {
  return addon().sendSignal(pid, signal);
}

/**
 * Has this process ignore a signal, but not those that are forked from it: they handle it as this
 * process did.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function ignoreSignal(signal: number): void {
  const result = addon().ignoreSignal(signal);
  if (result < 0) throw systemError(`ignoreSignal ${signal}`, 'sigaction', result);
}
