/**
 * `--frozen-intrinsics`: the forkserver's template cannot replace `Math.random`, so it replaces `Math`. Of the builtin prototypes `constructor` is an
 * accessor.
 */
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
