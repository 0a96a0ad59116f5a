/**
 * `--frozen-intrinsics`: forks could not draw random numbers of their own, since `Math` cannot be
 * replaced. Of the builtin prototypes `constructor` is an accessor. A `Math` that a module froze
 * can be replaced.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { itNeeds } from '../support/needs.js';

const PROGRAM = `
import { getContext } from 'multiprocess';
try {
  getContext('forkserver');
} catch ({ code, message }) {
  console.log(JSON.stringify([code, message]));
}
`;

itNeeds('forks')('the forkserver is refused, with the reason', { timeout: 60_000 }, async () => {
  const args = ['--frozen-intrinsics', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000, killSignal: 'SIGKILL' });
  expect(JSON.parse(stdout)).toEqual([
    'MP_UNSUPPORTED',
    expect.stringContaining('`Math` is frozen (--frozen-intrinsics)'),
  ]);
});

const BUILTINS = `
import { Pool } from 'multiprocess';
class Mine extends Map {}
const values = [
  /b+/g, new Date(5), Object(1), Object('s'), new TypeError('x'), new Map([[1, 2]]), new Set([1]), new Mine([[1, 2]]), [1, 2],
  new Uint8Array(2), new BigInt64Array(1), new ArrayBuffer(3), new DataView(new ArrayBuffer(2)), new URL('http://a.b/'),
];
const pool = new Pool({ processes: 1 });
const failed = [];
for (const value of values) {
  const here = Object.prototype.toString.call(value) + value.constructor.name;
  const there = await pool.apply(() => Object.prototype.toString.call(value) + value.constructor.name).catch(String);
  const isBack = (await pool.apply(() => value).catch(String)) instanceof value.constructor;
  if (there !== here || !isBack) failed.push([here, there, isBack]);
}
await pool.terminate();
console.log(JSON.stringify([failed, values.length]));
`;

test('captured builtin objects arrive as what they are', { timeout: 60_000 }, async () => {
  const args = ['--frozen-intrinsics', '--input-type=module', '-e', BUILTINS];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000, killSignal: 'SIGKILL' });
  expect(JSON.parse(stdout)).toEqual([[], 14]);
});

const FROZEN_MATH = `
import { Pool } from 'multiprocess';
const pool = new Pool({ processes: 4, context: 'forkserver' });
const drawn = await pool.map(() => [process.pid, Math.random(), Object.isFrozen(Math)], [1, 2, 3, 4, 5, 6, 7, 8], { chunkSize: 1 });
await pool.terminate();
const first = new Map(drawn.reverse().map(([pid, number]) => [pid, number]));
console.log(JSON.stringify([new Set(first.values()).size === first.size, drawn.every(([, , frozen]) => frozen)]));
`;

itNeeds('forks')(
  'forks of a template whose `Math` a preloaded module froze draw numbers of their own',
  {
    timeout: 60_000,
  },
  async () => {
    const args = ['--import', 'data:text/javascript,Object.freeze(Math)', '--input-type=module', '-e', FROZEN_MATH];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000, killSignal: 'SIGKILL' });
    expect(JSON.parse(stdout)).toEqual([true, true]);
  },
);
