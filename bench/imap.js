/** Items per second of a stream whose function does nothing. */
import { closedLoop, countedLoop } from './harness/loops.js';
import { openOurs } from './peers/ours.js';
import { openPiscina, piscinaVariants } from './peers/piscina.js';
import { openRaw } from './peers/raw.js';
import { identity } from './peers/tasks.js';

const consumers = {
  subscribe: (stream) =>
    new Promise((resolve, reject) => {
      let sum = 0;
      const next = (value) => {
        sum += value;
      };
      stream.subscribe({ next, error: reject, complete: () => resolve(sum) });
    }),
  iterate: async (stream) => {
    let sum = 0;
    for await (const value of stream) sum += value;
    return sum;
  },
};

/** The whole array through the pool, after a tenth of it as the warm-up. Checks the sum of what comes back. */
async function ours({ workers, items }, context) {
  const numbers = Array.from({ length: items }, (_, i) => i);
  const result = {};
  for (const [name, consume] of Object.entries(consumers)) {
    const { pool, close } = openOurs(workers, context);
    await consume(pool.imapUnordered(identity, numbers.slice(0, items / 10)));
    const start = performance.now();
    const sum = await consume(pool.imapUnordered(identity, numbers));
    result[name] = (items / (performance.now() - start)) * 1000;
    if (sum !== (items * (items - 1)) / 2) throw new Error(`the results sum up to ${sum}`);
    await close();
  }
  return result;
}

/** A peer without streams has one rate, which is held against both of ours. */
const both = (rate) => ({ subscribe: rate, iterate: rate });

export default {
  title: 'items per second through imapUnordered over an array of numbers, automatic chunks, 2 workers',
  settings: { workers: 2, items: 2_000_000, inFlight: 256, warmup: 500, duration: 1500 },
  quick: { items: 200_000, warmup: 200, duration: 300 },
  search: { warmup: 200, duration: 300 },
  metrics: {
    subscribe: { label: 'subscribe', unit: 'items/s' },
    iterate: { label: 'for await', unit: 'items/s' },
  },
  targets: [
    { metric: 'subscribe', of: 'piscina', atLeast: 40 },
    { metric: 'iterate', of: 'piscina', atLeast: 40 },
  ],
  contenders: {
    ours: { label: 'multiprocess', run: (settings) => ours(settings, 'spawn') },
    threads: { label: 'multiprocess ThreadPool', run: (settings) => ours(settings, 'thread') },
    piscina: {
      label: 'piscina, a call per item',
      variants: piscinaVariants,
      async run(settings, variant) {
        const pool = openPiscina('identity', settings.workers, variant);
        const rate = await closedLoop((i) => pool.run(i), settings);
        await pool.close();
        return both(rate);
      },
    },
    raw: {
      label: 'raw worker_threads, 64 items a message',
      async run(settings) {
        const raw = openRaw('identity', settings.workers);
        const size = 64;
        const chunk = Array.from({ length: size }, (_, i) => i);
        const rate = await countedLoop({ ...settings, inFlight: 8 }, (settled, failed) => {
          raw.onAnswer(settled, failed);
          return () => raw.post(chunk);
        });
        await raw.close();
        return both(rate * size);
      },
    },
  },
};
