import { shareForFork } from '../../memory/index.js';
import { type ForkRefusal, forkProcess } from '../../native/index.js';

/**
 * Milliseconds that other threads of this process (V8's, libuv's) have to come to rest before a
 * fork.
 */
const QUIESCE_TIMEOUT_MS = 10_000;

/**
 * Forks this process, with the references that the copy needs to what it shares.
 *
 * @param running whether this is a program in full swing, not a template.
 * @returns the child's pid; 0 in the child, which goes on with `afterForkInChild`; or why it was
 * refused.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function forkHere(running = false): number | ForkRefusal {
  const undo = shareForFork();
  try {
    const result = forkProcess(QUIESCE_TIMEOUT_MS, currentExitCode, running);
    if (typeof result === 'string') undo();
    return result;
  } catch (error) {
    undo();
    throw error;
  }
}

/** Returns the exit code of this process as it stands, after an error that nobody caught. */
function currentExitCode(): number {
  return Number(process.exitCode ?? 1);
}
