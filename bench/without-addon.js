/** Threads without the native addon, beside threads with it and piscina. */
import { getAllStartMethods, Lock, Queue, Value } from 'multiprocess';
import { closedLoop } from './harness/loops.js';
import { openOurs } from './peers/ours.js';
import { openPiscina, piscinaVariants } from './peers/piscina.js';
import { identity, noop } from './peers/tasks.js';

/** The whole array through a pool of threads, after a tenth of it as the warm-up. */
async function streamed({ workers, items }, consume) {
  const { pool, close } = openOurs(workers, 'thread');
  const numbers = Array.from({ length: items }, (_, i) => i);
  await consume(pool.imapUnordered(identity, numbers.slice(0, items / 10)));
  const start = performance.now();
  await consume(pool.imapUnordered(identity, numbers));
  const rate = (items / (performance.now() - start)) * 1000;
  await close();
  return rate;
}

const subscribed = (stream) => new Promise((resolve, reject) => stream.subscribe({ error: reject, complete: resolve }));
const iterated = async (stream) => {
  for await (const _ of stream);
};

/** Nanoseconds of a step, one after the other, after as many as the warm-up. */
async function each(steps, step) {
  for (let i = 0; i < steps; i++) await step(i);
  const start = performance.now();
  for (let i = 0; i < steps; i++) await step(i);
  return ((performance.now() - start) / steps) * 1e6;
}

async function ours(settings) {
  const { pool, close } = openOurs(settings.workers, 'thread');
  const many = await closedLoop(() => pool.apply(noop), { ...settings, inFlight: 256 });
  await close();
  const [lock, value, queue] = [new Lock(), new Value('i32', 0), new Queue()];
  const result = {
    many,
    subscribe: await streamed(settings, subscribed),
    iterate: await streamed(settings, iterated),
    lock: await each(settings.steps, async () => {
      await lock.acquire();
      lock.release();
    }),
    value: await each(settings.steps, () => value.update((n) => n + 1)),
    queue: await each(settings.steps / 4, async (i) => {
      await queue.put(i);
      await queue.get();
    }),
  };
  for (const one of [lock, value, queue]) one.close();
  return result;
}

const rates = ['many', 'subscribe', 'iterate'];
const times = ['lock', 'value', 'queue'];

export default {
  title: 'threads without the native addon (2 workers), beside those with it and piscina',
  settings: { workers: 2, items: 1_000_000, warmup: 500, duration: 1500, steps: 200_000 },
  quick: { items: 100_000, warmup: 200, duration: 300, steps: 20_000 },
  search: { warmup: 200, duration: 300 },
  metrics: {
    many: { label: 'no-op, 256 in flight', unit: 'calls/s' },
    subscribe: { label: 'imapUnordered, subscribe', unit: 'items/s' },
    iterate: { label: 'imapUnordered, for await', unit: 'items/s' },
    lock: { label: 'Lock: await acquire, release', unit: 'ns', lower: true },
    value: { label: 'Value: await update', unit: 'ns', lower: true },
    queue: { label: 'Queue: await put, await get', unit: 'ns', lower: true },
  },
  targets: [
    ...rates.map((metric) => ({ metric, of: 'addon', atLeast: 0.7 })),
    ...rates.map((metric) => ({ metric, of: 'piscina', atLeast: 5 })),
    ...times.map((metric) => ({ metric, of: 'addon', atMost: 1.5 })),
  ],
  contenders: {
    ours: {
      label: 'multiprocess ThreadPool, without the addon',
      run: (settings) => {
        // It is decided with the first use, and threads inherit it.
        process.env.MULTIPROCESS_NATIVE = 'off';
        if (getAllStartMethods().join() !== 'thread') throw new Error('the addon is there all the same');
        return ours(settings);
      },
    },
    addon: { label: 'multiprocess ThreadPool, with it', run: ours },
    piscina: {
      label: 'piscina, a call per item',
      variants: piscinaVariants,
      async run(settings, variant) {
        const pool = openPiscina('noop', settings.workers, variant);
        const many = await closedLoop(() => pool.run(undefined), { ...settings, inFlight: 256 });
        await pool.close();
        const other = openPiscina('identity', settings.workers, variant);
        const rate = await closedLoop((i) => other.run(i), { ...settings, inFlight: 256 });
        await other.close();
        return { many, subscribe: rate, iterate: rate };
      },
    },
  },
};
