/** Asynchronous functions, generators, and both at once. */
import { check } from './harness.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
async function slow(x: number): Promise<number> {
  await pause(1);
  return x + 1;
}
function* squares(n: number) {
  for (let i = 1; i <= n; i++) yield i * i;
}
function* around(n: number) {
  yield 0;
  const sum: number = yield* inner(n);
  yield sum;
}
function* inner(n: number) {
  yield* squares(n);
  return -1;
}
async function* ticks(n: number) {
  for (const square of squares(n)) {
    await pause(1);
    yield square;
  }
}

check('async: functions', async (pool, same) => {
  same(await pool.apply(slow, [1]), 2);
  same(await pool.apply(async (x: number) => (await slow(x)) + (await slow(x)), [1]), 4);
});
check('async: generators', async (pool, same) => {
  same(await pool.apply((n: number) => [...around(n)], [3]), [0, 1, 4, 9, -1]);
});
check('async: async generators', async (pool, same) => {
  same(
    await pool.apply(
      async (n: number) => {
        const seen: number[] = [];
        for await (const tick of ticks(n)) seen.push(tick);
        return seen;
      },
      [3],
    ),
    [1, 4, 9],
  );
});
check('async: a stream from an async generator', async (pool, same) => {
  const offset = 1;
  const seen: number[] = [];
  for await (const value of pool.imap((x: number) => x + offset, ticks(4))) seen.push(value);
  same(seen, [2, 5, 10, 17]);
});
check('async: arguments and this in async methods', async (pool, same) => {
  const service = {
    base: 5,
    async plus(...xs: number[]) {
      await pause(1);
      const sum = async () => xs.reduce((a, b) => a + b, this.base);
      return await sum();
    },
  };
  same(await pool.apply(() => service.plus(1, 2)), 8);
});
check('async: try and finally', async (pool, same) => {
  same(
    await pool.apply(async () => {
      const log: string[] = [];
      try {
        await pause(1);
        throw new Error('x');
      } catch (error) {
        log.push((error as Error).message);
      } finally {
        log.push('finally');
      }
      return log;
    }),
    ['x', 'finally'],
  );
});
