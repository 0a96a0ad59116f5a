import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'multiprocess';
import { TOP } from './census.js';
import { examine } from './examine.js';

/** The same files, once through the pool and once in this process. */
export interface Comparison {
  readonly files: number;
  readonly secondsInPool: number;
  readonly secondsInOneProcess: number;
  /** Throughput of the pool over that of one process. */
  readonly speedup: number;
}

/**
 * Measures the speed-up of a pool over this process on some files, or returns `null` when there are none.
 *
 * Both sides are warm: the workers from the census, this process from a first, unmeasured round. Both read from the
 * file cache, and they take turns, so that neither shares the machine with the other.
 *
 * @throws `signal.reason` once the signal is aborted.
 */
export async function compareWithOneProcess(
  pool: Pool,
  directory: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<Comparison | null> {
  if (files.length === 0) return null;
  const work = (file: string) => examine(join(directory, file), TOP);
  const here = async () => {
    for (const file of files) {
      work(file);
      await nextTurn(); // so that Ctrl-C is heard
      signal.throwIfAborted();
    }
  };
  await here();
  const secondsInOneProcess = await seconds(here);
  const secondsInPool = await seconds(() => pool.imapUnordered(work, files, { errors: 'settle', signal }).toArray());
  return { files: files.length, secondsInPool, secondsInOneProcess, speedup: secondsInOneProcess / secondsInPool };
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}
