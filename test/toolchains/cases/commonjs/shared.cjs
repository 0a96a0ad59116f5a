/** Locks, values, queues and events: the same one in every process, however a closure reaches them. */
const { Event, Lock, Pool, Queue, Value } = require('multiprocess');
const { check } = require('./harness.cjs');
const state = require('./shared-state.cjs');
const { ready, total } = require('./shared-state.cjs');

const turns = Array.from({ length: 20 }, (_, i) => i);
const ofModule = new Value('i', 0);

check('shared: a Value and a Lock of the closure', async (_, same) => {
  const sum = new Value('i', 0);
  const mutex = new Lock();
  const pool = new Pool({ processes: 2 });
  await pool
    .map(async (i) => {
      await sum.update((n) => n + i);
      await mutex.runExclusive(() => ofModule.update((n) => n + 1));
    }, turns)
    .finally(() => pool.terminate());
  same([sum.value, ofModule.value], [190, 20]);
});
check('shared: a Queue and an Event of the closure', async (pool, same) => {
  const items = new Queue();
  const done = new Event();
  const taken = pool.apply(async () => {
    const item = await items.get();
    done.set();
    return item;
  });
  await items.put(41);
  same([await taken, await done.wait({ timeout: 10_000 })], [41, true]);
});
check('shared: destructured from a module', async (pool, same) => {
  total.value = 0;
  ready.clear();
  await pool.map(async (i) => {
    await total.update((n) => n + i);
    ready.set();
  }, turns);
  same([total.value, ready.isSet()], [190, true]);
});
check('shared: through an exports object', async (pool, same) => {
  state.total.value = 0;
  state.ready.clear();
  await pool.map(async (i) => {
    await state.lock.runExclusive(() => {});
    await state.total.update((n) => n + i);
    state.ready.set();
  }, turns);
  same([state.total.value, state.ready.isSet()], [190, true]);
});
check('shared: a Queue through an exports object', async (pool, same) => {
  await pool.apply(async () => state.queue.put(8));
  same(await state.queue.get({ timeout: 3_000 }), 8);
});
