/** The program's main file: functions of its own, and all cases. */
import { check, runCases } from './harness.ts';
import './groups.ts';

export function triple(x: number): number {
  return x * 3;
}
const ofMain = 2;

check('main file: an exported function', async (pool, same) => {
  same(await pool.apply(triple, [2]), 6);
});
check('main file: a closure over its functions', async (pool, same) => {
  same(await pool.map((x: number) => triple(x) + ofMain, [1, 2]), [5, 8]);
});

/** For who has imported the program. */
export const done = runCases().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
