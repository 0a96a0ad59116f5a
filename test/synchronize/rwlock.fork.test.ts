/** What a copy of a program does with a lock of readers and writers that its parent holds. */
import { Event, getContext, Queue, RwLock } from 'multiprocess';
import { expect, it } from 'vitest';
import { until } from '../support/until.js';

const context = getContext('fork');

it('a copy holds nothing of what its parent holds, and releases none of it', async () => {
  const [reading, writing] = [new RwLock(), new RwLock()];
  const [hold, other] = [await reading.read(), await writing.write()];
  const results = new Queue<unknown>();
  const go = new Event();
  const child = new context.Process(async () => {
    hold[Symbol.dispose]();
    other[Symbol.dispose]();
    const own = reading.tryRead();
    await results.put([own !== null, reading.tryWrite(), writing.tryRead(), writing.tryWrite(), String(reading)]);
    own?.[Symbol.dispose]();
    reading.close();
    await go.wait();
    await results.put(await writing.runWrite(() => 'had'));
  });
  await child.start();
  expect(await results.get()).toEqual([true, null, null, null, '<RwLock(writer=None, readers=2)>']);
  await until(() => String(reading).endsWith('readers=1)>'), 'the end of the reading of the copy');
  expect(writing.tryRead()).toBeNull();
  hold[Symbol.dispose]();
  other[Symbol.dispose]();
  go.set();
  expect(await results.get()).toBe('had');
  expect(await child.exited).toBe(0);
  expect([String(reading), String(writing)]).toEqual(Array(2).fill('<RwLock(writer=None, readers=0)>'));
  await child[Symbol.asyncDispose]();
  await results[Symbol.asyncDispose]();
});

it('a copy that is killed gives back what it held, and its parent keeps its own', async () => {
  const lock = new RwLock();
  const hold = await lock.read();
  const results = new Queue<string>();
  const child = new context.Process(async () => {
    await lock.read();
    await lock.read();
    await results.put('reads');
    await new Promise(() => setTimeout(() => {}, 60_000));
  });
  await child.start();
  expect(await results.get()).toBe('reads');
  expect(String(lock)).toMatch('readers=3)>');
  child.kill();
  await child.exited;
  await expect(lock.write({ timeout: 200 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
  expect(String(lock)).toMatch('readers=1)>');
  hold[Symbol.dispose]();
  (await lock.write())[Symbol.dispose]();
  await child[Symbol.asyncDispose]();
  await results[Symbol.asyncDispose]();
});
