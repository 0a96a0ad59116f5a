/** Workers that die before an item runs, while what it needs is decoded or imported: that item is blamed, and nothing is run for ever. */
import { Pool, WorkerCrashError } from 'multiprocess';
import { register } from 'multiprocess/reduction';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { threads } from '../support/start-method.js';

const exitsOnImport = new URL('../fixtures/tasks/exits-on-import.js', import.meta.url);
const diesUnless = new URL('../fixtures/tasks/dies-unless.js', import.meta.url);

/** Ends the process that decodes it. */
class Poison {}
register(Poison, () => [() => process.exit(5), []]);
/** Cannot be decoded. */
class Rotten {}
register(Rotten, () => {
  const rebuild = (): never => {
    throw new RangeError('rotten');
  };
  return [rebuild, []];
});

let pool: Pool;
beforeEach(() => {
  pool = new Pool({ processes: 2, gracePeriod: 200 });
});
afterEach(() => pool.terminate());

const crashed = (): number => pool.stats().crashed;
const same = (x: unknown): unknown => x;
const among = (bad: unknown): unknown[] => [0, 1, 2, bad, 4, 5, 6, 7];
const settled = (outcomes: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));

describe('a call whose worker dies', () => {
  it('while its arguments are decoded is blamed after one death', async () => {
    await expect(pool.apply(same, [new Poison()])).rejects.toBeInstanceOf(WorkerCrashError);
    expect(crashed()).toBe(1);
    expect(await pool.apply(same, [1])).toBe(1);
  });

  it('while the module of its function is imported is blamed after one death', async () => {
    await expect(pool.apply(exitsOnImport as never, [1])).rejects.toMatchObject({
      code: 'MP_WORKER_CRASH',
      exitCode: 9,
    });
    expect(crashed()).toBe(1);
    expect(await pool.apply(same, [1])).toBe(1);
  });

  it('while a module that its function imported is evaluated, or its captures are decoded, is blamed', async () => {
    const captured = new Poison();
    await expect(pool.apply(() => captured)).rejects.toBeInstanceOf(WorkerCrashError);
    const { href } = exitsOnImport;
    await expect(pool.apply(() => import(href))).rejects.toBeInstanceOf(WorkerCrashError);
    expect(crashed()).toBe(2);
  });

  it('is retried as often as it may be', async () => {
    await expect(pool.apply(same, [new Poison()], { retries: 2 })).rejects.toBeInstanceOf(WorkerCrashError);
    expect(crashed()).toBe(3);
  });

  it('while its function is imported arrives when a retry can import it', async () => {
    using ledger = new Ledger();
    const path = `${ledger.path}.there`;
    await using local = new Pool({ processes: 1, env: { ...process.env, DIES_UNLESS: path } });
    expect(await local.apply(diesUnless as never, [1], { retries: 1 })).toBe(2);
    expect(local.stats().crashed).toBe(1);
    process.getBuiltinModule('node:fs').rmSync(path);
  });

  it('does not take along what waits behind it', async () => {
    await using one = new Pool({ processes: 1 });
    const outcomes = await Promise.allSettled(among(new Poison()).map((x) => one.apply(same, [x])));
    expect(settled(outcomes)).toEqual([0, 1, 2, expect.any(WorkerCrashError), 4, 5, 6, 7]);
    expect(one.stats().crashed).toBe(1);
  });

  // A thread's memory limit ends the process when one scavenge moves more than V8 has in hand.
  it.skipIf(threads)('because its argument does not fit into the memory of a worker is blamed', async () => {
    await using small = new Pool({ processes: 1, execArgv: ['--max-old-space-size=24', '--max-semi-space-size=1'] });
    const huge = Array.from({ length: 1_000_000 }, (_, i) => ({ i, text: `item ${i}` }));
    await expect(small.apply((x: unknown[]) => x.length, [huge])).rejects.toBeInstanceOf(WorkerCrashError);
    expect(small.stats().crashed).toBe(1);
    expect(await small.apply(same, [1])).toBe(1);
  });
});

describe('of a chunk whose worker dies while it is decoded', () => {
  it('only the culprit is lost', async () => {
    const outcomes = await pool
      .imap(same, among(new Poison()), { chunkSize: 8, window: 64, errors: 'settle' })
      .toArray();
    expect(settled(outcomes)).toEqual([0, 1, 2, expect.any(WorkerCrashError), 4, 5, 6, 7]);
    expect(crashed()).toBeLessThanOrEqual(4);
    const rest = await pool.imap(same, among(new Poison()), { chunkSize: 8, window: 64, errors: 'skip' }).toArray();
    expect(rest).toEqual([0, 1, 2, 4, 5, 6, 7]);
  });

  it('map fails with that one, after the others', async () => {
    using ledger = new Ledger();
    const note = (path: string, x: unknown): void => process.getBuiltinModule('node:fs').appendFileSync(path, `${x}\n`);
    const items = among(new Poison()).map((x) => [ledger.path, x] as [string, unknown]);
    await expect(pool.starmap(note, items, { chunkSize: 8 })).rejects.toBeInstanceOf(WorkerCrashError);
    expect(ledger.lines().sort()).toEqual(['0', '1', '2', '4', '5', '6', '7']);
  });
});

it('of a chunk with an item that cannot be decoded only that is lost', async () => {
  const outcomes = await pool.imap(same, among(new Rotten()), { chunkSize: 8, window: 64, errors: 'settle' }).toArray();
  expect(settled(outcomes)).toEqual([0, 1, 2, expect.objectContaining({ code: 'MP_REBUILD' }), 4, 5, 6, 7]);
  expect(crashed()).toBe(0);
});

it('a stream whose function kills every worker that imports it fails after a few', async () => {
  const items = Array.from({ length: 500 }, (_, i) => i);
  const stream = pool.imap(exitsOnImport as never, items, { chunkSize: 1, errors: 'settle' });
  await expect(stream.toArray()).rejects.toBeInstanceOf(WorkerCrashError);
  const error: unknown = await pool.map(exitsOnImport as never, items).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkerCrashError);
  const { itemIndex } = error as { itemIndex?: unknown };
  expect(itemIndex).toBeTypeOf('number');
  expect((error as Error).message).toContain(`before item ${itemIndex} had a result`);
  expect(crashed()).toBeLessThanOrEqual(12);
  expect(await pool.apply(same, [1])).toBe(1);
});
