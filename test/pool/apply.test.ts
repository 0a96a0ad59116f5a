/** Calls: values, closures, errors. */
import { Pool } from 'multiprocess';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slots } from '../support/concurrency.js';
import { threads, whoami } from '../support/start-method.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2 });
});
afterAll(() => pool.terminate());

it('runs a function in another process and gives its value', async () => {
  const [value, where] = await pool.apply((a: number, b: number) => [a + b, whoami()] as const, [1, 2]);
  expect(value).toBe(3);
  expect(where).not.toBe(process.pid);
  if (!threads) expect(pool.stats().workers.map((worker) => worker.pid)).toContain(where);
});

it('takes functions without arguments, async functions, methods of objects and module URLs', async () => {
  expect(await pool.apply(() => 7)).toBe(7);
  expect(await pool.apply(async (x: number) => x + 1, [1])).toBe(2);
  const tools = {
    half(x: number) {
      return x / 2;
    },
  };
  expect(await pool.apply(tools.half, [8])).toBe(4);
  expect(await pool.apply(new URL('../fixtures/tasks/reporting.js', import.meta.url), ['a', 'b'])).toBe(2);
});

it('takes the elements of an argument list, whatever else it has', async () => {
  const all = (...args: unknown[]) => args;
  expect(await pool.apply(all, Object.freeze([1, 'a']) as [number, string])).toEqual([1, 'a']);
  expect(await pool.apply(all, Object.assign([1, 2], { note: 'mine', [Symbol('s')]: 3 }))).toEqual([1, 2]);
  expect(await pool.apply(all, new Array(2))).toEqual([undefined, undefined]);
  const shared = { n: 1 };
  expect(await pool.apply((a: object, b: object) => a === b, [shared, shared])).toBe(true);
  const itself: [number, unknown] = [1, null];
  itself[1] = itself;
  expect(await pool.apply((n: unknown, list: unknown) => (list as unknown[])[1] === list && n, itself)).toBe(1);
});

it('sends what a function captures, as it is at the call', async () => {
  let factor = 3;
  const table = new Map([['a', 1]]);
  const inner = (x: number) => x * factor;
  const task = (x: number) => inner(x) + (table.get('a') ?? 0);
  expect(await pool.apply(task, [5])).toBe(16);
  factor = 10;
  table.set('a', 2);
  expect(await pool.apply(task, [5])).toBe(52);
});

it('lets a call change its copy of a capture only', async () => {
  const counter = { n: 0 };
  const count = () => ++counter.n;
  const seen = await Promise.all([pool.apply(count), pool.apply(count), pool.apply(count)]);
  expect(seen).toEqual([1, 1, 1]);
  expect(counter.n).toBe(0);
});

it('sends a function once to each worker, however often its closure is made anew', async () => {
  for (let i = 0; i < 1500; i++) expect(await pool.apply((x: number) => x + 1, [i])).toBe(i + 1);
});

it('runs more functions than a worker keeps, and the first one again', async () => {
  const functions = Array.from({ length: 600 }, (_, i) => (x: number) => x + i);
  expect(await Promise.all(functions.map((fn) => pool.apply(fn, [1])))).toEqual(functions.map((_, i) => i + 1));
  expect(await pool.apply(functions[0]!, [1])).toBe(1);
});

it('keeps class, message, properties and cause of an error, and names the remote place', async () => {
  const error: unknown = await pool
    .apply(function innerTask() {
      throw Object.assign(new TypeError('outer', { cause: new RangeError('inner') }), {
        code: 'E_OUTER',
        list: [1, { a: 2 }],
      });
    })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({
    message: 'outer',
    code: 'E_OUTER',
    list: [1, { a: 2 }],
    cause: { name: 'RangeError', message: 'inner' },
  });
  expect((error as Error).stack).toContain('innerTask');
});

it('thousands at once all get their own result', async () => {
  const calls = Array.from({ length: 5000 }, (_, i) => pool.apply((x: number) => x * 7, [i]));
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 5000 }, (_, i) => i * 7));
});

it('runs side by side on all workers', async () => {
  const meet = (path: string, wanted: number): Promise<number> => {
    const { appendFileSync, readFileSync } = process.getBuiltinModule('node:fs');
    appendFileSync(path, '.');
    return new Promise((done) => {
      const timer = setInterval(() => {
        if (readFileSync(path, 'utf8').length < wanted) return;
        clearInterval(timer);
        done(whoami());
      }, 5);
    });
  };
  const { Ledger } = await import('../support/ledger.js');
  using ledger = new Ledger();
  // More than one worker runs at once.
  const all = 2 * slots;
  const pids = await Promise.all(Array.from({ length: all }, () => pool.apply(meet, [ledger.path, all])));
  expect(new Set(pids).size).toBe(2);
});
