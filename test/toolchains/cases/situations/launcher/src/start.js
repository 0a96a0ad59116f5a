/** The program of a package, started as `node .`: its own exported function is sent. */
import { createRequire } from 'node:module';
import { Pool } from 'multiprocess';

const { runCases } = createRequire(import.meta.url)('../report.cjs');
export const triple = (x) => x * 3;
const pool = new Pool({ processes: 1 });
await runCases({
  'an exported function of the program': [() => pool.apply(triple, [2]), 6],
  'a closure over it': [() => pool.apply((x) => triple(x) + 1, [2]), 7],
});
await pool.terminate();
