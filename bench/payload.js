/** Large arguments and results: an echo of 1 MiB. */
import { closedLoop } from './harness/loops.js';
import { openFork } from './peers/fork.js';
import { openOurs } from './peers/ours.js';
import { openPiscina, piscinaVariants } from './peers/piscina.js';
import { identity } from './peers/tasks.js';

const MIB = 2 ** 20;

/** Echoes arrays of `size` bytes and looks at both ends of each that comes back. @returns 10^6 payload bytes per second, counted one way */
async function echo(run, settings) {
  const payload = new Uint8Array(settings.size).fill(7);
  const calls = await closedLoop(async () => {
    const back = await run(payload);
    if (back.length !== settings.size || back[0] !== 7 || back[settings.size - 1] !== 7)
      throw new Error('the echo differs');
  }, settings);
  return { rate: (calls * settings.size) / 1e6 };
}

export default {
  title: 'echo of a 1 MiB Uint8Array, 4 in flight, 2 workers (payload bytes counted one way)',
  settings: { workers: 2, size: MIB, inFlight: 4, warmup: 500, duration: 2000 },
  quick: { warmup: 200, duration: 500 },
  search: { warmup: 200, duration: 500 },
  metrics: { rate: { label: '1 MiB echo', unit: 'MB/s' } },
  targets: [],
  contenders: {
    ours: {
      label: 'multiprocess',
      async run(settings) {
        const { pool, close } = openOurs(settings.workers);
        const result = await echo((payload) => pool.apply(identity, [payload]), settings);
        await close();
        return result;
      },
    },
    piscina: {
      label: 'piscina, structured clone',
      variants: Object.fromEntries(
        Object.entries(piscinaVariants).filter(([, { concurrentTasksPerWorker: n }]) => n <= 8),
      ),
      async run(settings, variant) {
        const pool = openPiscina('identity', settings.workers, variant);
        const result = await echo(pool.run, settings);
        await pool.close();
        return result;
      },
    },
    fork: {
      label: 'child_process.fork, advanced serialization',
      async run(settings) {
        const pool = openFork(settings.workers);
        const result = await echo(pool.run, settings);
        await pool.close();
        return result;
      },
    },
  },
};
