/** A call as a cold Observable. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { currentTask, Pool } from 'multiprocess';
import { firstValueFrom, lastValueFrom, of, Subject, switchMap, toArray } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { until } from '../support/until.js';

const noted = (path: string, name: string): string => {
  process.getBuiltinModule('node:fs').appendFileSync(path, `${name}\n`);
  return name;
};
const untilTold = (path: string): Promise<never> =>
  new Promise((_, reject) => {
    const { signal } = currentTask()!;
    const { appendFileSync } = process.getBuiltinModule('node:fs');
    appendFileSync(path, 'begun\n');
    const hold = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => {
      clearInterval(hold);
      appendFileSync(path, `told ${(signal.reason as Error).name}\n`);
      reject(signal.reason);
    });
  });

let pool: Pool;
let ledger: Ledger;
beforeAll(() => {
  pool = new Pool({ processes: 1, gracePeriod: 5000 });
});
afterAll(() => pool.terminate());
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});

it('runs once for each subscription, and not before', async () => {
  const calls = pool.defer(noted, [ledger.path, 'x']);
  await pool.apply((x: number) => x, [1]);
  expect(ledger.lines()).toEqual([]);
  expect(await lastValueFrom(calls.pipe(toArray()))).toEqual(['x']);
  expect(await firstValueFrom(calls)).toBe('x');
  expect(ledger.lines()).toEqual(['x', 'x']);
});

it('cancels its call when it is unsubscribed from', async () => {
  const seen: unknown[] = [];
  const subscription = pool
    .defer(untilTold, [ledger.path])
    .subscribe({ next: (value) => seen.push(value), error: (error) => seen.push(error) });
  await until(() => ledger.lines().length === 1, 'what the test waits for');
  subscription.unsubscribe();
  await until(() => ledger.lines().length === 2, 'what the test waits for');
  expect(ledger.lines()).toEqual(['begun', 'told AbortError']);
  expect(seen).toEqual([]);
  expect(await pool.apply((x: number) => x, [1])).toBe(1);
});

it('switchMap keeps the newest only', async () => {
  const texts = new Subject<string>();
  const results = lastValueFrom(
    texts.pipe(
      switchMap((text) =>
        text === 'slow' ? pool.defer(untilTold, [ledger.path]) : pool.defer(noted, [ledger.path, text]),
      ),
      toArray(),
    ),
  );
  texts.next('slow');
  await until(() => ledger.lines().length === 1, 'what the test waits for');
  texts.next('fast');
  texts.complete();
  expect(await results).toEqual(['fast']);
  expect(ledger.lines()).toEqual(['begun', 'told AbortError', 'fast']);
});

it('errors as apply rejects', async () => {
  const failing = (): never => {
    throw new RangeError('own');
  };
  await expect(lastValueFrom(pool.defer(failing))).rejects.toThrow('own');
  await expect(
    lastValueFrom(pool.defer(() => 1, [], { signal: AbortSignal.abort(new Error('before')) })),
  ).rejects.toThrow('before');
  await expect(lastValueFrom(pool.defer(3 as never))).rejects.toThrow('Pool.defer: expected a function');
  const local = new Pool({ processes: 1 });
  const calls = local.defer(() => 1);
  await local.terminate();
  await expect(lastValueFrom(calls)).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
});

it('refuses bad options at once', () => {
  expect(() => pool.defer(() => 1, [], { timeuot: 1 } as never)).toThrow(
    'Pool.defer: misspelled option `timeuot`: did you mean `timeout`?',
  );
  expect(() => pool.defer(() => 1, [], { retries: { errors: -1 } })).toThrow('`retries.errors`');
});

it('tells its subscriber in the async context of the subscription', async () => {
  const store = new AsyncLocalStorage<string>();
  const told: (string | undefined)[] = [];
  const calls = of(1).pipe(switchMap(() => pool.defer(() => 1)));
  await store.run(
    'here',
    () => new Promise<void>((done) => calls.subscribe({ next: () => told.push(store.getStore()), complete: done })),
  );
  expect(told).toEqual(['here']);
});
