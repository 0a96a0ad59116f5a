/** Why this process cannot be forked. */
import { isMainThread } from 'node:worker_threads';
import { type MultiprocessError, ProcessError, UnsupportedError } from '../../errors/index.js';
import type { ForkRefusal } from '../../native/index.js';
import { FORKED } from './after-fork-child.js';
import { areForkOptions, FORK_OPTIONS, forkingUnavailable, SHARED_RANDOM } from './options.js';
import { RefusalCode, refused } from './refused.js';

/** Returns why method `fork` cannot be used here; `null` when it can. */
export function copyUnavailable(): string | null {
  const never = forkingUnavailable();
  if (never !== null) return never;
  if (!isMainThread) return 'this is a worker thread, and a fork of it would have no main thread';
  if (Object.isFrozen(Math)) return SHARED_RANDOM;
  if ((globalThis as { [FORKED]?: boolean })[FORKED] === true || areForkOptions(process.execArgv)) return null;
  return (
    `node was not started with \`${FORK_OPTIONS.join(' ')}\`, without which a copy of it would wait for threads that it does not have: ` +
    `run \`node ${FORK_OPTIONS.join(' ')} program.js\`. 'forkserver' needs no options: it forks a template, which has loaded the modules that setForkserverPreload() names`
  );
}

/** Returns the error for a refusal of the moment. */
export function refusedCopy(refusal: ForkRefusal): MultiprocessError {
  switch (refusal) {
    case 'threads-alive':
      return new UnsupportedError(
        'The process cannot be forked: worker threads run in it (worker_threads, a ThreadPool, module hooks of `--import` or `--loader`), and a fork would not have them. ' +
          "End them first (`worker.terminate()`), or use start method 'forkserver' or 'spawn'.",
      );
    case 'threads-busy':
      return new ProcessError(
        "The process cannot be forked: another of its threads does not come to rest (a request that libuv's threads work on, a native add-on that computes). " +
          "Await what is under way before start(), or use start method 'forkserver' or 'spawn'.",
        { code: 'MP_SPAWN' },
      );
    case 'unknown-loop':
      return new UnsupportedError(
        `The process cannot be forked: the event loop of this Node (libuv ${process.versions.uv}) is not laid out as expected, so a copy could not stop what its parent waits for; use start method 'forkserver' or 'spawn'.`,
      );
    default:
      return refused(RefusalCode.NoExitHook);
  }
}
