/** Workers that are there and do nothing: stopped by a signal, or busy with what an earlier task left behind. */
import { Pool, TimeoutError } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { alive } from '../support/processes.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

/** Leaves its worker in a loop, outside of any task, and notes when that begins. */
const leaveLoop = (path: string): void => {
  setTimeout(() => {
    process.getBuiltinModule('node:fs').appendFileSync(path, 'loops\n');
    for (;;);
  });
};
const whole = async (pool: Pool): Promise<void> => {
  await until(() => pool.stats().workers.every(({ state }) => state === 'ready'), 'all workers ready');
};
/** Freezes the worker that runs it, as each host can. */
async function freeze(pool: Pool): Promise<void> {
  using ledger = new Ledger();
  await pool.apply(leaveLoop, [ledger.path]);
  await until(() => ledger.lines().length > 0, 'the loop');
}

describe('an item handed to a worker that does not begin it', () => {
  it('is taken by an idle one', async () => {
    await using pool = new Pool({ processes: 2, gracePeriod: 200 });
    await whole(pool);
    await freeze(pool);
    const calls = Array.from({ length: 20 }, (_, i) => pool.apply((x: number) => x, [i]));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    // One by one: each of them may be handed to the frozen one.
    for (let i = 0; i < 5; i++) expect(await pool.apply((x: number) => x, [i])).toBe(i);
    expect(await pool.map((x: number) => x, [1, 2, 3], { chunkSize: 1 })).toEqual([1, 2, 3]);
    expect(await pool.imap((x: number) => x, [1, 2, 3], { chunkSize: 1 }).toArray()).toEqual([1, 2, 3]);
    expect(pool.stats().crashed).toBe(0);
  });

  it('is taken by one that becomes idle', async () => {
    await using pool = new Pool({ processes: 2, gracePeriod: 200 });
    await whole(pool);
    await freeze(pool);
    const long = pool.apply(() => new Promise((done) => setTimeout(done, 100)));
    const calls = Array.from({ length: 4 }, (_, i) => pool.apply((x: number) => x, [i]));
    await long;
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3]);
  });

  it('is bounded by its timeout, and the worker is replaced', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 200 });
    await freeze(pool);
    const { ident } = pool.stats().workers[0]!;
    const without = pool.apply(() => 'later');
    const error: unknown = await pool.apply(() => 1, [], { timeout: 300 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as Error).message).toContain('did not begin it within its timeout of 300 ms');
    // What had no limit goes to the next worker.
    expect(await without).toBe('later');
    expect(pool.stats().workers[0]!.ident).not.toBe(ident);
  });

  it('costs a stream one item for each time limit, not the others of its chunk', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 100 });
    await freeze(pool);
    const outcomes = await pool
      .imap((x: number) => x, [1, 2, 3, 4], { chunkSize: 4, window: 8, timeout: 300, errors: 'settle' })
      .toArray();
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(outcomes[0]).toMatchObject({ reason: { code: 'MP_TIMEOUT' } });
  });

  it('is not bounded while the worker starts, nor by the import of a module', async () => {
    const initializer = () => new Promise((done) => setTimeout(done, 300));
    await using pool = new Pool({ processes: 1, initializer });
    const slow = new URL('../fixtures/tasks/slow-to-import.js', import.meta.url);
    expect(await pool.apply(slow as never, [1], { timeout: 100 })).toBe(1);
  });

  it('can be cancelled, and taken back by its signal', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 200 });
    await freeze(pool);
    const result = pool.applyAsync(() => 1);
    result.cancel(new RangeError('enough'));
    await expect(result.get()).rejects.toThrow('enough');
    await expect(pool.apply(() => 1, [], { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

describe('a worker that is frozen', () => {
  it('is ended by terminate()', async () => {
    const pool = new Pool({ processes: 2, gracePeriod: 200 });
    await whole(pool);
    await freeze(pool);
    await pool.terminate();
    expect(pool.stats().workers).toEqual([]);
  });

  it('is ended by close() and join(), after what others had to do', async () => {
    const pool = new Pool({ processes: 2, gracePeriod: 200 });
    await whole(pool);
    await freeze(pool);
    const last = pool.apply(() => new Promise<string>((done) => setTimeout(done, 100, 'last')));
    pool.close();
    await pool.join();
    expect(await last).toBe('last');
    expect(pool.stats().workers).toEqual([]);
  });

  it('is ended when it was let go because it was idle', async () => {
    await using pool = new Pool({ processes: 1, idleTimeout: 1000, gracePeriod: 200 });
    await freeze(pool);
    await until(() => pool.stats().workers.length === 0, 'no worker');
    expect(pool.stats()).toMatchObject({ started: 1, crashed: 0 });
    expect(await pool.apply(() => 1)).toBe(1);
  });
});

// Signals are not delivered to threads.
describe.skipIf(threads)('a worker that was stopped by SIGSTOP', () => {
  const stopOne = async (pool: Pool): Promise<number> => {
    await whole(pool);
    const pid = pool.stats().workers[0]!.pid!;
    process.kill(pid, 'SIGSTOP');
    return pid;
  };

  it('loses what it has not begun to another one', async () => {
    await using pool = new Pool({ processes: 2, gracePeriod: 200 });
    await stopOne(pool);
    const calls = Array.from({ length: 20 }, (_, i) => pool.apply((x: number) => x, [i]));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('is killed when the time of what it was handed is over', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 200 });
    const pid = await stopOne(pool);
    await expect(pool.apply(() => 1, [], { timeout: 200 })).rejects.toBeInstanceOf(TimeoutError);
    expect(await pool.apply(() => 2)).toBe(2);
    expect(alive(pid)).toBe(false);
  });

  it('is killed in the middle of an item that was cancelled', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 200 });
    const running = pool.applyAsync(() => {
      process.kill(process.pid, 'SIGSTOP');
    });
    await until(() => pool.stats().workers[0]!.state === 'ready', 'ready');
    const { pid } = pool.stats().workers[0]!;
    const state = (): string =>
      process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]!;
    await until(() => state() === 'T', 'stopped');
    running.cancel();
    await expect(running.get()).rejects.toMatchObject({ name: 'AbortError' });
    expect(await pool.apply(() => 3)).toBe(3);
    expect(alive(pid!)).toBe(false);
  });

  it('and is idle does not hold up close() and join()', async () => {
    const pool = new Pool({ processes: 2, gracePeriod: 200 });
    const pid = await stopOne(pool);
    pool.close();
    await pool.join();
    expect(alive(pid)).toBe(false);
  });

  it('and goes on in time is not killed', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 5000 });
    const pid = await stopOne(pool);
    await expect(pool.apply(() => 1, [], { timeout: 100 })).rejects.toBeInstanceOf(TimeoutError);
    const next = pool.apply(() => process.pid);
    process.kill(pid, 'SIGCONT');
    expect(await next).toBe(pid);
    expect(pool.stats().crashed).toBe(0);
  });
});
