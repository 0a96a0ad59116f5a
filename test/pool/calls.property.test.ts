/**
 * Options together, chosen at random: concurrency, keys, retries, windows, chunks, errors, recycling, deaths. Each item
 * settles once, in order where that was promised; the traces of the runs (traced-calls.ts) hold; the window is kept.
 *
 * PROPERTY_RUNS sets how many pools are tried, MULTIPROCESS_SEED repeats a run.
 */
import fc from 'fast-check';
import { Pool, WorkerCrashError } from 'multiprocess';
import { expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { checkTraces, type TracedItem, traced } from '../support/traced-calls.js';

const runs = Number(process.env['PROPERTY_RUNS'] ?? 12);
const seed = Number(process.env['MULTIPROCESS_SEED'] ?? Date.now() % 1_000_000);

const act = fc.oneof(
  { weight: 30, arbitrary: fc.constant('value' as const) },
  { weight: 4, arbitrary: fc.constant('error' as const) },
  { weight: 1, arbitrary: fc.constant('exit' as const) },
);
const item = fc.record({
  key: fc.nat(4),
  ms: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  acts: fc.array(act, { minLength: 1, maxLength: 3 }),
  extra: fc.oneof(fc.constant(null), fc.constant(new Map([[1, 2]])), fc.string({ maxLength: 2000 })),
});
const plan = fc.record({
  processes: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  keyed: fc.boolean(),
  ordered: fc.boolean(),
  generated: fc.boolean(),
  chunkSize: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 7 })),
  window: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
  crashes: fc.nat(2),
  errors: fc.nat(2),
  backoff: fc.constantFrom(0, 3),
  policy: fc.constantFrom('skip' as const, 'settle' as const),
  maxTasksPerChild: fc.option(fc.integer({ min: 3, max: 20 }), { nil: undefined }),
  items: fc.array(item, { minLength: 1, maxLength: 120 }),
});

it(`each item settles once, keys never overlap, windows are kept (seed ${seed})`, async () => {
  console.log(`calls: MULTIPROCESS_SEED=${seed} PROPERTY_RUNS=${runs}`);
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      using ledger = new Ledger();
      const { processes, concurrency, maxTasksPerChild, keyed, ordered, window, crashes, errors, policy, chunkSize } =
        given;
      await using pool = new Pool({ processes, concurrency, maxTasksPerChild });
      const items = given.items.map((one, index): TracedItem => ({ ...one, index, path: ledger.path }));
      let pulled = 0;
      let taken = 0;
      let most = 0;
      function* source(): Generator<TracedItem> {
        for (const one of items) {
          most = Math.max(most, ++pulled - taken);
          yield one;
        }
      }
      const options = {
        chunkSize,
        window,
        retries: { crashes, errors, backoff: given.backoff },
        errors: 'settle',
        ...(keyed ? { key: (one: TracedItem) => one.key } : {}),
      } as const;
      const results: { readonly index: number; readonly outcome: PromiseSettledResult<number> }[] = [];
      const run = ordered
        ? pool.imap(traced, given.generated ? source() : items, options)
        : pool.imapUnordered(traced, given.generated ? source() : items, options);
      for await (const outcome of run) {
        taken++;
        const index =
          outcome.status === 'fulfilled' ? outcome.value / 3 : (outcome.reason as { itemIndex: number }).itemIndex;
        results.push({ index, outcome });
      }
      // Each settled once, in order where that was promised.
      const indices = results.map(({ index }) => index);
      if (!ordered) indices.sort((a, b) => a - b);
      expect(indices).toEqual(items.map((_, i) => i));
      if (window !== undefined && given.generated) expect(most).toBeLessThanOrEqual(window);
      for (const { index, outcome } of results) {
        if (outcome.status === 'fulfilled') continue;
        const { reason } = outcome;
        if (reason instanceof WorkerCrashError) continue;
        expect(reason).toMatchObject({ name: 'RangeError', message: `item ${index}` });
      }
      checkTraces(ledger.lines(), { keyed, concurrency, runs: 1 + crashes + errors });
      // A map of the same, which collects.
      const before = ledger.lines().length;
      const values = await pool.map(
        traced,
        items
          .map((one) => ({ ...one, acts: one.acts.filter((what) => what !== 'exit') }))
          .filter(({ acts }) => acts.length > 0),
        {
          chunkSize,
          errors: policy,
          retries: options.retries,
          ...(keyed ? { key: (one: TracedItem) => one.key } : {}),
        },
      );
      expect(values.length).toBeLessThanOrEqual(items.length);
      checkTraces(ledger.lines().slice(before), { keyed, concurrency, runs: 1 + crashes + errors });
      pool.close();
      await pool.join();
      expect(pool.stats()).toMatchObject({ queued: 0, active: 0, workers: [] });
    }),
    { seed, numRuns: runs, endOnFailure: true },
  );
}, 300_000);
