/** AsyncResult: asking, waiting, callbacks, progress, cancelling, observing. */
import { Pool, ProcessError, TimeoutError } from 'multiprocess';
import { from, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { program } from '../support/programs.js';

const sleep = (ms: number): Promise<number> => new Promise((done) => setTimeout(() => done(ms), ms));
const fail = (): never => {
  throw new RangeError('failed');
};
let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1, gracePeriod: 100 });
});
afterAll(() => pool.terminate());

it('is not ready, then ready; successful() throws before, and tells the outcome after', async () => {
  const result = pool.applyAsync(sleep, [50]);
  expect(result.ready()).toBe(false);
  expect(() => result.successful()).toThrow(ProcessError);
  expect(() => result.successful()).toThrow(/not ready/);
  expect(await result.wait({ timeout: 1 })).toBe(false);
  expect(await result.wait({ timeout: 0 })).toBe(false);
  expect(await result.wait()).toBe(true);
  expect([result.ready(), result.successful()]).toEqual([true, true]);
  const failed = pool.applyAsync(fail);
  expect(await failed.wait()).toBe(true);
  expect([failed.ready(), failed.successful()]).toEqual([true, false]);
});

it('a signal ends wait and get with its reason, and leaves the task alone', async () => {
  const result = pool.applyAsync(sleep, [100]);
  const abort = new AbortController();
  const waits = [result.wait({ signal: abort.signal }), result.get({ signal: abort.signal, timeout: 60_000 })];
  const caught = waits.map((wait) => expect(wait).rejects.toThrow('enough'));
  abort.abort(new Error('enough'));
  await Promise.all(caught);
  await expect(result.wait({ signal: abort.signal })).rejects.toThrow('enough');
  expect(await result.get({ signal: new AbortController().signal })).toBe(100);
  await expect(result.get({ sinal: 1 } as never)).rejects.toThrow('did you mean `signal`');
  await expect(result.wait({ signal: 1 as never })).rejects.toThrow('must be an AbortSignal');
});

it('get gives the value or the error as often as asked; a timeout of it leaves the task alone', async () => {
  const result = pool.applyAsync(sleep, [200]);
  await expect(result.get({ timeout: 10 })).rejects.toBeInstanceOf(TimeoutError);
  expect([await result.get(), await result.get({ timeout: 0 }), await result]).toEqual([200, 200, 200]);
  const failed = pool.applyAsync(fail);
  await expect(failed.get()).rejects.toThrow('failed');
  await expect(failed.get({ timeout: 5 })).rejects.toThrow('failed');
  await expect(Promise.resolve(failed)).rejects.toThrow('failed');
});

it('get and wait refuse bad options with actor and repair', async () => {
  const result = pool.applyAsync(sleep, [1]);
  await expect(result.wait({ timeOut: 1 } as never)).rejects.toThrow(
    'AsyncResult.wait: misspelled option `timeOut`: did you mean `timeout`?',
  );
  await expect(result.get({ timeout: '5' as never })).rejects.toThrow(/`timeout` must be a number/);
  await result;
});

it('calls the matching callback once, before it is ready', async () => {
  const seen: unknown[] = [];
  const result = pool.applyAsync(sleep, [5], {
    callback: (value) => seen.push(value, result.ready()),
    errorCallback: () => seen.push('error'),
  });
  await result.wait();
  expect(seen).toEqual([5, false]);
  seen.length = 0;
  await pool
    .applyAsync(fail, [], {
      callback: () => seen.push('value'),
      errorCallback: (error) => seen.push((error as Error).message),
    })
    .wait();
  expect(seen).toEqual(['failed']);
});

it('a callback that throws surfaces as an uncaught exception and harms no result', async () => {
  const { stdout, code } = await program('throwing-callback.js').ended;
  expect(stdout).toBe('uncaught from the callback\nvalue 1\nnext 2\n');
  expect(code).toBe(0);
});

it('a failure nobody looks at is no unhandled rejection', async () => {
  let unhandled = 0;
  const count = () => unhandled++;
  process.on('unhandledRejection', count);
  const failed = pool.applyAsync(fail);
  const map = pool.mapAsync(fail, [1, 2]);
  while (!failed.ready() || !map.ready()) await new Promise((done) => setImmediate(done));
  await new Promise((done) => setImmediate(done));
  process.off('unhandledRejection', count);
  expect(unhandled).toBe(0);
});

it('emits its value and completes as an ObservableInput, and errors as one', async () => {
  expect(await lastValueFrom(from(pool.applyAsync(sleep, [3])).pipe(toArray()))).toEqual([3]);
  await expect(lastValueFrom(from(pool.applyAsync(fail)))).rejects.toThrow('failed');
});

it('shows what the task reports, in order, then the end', async () => {
  const result = pool.applyAsync(new URL('../fixtures/tasks/reporting.js', import.meta.url), ['one', { two: 2 }, 3]);
  const seen = lastValueFrom(result.progress.pipe(toArray()));
  expect(await result).toBe(3);
  expect(await seen).toMatchObject([
    { report: 'one', running: 1 },
    { report: { two: 2 }, running: 1 },
    { report: 3, running: 1 },
    { running: 0, delivered: 1, failed: 0 },
  ]);
  expect(await lastValueFrom(result.progress.pipe(toArray()))).toEqual([]);
});

it('completes its progress also when the call was refused', async () => {
  const closed = new Pool({ processes: 1 });
  await closed.terminate();
  const result = closed.applyAsync(sleep, [1]);
  const seen = lastValueFrom(result.progress.pipe(toArray()));
  await expect(result.get()).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
  expect(await seen).toEqual([]);
});

it('cancelled while it runs rejects at once, and the worker serves on', async () => {
  const result = pool.applyAsync(sleep, [60_000]);
  result.cancel('no more');
  await expect(result.get()).rejects.toBe('no more');
  expect(result.successful()).toBe(false);
  result.cancel('again');
  await expect(result.get()).rejects.toBe('no more');
  expect(await pool.apply(sleep, [1])).toBe(1);
});
