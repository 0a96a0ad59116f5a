/** `--frozen-intrinsics`: the forkserver's template cannot replace `Math.random`, so it replaces `Math`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = `
import { getContext } from 'multiprocess';
const { Pool } = getContext('forkserver');
const drawn = [];
for (let i = 0; i < 2; i++) {
  const pool = new Pool({ processes: 1 });
  drawn.push(await pool.apply(() => [Math.random(), Object.isFrozen(Math), Math.max(1, 2), String(Math)]));
  await pool.terminate();
}
console.log(JSON.stringify(drawn));
`;

test('children of the forkserver start, and draw different numbers', { timeout: 60_000 }, async () => {
  const args = ['--frozen-intrinsics', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000, killSignal: 'SIGKILL' });
  const [first, second] = JSON.parse(stdout) as [unknown[], unknown[]];
  expect(first.slice(1)).toEqual([true, 2, '[object Math]']);
  expect(second.slice(1)).toEqual(first.slice(1));
  expect(second[0]).not.toBe(first[0]);
});
