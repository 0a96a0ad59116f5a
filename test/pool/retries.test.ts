/** Items that fail and are run again: how often, when, and what holds meanwhile. */
import { currentTask, Pool, type PoolEvent, TimeoutError, WorkerCrashError } from 'multiprocess';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { until } from '../support/until.js';

/** Fails before the attempt that `item` says, and returns the attempt. */
const after = (item: number): number => {
  const { attempt } = currentTask()!;
  if (attempt < item) throw new RangeError(`attempt ${attempt} of ${item}`);
  return attempt;
};
/** The same, of whatever was passed: as it is at each run. */
const row = (item: { readonly fails: number; readonly text: string }): string => {
  if (currentTask()!.attempt < item.fails) throw new Error('again');
  return item.text;
};
const noted = (path: string, name: string, fails: number): string => {
  process.getBuiltinModule('node:fs').appendFileSync(path, `${name} ${currentTask()!.attempt}\n`);
  if (currentTask()!.attempt < fails) throw new Error(name);
  return name;
};
const never = (): Promise<never> =>
  new Promise((_, reject) => {
    const { signal } = currentTask()!;
    const hold = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => {
      clearInterval(hold);
      reject(signal.reason);
    });
  });

let pool: Pool;
let ledger: Ledger;
beforeAll(() => {
  pool = new Pool({ processes: 2, gracePeriod: 2000 });
});
afterAll(() => pool.terminate());
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});

describe('an error', () => {
  it('is not retried by a number, which counts crashes', async () => {
    await expect(pool.apply(after, [1], { retries: 3 })).rejects.toThrow('attempt 0 of 1');
  });

  it('is retried as often as was said, and the last one counts', async () => {
    expect(await pool.apply(after, [2], { retries: { errors: 2 } })).toBe(2);
    await expect(pool.apply(after, [3], { retries: { errors: 2 } })).rejects.toThrow('attempt 2 of 3');
    await expect(pool.apply(after, [1], { retries: { crashes: 5 } })).rejects.toThrow('attempt 0 of 1');
  });

  it('of an item reruns that item only', async () => {
    const items: [string, string, number][] = [0, 0, 2, 0, 1, 0].map((fails, i) => [ledger.path, `item${i}`, fails]);
    const values = await pool.starmap(noted, items, { chunkSize: 6, retries: { errors: 2 } });
    expect(values).toEqual(items.map(([, name]) => name));
    expect(ledger.lines().sort()).toEqual([
      'item0 0',
      'item1 0',
      'item2 0',
      'item2 1',
      'item2 2',
      'item3 0',
      'item4 0',
      'item4 1',
      'item5 0',
    ]);
  });

  it('keeps the place of its item in an ordered stream, and its slot in the window', async () => {
    const items = Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? 2 : 0));
    let pulled = 0;
    let taken = 0;
    function* source(): Generator<number> {
      for (const item of items) {
        pulled++;
        expect(pulled - taken).toBeLessThanOrEqual(6);
        yield item;
      }
    }
    const values: number[] = [];
    for await (const value of pool.imap(after, source(), { window: 6, retries: { errors: 2, backoff: 5 } })) {
      taken++;
      values.push(value);
    }
    expect(values).toEqual(items);
  });

  it.each(['fail', 'skip', 'settle'] as const)('that stays is told as `errors: %s` says', async (errors) => {
    const stream = pool.imap(after, [0, 1, 5, 0], { errors, retries: { errors: 1 }, chunkSize: 4 }).toArray();
    if (errors === 'fail') await expect(stream).rejects.toMatchObject({ message: 'attempt 1 of 5', itemIndex: 2 });
    if (errors === 'skip') expect(await stream).toEqual([0, 1, 0]);
    if (errors === 'settle')
      expect((await stream).map((result) => (result as { status: string }).status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
  });

  it('reruns its item with what was passed, though that was changed since', async () => {
    const call = { fails: 2, text: 'as it was' };
    const list = Array.from({ length: 6 }, (_, i) => ({ fails: i % 3, text: `row ${i}`, at: new Date(i) }));
    const calls = [
      pool.apply(row, [call], { retries: { errors: 2 } }),
      pool.map(row, list, { retries: { errors: 2 }, chunkSize: 6 }),
    ];
    call.text = 'changed';
    for (const one of list) one.text = 'changed';
    expect(await Promise.all(calls)).toEqual(['as it was', ['row 0', 'row 1', 'row 2', 'row 3', 'row 4', 'row 5']]);
  });

  it('counts apart from crashes', async () => {
    const mixed = (path: string): number => {
      const { attempt } = currentTask()!;
      process.getBuiltinModule('node:fs').appendFileSync(path, `${attempt}\n`);
      if (attempt === 0 || attempt === 2) process.exit(7);
      if (attempt < 4) throw new Error('own');
      return attempt;
    };
    expect(await pool.apply(mixed, [ledger.path], { retries: { crashes: 2, errors: 2 } })).toBe(4);
    const failed = await pool.map(mixed, [ledger.path], { retries: { crashes: 1, errors: 2 } }).catch((error) => error);
    expect(failed).toBeInstanceOf(WorkerCrashError);
    expect(ledger.lines()).toEqual(['0', '1', '2', '3', '4', '0', '1', '2']);
  });

  it('of time that ran out is one too, and the next run begins when the last has ended', async () => {
    const once = (path: string): Promise<string> | string => {
      const { attempt, signal } = currentTask()!;
      const note = (text: string) => process.getBuiltinModule('node:fs').appendFileSync(path, `${text} ${attempt}\n`);
      note('begin');
      if (attempt > 0) return 'in time';
      return new Promise((resolve) => {
        const hold = setInterval(() => {}, 1000);
        signal.addEventListener('abort', () => {
          clearInterval(hold);
          setTimeout(() => {
            note('end');
            resolve('late');
          }, 50);
        });
      });
    };
    expect(await pool.apply(once, [ledger.path], { timeout: 150, retries: { errors: 1 } })).toBe('in time');
    expect(await pool.map(once, [ledger.path], { timeout: 150, retries: { errors: 1 } })).toEqual(['in time']);
    expect(ledger.lines()).toEqual(['begin 0', 'end 0', 'begin 1', 'begin 0', 'end 0', 'begin 1']);
    await expect(pool.apply(never, [], { timeout: 100, retries: { errors: 1 } })).rejects.toBeInstanceOf(TimeoutError);
  });
});

describe('when', () => {
  it('decides, by the error and by the number of the run to come', async () => {
    const asked: unknown[] = [];
    const when = (error: unknown, attempt: number): boolean => {
      asked.push((error as Error).name, attempt);
      return attempt < 3;
    };
    await expect(pool.apply(after, [9], { retries: { errors: 9, when } })).rejects.toThrow('attempt 2 of 9');
    expect(asked).toEqual(['RangeError', 1, 'RangeError', 2, 'RangeError', 3]);
  });

  it('fails the item with what it throws', async () => {
    const when = (): boolean => {
      throw new Error('of when');
    };
    await expect(pool.apply(after, [1], { retries: { errors: 1, when } })).rejects.toThrow('of when');
    await expect(pool.map(after, [0, 1], { retries: { errors: 1, when } })).rejects.toThrow('of when');
    await expect(pool.apply(after, [1], { retries: { errors: 1, backoff: () => -1 } })).rejects.toThrow(
      '`retries.backoff` must give milliseconds',
    );
  });

  it('that is async is refused: its promise would count as true', async () => {
    const when = async (): Promise<boolean> => {
      throw new Error('of the promise');
    };
    const failing = pool.apply(after, [1], { retries: { errors: 1, when: when as never } });
    await expect(failing).rejects.toMatchObject({
      code: 'MP_INVALID_ARGUMENT',
      message: expect.stringContaining('not a promise'),
    });
  });

  it('may end what it is asked about', async () => {
    const local = new Pool({ processes: 1 });
    let over: Promise<void> | undefined;
    const when = (): boolean => {
      over = local.terminate();
      return true;
    };
    await expect(local.map(after, [0, 9, 0], { retries: { errors: 9, when } })).rejects.toMatchObject({
      code: 'MP_POOL_TERMINATED',
    });
    await over;
  });
});

describe('backoff', () => {
  it('holds no worker', async () => {
    await using one = new Pool({ processes: 1 });
    await one.apply(after, [0]);
    const late = one.apply(after, [1], { retries: { errors: 1, backoff: 60_000 } });
    late.catch(() => {});
    await until(() => one.stats().queued === 0 && one.stats().workers[0]!.items === 0, 'what the test waits for');
    expect(await one.map(after, [0, 0, 0])).toEqual([0, 0, 0]);
  });

  it('gives the milliseconds of each, and each is an event', async () => {
    const events: PoolEvent[] = [];
    const watching = pool.events.subscribe((event) => events.push(event));
    expect(
      await pool.imap(after, [0, 2], { retries: { errors: 2, backoff: (attempt) => attempt * 3 } }).toArray(),
    ).toEqual([0, 2]);
    expect(await pool.apply(after, [1], { retries: { errors: 1 } })).toBe(1);
    watching.unsubscribe();
    const retries = events.filter(({ type }) => type === 'item-retry');
    expect(retries).toMatchObject([
      { attempt: 1, delay: 3, itemIndex: 1, error: { message: 'attempt 0 of 2' } },
      { attempt: 2, delay: 6, itemIndex: 1, error: { message: 'attempt 1 of 2' } },
      { attempt: 1, delay: 0, itemIndex: null },
    ]);
  });

  it('ends with a cancelled call, an aborted map, a stream that is left, a pool that is terminated', async () => {
    const local = new Pool({ processes: 1 });
    const options = { retries: { errors: 9, backoff: 60_000 } };
    const waiting = async (): Promise<void> =>
      until(
        () =>
          local.stats().active > 0 &&
          local.stats().queued === 0 &&
          local.stats().workers.every(({ items, state }) => state === 'ready' && items === 0),
        'an idle worker',
      );
    const call = local.applyAsync(after, [9], options);
    await waiting();
    call.cancel(new Error('given up'));
    await expect(call).rejects.toThrow('given up');
    const controller = new AbortController();
    const map = local.map(after, [9, 0], { ...options, signal: controller.signal });
    map.catch(() => {});
    await waiting();
    controller.abort(new Error('aborted'));
    await expect(map).rejects.toThrow('aborted');
    const stream = local.imap(after, [0, 9], options)[Symbol.asyncIterator]();
    expect((await stream.next()).value).toBe(0);
    await waiting();
    await stream.return!();
    await until(() => local.stats().active === 0, 'what the test waits for');
    const left = local.apply(after, [9], options);
    left.catch(() => {});
    const items = local.map(after, [0, 9], options);
    items.catch(() => {});
    await waiting();
    await local.terminate();
    await expect(left).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    await expect(items).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    expect(local.stats().active).toBe(0);
  });

  it('is waited for by a pool that was closed', async () => {
    const local = new Pool({ processes: 1 });
    const call = local.apply(after, [2], { retries: { errors: 2, backoff: 40 } });
    const map = local.map(after, [0, 1], { retries: { errors: 2, backoff: 40 } });
    local.close();
    await local.join();
    expect(await call).toBe(2);
    expect(await map).toEqual([0, 1]);
  });

  it('outlasts the workers, which are started again', async () => {
    await using local = new Pool({ processes: 1, idleTimeout: 30 });
    const call = local.apply(after, [1], { retries: { errors: 1, backoff: 400 } });
    await until(() => local.stats().started === 1 && local.stats().workers.length === 0, 'what the test waits for');
    expect(await call).toBe(1);
  });
});

it('the default is the pool’s, and a call has its own in the place of it', async () => {
  await using local = new Pool({ processes: 1, retries: { errors: 1 } });
  expect(await local.apply(after, [1])).toBe(1);
  expect(await local.map(after, [1, 0])).toEqual([1, 0]);
  await expect(local.apply(after, [1], { retries: 4 })).rejects.toThrow('attempt 0 of 1');
});

it('wrong retries are refused by name', () => {
  const refused = (retries: unknown): string => {
    try {
      new Pool({ processes: 1, retries: retries as never });
    } catch (error) {
      return (error as Error).message;
    }
    return 'taken';
  };
  expect(refused({ error: 1 })).toBe('Pool: retries: misspelled option `error`: did you mean `errors`?');
  expect(refused({ errors: -1 })).toMatch('`retries.errors` must be an integer of at least 0');
  expect(refused({ errors: 1, when: 3 })).toMatch('`retries.when` must be a function');
  expect(refused({ crashes: 1, backoff: 'long' })).toMatch('`retries.backoff` must be a number');
  expect(refused({ backoff: 5 })).toMatch(
    '`retries.backoff` is of no use without `retries.errors` or `retries.crashes`',
  );
  expect(refused('twice')).toMatch('`retries` must be an integer');
});
