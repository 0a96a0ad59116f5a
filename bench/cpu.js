/** Work that keeps a CPU busy: what a second worker brings, and what the pool costs. */
import { median } from './harness/statistics.js';
import { openOurs } from './peers/ours.js';
import { openPiscina } from './peers/piscina.js';
import { openRaw } from './peers/raw.js';
import { busy } from './peers/tasks.js';

/** @returns how many steps of `busy` this machine does in a millisecond, at its best of a few tries. */
function stepsPerMillisecond() {
  const steps = 2_000_000;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    busy(steps);
    best = Math.min(best, performance.now() - start);
  }
  return steps / best;
}

async function time(run, work) {
  const start = performance.now();
  await run(work);
  return performance.now() - start;
}

/**
 * Runs the same work by turns with one worker, with two, and inline in this process.
 *
 * @param open (workers) => { runners: { name: (items) => promise }, close }
 * @returns for each runner the medians of the pairs: speed-up, and overhead in percent
 */
async function compare({ steps, long, short, pairs }, open) {
  const work = (count, milliseconds) => new Array(count).fill(Math.round(steps * milliseconds));
  const inline = (items) => {
    for (const item of items) busy(item);
  };
  const [one, two] = [open(1), open(2)];
  const names = Object.keys(one.runners);
  const result = {};

  const longs = work(long.items, long.milliseconds);
  const shorts = work(short.items, short.milliseconds);
  const warm = shorts.slice(0, Math.ceil(short.items / 4));
  inline(warm);
  for (const name of names) {
    await one.runners[name](warm);
    await two.runners[name](warm);
  }

  const speedups = Object.fromEntries(names.map((name) => [name, []]));
  const overheads = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 0; i < pairs; i++) {
    for (const name of names) {
      const times = {};
      const turns = i % 2 === 0 ? [one, two] : [two, one]; // neither is always the first
      for (const pool of turns) times[pool === one ? 1 : 2] = await time(pool.runners[name], longs);
      speedups[name].push(times[1] / times[2]);
    }
    const before = await time(inline, shorts);
    const through = {};
    for (const name of names) through[name] = await time(one.runners[name], shorts);
    const alone = (before + (await time(inline, shorts))) / 2; // a drift of the machine hits both sides
    for (const name of names) overheads[name].push(((through[name] - alone) / alone) * 100);
  }
  for (const name of names) {
    result[`${name}Speedup`] = median(speedups[name]);
    result[`${name}Overhead`] = median(overheads[name]);
  }
  await one.close();
  await two.close();
  return result;
}

export default {
  title: 'CPU-bound items: 400 of about 5 ms with 2 workers against 1, 400 of about 1 ms with 1 worker against inline',
  settings: { long: { items: 400, milliseconds: 5 }, short: { items: 400, milliseconds: 1 }, pairs: 4 },
  quick: { long: { items: 60, milliseconds: 5 }, short: { items: 100, milliseconds: 1 }, pairs: 3 },
  prepare: () => ({ steps: stepsPerMillisecond() }),
  watchdog: () => 300,
  metrics: {
    mapSpeedup: { label: 'speed-up of map', unit: 'times' },
    imapSpeedup: { label: 'speed-up of imap', unit: 'times' },
    mapOverhead: { label: 'overhead of map', unit: '%', lower: true, absolute: true },
    imapOverhead: { label: 'overhead of imap', unit: '%', lower: true, absolute: true },
  },
  targets: [
    { metric: 'mapSpeedup', of: 'ours', atLeast: 1.9 },
    { metric: 'imapSpeedup', of: 'ours', atLeast: 1.9 },
    { metric: 'mapOverhead', of: 'ours', below: 3 },
    { metric: 'imapOverhead', of: 'ours', below: 3 },
  ],
  contenders: {
    ours: {
      label: 'multiprocess',
      run: (settings) =>
        compare(settings, (workers) => {
          const { pool, close } = openOurs(workers);
          const imap = async (items) => {
            for await (const _ of pool.imap(busy, items));
          };
          return { runners: { map: (items) => pool.map(busy, items), imap }, close };
        }),
    },
    piscina: {
      label: 'piscina, a call per item',
      run: (settings) =>
        compare(settings, (workers) => {
          const pool = openPiscina('busy', workers, {});
          return { runners: { map: (items) => Promise.all(items.map(pool.run)) }, close: pool.close };
        }),
    },
    raw: {
      label: 'raw worker_threads, an even share each',
      run: (settings) =>
        compare(settings, (workers) => {
          const raw = openRaw('busy', workers);
          const map = (items) =>
            new Promise((resolve, reject) => {
              let waiting = workers;
              raw.onAnswer(() => --waiting === 0 && resolve(), reject);
              const share = Math.ceil(items.length / workers);
              for (let i = 0; i < workers; i++) raw.post(items.slice(i * share, (i + 1) * share));
            });
          return { runners: { map }, close: raw.close };
        }),
    },
  },
};
