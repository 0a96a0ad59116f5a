/** piscina: worker threads, a promise and a message per task. */
import { Piscina } from 'piscina';

const filename = new URL('./tasks.js', import.meta.url).href;

/** Configurations worth trying. piscina hands a worker one task at a time unless it is told otherwise. */
export const piscinaVariants = Object.fromEntries(
  [1, 8, 32, 128].flatMap((concurrentTasksPerWorker) =>
    ['sync', 'async', 'disabled'].map((atomics) => [
      `${concurrentTasksPerWorker} per worker, atomics ${atomics}`,
      { concurrentTasksPerWorker, atomics },
    ]),
  ),
);

/** For one task in flight, where only the atomics matter. */
export const piscinaVariantsOne = Object.fromEntries(
  Object.entries(piscinaVariants).filter(([, variant]) => variant.concurrentTasksPerWorker === 1),
);

export function openPiscina(name, workers, variant) {
  const pool = new Piscina({
    filename,
    name,
    minThreads: workers,
    maxThreads: workers,
    recordTiming: false,
    ...variant,
  });
  return { run: (value) => pool.run(value), close: () => pool.destroy() };
}
