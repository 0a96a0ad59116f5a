/** poolifier: FixedThreadPool. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FixedThreadPool } from 'poolifier';

const worker = fileURLToPath(new URL('./poolifier-worker.js', import.meta.url));

const CLOSING = 1000; // milliseconds a pool gets to end its threads

/** Without a queue of its own poolifier posts every task at once. */
export const poolifierVariants = {
  'no queue': { enableTasksQueue: false },
  'no queue, round robin': { enableTasksQueue: false, workerChoiceStrategy: 'ROUND_ROBIN' },
  ...Object.fromEntries(
    [1, 32, 128].map((concurrency) => [
      `queue, ${concurrency} per worker`,
      {
        enableTasksQueue: true,
        tasksQueueOptions: { concurrency, taskStealing: false, tasksStealingOnBackPressure: false },
      },
    ]),
  ),
};

/** For one task in flight. */
export const poolifierVariantsOne = {
  'no queue': poolifierVariants['no queue'],
  queue: poolifierVariants['queue, 1 per worker'],
};

export function openPoolifier(name, workers, variant) {
  const pool = new FixedThreadPool(workers, worker, {
    enableEvents: false,
    errorHandler: (error) => {
      throw error;
    },
    workerOptions: { workerData: name },
    ...variant,
  });
  return {
    run: (value) => pool.execute(value),
    async close() {
      // destroy() sometimes waits for ever; its threads are idle by then, and end with this process
      await Promise.race([pool.destroy(), sleep(CLOSING)]);
    },
  };
}
