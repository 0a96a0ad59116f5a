/** Threads that end at any moment under load: every item settles once, and nothing stays behind. */
import { ThreadPool, WorkerCrashError } from 'multiprocess';
import { expect, it } from 'vitest';
import { until } from '../support/until.js';

const seed = Number(process.env['STRESS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const items = Number(process.env['STRESS_ITEMS'] ?? 1_500);

/** Mulberry32. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Fate = 'value' | 'error' | 'exit' | 'throw later' | 'spin';

it(`settles each of ${items} items once while threads end in every way (seed ${seed})`, {
  timeout: 240_000,
}, async () => {
  const next = random(seed);
  const fate = (): Fate => {
    const roll = next();
    return roll < 0.95
      ? 'value'
      : roll < 0.97
        ? 'error'
        : roll < 0.985
          ? 'exit'
          : roll < 0.995
            ? 'throw later'
            : 'spin';
  };
  const fates = Array.from({ length: items }, fate);
  const task = (i: number, what: Fate): unknown => {
    if (what === 'error') throw new RangeError(`own ${i}`);
    if (what === 'exit') process.exit(3);
    if (what === 'throw later') {
      setImmediate(() => {
        throw new Error(`later ${i}`);
      });
      return new Promise(() => setInterval(() => {}, 1000));
    }
    if (what === 'spin') for (;;);
    return i % 3 === 0 ? Promise.resolve(i) : i;
  };
  const silence = process.stderr.write;
  process.stderr.write = (() => true) as typeof silence; // what threads did not catch is printed
  try {
    await using pool = new ThreadPool({ processes: 3, gracePeriod: 20, maxTasksPerChild: 500 });
    const settled = new Array<number>(items).fill(0);
    const outcomes = await Promise.allSettled(
      fates.map((what, i) =>
        pool.apply(task, [i, what], what === 'spin' ? { timeout: 20 } : undefined).finally(() => settled[i]!++),
      ),
    );
    expect(settled.every((times) => times === 1)).toBe(true);
    for (const [i, outcome] of outcomes.entries()) {
      const what = fates[i]!;
      if (what === 'value') expect(outcome, `item ${i}`).toEqual({ status: 'fulfilled', value: i });
      else {
        expect(outcome.status, `item ${i}: ${what}`).toBe('rejected');
        const { reason } = outcome as PromiseRejectedResult;
        if (what === 'error') expect(reason).toBeInstanceOf(RangeError);
        else if (what === 'spin') expect(reason).toMatchObject({ code: 'MP_TIMEOUT' });
        else expect(reason).toBeInstanceOf(WorkerCrashError);
      }
    }
    // The call that was overdue last has its worker until the grace period ends that.
    await until(() => pool.stats().active === 0, 'no call that has a worker');
    expect(pool.stats().queued).toBe(0);
    expect(pool.stats().crashed).toBeGreaterThan(items / 100);
  } finally {
    process.stderr.write = silence;
  }
});
