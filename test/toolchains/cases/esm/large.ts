/** In a file above 1 MiB: the runner puts a string of that length where PADDING stands. */
import { check } from './harness.ts';
import { add } from './math.ts';

const padding = 'PADDING';
let count = 0;
const increment = () => ++count;
const fixed = 5;
let changed = 1;
changed++;

check('large file: its length', (_, same) => {
  same(padding.length > 1_100_000, true);
});
check('large file: a let that a captured function changes', async (pool, same) => {
  same(
    await pool.apply(() => {
      increment();
      return count;
    }),
    1,
  );
});
check('large file: captures and imports', async (pool, same) => {
  const local = 1;
  same(await pool.apply((x: number) => add(x, local) + fixed + changed, [1]), 9);
});
