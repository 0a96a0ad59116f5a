/** Calls per second of a task that does nothing. */
import { closedLoop, countedLoop } from './harness/loops.js';
import { openOurs } from './peers/ours.js';
import { openPiscina, piscinaVariants } from './peers/piscina.js';
import { openPoolifier, poolifierVariants } from './peers/poolifier.js';
import { openRaw } from './peers/raw.js';
import { identity, noop } from './peers/tasks.js';
import { openTinypool } from './peers/tinypool.js';

const metrics = {
  many: { label: 'no-op, 256 in flight', unit: 'calls/s', task: 'noop', inFlight: 256 },
  few: { label: 'no-op, 64 in flight', unit: 'calls/s', task: 'noop', inFlight: 64 },
  number: { label: 'a number each way, 256 in flight', unit: 'calls/s', task: 'identity', inFlight: 256 },
};

/** Measures every metric with a pool of its own; `loop(pool, task, settings)` is the closed loop over it. */
async function each({ warmup, duration }, open, loop) {
  const result = {};
  for (const [name, { task, inFlight }] of Object.entries(metrics)) {
    const pool = open(task);
    result[name] = await loop(pool, task, { inFlight, warmup, duration });
    await pool.close();
  }
  return result;
}

const overRun = (pool, task, settings) =>
  closedLoop(task === 'noop' ? () => pool.run(undefined) : (i) => pool.run(i), settings);

export default {
  title: 'calls per second of a task that does nothing, in a closed loop, 2 workers',
  settings: { workers: 2, warmup: 500, duration: 1500 },
  quick: { warmup: 200, duration: 300 },
  search: { warmup: 200, duration: 300 },
  metrics,
  targets: [
    { metric: 'many', of: 'piscina', atLeast: 10 },
    { metric: 'many', of: 'poolifier', atLeast: 6 },
    { metric: 'many', of: 'raw', atLeast: 2 },
  ],
  contenders: {
    ours: {
      label: 'multiprocess',
      run: (settings) =>
        each(
          settings,
          () => openOurs(settings.workers),
          ({ pool }, task, loop) =>
            closedLoop(task === 'noop' ? () => pool.apply(noop) : (i) => pool.apply(identity, [i]), loop),
        ),
    },
    threads: {
      label: 'multiprocess ThreadPool',
      run: (settings) =>
        each(
          settings,
          () => openOurs(settings.workers, 'thread'),
          ({ pool }, task, loop) =>
            closedLoop(task === 'noop' ? () => pool.apply(noop) : (i) => pool.apply(identity, [i]), loop),
        ),
    },
    piscina: {
      label: 'piscina',
      variants: piscinaVariants,
      run: (settings, variant) => each(settings, (task) => openPiscina(task, settings.workers, variant), overRun),
    },
    poolifier: {
      label: 'poolifier FixedThreadPool',
      variants: poolifierVariants,
      run: (settings, variant) => each(settings, (task) => openPoolifier(task, settings.workers, variant), overRun),
    },
    raw: {
      label: 'raw worker_threads',
      run: (settings) =>
        each(
          settings,
          (task) => openRaw(task, settings.workers),
          (raw, _task, loop) =>
            countedLoop(loop, (settled, failed) => {
              raw.onAnswer(settled, failed);
              return raw.post;
            }),
        ),
    },
    answered: {
      label: 'raw worker_threads, a promise a call',
      run: (settings) =>
        each(
          settings,
          () => openRaw('identity', settings.workers),
          (raw, _task, loop) => {
            const waiting = new Map();
            const settle = (id) => {
              waiting.get(id)(id);
              waiting.delete(id);
            };
            raw.onAnswer(settle, (error) => {
              throw error;
            });
            const call = (id) =>
              new Promise((resolve) => {
                waiting.set(id, resolve);
                raw.post(id);
              });
            return closedLoop(call, loop);
          },
        ),
    },
    tinypool: {
      label: 'tinypool',
      run: (settings) => each(settings, (task) => openTinypool(task, settings.workers), overRun),
    },
  },
};
