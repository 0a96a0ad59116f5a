/**
 * The parent's memory over many calls with all options: flat.
 *
 * STRESS_CALLS sets how many (default 40,000). The long form: STRESS_CALLS=10000000.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
import { Pool } from 'multiprocess';
import { expect, it } from 'vitest';

const calls = Number(process.env['STRESS_CALLS'] ?? 40_000);
const MIB = 2 ** 20;

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc') as () => void;

/** Bytes in use when what can be freed is freed. */
async function used(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await new Promise((done) => setImmediate(done));
    gc();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it.each([1, 4])(
  `stays flat over ${calls} calls and items, with a concurrency of %i`,
  async (concurrency) => {
    await using pool = new Pool({ processes: 2, concurrency, maxTasksPerChild: 20_000 });
    const flaky = (x: number): number => {
      if (x % 50 === 0) throw new Error('always');
      return x;
    };
    const retries = { crashes: 2, errors: 1, when: () => true };
    let next = 0;
    /** A round: calls, cancelled calls, a keyed stream whose keys never come again, a map. */
    const round = async (): Promise<void> => {
      const own = Array.from({ length: 200 }, () => next++);
      const signal = new AbortController();
      const given = own
        .slice(0, 20)
        .map((x) => pool.apply(flaky, [x], { retries, signal: signal.signal }).catch(() => 0));
      const results = own.map((x) =>
        pool.apply(flaky, [x], { retries, timeout: 60_000, priority: x % 3 }).catch(() => 0),
      );
      signal.abort();
      await Promise.all([...given, ...results]);
      const keyed = pool.imapUnordered(flaky, own, {
        retries,
        key: (x) => `${next}-${x % 40}`,
        errors: 'skip',
        window: 50,
      });
      let taken = 0;
      for await (const _ of keyed) if (++taken === 150) break;
      await pool.map(flaky, own, { retries, errors: 'settle' });
    };
    const rounds = Math.ceil(calls / 600);
    const third = Math.ceil(rounds / 3);
    for (let i = 0; i < third; i++) await round();
    const before = await used();
    for (let i = third; i < rounds; i++) await round();
    const after = await used();
    console.log(
      `${rounds} rounds: ${(before / MIB).toFixed(1)} MiB after a third, ${(after / MIB).toFixed(1)} MiB at the end`,
    );
    expect(after - before).toBeLessThan(4 * MIB);
  },
  3_600_000,
);
