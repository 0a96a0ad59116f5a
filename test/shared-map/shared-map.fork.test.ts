/** What a copy of a program does with a map that its parent updates. */
import { Event, getContext, Queue, SharedMap } from 'multiprocess';
import { expect, it } from 'vitest';

const context = getContext('fork');

it('a copy has the map, and nothing of an update that runs in its parent', async () => {
  const map = new SharedMap<string, number>({ capacity: 10 });
  map.set('a', 1).set('b', 1);
  const results = new Queue<unknown>();
  const [began, go] = [new Event(), new Event()];
  let end!: (value: number) => void;
  const updating = map.update('a', () => {
    began.set();
    return new Promise<number>((resolve) => {
      end = resolve;
    });
  });
  await began.wait();
  const child = new context.Process(async () => {
    end(99); // the copy's own promise
    const timedOut = await map.update('a', () => 5, { timeout: 20 }).catch((error: { code: string }) => error.code);
    map.set('b', 2);
    await results.put([timedOut, map.get('a'), map.get('b')]);
    await go.wait();
    await results.put(await map.update('a', (value = 0) => value + 1));
  });
  await child.start();
  expect(await results.get()).toEqual(['MP_TIMEOUT', 1, 2]);
  go.set();
  end(7);
  expect(await updating).toBe(7);
  expect(await results.get()).toBe(8);
  expect(await child.exited).toBe(0);
  expect([map.get('a'), map.get('b')]).toEqual([8, 2]);
  await child[Symbol.asyncDispose]();
  await results[Symbol.asyncDispose]();
});
