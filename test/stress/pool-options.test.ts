/**
 * Kill storm with all options of a call together: several items at once in a worker, keys, retries of errors and of deaths
 * with pauses, a window, recycling. Each item settles once and in order; equal keys never overlap; the window is kept.
 *
 * STRESS_SECONDS sets the length (default 10), or STRESS_ITEMS how many items; a worker is killed each STRESS_KILL_MS
 * milliseconds (default 50); STRESS_SEED repeats a run's choices. The long form: STRESS_ITEMS=50000.
 */
import { Pool, WorkerCrashError } from 'multiprocess';
import { expect, it } from 'vitest';
import { randomFrom } from '../fixtures/random.mjs';
import { Ledger } from '../support/ledger.js';
import { checkTraces, loaded, type TracedItem, traced } from '../support/traced-calls.js';

const count = Number(process.env['STRESS_ITEMS'] ?? Number.POSITIVE_INFINITY);
const seconds =
  count === Number.POSITIVE_INFINITY ? Number(process.env['STRESS_SECONDS'] ?? 10) : Number.POSITIVE_INFINITY;
const interval = Number(process.env['STRESS_KILL_MS'] ?? 50);
const seed = Number(process.env['STRESS_SEED'] ?? Date.now() % 1_000_000);

const WINDOW = 64;
const CONCURRENCY = 3;
const CRASHES = 12;
const ERRORS = 2;

it(
  `survives a kill storm with all options (seed ${seed})`,
  async () => {
    console.log(
      `kill storm: STRESS_SEED=${seed} STRESS_KILL_MS=${interval} ${count === Number.POSITIVE_INFINITY ? `STRESS_SECONDS=${seconds}` : `STRESS_ITEMS=${count}`}`,
    );
    using ledger = new Ledger();
    const below = randomFrom(seed);
    await using pool = new Pool({
      processes: 3,
      concurrency: CONCURRENCY,
      maxTasksPerChild: 400,
      gracePeriod: 50,
      initializer: loaded,
    });
    const deadline = Date.now() + seconds * 1000;
    let pulled = 0;
    let taken = 0;
    let most = 0;
    let kills = 0;
    const killer = setInterval(() => {
      const ready = pool.stats().workers.filter(({ state, pid }) => state === 'ready' && pid !== null);
      // Of one alone nothing would be left to get on.
      if (ready.length < 2) return;
      kills++;
      process.kill(ready[below(ready.length)]!.pid!, 'SIGKILL');
    }, interval);
    function* source(): Generator<TracedItem> {
      while (pulled < count && Date.now() < deadline) {
        const index = pulled++;
        most = Math.max(most, pulled - taken);
        const fails = below(20) === 0 ? below(4) : 0;
        yield {
          index,
          key: below(12),
          ms: below(4) === 0 ? below(5) : 0,
          acts: [...Array.from({ length: fails }, () => 'error' as const), 'value'],
          path: ledger.path,
          extra: below(10) === 0 ? new Map([[index, 'x'.repeat(below(3000))]]) : { index },
        };
      }
    }
    const tally: Record<string, number> = {};
    const note = (what: string): void => {
      tally[what] = (tally[what] ?? 0) + 1;
    };
    try {
      const options = {
        window: WINDOW,
        key: ({ key }: TracedItem) => key,
        retries: { crashes: CRASHES, errors: ERRORS, backoff: (attempt: number) => attempt },
        errors: 'settle',
        timeout: 20_000,
      } as const;
      for await (const outcome of pool.imap(traced, source(), options)) {
        const index = taken++;
        if (outcome.status === 'fulfilled') {
          expect(outcome.value).toBe(index * 3);
          note('values');
          continue;
        }
        expect(outcome.reason).toMatchObject({ itemIndex: index });
        if (outcome.reason instanceof WorkerCrashError) note('crashes');
        else {
          expect(outcome.reason).toMatchObject({ message: `item ${index}` });
          note('errors');
        }
      }
    } finally {
      clearInterval(killer);
    }
    console.log(`${taken} items, ${kills} kills, ${JSON.stringify(tally)}`);
    expect(taken).toBe(pulled);
    expect(most).toBeLessThanOrEqual(WINDOW);
    checkTraces(ledger.lines(), { keyed: true, concurrency: CONCURRENCY, runs: 1 + CRASHES + ERRORS });
    expect(await pool.map((x: number) => x, [1, 2, 3])).toEqual([1, 2, 3]);
    pool.close();
    await pool.join();
    expect(pool.stats()).toMatchObject({ queued: 0, active: 0, workers: [] });
  },
  count === Number.POSITIVE_INFINITY ? seconds * 1000 + 120_000 : 3_600_000,
);
