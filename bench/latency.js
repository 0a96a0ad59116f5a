/** How long one call takes when nothing else is under way. */
import { oneAtATime } from './harness/loops.js';
import { quantile } from './harness/statistics.js';
import { openOurs } from './peers/ours.js';
import { openPiscina, piscinaVariantsOne } from './peers/piscina.js';
import { openPoolifier, poolifierVariantsOne } from './peers/poolifier.js';
import { openRaw } from './peers/raw.js';
import { noop } from './peers/tasks.js';

async function quantiles(call, settings) {
  const samples = await oneAtATime(call, settings);
  return { p50: quantile(samples, 0.5), p90: quantile(samples, 0.9), p99: quantile(samples, 0.99) };
}

async function ours(settings, context) {
  const { pool, close } = openOurs(settings.workers, context);
  const result = await quantiles(() => pool.apply(noop), settings);
  await close();
  return result;
}

export default {
  title: 'round trip of a no-op with one call in flight, 2 workers',
  settings: { workers: 2, warmup: 500, duration: 2000 },
  quick: { warmup: 200, duration: 300 },
  search: { warmup: 200, duration: 500 },
  metrics: {
    p50: { label: 'p50', unit: 'µs', lower: true },
    p90: { label: 'p90', unit: 'µs', lower: true },
    p99: { label: 'p99', unit: 'µs', lower: true },
  },
  targets: [{ metric: 'p50', of: 'piscina', atMost: 1 }],
  contenders: {
    ours: { label: 'multiprocess', run: (settings) => ours(settings, 'spawn') },
    threads: { label: 'multiprocess ThreadPool', run: (settings) => ours(settings, 'thread') },
    piscina: {
      label: 'piscina',
      variants: piscinaVariantsOne,
      async run(settings, variant) {
        const pool = openPiscina('noop', settings.workers, variant);
        const result = await quantiles(() => pool.run(undefined), settings);
        await pool.close();
        return result;
      },
    },
    poolifier: {
      label: 'poolifier FixedThreadPool',
      variants: poolifierVariantsOne,
      async run(settings, variant) {
        const pool = openPoolifier('noop', settings.workers, variant);
        const result = await quantiles(() => pool.run(undefined), settings);
        await pool.close();
        return result;
      },
    },
    raw: {
      label: 'raw worker_threads',
      async run(settings) {
        const raw = openRaw('noop', settings.workers);
        let settle;
        raw.onAnswer(
          () => settle(),
          (error) => {
            throw error;
          },
        );
        const call = () =>
          new Promise((resolve) => {
            settle = resolve;
            raw.post(0);
          });
        const result = await quantiles(call, settings);
        await raw.close();
        return result;
      },
    },
  },
};
