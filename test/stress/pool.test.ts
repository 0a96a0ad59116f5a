/**
 * Kill storm: workers are killed at random while calls, maps, streams and cancellations run. Every accepted item settles
 * once, with its value, its own error, its cancellation or WorkerCrashError; afterwards the pool is as good as new.
 *
 * STRESS_SECONDS sets the length (default 10), STRESS_SEED repeats a run's choices.
 */
import { Pool, WorkerCrashError } from 'multiprocess';
import { expect, it } from 'vitest';
import { until } from '../support/until.js';

const seconds = Number(process.env['STRESS_SECONDS'] ?? 10);
const seed = Number(process.env['STRESS_SEED'] ?? Date.now() % 1_000_000);

/** Small, seeded generator (mulberry32, T. Ettinger). */
function generator(from: number): () => number {
  let a = from >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Work = { i: number; ms: number; bytes: number; fails: boolean };
const work = ({ i, ms, bytes, fails }: Work): unknown => {
  const end = () => {
    if (fails) throw new RangeError(`item ${i}`);
    return { i: i * 3, filler: new Uint8Array(bytes).fill(i & 255) };
  };
  if (ms === 0) return end();
  return new Promise((done) => setTimeout(done, ms)).then(end);
};

it.each([1, 4])(
  `survives a kill storm of ${seconds} s, with a concurrency of %i (seed ${seed})`,
  async (concurrency) => {
    console.log(`kill storm: STRESS_SEED=${seed} STRESS_SECONDS=${seconds}`);
    const random = generator(seed);
    const below = (n: number) => Math.floor(random() * n);
    const given = new Error('given up');
    const pool = new Pool({ processes: 3, concurrency, gracePeriod: 50 });
    const tally: Record<string, number> = {};
    const note = (what: string) => {
      tally[what] = (tally[what] ?? 0) + 1;
    };
    let next = 0;
    const make = (): Work => ({
      i: next++,
      ms: random() < 0.7 ? 0 : below(6),
      bytes: random() < 0.02 ? below(600_000) : below(2000),
      fails: random() < 0.05,
    });
    const judgeValue = (item: Work, value: unknown, how: string) => {
      const result = value as { i: number; filler: Uint8Array };
      if (
        item.fails ||
        result.i !== item.i * 3 ||
        result.filler.length !== item.bytes ||
        result.filler.some((byte) => byte !== (item.i & 255))
      ) {
        throw new Error(
          `${how}: item ${JSON.stringify(item)} has the wrong result ${result.i}, ${result.filler?.length} bytes`,
        );
      }
      note(`${how} value`);
    };
    const judgeError = (item: Work | null, error: unknown, how: string, cancelled: boolean) => {
      if (error instanceof WorkerCrashError) {
        expect(error.signal).toBe('SIGKILL');
        return note(`${how} crash`);
      }
      if (error === given && cancelled) return note(`${how} cancelled`);
      if (error instanceof RangeError && (item === null || (item.fails && error.message === `item ${item.i}`)))
        return note(`${how} own error`);
      throw new Error(`${how}: unexpected outcome of ${JSON.stringify(item)}`, { cause: error });
    };

    const call = async () => {
      const item = make();
      const cancels = random() < 0.2;
      const result = pool.applyAsync(work, [item], { priority: below(3), retries: below(2) });
      if (cancels) setTimeout(() => result.cancel(given), below(5));
      await result.then(
        (value) => judgeValue(item, value, 'call'),
        (error) => judgeError(item, error, 'call', cancels),
      );
    };
    const map = async () => {
      const items = Array.from({ length: 1 + below(60) }, make);
      const controller = new AbortController();
      const cancels = random() < 0.2;
      if (cancels) setTimeout(() => controller.abort(given), below(10));
      await pool
        .map(work, items, { chunkSize: random() < 0.5 ? 'auto' : 1 + below(20), signal: controller.signal })
        .then(
          (values) => values.forEach((value, i) => void judgeValue(items[i]!, value, 'map')),
          (error) => judgeError(null, error, 'map', cancels),
        );
    };
    const stream = async () => {
      const items = Array.from({ length: 1 + below(120) }, make);
      const ordered = random() < 0.5;
      const leavesAt = random() < 0.3 ? below(items.length) : -1;
      const options = {
        window: 1 + below(64),
        errors: 'settle' as const,
        chunkSize: random() < 0.5 ? ('auto' as const) : 1 + below(16),
      };
      const results = (
        ordered ? pool.imap(work, items, options) : pool.imapUnordered(work, items, options)
      ).enumerate();
      const seen = new Set<number>();
      let count = 0;
      for await (const [index, outcome] of results) {
        const settled = outcome as PromiseSettledResult<unknown>;
        if (ordered && index !== count) throw new Error(`order: index ${index} at place ${count}`);
        if (seen.has(index)) throw new Error(`item ${index} twice`);
        seen.add(index);
        if (settled.status === 'fulfilled') judgeValue(items[index]!, settled.value, 'stream');
        else judgeError(items[index]!, settled.reason, 'stream', false);
        if (count++ === leavesAt) break;
      }
      await results.closed;
      if (leavesAt < 0 && count !== items.length) throw new Error(`${items.length - count} items of a stream are lost`);
    };

    const end = performance.now() + seconds * 1000;
    let kills = 0;
    const killer = (async () => {
      for (let gust = Number.NEGATIVE_INFINITY; performance.now() < end; ) {
        await new Promise((done) => setTimeout(done, 5 + below(30)));
        // In gusts, with lulls in which work gets done: as long as a machine that is busy needs for that.
        if (performance.now() - gust > 1200) {
          const { done } = pool.stats();
          await new Promise((lull) => setTimeout(lull, 600));
          await until(() => pool.stats().done > done, 'a result between two gusts', 60_000);
          gust = performance.now();
        }
        // Also one that is starting: a pool whose workers were ready before waits for the end of a storm.
        const { workers } = pool.stats();
        const victim = workers[below(workers.length)]?.pid ?? null;
        if (victim === null) continue;
        process.kill(victim, 'SIGKILL');
        kills++;
      }
    })();
    const underWay = new Map<number, string>();
    const client = async (_: unknown, number: number) => {
      while (performance.now() < end) {
        const [name, run] = (
          [
            ['call', call],
            ['call', call],
            ['map', map],
            ['stream', stream],
          ] as const
        )[below(4)]!;
        underWay.set(number, name);
        await run();
        underWay.delete(number);
      }
    };
    const storm = Promise.all([killer, ...Array.from({ length: 12 }, client)]);
    let over = false;
    storm.then(
      () => (over = true),
      () => (over = true),
    );
    await until(() => over, 'the end of the storm', seconds * 1000 + 20_000).catch(() => {
      throw new Error(`hangs: ${[...underWay.values()]} with ${JSON.stringify(pool.stats())}`);
    });
    await storm;

    await until(() => pool.stats().active === 0, 'the end of all work');
    expect(pool.stats().queued).toBe(0);
    expect(pool.stats().crashed).toBeGreaterThan(kills / 2);
    // As good as new: what follows crashes nowhere.
    await until(
      () => pool.stats().workers.filter((worker) => worker.state === 'ready').length === 3,
      'three ready workers',
    );
    expect(await pool.map((x: number) => x * 2, [1, 2, 3])).toEqual([2, 4, 6]);
    expect(pool.stats().workers.every((worker) => worker.items === 0)).toBe(true);
    pool.close();
    await pool.join();
    console.log(`${kills} kills, ${next} items: ${JSON.stringify(tally)}`);
  },
  seconds * 1000 + 60_000,
);
