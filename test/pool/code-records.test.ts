/** Code crosses once for each worker, captures each time: through replaced workers, dropped records, and both directions. */
import { Pool } from 'multiprocess';
import { afterEach, expect, it } from 'vitest';

const pools: Pool[] = [];
function pool(processes: number, options = {}): Pool {
  const made = new Pool({ processes, ...options });
  pools.push(made);
  return made;
}
afterEach(async () => {
  for (const each of pools.splice(0)) await each.terminate();
});

const scaled = (factor: number) => (x: number) => x * factor;

it('a closure whose captures change gives what it captured each time', async () => {
  const workers = pool(2);
  for (let factor = 0; factor < 700; factor++) expect(await workers.apply(scaled(factor), [3])).toBe(3 * factor);
  const all = await Promise.all(Array.from({ length: 300 }, (_, factor) => workers.apply(scaled(factor), [2])));
  expect(all).toEqual(Array.from({ length: 300 }, (_, factor) => 2 * factor));
});

it('a function in an argument and in a result, with other captures each time', async () => {
  const workers = pool(1);
  const call = (fn: (x: number) => number, x: number) => fn(x);
  const make = (factor: number) => (x: number) => x * factor;
  for (let factor = 0; factor < 20; factor++) {
    expect(await workers.apply(call, [scaled(factor), 5])).toBe(5 * factor);
    expect((await workers.apply(make, [factor]))(7)).toBe(7 * factor);
  }
});

it('more pieces of code than a worker keeps', async () => {
  const workers = pool(1);
  const texts = Array.from({ length: 300 }, (_, i) => new Function('x', `return x + ${i}`) as (x: number) => number);
  const run = (fn: (x: number) => number, x: number) => fn(x);
  for (const round of [0, 1]) {
    for (const [i, fn] of texts.entries()) expect(await workers.apply(run, [fn, round])).toBe(i + round);
  }
  // More than one message may name.
  const sum = await workers.apply(
    (fns: ((x: number) => number)[]) => fns.reduce((total, fn) => total + fn(0), 0),
    [texts],
  );
  expect(sum).toBe((299 * 300) / 2);
  const back = await workers.apply((fns: ((x: number) => number)[]) => fns, [texts]);
  expect(back[299]!(1)).toBe(300);
});

it('a function that keeps state is rebuilt for each call, also when its record was dropped long ago', async () => {
  const workers = pool(1);
  let count = 10;
  const up = () => ++count;
  expect(await workers.apply(up)).toBe(11);
  const run = (fn: (x: number) => number) => fn(1);
  for (let i = 0; i < 300; i++)
    await workers.apply(run, [new Function('x', `return x - ${i}`) as (x: number) => number]);
  expect(await workers.apply(up)).toBe(11);
  expect(count).toBe(10);
});

it('a worker that replaces another gets the code again', async () => {
  const workers = pool(1, { maxTasksPerChild: 3 });
  for (let factor = 0; factor < 12; factor++) expect(await workers.apply(scaled(factor), [2])).toBe(2 * factor);
});

it('a worker that died is replaced by one that gets the code again', async () => {
  const workers = pool(1);
  const make = (factor: number) => (x: number) => (Number.isNaN(x) ? process.exit(3) : x * factor);
  for (let factor = 1; factor < 6; factor++) {
    expect(await workers.apply(make(factor), [2])).toBe(2 * factor);
    await expect(workers.apply(make(factor), [Number.NaN])).rejects.toMatchObject({ code: 'MP_WORKER_CRASH' });
    const back = await workers.apply((by: number) => (x: number) => x * by, [factor]);
    expect(back(3)).toBe(3 * factor);
  }
});

it('calls that are cancelled before they start take no code with them', async () => {
  const workers = pool(1);
  const busy = workers.apply(() => new Promise((resolve) => setTimeout(resolve, 50)));
  const run = (fn: (x: number) => number, x: number) => fn(x);
  const stop = new AbortController();
  const cancelled = [1, 2, 3].map((factor) => workers.apply(run, [scaled(factor), 1], { signal: stop.signal }));
  const settled = Promise.allSettled(cancelled);
  stop.abort();
  await settled;
  expect(await workers.apply(run, [scaled(4), 2])).toBe(8);
  await busy;
});

it('a result that cannot be sent leaves its code unsent, and the next one brings it', async () => {
  const workers = pool(1);
  const make = (bad: boolean) => {
    const inner = (x: number) => x + 1;
    return [inner, bad ? new WeakMap() : 0] as const;
  };
  await expect(workers.apply(make, [true])).rejects.toMatchObject({ code: 'MP_WEAK' });
  expect((await workers.apply(make, [false]))[0](1)).toBe(2);
});
