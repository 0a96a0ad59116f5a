/** A module that ends each process but the program while it loads. */
import { createRequire } from 'node:module';
import { Pool } from 'multiprocess';
import { increment } from './lib.mjs';

const { codeOf, runCases } = createRequire(import.meta.url)('./report.cjs');
const pool = new Pool({ processes: 1 });
await runCases({
  'the item is blamed': [() => codeOf(() => pool.apply((x) => increment(x), [1])), 'MP_WORKER_CRASH'],
  'the pool goes on': [() => pool.apply(() => 1 + 1), 2],
  'so is it with forkserver': [
    async () => {
      const forks = new Pool({ processes: 1, context: 'forkserver' });
      const code = await codeOf(() => forks.apply((x) => increment(x), [1]));
      await forks.terminate();
      return code;
    },
    'MP_WORKER_CRASH',
  ],
  'few workers died': [async () => (await pool.apply(() => process.pid)) > 0 && pool.stats().workers.length, 1],
});
await pool.terminate();
