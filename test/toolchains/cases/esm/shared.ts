/** Locks, values, queues and events: the same one in every process, however a closure reaches them. */
import { Event, Lock, Pool, Queue, Semaphore, SharedArray, Value } from 'multiprocess';
import { check } from './harness.ts';
import * as namespace from './shared-state.ts';
import exportsObject, { lock, queue, ready, total } from './shared-state.ts';

const TURNS = 20;
const turns = Array.from({ length: TURNS }, (_, i) => i);
const ofModule = new Value('i', 0);

/** In two workers: what one has written the other sees. */
async function inTwo<T>(use: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({ processes: 2 });
  return use(pool).finally(() => pool.terminate());
}

check('shared: a Value and a Lock of the closure', async (_, same) => {
  const sum = new Value('i', 0);
  const mutex = new Lock();
  const plain = new SharedArray('i32', 1);
  await inTwo((pool) =>
    pool.map(async (i: number) => {
      await sum.update((n) => n + i);
      await mutex.runExclusive(async () => {
        const before = plain.array[0] ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 1));
        plain.array[0] = before + 1;
      });
    }, turns),
  );
  same([sum.value, plain.array[0]], [190, TURNS]);
});
check('shared: a Value of the module', async (pool, same) => {
  ofModule.value = 0;
  await pool.map(() => ofModule.update((n) => n + 1), turns);
  same(ofModule.value, TURNS);
});
check('shared: a Queue and an Event of the closure', async (pool, same) => {
  const items = new Queue<number>();
  const done = new Event();
  const semaphore = new Semaphore(0);
  const taken = pool.apply(async () => {
    const item = await items.get();
    done.set();
    semaphore.release();
    return item;
  });
  await items.put(41);
  same(
    [await taken, await done.wait({ timeout: 10_000 }), await semaphore.acquire({ timeout: 10_000 })],
    [41, true, true],
  );
});
check('shared: through a module', async (pool, same) => {
  total.value = 0;
  ready.clear();
  await pool.map(async (i: number) => {
    await lock.runExclusive(() => {});
    await total.update((n) => n + i);
    ready.set();
  }, turns);
  same([total.value, ready.isSet()], [190, true]);
});
check('shared: through a namespace import', async (pool, same) => {
  namespace.total.value = 0;
  namespace.ready.clear();
  await pool.map(async (i: number) => {
    await namespace.lock.runExclusive(() => {});
    await namespace.total.update((n) => n + i);
    namespace.ready.set();
  }, turns);
  same([namespace.total.value, namespace.ready.isSet()], [190, true]);
});
check('shared: through an exports object', async (pool, same) => {
  exportsObject.total.value = 0;
  await pool.map((i: number) => exportsObject.total.update((n) => n + i), turns);
  same(exportsObject.total.value, 190);
});
check('shared: a Queue through a namespace import', async (pool, same) => {
  await pool.apply(async () => namespace.queue.put(8));
  same(await queue.get({ timeout: 3_000 }), 8);
});
check('shared: a Value as argument and in an object', async (pool, same) => {
  const state = { deep: { value: new Value('i', 1) } };
  await pool.apply((given: Value<'i'>) => given.update((n) => n + 1), [state.deep.value]);
  await pool.apply(() => state.deep.value.update((n) => n + 1));
  same(state.deep.value.value, 3);
});
